#pragma once

#include <string>
#include <string_view>

namespace nanoedge {

// A text as JSON writes it, in quotation marks: only what must be escaped is, and bytes that are no UTF-8 become
// U+FFFD.
std::string json_text(std::string_view text);

}  // namespace nanoedge
