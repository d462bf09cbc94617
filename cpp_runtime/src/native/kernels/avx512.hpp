// Vectors of 16 floats: AVX-512 (F, BW, DQ, VL).
#pragma once

#include <immintrin.h>

#include "native/kernels/f32.hpp"

namespace nanoedge::native {
namespace {

struct Avx512 {
  using Vector = __m512;
  using Value = float;
  static constexpr int width = 16;
  static constexpr int block_vectors = 2;
  static constexpr int tile_rows(int) { return 12; }  // 24 sums and 2 weights of 32 registers
  static constexpr int depthwise_run = 10;            // sums side by side hide how long an addition takes
  static constexpr bool joins_activations = false;
  static constexpr int lanes = 1;  // inputs of a pixel that are loaded at once

  // For the first `count` of a vector.
  static __mmask16 first(int count) { return static_cast<__mmask16>((1U << count) - 1U); }
  static Vector load(const float* from) { return _mm512_loadu_ps(from); }
  static Vector set(float value) { return _mm512_set1_ps(value); }
  static void store(float* to, Vector x) { _mm512_storeu_ps(to, x); }
  using Mask = __mmask16;
  static void store_some(float* to, Vector x, Mask mask) { _mm512_mask_storeu_ps(to, mask, x); }
  static void store_interleaved(float* to, Vector a, Vector b) {
    const __m512i low = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    const __m512i high = _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    _mm512_storeu_ps(to, _mm512_permutex2var_ps(a, low, b));
    _mm512_storeu_ps(to + 16, _mm512_permutex2var_ps(a, high, b));
  }
  static Vector add(Vector a, Vector b) { return _mm512_add_ps(a, b); }
  static Vector multiply(Vector a, Vector b) { return _mm512_mul_ps(a, b); }
  static Vector multiply_add(Vector a, Vector b, Vector c) { return _mm512_fmadd_ps(a, b, c); }
  static Vector max(Vector a, Vector b) { return _mm512_max_ps(a, b); }
  static Vector min(Vector a, Vector b) { return _mm512_min_ps(a, b); }
};

}  // namespace
}  // namespace nanoedge::native
