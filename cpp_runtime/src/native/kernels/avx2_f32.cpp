// AVX2 and FMA; compiled with -mavx2 -mfma.
#include <immintrin.h>

#include "native/kernels/f32.hpp"

namespace nanoedge::native {
namespace {

struct Avx2 {
  using Vector = __m256;
  using Value = float;
  static constexpr int width = 8;
  static constexpr int block_vectors = 2;
  static constexpr int tile_rows(int) { return 6; }  // 12 sums, 2 weights and an input fill 15 of 16 registers
  static constexpr int depthwise_run = 8;            // sums side by side hide how long an addition takes
  static constexpr bool joins_activations = false;
  static constexpr int lanes = 1;  // inputs of a pixel that are loaded at once

  static Vector load(const float* from) { return _mm256_loadu_ps(from); }
  static Vector set(float value) { return _mm256_set1_ps(value); }
  static void store(float* to, Vector x) { _mm256_storeu_ps(to, x); }
  // For the first `count` of a vector.
  using Mask = __m256i;
  static Mask first(int count) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  }
  static void store_some(float* to, Vector x, Mask mask) { _mm256_maskstore_ps(to, mask, x); }
  static void store_interleaved(float* to, Vector a, Vector b) {
    const Vector low = _mm256_unpacklo_ps(a, b), high = _mm256_unpackhi_ps(a, b);
    _mm256_storeu_ps(to, _mm256_permute2f128_ps(low, high, 0x20));
    _mm256_storeu_ps(to + 8, _mm256_permute2f128_ps(low, high, 0x31));
  }
  static Vector add(Vector a, Vector b) { return _mm256_add_ps(a, b); }
  static Vector multiply(Vector a, Vector b) { return _mm256_mul_ps(a, b); }
  static Vector multiply_add(Vector a, Vector b, Vector c) { return _mm256_fmadd_ps(a, b, c); }
  static Vector max(Vector a, Vector b) { return _mm256_max_ps(a, b); }
  static Vector min(Vector a, Vector b) { return _mm256_min_ps(a, b); }
};

}  // namespace

const Kernels avx2_f32 = F32<Avx2>::kernels();

}  // namespace nanoedge::native
