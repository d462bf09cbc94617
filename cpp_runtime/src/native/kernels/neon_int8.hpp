// Vectors of four int32 sums: NEON. P multiplies bytes: see the files that include this one.
#pragma once

#include <string.h>

#include "native/kernels/int8_convolution.hpp"
#include "native/kernels/int8_depthwise.hpp"
#include "native/kernels/neon.hpp"

namespace nanoedge::native {
namespace {

template <class P>
struct NeonInt8 : Neon {
  using Ints = int32x4_t;
  using Floats = float32x4_t;
#if defined(__aarch64__)
  static constexpr int tile_sums = 16;  // beside them 4 inputs, their parts and weights in 32 registers
  static constexpr int depthwise_sums = 16;
#else
  static constexpr int tile_sums = 8;
  static constexpr int depthwise_sums = 8;
#endif

  // A copy of a register takes one of the two pipes that multiply, a load does not, and one instruction loads two.
  static constexpr bool loads_copies = P::loads_copies;
  template <int vectors, class T>
  __attribute__((always_inline)) static void load_anew(const void* from, T (&to)[vectors]) {
    load_two<0>(from, to[0], to[1]);
    if constexpr (vectors == 4) load_two<32>(from, to[2], to[3]);
  }

  // Filters of usual sizes are compiled for the largest blocks.
  static constexpr int depthwise_run = P::depthwise_run, fewest_vectors = 4;

  // A byte as it stands in quads.
  static int in_quads(int byte) { return vgetq_lane_u8(P::turned(vdupq_n_u8(static_cast<std::uint8_t>(byte))), 0); }

  static Ints load_ints(const void* from) {
    return vreinterpretq_s32_u8(vld1q_u8(static_cast<const std::uint8_t*>(from)));
  }
  static Ints set_ints(int value) { return vdupq_n_s32(value); }
  static Ints subtract_ints(Ints a, Ints b) { return vsubq_s32(a, b); }
  static Ints load_bytes(const std::uint8_t* from) {
    const uint8x8_t bytes = vreinterpret_u8_u32(vdup_n_u32(word(from)));
    return vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(vmovl_u8(bytes))));
  }

  static Ints dot(Ints sum, Ints bytes, Ints weights) { return P::dot(sum, bytes, weights); }

  // Four times four inputs of each pixel, `count` times: they are loaded at once and stay in registers.
  static constexpr bool has_fours = true, has_two_quads = false;
  template <int rows, int vectors>
  __attribute__((always_inline)) static void multiply_add_fours(Ints (&sums)[rows][vectors], const std::uint8_t* in,
                                                                std::ptrdiff_t in_step, const std::int8_t* weights,
                                                                int count) {
    constexpr int kQuad = 16 * vectors;
    for (int four = 0; four < count; ++four, in += 16, weights += 4 * kQuad) {
      uint8x16_t x[rows];
#pragma GCC unroll 4
      for (int r = 0; r < rows; ++r) x[r] = P::turned(vld1q_u8(in + r * in_step));
      multiply_add_lane<0, rows, vectors>(sums, x, weights);
      multiply_add_lane<1, rows, vectors>(sums, x, weights);
      multiply_add_lane<2, rows, vectors>(sums, x, weights);
      multiply_add_lane<3, rows, vectors>(sums, x, weights);
    }
  }
  template <int lane, int rows, int vectors, int v = 0>
  __attribute__((always_inline)) static void multiply_add_lane(Ints (&sums)[rows][vectors], const uint8x16_t (&x)[rows],
                                                               const std::int8_t* weights) {
    constexpr int kLoaded = vectors == 1 ? 1 : P::weights_loaded, kAt = 16 * (lane * vectors + v);
    Ints w[kLoaded];
    if constexpr (kLoaded == 2) {
      load_two<kAt>(weights, w[0], w[1]);
    } else {
      w[0] = load_ints(weights + kAt);
    }
#pragma GCC unroll 2
    for (int i = 0; i < kLoaded; ++i) {
#pragma GCC unroll 4
      for (int r = 0; r < rows; ++r) sums[r][v + i] = P::template dot_lane<lane>(sums[r][v + i], x[r], w[i]);
    }
    if constexpr (v + kLoaded < vectors) multiply_add_lane<lane, rows, vectors, v + kLoaded>(sums, x, weights);
  }

  // What is left of them: `quads` times four inputs.
  template <int rows, int vectors>
  __attribute__((always_inline)) static void multiply_add_rest(Ints (&sums)[rows][vectors], const std::uint8_t* in,
                                                               std::ptrdiff_t in_step, const std::int8_t* weights,
                                                               int quads) {
    if (quads == 0) return;
    uint8x16_t x[rows];
#pragma GCC unroll 4
    for (int r = 0; r < rows; ++r) x[r] = P::turned(vld1q_u8(in + r * in_step));
    multiply_add_lane<0, rows, vectors>(sums, x, weights);
    if (quads == 1) return;
    multiply_add_lane<1, rows, vectors>(sums, x, weights);
    if (quads == 2) return;
    multiply_add_lane<2, rows, vectors>(sums, x, weights);
  }

  // Interleaves four rows of a block. Channels are in order: a vector has one lane of 128 bits.
  template <int vectors>
  static void make_quads(const std::uint8_t* const* rows, std::uint8_t* to) {
    uint8x16_t row[4];
#pragma GCC unroll 4
    for (int r = 0; r < 4; ++r) {
      if constexpr (vectors == 4) {
        row[r] = vld1q_u8(rows[r]);
      } else if constexpr (vectors == 2) {
        const uint8x8_t half = vld1_u8(rows[r]);
        row[r] = vcombine_u8(half, half);
      } else {
        row[r] = vreinterpretq_u8_u32(vdupq_n_u32(word(rows[r])));
      }
      row[r] = P::turned(row[r]);
    }
    const uint8x16x2_t ab = vzipq_u8(row[0], row[1]), cd = vzipq_u8(row[2], row[3]);
    const uint8x16x2_t low = P::join(ab.val[0], cd.val[0]);
    vst1q_u8(to, low.val[0]);
    if constexpr (vectors > 1) vst1q_u8(to + 16, low.val[1]);
    if constexpr (vectors == 4) {
      const uint8x16x2_t high = P::join(ab.val[1], cd.val[1]);
      vst1q_u8(to + 32, high.val[0]);
      vst1q_u8(to + 48, high.val[1]);
    }
  }
  static void make_quads_in_order(const std::uint8_t* const* rows, int channel, std::uint8_t* to) {
    const std::uint8_t* const from[4] = {rows[0] + channel, rows[1] + channel, rows[2] + channel, rows[3] + channel};
    make_quads<1>(from, to);
  }

  static Floats floats(Ints x) { return vcvtq_f32_s32(x); }

  static constexpr int interleaved_bytes = 16;
  static void store_interleaved(std::uint8_t* to, const std::uint8_t* a, const std::uint8_t* b) {
    const uint8x16x2_t both = vzipq_u8(vld1q_u8(a), vld1q_u8(b));
    vst1q_u8(to, both.val[0]);
    vst1q_u8(to + 16, both.val[1]);
  }

  // Rounds and saturates a block.
  template <int vectors>
  static void store_bytes(std::uint8_t* to, const Floats* values) {
    if constexpr (vectors == 4) {
      vst1q_u8(to, vcombine_u8(bytes(values[0], values[1]), bytes(values[2], values[3])));
    } else if constexpr (vectors == 2) {
      vst1_u8(to, bytes(values[0], values[1]));
    } else {
      const std::uint32_t four = vget_lane_u32(vreinterpret_u32_u8(bytes(values[0], values[0])), 0);
      memcpy(to, &four, sizeof four);
    }
  }

  // The same, but no byte is larger than a limit, which is rounded once.
  using Limit = uint8x16_t;
  static Limit limit_of(Floats most) { return vcombine_u8(bytes(most, most), bytes(most, most)); }
  template <int vectors>
  static void store_bytes_up_to(std::uint8_t* to, const Floats* values, Limit limit) {
    if constexpr (vectors == 4) {
      const uint8x16_t block = vcombine_u8(bytes(values[0], values[1]), bytes(values[2], values[3]));
      vst1q_u8(to, vminq_u8(block, limit));
    } else if constexpr (vectors == 2) {
      vst1_u8(to, vmin_u8(bytes(values[0], values[1]), vget_low_u8(limit)));
    } else {
      const uint8x8_t twice = vmin_u8(bytes(values[0], values[0]), vget_low_u8(limit));
      const std::uint32_t four = vget_lane_u32(vreinterpret_u32_u8(twice), 0);
      memcpy(to, &four, sizeof four);
    }
  }

 private:
  static std::uint32_t word(const std::uint8_t* from) {
    std::uint32_t four;
    memcpy(&four, from, sizeof four);
    return four;
  }

  static uint8x8_t bytes(Floats a, Floats b) {
#if defined(__aarch64__)
    return vqmovun_s16(vqmovn_high_s32(vqmovn_s32(vcvtnq_s32_f32(a)), vcvtnq_s32_f32(b)));
#else
    // There is no conversion to the nearest; a sum with this number has the nearest integer in its lowest bits.
    const auto rounded = [](Floats x) {
      const Floats within = vminq_f32(vmaxq_f32(x, vdupq_n_f32(0.F)), vdupq_n_f32(255.F));
      return vmovn_u32(vreinterpretq_u32_f32(vaddq_f32(within, vdupq_n_f32(12582912.F))));
    };
    return vmovn_u16(vcombine_u16(rounded(a), rounded(b)));
#endif
  }
};

// What instructions for signed bytes get: x - 128 in place of x. See NeonKernel.
inline uint8x16_t signed_bytes(uint8x16_t x) {
  return veorq_u8(x, vdupq_n_u8(0x80));
}

// A kernel of Base for products of signed bytes: 128 times each channel's weights, which the inputs then lack, is
// added to what its sums start with. Packed: [those of the channels][weights].
template <class P, class Base, std::size_t (*scratch_of)(const Step&)>
struct NeonKernel {
  static std::size_t starts_size(const Step& step) {
    return (static_cast<std::size_t>(Base::blocks_end(step)) * sizeof(std::int32_t) + 63) / 64 * 64;
  }

  static std::size_t packed_size(const Step& step) { return starts_size(step) + Base::packed_size(step); }
  static std::size_t scratch_size(const Step& step) { return starts_size(step) + scratch_of(step); }

  // Runs once: small, not fast.
  __attribute__((cold)) static void pack(const Step& step, const void* from, void* to) {
    const auto* weights = static_cast<const std::int8_t*>(from);
    auto* starts = static_cast<std::int32_t*>(to);
    const int count = step.kernel * step.kernel * (step.kind == Kind::depthwise ? 1 : step.in.channels);
    for (int place = 0; place < Base::blocks_end(step); ++place) {
      const int channel = Base::channel_at(step, place);
      std::int32_t sum = 0;
      for (int i = 0; i < count && channel < step.out.channels; ++i) {
        sum += weights[static_cast<std::ptrdiff_t>(channel) * count + i];
      }
      starts[place] = 128 * sum;
    }
    auto* packed = static_cast<std::int8_t*>(to) + starts_size(step);
    Base::pack(step, from, packed);
    P::arrange(packed, Base::packed_size(step));
  }

  static void run(const Step& step, int first, int end, void* scratch) {
    const int places = Base::blocks_end(step);
    const auto* added = static_cast<const std::int32_t*>(step.weights);
    auto* starts = static_cast<std::int32_t*>(scratch);
    for (int place = 0; place < places; ++place) starts[place] = step.start[place] + added[place];
    Step own = step;
    own.start = starts;
    own.weights = static_cast<const char*>(step.weights) + starts_size(step);
    Base::run(own, first, end, static_cast<char*>(scratch) + starts_size(step));
  }

  static constexpr Kernel kernel() { return {Base::items, run, packed_size, pack, Base::channel_at, scratch_size}; }
};

inline std::size_t no_scratch(const Step&) {
  return 0;
}

template <class P>
using NeonConvolution = NeonKernel<P, Int8Convolution<NeonInt8<P>>, no_scratch>;
template <class P>
using NeonDepthwise = NeonKernel<P, Int8Depthwise<NeonInt8<P>>, Int8Depthwise<NeonInt8<P>>::scratch_size>;

}  // namespace
}  // namespace nanoedge::native
