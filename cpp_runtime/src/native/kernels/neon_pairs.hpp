// int8 for NEON without dot products of bytes: how two products at a time are added up.
#pragma once

#include "native/kernels/neon_int8.hpp"

namespace nanoedge::native {
namespace {

// Two products a lane of 16 bits, which hold 2 * 128 * 127, then neighbouring lanes into one of 32 bits. The bytes 0, 1
// of four channels and 2, 3 of the same channels fill the two halves of a vector.
struct WidePairs {
#if defined(__aarch64__)
  static constexpr int depthwise_run = 4;
#else
  static constexpr int depthwise_run = 0;  // too few registers
#endif
  static constexpr bool loads_copies = false;
  static constexpr int weights_loaded = 1;  // the parts of inputs take registers too

  static uint8x16_t turned(uint8x16_t x) { return signed_bytes(x); }

  // Four inputs of sixteen, for four channels.
  template <int lane>
  static int32x4_t part(uint8x16_t x) {
#if defined(__aarch64__)
    constexpr std::uint8_t a = 4 * lane, b = a + 1, c = a + 2, d = a + 3;
    return vreinterpretq_s32_u8(vqtbl1q_u8(x, uint8x16_t{a, b, a, b, a, b, a, b, c, d, c, d, c, d, c, d}));
#else
    const uint16x8_t pairs = vreinterpretq_u16_u8(x);
    const uint16x4_t half = lane < 2 ? vget_low_u16(pairs) : vget_high_u16(pairs);
    return vreinterpretq_s32_u16(
        vcombine_u16(vdup_lane_u16(half, 2 * (lane % 2)), vdup_lane_u16(half, 2 * (lane % 2) + 1)));
#endif
  }

  static int32x4_t dot(int32x4_t sum, int32x4_t bytes, int32x4_t weights) {
    const int8x16_t x = vreinterpretq_s8_s32(bytes), w = vreinterpretq_s8_s32(weights);
    const int16x8_t products = vmull_s8(vget_low_s8(x), vget_low_s8(w));
#if defined(__aarch64__)
    return vpadalq_s16(sum, vmlal_high_s8(products, x, w));
#else
    return vpadalq_s16(sum, vmlal_s8(products, vget_high_s8(x), vget_high_s8(w)));
#endif
  }
  template <int lane>
  static int32x4_t dot_lane(int32x4_t sum, uint8x16_t sixteen, int32x4_t weights) {
    return dot(sum, part<lane>(sixteen), weights);
  }

  // Rows a, b and c, d of eight channels.
  static uint8x16x2_t join(uint8x16_t ab, uint8x16_t cd) {
    return {{vcombine_u8(vget_low_u8(ab), vget_low_u8(cd)), vcombine_u8(vget_high_u8(ab), vget_high_u8(cd))}};
  }

  // Weights [channel][4] of each vector as [pair][channel][2].
  static void arrange(std::int8_t* packed, std::size_t size) {
    for (std::size_t at = 0; at < size; at += 16) {
      std::int8_t vector[16];
      memcpy(vector, packed + at, sizeof vector);
      for (std::size_t i = 0; i < 16; ++i) packed[at + i % 4 / 2 * 8 + i / 4 * 2 + i % 2] = vector[i];
    }
  }
};

}  // namespace
}  // namespace nanoedge::native
