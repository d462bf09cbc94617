// int8 for 64-bit NEON without dot products of bytes: convolutions that add up four products at a time.
#pragma once

#include "native/kernels/neon_pairs.hpp"

namespace nanoedge::native {
namespace {

// For weights of which sums of four products fit into 16 bits: see export/int8/native/weights.py. The bytes 0, 2 of
// four channels and 1, 3 of the same channels fill the two halves, so that a lane of 16 bits adds up the products 0, 1
// or 2, 3 of a quad and of the one behind it.
struct WideFours : WidePairs {
  template <int lane>
  static int32x4_t part(uint8x16_t x) {
    constexpr std::uint8_t a = 4 * lane, b = a + 1, c = a + 2, d = a + 3;
    return vreinterpretq_s32_u8(vqtbl1q_u8(x, uint8x16_t{a, c, a, c, a, c, a, c, b, d, b, d, b, d, b, d}));
  }
  // What the inherited ones make has other places.
  template <int lane>
  static int32x4_t dot_lane(int32x4_t sum, uint8x16_t sixteen, int32x4_t weights) = delete;
  static uint8x16x2_t join(uint8x16_t ab, uint8x16_t cd) = delete;

  static int32x4_t dot_two(int32x4_t sum, int32x4_t one, int32x4_t weights, int32x4_t other, int32x4_t others) {
    const int8x16_t x = vreinterpretq_s8_s32(one), w = vreinterpretq_s8_s32(weights);
    const int8x16_t y = vreinterpretq_s8_s32(other), v = vreinterpretq_s8_s32(others);
    const int16x8_t products = vmlal_high_s8(vmull_s8(vget_low_s8(x), vget_low_s8(w)), x, w);
    return vpadalq_s16(sum, vmlal_high_s8(vmlal_s8(products, vget_low_s8(y), vget_low_s8(v)), y, v));
  }

  // Weights [channel][4] of each vector as [0, 2 and 1, 3][channel][2].
  static void arrange(std::int8_t* packed, std::size_t size) {
    for (std::size_t at = 0; at < size; at += 16) {
      std::int8_t vector[16];
      memcpy(vector, packed + at, sizeof vector);
      for (std::size_t i = 0; i < 16; ++i) packed[at + i % 2 * 8 + i / 4 * 2 + i % 4 / 2] = vector[i];
    }
  }
};

// Two quads at a time, whose weights lie beside each other.
struct Fours : NeonInt8<WideFours> {
  template <int rows, int vectors>
  __attribute__((always_inline)) static void multiply_add_fours(Ints (&sums)[rows][vectors], const std::uint8_t* in,
                                                                std::ptrdiff_t in_step, const std::int8_t* weights,
                                                                int count) {
    for (int two = 0; two < 2 * count; ++two, in += 8, weights += 32 * vectors) {
      multiply_add_two(sums, in, in_step, weights);
    }
  }
  template <int rows, int vectors>
  __attribute__((always_inline)) static void multiply_add_rest(Ints (&sums)[rows][vectors], const std::uint8_t* in,
                                                               std::ptrdiff_t in_step, const std::int8_t* weights,
                                                               int quads) {
    if (quads >= 2) {
      multiply_add_two(sums, in, in_step, weights);
      in += 8;
      weights += 32 * vectors;
    }
    if (quads % 2 == 0) return;
#pragma GCC unroll 4
    for (int r = 0; r < rows; ++r) {
      const Ints x = WideFours::part<0>(eight_bytes(in + r * in_step));
#pragma GCC unroll 4
      for (int v = 0; v < vectors; ++v) sums[r][v] = WideFours::dot(sums[r][v], x, load_ints(weights + 16 * v));
    }
  }

  template <int rows, int vectors>
  __attribute__((always_inline)) static void multiply_add_two(Ints (&sums)[rows][vectors], const std::uint8_t* in,
                                                              std::ptrdiff_t in_step, const std::int8_t* weights) {
    Ints x[rows], y[rows];
#pragma GCC unroll 4
    for (int r = 0; r < rows; ++r) {
      const uint8x16_t eight = eight_bytes(in + r * in_step);
      x[r] = WideFours::part<0>(eight);
      y[r] = WideFours::part<1>(eight);
    }
    multiply_add_vectors<0>(sums, x, y, weights);
  }
  template <int v, int rows, int vectors>
  __attribute__((always_inline)) static void multiply_add_vectors(Ints (&sums)[rows][vectors], const Ints (&x)[rows],
                                                                  const Ints (&y)[rows], const std::int8_t* weights) {
    Ints w[2];
    load_two<32 * v>(weights, w[0], w[1]);
#pragma GCC unroll 4
    for (int r = 0; r < rows; ++r) sums[r][v] = WideFours::dot_two(sums[r][v], x[r], w[0], y[r], w[1]);
    if constexpr (v + 1 < vectors) multiply_add_vectors<v + 1>(sums, x, y, weights);
  }

  static uint8x16_t eight_bytes(const std::uint8_t* from) {
    return WideFours::turned(vcombine_u8(vld1_u8(from), vdup_n_u8(0)));
  }

  // Weights of two quads, [channel][4] each: whether the sums of both signs stay small enough.
  static bool can_add(const std::int8_t* one, const std::int8_t* other, int channels) {
    const int8x16_t zero = vdupq_n_s8(0);
    int16x8_t most = vdupq_n_s16(0);
    for (int at = 0; at < 4 * channels; at += 16) {
      const int8x16_t a = vld1q_s8(one + at), b = vld1q_s8(other + at);
      const int16x8_t above = vaddq_s16(vpaddlq_s8(vmaxq_s8(a, zero)), vpaddlq_s8(vmaxq_s8(b, zero)));
      const int16x8_t below = vaddq_s16(vpaddlq_s8(vminq_s8(a, zero)), vpaddlq_s8(vminq_s8(b, zero)));
      most = vmaxq_s16(most, vmaxq_s16(above, vnegq_s16(below)));
    }
    return vmaxvq_s16(most) <= 32767 / (128 + 127);  // inputs of both signs
  }
};

// For others: small, not fast.
struct OneByOne : NeonInt8<WidePairs> {
  static constexpr int tile_sums = 4;  // one pixel
};

// Packed: [whether there are fours, in 64 bytes][as the one or the other takes it].
struct Convolution : Int8Convolution<Fours> {
  using Fast = NeonKernel<WideFours, Int8Convolution<Fours>, no_scratch>;
  using Slow = NeonKernel<WidePairs, Int8Convolution<OneByOne>, no_scratch>;
  static constexpr std::ptrdiff_t kHead = 64;

  static std::size_t packed_size(const Step& step) { return kHead + Fast::packed_size(step); }

  __attribute__((cold)) static void pack(const Step& step, const void* from, void* to) {
    auto* packed = static_cast<std::int8_t*>(to) + kHead;
    Int8Convolution<Fours>::pack(step, from, packed);
    const bool has_fours = fits_in_twos(step, packed);
    packed[-kHead] = has_fours;
    if (!has_fours) return Slow::pack(step, from, packed);
    Fast::pack(step, from, packed);
    lay_beside(step, packed + Fast::starts_size(step));
  }

  // The vectors of every two quads in turn.
  static void lay_beside(const Step& step, std::int8_t* at) {
    const Window window = window_of(step);
    for (int channel = 0; channel < step.out.channels;) {
      const int vectors = vectors_at(step, channel);
      for (int run = 0; run < window.runs; ++run) {
        int quad = 0;
        for (; quad + 2 <= window.quads; quad += 2, at += 32 * vectors) {
          std::int8_t two[2 * 4 * kBlock];
          memcpy(two, at, static_cast<std::size_t>(32 * vectors));
          for (int v = 0; v < vectors; ++v) {
            memcpy(at + 32 * v, two + 16 * v, 16);
            memcpy(at + 32 * v + 16, two + 16 * (vectors + v), 16);
          }
        }
        at += static_cast<std::ptrdiff_t>(window.quads - quad) * 16 * vectors;
      }
      channel += vectors * kWidth;
    }
  }

  static void run(const Step& step, int first, int end, void* scratch) {
    const auto* packed = static_cast<const std::int8_t*>(step.weights);
    Step own = step;
    own.weights = packed + kHead;
    (packed[0] != 0 ? Fast::run : Slow::run)(own, first, end, scratch);
  }

  static constexpr Kernel kernel() { return {items, run, packed_size, pack, channel_at, Fast::scratch_size}; }
};

}  // namespace
}  // namespace nanoedge::native
