// Half precision for NEON: eight values a vector, sums of halves too; compiled with -march=armv8.2-a+fp16.
#include <string.h>

#include "native/kernels/f32.hpp"
#include "native/kernels/neon.hpp"

namespace nanoedge::native {
namespace {

struct NeonHalf : NeonPairs {
  using Vector = float16x8_t;
  using Value = float16_t;
  static constexpr int width = 8;
  static constexpr bool joins_activations = true;
  static constexpr int depthwise_run = 8;
  static constexpr int lanes = 8;
  static constexpr int block_vectors = 2;
  static constexpr int tile_rows(int) { return 8; }

  static Vector load(const float16_t* from) { return vld1q_f16(from); }
  static Vector load(const float* from) {
    return vcvt_high_f16_f32(vcvt_f16_f32(vld1q_f32(from)), vld1q_f32(from + 4));
  }
  static Vector set(float value) { return vdupq_n_f16(static_cast<float16_t>(value)); }
  static void store(float16_t* to, Vector x) { vst1q_f16(to, x); }
  static void store(float* to, Vector x) {
    vst1q_f32(to, vcvt_f32_f16(vget_low_f16(x)));
    vst1q_f32(to + 4, vcvt_high_f32_f16(x));
  }
  // For the first `count` of a vector.
  using Mask = int;
  static Mask first(int count) { return count; }
  template <class To>
  static void store_some(To* to, Vector x, Mask count) {
    To whole[width];
    store(whole, x);
    memcpy(to, whole, sizeof(To) * static_cast<std::size_t>(count));
  }
  static Vector add(Vector a, Vector b) { return vaddq_f16(a, b); }
  static Vector multiply(Vector a, Vector b) { return vmulq_f16(a, b); }
  static Vector multiply_add(Vector a, Vector b, Vector c) { return vfmaq_f16(c, a, b); }
  static Vector max(Vector a, Vector b) { return vmaxq_f16(a, b); }
  static Vector min(Vector a, Vector b) { return vminq_f16(a, b); }

  // One value of x times b, plus c.
  template <int lane>
  static Vector multiply_add_lane(Vector x, Vector b, Vector c) {
    return vfmaq_laneq_f16(c, b, x, lane);
  }
};

// Maps of halves, calculated with in halves.
struct HalfMaps {
  using In = float16_t;
  using Out = float16_t;
  using Vector = float16x8_t;
  static Vector load(const In* from) { return vld1q_f16(from); }
  static Vector set(In value) { return vdupq_n_f16(value); }
  static void store(Out* to, Vector x) { vst1q_f16(to, x); }
  static void store_some(Out* to, Vector x, int count) { NeonHalf::store_some(to, x, count); }
  static void store_interleaved(Out* to, const In* a, const In* b) {
    const Vector one = vld1q_f16(a), other = vld1q_f16(b);
    vst1q_f16(to, vzip1q_f16(one, other));
    vst1q_f16(to + 8, vzip2q_f16(one, other));
  }
};

// Maps of halves, calculated with in floats: where many or large values are added up.
struct HalfMapsOfFloats {
  using In = float16_t;
  using Out = float16_t;
  using Vector = float32x4_t;
  static Vector load(const In* from) { return vcvt_f32_f16(vld1_f16(from)); }
  static Vector set(In value) { return vdupq_n_f32(static_cast<float>(value)); }
  static void store(Out* to, Vector x) { vst1_f16(to, vcvt_f16_f32(x)); }
  static void store_some(Out* to, Vector x, int count) {
    float16_t whole[4];
    store(whole, x);
    memcpy(to, whole, sizeof(Out) * static_cast<std::size_t>(count));
  }
};

// The first layer's: the picture is float32.
struct FirstMaps : HalfMapsOfFloats {
  using In = float;
  static Vector load(const In* from) { return vld1q_f32(from); }
  static Vector set(In value) { return vdupq_n_f32(value); }
};

// The last ones': the output is float32.
struct LastMaps : HalfMapsOfFloats {
  using Out = float;
  static void store(Out* to, Vector x) { Neon::store(to, x); }
  static void store_some(Out* to, Vector x, int count) { Neon::store_some(to, x, count); }
};

constexpr Kernels all() {
  Kernels kernels = F32<NeonHalf, HalfMaps>::kernels();
  kernels.of[static_cast<int>(Kind::global_average)].run = F32<Neon, HalfMapsOfFloats>::global_average;
  return kernels;
}

}  // namespace

const Kernels neon_f16 = all();
const Kernel neon_f16_convolution = F32Convolution<NeonHalf, HalfMaps>::kernel();
const Kernel neon_f16_first_convolution = F32Convolution<Neon, FirstMaps>::kernel();
const Kernel neon_f16_last_convolution = F32Convolution<Neon, LastMaps>::kernel();

}  // namespace nanoedge::native
