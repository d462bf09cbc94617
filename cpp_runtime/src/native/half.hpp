// IEEE 754 half precision.
#pragma once

#include <cstdint>
#include <cstring>

namespace nanoedge::native {

// Exact. Without branches, so that compilers calculate several at once.
inline float float_of_half(std::uint16_t half) {
  const std::uint32_t magnitude = static_cast<std::uint32_t>(half & 0x7FFF) << 13;
  float value;
  std::memcpy(&value, &magnitude, sizeof value);
  value *= 0x1p112F;  // from one exponent's offset to the other's; makes normal numbers of denormal ones
  std::uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  const std::uint32_t special = (half & 0x7C00) == 0x7C00 ? 0x7F800000U : 0U;  // infinite, or no number
  bits |= special | static_cast<std::uint32_t>(half & 0x8000) << 16;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

}  // namespace nanoedge::native
