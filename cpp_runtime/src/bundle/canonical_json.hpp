#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace nanoedge {

// The text whose sha256 is a manifest's digest: keys sorted by code point, no spaces, UTF-8 as it is, numbers as
// Python's repr writes them (the shortest digits that read back to the same double).
std::string canonical_json(const nlohmann::json& document);

}  // namespace nanoedge
