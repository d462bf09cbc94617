// Maps in bfloat16, and 1x1 convolutions on them: products of 8 bits of precision, sums and everything else in float32.
//
// Rounding to bfloat16 is to the nearest even; the order of a sum's products and the rounding of each addition are the
// instruction's. P multiplies: see the files that include this one.
#pragma once

#include <string.h>

#include "native/kernels/avx512.hpp"

namespace nanoedge::native {
namespace {

// See FloatMaps.
struct Bf16Maps {
  using In = std::uint16_t;
  using Out = std::uint16_t;
  using Vector = __m512;

  static __m512i words(const In* from) {
    return _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
  }
  static __m256i rounded(Vector x) {
    const __m256bh halves = _mm512_cvtneps_pbh(x);
    __m256i bits;
    memcpy(&bits, &halves, sizeof bits);
    return bits;
  }

  static Vector load(const In* from) { return _mm512_castsi512_ps(_mm512_slli_epi32(words(from), 16)); }
  static Vector set(In value) {
    return _mm512_castsi512_ps(_mm512_set1_epi32(static_cast<int>(static_cast<std::uint32_t>(value) << 16)));
  }
  static void store(Out* to, Vector x) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), rounded(x)); }
  static void store_some(Out* to, Vector x, __mmask16 mask) { _mm256_mask_storeu_epi16(to, mask, rounded(x)); }
  static void store_interleaved(Out* to, const In* a, const In* b) {
    _mm512_storeu_si512(to, _mm512_or_si512(words(a), _mm512_slli_epi32(words(b), 16)));
  }
};

// The first layer's: the picture is float32.
struct Bf16First : Bf16Maps {
  using In = float;
  static Vector load(const In* from) { return _mm512_loadu_ps(from); }
  static Vector set(In value) { return _mm512_set1_ps(value); }
};

template <class P>
struct Bf16 {
  static constexpr int kWidth = 16, kPixels = 16, kItemsOfChunk = 8;

  // What does not fit is done otherwise.
  static const Kernel& plain() { return P::plain(); }
  static bool fits(const Step& step) {
    return step.kernel == 1 && step.stride == 1 && pixels_of(step) >= P::fewest_pixels;
  }

  // How many pixels lie behind each other.
  static int pixels_of(const Step& step) { return step.out.width * (is_flat(step) ? step.out.height : 1); }

  // Inputs up to whole tiles of 32. Behind a pixel's channels lie others, which meet weights of zero.
  static int inputs_of(const Step& step) { return (step.in.channels + 31) / 32 * 32; }

  // Vectors of the block of channels that begins at one.
  static int vectors_at(const Step& step, int channel) {
    const int left = step.out.channels - channel;
    return left > 3 * kWidth ? 4 : left > kWidth ? 2 : 1;
  }
  static int blocks_end(const Step& step) {
    int channel = 0;
    while (channel < step.out.channels) channel += vectors_at(step, channel) * kWidth;
    return channel;
  }

  static int items_in(int pixels) { return (pixels + kPixels - 1) / kPixels; }
  static int items(const Step& step) {
    if (!fits(step)) return plain().items(step);
    return is_flat(step) ? items_in(pixels_of(step)) : step.out.height;
  }

  // Items `first` to `end` of `count` pixels behind each other.
  template <Activation activation>
  static void line(const Step& step, const std::uint16_t* in, char* out, int count, int first, int end) {
    for (int chunk = first; chunk < end; chunk += kItemsOfChunk) {
      const int chunk_end = smaller(end, chunk + kItemsOfChunk);
      const auto* weights = static_cast<const std::uint16_t*>(step.weights);
      for (int channel = 0; channel < step.out.channels;) {
        const int vectors = vectors_at(step, channel);
        const auto work = vectors == 4   ? P::template block<activation, 4>
                          : vectors == 2 ? P::template block<activation, 2>
                                         : P::template block<activation, 1>;
        work(step, in, count, chunk, chunk_end, weights, channel, out);
        weights += static_cast<std::ptrdiff_t>(inputs_of(step)) * vectors * kWidth;
        channel += vectors * kWidth;
      }
    }
  }

  static void run(const Step& step, int first, int end, void* scratch) {
    if (!fits(step)) return plain().run(step, first, end, scratch);
    if (first >= end) return;
    F32Vectors<Avx512, Bf16Maps>::with_activation(
        step, [&](auto activation) { run_as<decltype(activation)::value>(step, first, end); });
  }

  template <Activation activation>
  static void run_as(const Step& step, int first, int end) {
    const typename P::Scope scope;
    const int count = pixels_of(step);
    if (is_flat(step)) {
      line<activation>(step, step.in.bf16(0, 0), static_cast<char*>(step.out.data), count, first, end);
      return;
    }
    for (int y = first; y < end; ++y) {
      auto* out = static_cast<char*>(pixel_of(step.out, y, 0));
      line<activation>(step, step.in.bf16(y, 0), out, count, 0, items_in(count));
    }
  }

  static std::size_t packed_size(const Step& step) {
    if (!fits(step)) return plain().packed_size(step);
    return 2 * static_cast<std::size_t>(inputs_of(step)) * static_cast<std::size_t>(blocks_end(step));
  }

  static std::uint16_t rounded(float value) {
    std::uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return static_cast<std::uint16_t>((bits + 0x7FFFU + ((bits >> 16) & 1U)) >> 16);
  }

  // [block][pair of inputs][channels of the block][2]
  static void pack(const Step& step, const void* from, void* to) {
    if (!fits(step)) return plain().pack(step, from, to);
    const auto* weights = static_cast<const float*>(from);
    auto* packed = static_cast<std::uint16_t*>(to);
    memset(packed, 0, packed_size(step));
    for (int channel = 0; channel < step.out.channels;) {
      const int block = vectors_at(step, channel) * kWidth;
      const int end = smaller(block, step.out.channels - channel);
      for (int c = 0; c < end; ++c) {
        for (int i = 0; i < step.in.channels; ++i) {
          packed[(i / 2 * block + c) * 2 + i % 2] = rounded(*weights++);
        }
      }
      packed += static_cast<std::ptrdiff_t>(inputs_of(step)) * block;
      channel += block;
    }
  }

  static constexpr Kernel kernel() { return {items, run, packed_size, pack}; }
};

// Products of pairs in vectors: the instruction of AVX512-BF16.
struct PairsInVectors {
  struct Scope {
    Scope() {}  // nothing to set up
  };
  static constexpr int fewest_pixels = 1;
  static const Kernel& plain() {
    static constexpr Kernel kAnySize = F32Convolution<Avx512, Bf16Maps>::kernel();
    return kAnySize;
  }

  static __m512 dot(__m512 sum, __m512i pair, __m512i weights) {
    __asm__("vdpbf16ps %2, %1, %0" : "+v"(sum) : "v"(pair), "vm"(weights));
    return sum;
  }

  template <Activation activation, int rows, int vectors>
  static void tile(const Step& step, const std::uint16_t* in, const std::uint16_t* weights, int channel, char* out) {
    __m512 sums[rows][vectors];
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) {
      const __m512 bias = _mm512_loadu_ps(step.bias + channel + v * 16);
#pragma GCC unroll 32
      for (int r = 0; r < rows; ++r) sums[r][v] = bias;
    }
    for (int i = 0; i < step.in.channels; i += 2, weights += vectors * 32) {
      __m512i w[vectors];
#pragma GCC unroll 4
      for (int v = 0; v < vectors; ++v) w[v] = _mm512_loadu_si512(weights + v * 32);
#pragma GCC unroll 24
      for (int r = 0; r < rows; ++r) {
        int pair;
        memcpy(&pair, in + r * step.in.pixel + i, sizeof pair);
        const __m512i x = _mm512_set1_epi32(pair);
#pragma GCC unroll 4
        for (int v = 0; v < vectors; ++v) sums[r][v] = dot(sums[r][v], x, w[v]);
      }
    }
    using Vectors = F32Vectors<Avx512, Bf16Maps>;
    if constexpr (rows == 1) {  // seldom: one version for all activations
      float copy[vectors * 16];
      for (int v = 0; v < vectors; ++v) _mm512_storeu_ps(copy + v * 16, sums[0][v]);
      Vectors::finish_any(step, copy, rows, vectors, out, channel);
    } else {
      Vectors::finish<activation, rows, vectors>(step, sums, out, channel);
    }
  }

  // Items `first` to `end` of `count` pixels behind each other.
  template <Activation activation, int vectors>
  static void block(const Step& step, const std::uint16_t* in, int count, int first, int end,
                    const std::uint16_t* weights, int channel, char* out) {
    constexpr int kRows = 24 / (vectors == 1 ? 2 : vectors), kPixels = 16;
    const int begin = first * kPixels, last = smaller(count, end * kPixels);
    const std::ptrdiff_t out_step = pixel_bytes(step.out);
    for (int pixel = begin; pixel < last;) {
      if (last - begin < kRows) {
        tile<Activation::none, 1, vectors>(step, in + pixel * step.in.pixel, weights, channel, out + pixel * out_step);
        ++pixel;
        continue;
      }
      // The last tile begins earlier, so that it is whole: some pixels are calculated twice.
      const int from = smaller(pixel, last - kRows);
      tile<activation, kRows, vectors>(step, in + from * step.in.pixel, weights, channel, out + from * out_step);
      pixel = from + kRows;
    }
  }
};

}  // namespace
}  // namespace nanoedge::native
