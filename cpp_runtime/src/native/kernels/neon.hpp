// Vectors of four floats: NEON of 64-bit ARM, and of 32-bit ARM with fused multiply-adds (VFPv4).
#pragma once

#include <arm_neon.h>
#include <string.h>

namespace nanoedge::native {
namespace {

// Two vectors that lie behind each other, by one instruction. As text: a compiler would load one by one, or once and
// copy.
struct NeonPairs {
#if defined(__aarch64__)
  static constexpr bool loads_pairs = true;
  template <int offset, class T>
  __attribute__((always_inline)) static void load_two(const void* from, T& a, T& b) {
    __asm__("ldp %q0, %q1, [%2, %3]"
            : "=w"(a), "=w"(b)
            : "r"(from), "i"(offset), "m"(*static_cast<const char (*)[offset + 32]>(from)));
  }
#else
  static constexpr bool loads_pairs = false;  // there is none
  template <int offset, class T>
  static void load_two(const void* from, T& a, T& b) {
    memcpy(&a, static_cast<const char*>(from) + offset, sizeof a);
    memcpy(&b, static_cast<const char*>(from) + offset + sizeof a, sizeof b);
  }
#endif
};

struct Neon : NeonPairs {
  using Vector = float32x4_t;
  using Value = float;
  static constexpr int width = 4;
  static constexpr bool joins_activations = true;  // less code, and a comparison more
  static constexpr int depthwise_run = 8;          // sums side by side hide how long an addition takes
  static constexpr int lanes = 4;                  // of inputs, each multiplied where it lies in its register
#if defined(__aarch64__)
  static constexpr int block_vectors = 4;
  // 24 sums, 6 inputs and 2 weights fill 32 registers.
  static constexpr int tile_rows(int vectors) { return vectors == 4 ? 6 : 8; }
#else
  static constexpr int block_vectors = 2;
  static constexpr int tile_rows(int) { return 4; }  // 8 sums, 4 inputs and 2 weights of 16 registers
#endif

  static Vector load(const float* from) { return vld1q_f32(from); }
  static Vector set(float value) { return vdupq_n_f32(value); }
  static void store(float* to, Vector x) { vst1q_f32(to, x); }
  // For the first `count` of a vector.
  using Mask = int;
  static Mask first(int count) { return count; }
  static void store_some(float* to, Vector x, Mask count) {
    float32x2_t rest = vget_low_f32(x);
    if ((count & 2) != 0) {
      vst1_f32(to, rest);
      to += 2;
      rest = vget_high_f32(x);
    }
    if ((count & 1) != 0) vst1_lane_f32(to, rest, 0);
  }
  static void store_interleaved(float* to, Vector a, Vector b) {
    const float32x4x2_t both = vzipq_f32(a, b);
    vst1q_f32(to, both.val[0]);
    vst1q_f32(to + 4, both.val[1]);
  }
  static Vector add(Vector a, Vector b) { return vaddq_f32(a, b); }
  static Vector multiply(Vector a, Vector b) { return vmulq_f32(a, b); }
  static Vector multiply_add(Vector a, Vector b, Vector c) { return vfmaq_f32(c, a, b); }
  static Vector max(Vector a, Vector b) { return vmaxq_f32(a, b); }
  static Vector min(Vector a, Vector b) { return vminq_f32(a, b); }

  // One value of x times b, plus c.
  template <int lane>
  static Vector multiply_add_lane(Vector x, Vector b, Vector c) {
#if defined(__aarch64__)
    return vfmaq_laneq_f32(c, b, x, lane);
#else
    return vmlaq_lane_f32(c, b, lane < 2 ? vget_low_f32(x) : vget_high_f32(x), lane % 2);
#endif
  }
};

}  // namespace
}  // namespace nanoedge::native
