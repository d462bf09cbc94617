// Vectors of 16 int32 sums: AVX-512 with VNNI.
#pragma once

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
  static constexpr int fewest_vectors = 1;
  static constexpr int depthwise_run = 5;  // by 4 vectors 20 sums, beside them 5 weights and an input
  static constexpr bool joins_activations = false, loads_copies = false, loads_pairs = false;
  static constexpr bool has_fours = false;      // multiplies four times four inputs of a pixel at once
  static constexpr bool has_two_quads = false;  // adds up twice four products before they go into a sum

  struct Limit {};
  static Limit limit_of(Floats) { return {}; }

  static int in_quads(int byte) { return byte; }  // as it stands in quads
  static Ints load_ints(const void* from) { return _mm512_loadu_si512(from); }
  static Ints set_ints(int value) { return _mm512_set1_epi32(value); }
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

  // Interleaves four rows of a block, four channels in each lane of each vector: see channel_in_block.
  template <int vectors>
  static void make_quads(const std::uint8_t* const* rows, std::uint8_t* to) {
    if constexpr (vectors == 1) {
      make_quads_in_order(rows, 0, to);
    } else if constexpr (vectors == 2) {
      const auto row = [&](int r) {
        const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(rows[r]));
        return _mm512_permutexvar_epi64(_mm512_setr_epi64(0, 0, 1, 1, 2, 2, 3, 3), _mm512_castsi256_si512(bytes));
      };
      const Ints ab = _mm512_unpacklo_epi8(row(0), row(1)), cd = _mm512_unpacklo_epi8(row(2), row(3));
      _mm512_storeu_si512(to, _mm512_unpacklo_epi16(ab, cd));
      _mm512_storeu_si512(to + 64, _mm512_unpackhi_epi16(ab, cd));
    } else {
      const Ints a = load_ints(rows[0]), b = load_ints(rows[1]), c = load_ints(rows[2]), d = load_ints(rows[3]);
      const Ints ab_low = _mm512_unpacklo_epi8(a, b), ab_high = _mm512_unpackhi_epi8(a, b);
      const Ints cd_low = _mm512_unpacklo_epi8(c, d), cd_high = _mm512_unpackhi_epi8(c, d);
      _mm512_storeu_si512(to, _mm512_unpacklo_epi16(ab_low, cd_low));
      _mm512_storeu_si512(to + 64, _mm512_unpackhi_epi16(ab_low, cd_low));
      _mm512_storeu_si512(to + 128, _mm512_unpacklo_epi16(ab_high, cd_high));
      _mm512_storeu_si512(to + 192, _mm512_unpackhi_epi16(ab_high, cd_high));
    }
  }
  static void make_quads_in_order(const std::uint8_t* const* rows, int channel, std::uint8_t* to) {
    const Ints a = load_bytes(rows[0] + channel), b = _mm512_slli_epi32(load_bytes(rows[1] + channel), 8);
    const Ints c = _mm512_slli_epi32(load_bytes(rows[2] + channel), 16);
    const Ints d = _mm512_slli_epi32(load_bytes(rows[3] + channel), 24);
    _mm512_storeu_si512(to, _mm512_or_si512(_mm512_or_si512(a, b), _mm512_or_si512(c, d)));
  }

  static Floats floats(Ints x) { return _mm512_cvtepi32_ps(x); }
  static Floats load(const float* from) { return _mm512_loadu_ps(from); }
  static Floats set(float value) { return _mm512_set1_ps(value); }
  static Floats multiply(Floats a, Floats b) { return _mm512_mul_ps(a, b); }
  static Floats multiply_add(Floats a, Floats b, Floats c) { return _mm512_fmadd_ps(a, b, c); }
  static Floats max(Floats a, Floats b) { return _mm512_max_ps(a, b); }
  static Floats min(Floats a, Floats b) { return _mm512_min_ps(a, b); }
  static void store(float* to, Floats x) { _mm512_storeu_ps(to, x); }

  static constexpr int interleaved_bytes = 32;
  static void store_interleaved(std::uint8_t* to, const std::uint8_t* a, const std::uint8_t* b) {
    const auto words = [](const std::uint8_t* from) {
      return _mm512_cvtepu8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
    };
    _mm512_storeu_si512(to, _mm512_or_si512(words(a), _mm512_slli_epi16(words(b), 8)));
  }

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
}  // namespace nanoedge::native
