// What AVX2 and AVX-VNNI share: vectors of eight int32 sums. Only the dot product differs.
#pragma once

#include <immintrin.h>
#include <string.h>

#include "native/kernels/int8.hpp"

namespace nanoedge::native {
namespace {

struct Int8Of256Bits {
  using Ints = __m256i;
  using Floats = __m256;
  static constexpr int width = 8;
  static constexpr bool joins_activations = false, loads_copies = false, loads_pairs = false;
  static constexpr bool has_fours = false;      // multiplies four times four inputs of a pixel at once
  static constexpr bool has_two_quads = false;  // adds up twice four products before they go into a sum

  struct Limit {};
  static Limit limit_of(Floats) { return {}; }

  static int in_quads(int byte) { return byte; }  // as it stands in quads
  static Ints load_ints(const void* from) { return _mm256_loadu_si256(static_cast<const __m256i*>(from)); }
  static Ints set_ints(int value) { return _mm256_set1_epi32(value); }
  static Ints subtract_ints(Ints a, Ints b) { return _mm256_sub_epi32(a, b); }
  static Ints load_bytes(const std::uint8_t* from) {
    return _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from)));
  }
  static Ints four_bytes(const std::uint8_t* from) {
    int four;
    memcpy(&four, from, sizeof four);
    return _mm256_set1_epi32(four);
  }

  static Floats floats(Ints x) { return _mm256_cvtepi32_ps(x); }
  static Floats load(const float* from) { return _mm256_loadu_ps(from); }
  static Floats set(float value) { return _mm256_set1_ps(value); }
  static Floats multiply(Floats a, Floats b) { return _mm256_mul_ps(a, b); }
  static Floats multiply_add(Floats a, Floats b, Floats c) { return _mm256_fmadd_ps(a, b, c); }
  static Floats max(Floats a, Floats b) { return _mm256_max_ps(a, b); }
  static Floats min(Floats a, Floats b) { return _mm256_min_ps(a, b); }
  static void store(float* to, Floats x) { _mm256_storeu_ps(to, x); }

  // Interleaves four rows of a block, four channels in each lane of each vector: see channel_in_block.
  template <int vectors>
  static void make_quads(const std::uint8_t* const* rows, std::uint8_t* to) {
    auto* out = reinterpret_cast<Ints*>(to);
    if constexpr (vectors == 1) {
      make_quads_in_order(rows, 0, to);
    } else if constexpr (vectors == 2) {
      const auto row = [&](int r) {
        const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(rows[r]));
        return _mm256_permute4x64_epi64(_mm256_castsi128_si256(bytes), 0x50);
      };
      const Ints ab = _mm256_unpacklo_epi8(row(0), row(1)), cd = _mm256_unpacklo_epi8(row(2), row(3));
      _mm256_storeu_si256(out, _mm256_unpacklo_epi16(ab, cd));
      _mm256_storeu_si256(out + 1, _mm256_unpackhi_epi16(ab, cd));
    } else {
      const Ints a = load_ints(rows[0]), b = load_ints(rows[1]), c = load_ints(rows[2]), d = load_ints(rows[3]);
      const Ints ab_low = _mm256_unpacklo_epi8(a, b), ab_high = _mm256_unpackhi_epi8(a, b);
      const Ints cd_low = _mm256_unpacklo_epi8(c, d), cd_high = _mm256_unpackhi_epi8(c, d);
      _mm256_storeu_si256(out, _mm256_unpacklo_epi16(ab_low, cd_low));
      _mm256_storeu_si256(out + 1, _mm256_unpackhi_epi16(ab_low, cd_low));
      _mm256_storeu_si256(out + 2, _mm256_unpacklo_epi16(ab_high, cd_high));
      _mm256_storeu_si256(out + 3, _mm256_unpackhi_epi16(ab_high, cd_high));
    }
  }
  static void make_quads_in_order(const std::uint8_t* const* rows, int channel, std::uint8_t* to) {
    const Ints a = load_bytes(rows[0] + channel), b = _mm256_slli_epi32(load_bytes(rows[1] + channel), 8);
    const Ints c = _mm256_slli_epi32(load_bytes(rows[2] + channel), 16);
    const Ints d = _mm256_slli_epi32(load_bytes(rows[3] + channel), 24);
    _mm256_storeu_si256(reinterpret_cast<Ints*>(to), _mm256_or_si256(_mm256_or_si256(a, b), _mm256_or_si256(c, d)));
  }

  static constexpr int interleaved_bytes = 16;
  static void store_interleaved(std::uint8_t* to, const std::uint8_t* a, const std::uint8_t* b) {
    const auto words = [](const std::uint8_t* from) {
      return _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
    };
    _mm256_storeu_si256(reinterpret_cast<Ints*>(to), _mm256_or_si256(words(a), _mm256_slli_epi16(words(b), 8)));
  }

  // Rounds and saturates a block: see channel_in_block.
  template <int vectors>
  static void store_bytes(std::uint8_t* to, const Floats* values) {
    const auto word = [&](int v) { return _mm256_cvtps_epi32(values[v]); };
    if constexpr (vectors == 4) {
      const Ints bytes =
          _mm256_packus_epi16(_mm256_packs_epi32(word(0), word(1)), _mm256_packs_epi32(word(2), word(3)));
      _mm256_storeu_si256(reinterpret_cast<Ints*>(to), bytes);
    } else {
      const Ints words = _mm256_packs_epi32(word(0), word(vectors - 1));
      const __m128i low = _mm256_castsi256_si128(words), high = _mm256_extracti128_si256(words, 1);
      const __m128i bytes = _mm_packus_epi16(low, high);
      if constexpr (vectors == 2) {
        _mm_storeu_si128(reinterpret_cast<__m128i*>(to), bytes);
      } else {
        _mm_storel_epi64(reinterpret_cast<__m128i*>(to), _mm_shuffle_epi32(bytes, 0x08));  // each half stands twice
      }
    }
  }
};

}  // namespace
}  // namespace nanoedge::native
