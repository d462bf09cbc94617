// int8 for AVX-512 with VNNI; compiled with -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512vnni.
#include <immintrin.h>
#include <string.h>

#include "native/kernels/int8.hpp"

namespace nanoedge::native {
namespace {

struct Avx512Vnni {
  using Ints = __m512i;
  using Floats = __m512;
  static constexpr int width = 16;
  static constexpr int tile_sums = 24;  // beside them 6 inputs and weights in 32 registers
  static constexpr int depthwise_sums = 16;

  static Ints load_ints(const void* from) { return _mm512_loadu_si512(from); }
  static Ints set_ints(int value) { return _mm512_set1_epi32(value); }
  static Ints add_ints(Ints a, Ints b) { return _mm512_add_epi32(a, b); }
  static Ints subtract_ints(Ints a, Ints b) { return _mm512_sub_epi32(a, b); }
  static Ints load_bytes(const std::uint8_t* from) {
    return _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
  }
  static Ints four_bytes(const std::uint8_t* from) {
    int four;
    memcpy(&four, from, sizeof four);
    return _mm512_set1_epi32(four);
  }

  // As text: for the intrinsic, GCC 12 copies registers around.
  static Ints dot(Ints sum, Ints bytes, Ints weights) {
    __asm__("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(bytes), "vm"(weights));
    return sum;
  }

  using DepthwiseWeight = std::int8_t;
  using DepthwiseWeights = Ints;
  using DepthwiseSums = Ints;
  static constexpr int depthwise_bytes = 64;
  static Ints depthwise_weights(const char* from) { return load_ints(from); }
  static Ints depthwise_zero() { return _mm512_setzero_si512(); }
  static Ints depthwise_dot(Ints sums, const std::uint8_t* quads, Ints weights) {
    return dot(sums, load_ints(quads), weights);
  }
  static Ints depthwise_sum(Ints sums) { return sums; }

  static Floats floats(Ints x) { return _mm512_cvtepi32_ps(x); }
  static Floats load(const float* from) { return _mm512_loadu_ps(from); }
  static Floats set(float value) { return _mm512_set1_ps(value); }
  static Floats add(Floats a, Floats b) { return _mm512_add_ps(a, b); }
  static Floats multiply(Floats a, Floats b) { return _mm512_mul_ps(a, b); }
  static Floats multiply_add(Floats a, Floats b, Floats c) { return _mm512_fmadd_ps(a, b, c); }
  static Floats max(Floats a, Floats b) { return _mm512_max_ps(a, b); }
  static Floats min(Floats a, Floats b) { return _mm512_min_ps(a, b); }
  static void store(float* to, Floats x) { _mm512_storeu_ps(to, x); }

  // Rounds and saturates a block: see channel_in_block.
  template <int vectors>
  static void store_bytes(std::uint8_t* to, const Floats* values) {
    const auto word = [&](int v) { return _mm512_cvtps_epi32(values[v]); };
    if constexpr (vectors == 1) {
      const Ints whole = _mm512_max_epi32(word(0), _mm512_setzero_si512());
      _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm512_cvtusepi32_epi8(whole));
    } else {
      const Ints first = _mm512_packs_epi32(word(0), word(1));
      if constexpr (vectors == 2) {
        const Ints halves =
            _mm512_permutexvar_epi64(_mm512_setr_epi64(0, 2, 4, 6, 0, 2, 4, 6), _mm512_packus_epi16(first, first));
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm512_castsi512_si256(halves));
      } else {
        _mm512_storeu_si512(to, _mm512_packus_epi16(first, _mm512_packs_epi32(word(2), word(3))));
      }
    }
  }
};

}  // namespace

const Kernels avx512vnni_u8 = Int8<Avx512Vnni>::kernels();

}  // namespace nanoedge::native
