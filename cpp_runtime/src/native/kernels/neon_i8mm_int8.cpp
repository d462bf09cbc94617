// int8 for NEON with products of small matrices of unsigned by signed bytes; compiled with
// -march=armv8.2-a+dotprod+i8mm.
#include "native/kernels/neon_int8.hpp"

namespace nanoedge::native {
namespace {

struct MixedDot {
  static constexpr int depthwise_run = 0, weights_loaded = 2;
  static constexpr bool loads_copies = true;

  static uint8x16_t turned(uint8x16_t x) { return x; }
  static int32x4_t dot(int32x4_t sum, int32x4_t bytes, int32x4_t weights) {
    return vusdotq_s32(sum, vreinterpretq_u8_s32(bytes), vreinterpretq_s8_s32(weights));
  }
  template <int lane>
  static int32x4_t dot_lane(int32x4_t sum, uint8x16_t sixteen, int32x4_t weights) {
    return vsudotq_laneq_s32(sum, vreinterpretq_s8_s32(weights), sixteen, lane);
  }
};

// A product takes eight inputs of two pixels and of two channels.
struct Matrices : NeonInt8<MixedDot> {
  static uint8x16_t low(uint8x16_t a, uint8x16_t b) {
    return vreinterpretq_u8_s64(vzip1q_s64(vreinterpretq_s64_u8(a), vreinterpretq_s64_u8(b)));
  }
  static uint8x16_t high(uint8x16_t a, uint8x16_t b) {
    return vreinterpretq_u8_s64(vzip2q_s64(vreinterpretq_s64_u8(a), vreinterpretq_s64_u8(b)));
  }

  // Between sums [pixel][4 channels] and [two channels][two pixels][those channels], either way.
  __attribute__((always_inline)) static void turn(Ints& a, Ints& b) {
    const uint8x16_t one = vreinterpretq_u8_s32(a), other = vreinterpretq_u8_s32(b);
    a = vreinterpretq_s32_u8(low(one, other));
    b = vreinterpretq_s32_u8(high(one, other));
  }

  template <int rows, int vectors>
  __attribute__((always_inline)) static void multiply_add_fours(Ints (&sums)[rows][vectors], const std::uint8_t* in,
                                                                std::ptrdiff_t in_step, const std::int8_t* weights,
                                                                int count) {
    if constexpr (rows == 1) {  // seldom: the same pixel twice
      Ints twice[2][vectors];
#pragma GCC unroll 4
      for (int v = 0; v < vectors; ++v) twice[0][v] = twice[1][v] = sums[0][v];
      multiply_add_fours<2, vectors>(twice, in, 0, weights, count);
#pragma GCC unroll 4
      for (int v = 0; v < vectors; ++v) sums[0][v] = twice[0][v];
    } else {
      turn_all(sums);
      for (int four = 0; four < count; ++four, in += 16, weights += 64 * vectors) {
        uint8x16_t x[2][rows / 2];
#pragma GCC unroll 4
        for (int r = 0; r < rows; r += 2) {
          const uint8x16_t one = vld1q_u8(in + r * in_step), other = vld1q_u8(in + (r + 1) * in_step);
          x[0][r / 2] = low(one, other);
          x[1][r / 2] = high(one, other);
        }
#pragma GCC unroll 2
        for (int half = 0; half < 2; ++half) {
#pragma GCC unroll 8
          for (int pair = 0; pair < 2 * vectors; ++pair) {
            const int8x16_t w = vld1q_s8(weights + 16 * (2 * vectors * half + pair));
#pragma GCC unroll 4
            for (int r = 0; r < rows; r += 2) {
              Ints& sum = sums[r + pair % 2][pair / 2];
              sum = vusmmlaq_s32(sum, x[half][r / 2], w);
            }
          }
        }
      }
      turn_all(sums);
    }
  }
  template <int rows, int vectors>
  __attribute__((always_inline)) static void turn_all(Ints (&sums)[rows][vectors]) {
#pragma GCC unroll 4
    for (int r = 0; r < rows; r += 2) {
#pragma GCC unroll 4
      for (int v = 0; v < vectors; ++v) turn(sums[r][v], sums[r + 1][v]);
    }
  }
};

struct Convolution : Int8Convolution<Matrices> {
  using Base = Int8Convolution<Matrices>;

  // Four quads of weights [quad][channel][4] as [two quads][channel][8].
  static void pair_quads(std::int8_t* fours, int channels) {
    std::int8_t quads[4 * kBlock * 4];
    const auto size = static_cast<std::size_t>(4 * channels);
    memcpy(quads, fours, 4 * size);
    for (std::size_t quad = 0; quad < 4; ++quad) {
      for (std::size_t channel = 0; channel < size / 4; ++channel) {
        memcpy(fours + quad / 2 * 2 * size + channel * 8 + quad % 2 * 4, quads + quad * size + channel * 4, 4);
      }
    }
  }

  __attribute__((cold)) static void pack(const Step& step, const void* from, void* to) {  // small, not fast
    Base::pack(step, from, to);
    const Window window = window_of(step);
    auto* at = static_cast<std::int8_t*>(to);
    for (int channel = 0; channel < step.out.channels;) {
      const int channels = vectors_at(step, channel) * kWidth;
      for (int run = 0; run < window.runs; ++run) {
        int quad = 0;
        for (; quad + 4 <= window.quads; quad += 4, at += 16 * channels) pair_quads(at, channels);
        at += static_cast<std::ptrdiff_t>(window.quads - quad) * 4 * channels;
      }
      channel += channels;
    }
  }
};

}  // namespace

const Kernel neon_i8mm_convolution = {Convolution::items, Convolution::run, Convolution::packed_size, Convolution::pack,
                                      Convolution::channel_at};

}  // namespace nanoedge::native
