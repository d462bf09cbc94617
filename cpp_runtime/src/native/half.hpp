// IEEE 754 half precision.
#pragma once

#include <cmath>
#include <cstdint>

namespace nanoedge::native {

inline float float_of_half(std::uint16_t half) {
  const int exponent = (half >> 10) & 31, fraction = half & 1023;
  float value;
  if (exponent == 0) {
    value = std::ldexp(static_cast<float>(fraction), -24);
  } else if (exponent == 31) {
    value = fraction == 0 ? INFINITY : NAN;
  } else {
    value = std::ldexp(static_cast<float>(fraction + 1024), exponent - 25);
  }
  return (half & 0x8000) != 0 ? -value : value;
}

}  // namespace nanoedge::native
