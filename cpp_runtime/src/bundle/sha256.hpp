#pragma once

#include <cstddef>
#include <string>

namespace nanoedge {

// SHA-256 (FIPS 180-4) of some bytes as 64 lower-case hexadecimal digits.
std::string sha256_hex(const void* data, std::size_t size);

}  // namespace nanoedge
