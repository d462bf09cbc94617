// 1x1 convolutions in bfloat16: products of 8 bits of precision, sums and everything else in float32. The inputs of
// some pixels are rounded into memory of the thread, then all channels of the output are calculated from there.
//
// P multiplies: see the files that include this one. Rounding to bfloat16 is to the nearest even; the sums' order and
// the rounding of each addition are the instruction's.
#pragma once

#include <string.h>

#include "native/kernels/avx512.hpp"

namespace nanoedge::native {
namespace {

template <class P>
struct Bf16 {
  static constexpr int kWidth = 16, kPixelsOfItem = 16, kItemsOfChunk = 8;

  // What does not fit is done in float32.
  static const Kernel& plain() { return avx512_f32.of[static_cast<int>(Kind::convolution)]; }

  static bool fits(const Step& step) { return step.kernel == 1 && step.stride == 1; }

  // How many pixels lie behind each other.
  static int pixels_of(const Step& step) { return step.out.width * (is_flat(step) ? step.out.height : 1); }

  // Inputs up to whole vectors of 32.
  static int inputs_of(const Step& step) { return (step.in.channels + 31) / 32 * 32; }

  // Vectors of the block of channels that begins at one.
  static int vectors_at(const Step& step, int channel) {
    const int left = step.out.channels - channel;
    return left > 2 * kWidth ? 4 : left > kWidth ? 2 : 1;
  }
  static int blocks_end(const Step& step) {
    int channel = 0;
    while (channel < step.out.channels) channel += vectors_at(step, channel) * kWidth;
    return channel;
  }

  static int items_in(int pixels) { return (pixels + kPixelsOfItem - 1) / kPixelsOfItem; }
  static int items(const Step& step) {
    if (!fits(step)) return plain().items(step);
    return is_flat(step) ? items_in(pixels_of(step)) : step.out.height;
  }

  static std::size_t scratch_size(const Step& step) {
    if (!fits(step)) return 0;
    return 2 * static_cast<std::size_t>(inputs_of(step)) * (kItemsOfChunk + 1) * kPixelsOfItem;
  }

  static void round_inputs(const Step& step, const float* in, int count, std::uint16_t* to) {
    const int channels = step.in.channels, inputs = inputs_of(step);
    for (int pixel = 0; pixel < count; ++pixel, in += step.in.pixel, to += inputs) {
      for (int c = 0; c < inputs; c += 32) {
        const int left = channels - c;
        const __mmask16 low = left >= 16 ? 0xFFFF : Avx512::first(left);
        const __mmask16 high = left >= 32 ? 0xFFFF : left <= 16 ? 0 : Avx512::first(left - 16);
        const __m512 a = _mm512_maskz_loadu_ps(low, in + c), b = _mm512_maskz_loadu_ps(high, in + c + 16);
        const __m512bh both = _mm512_cvtne2ps_pbh(b, a);
        memcpy(to + c, &both, sizeof both);
      }
    }
  }

  // Some items of `count` pixels behind each other.
  template <Activation activation>
  static void line(const Step& step, const float* in, float* out, int count, int first, int end, void* scratch) {
    auto* rounded = static_cast<std::uint16_t*>(scratch);
    const int inputs = inputs_of(step);
    for (int chunk = first; chunk < end; chunk += kItemsOfChunk) {
      const int from = chunk * kPixelsOfItem, to = smaller(count, smaller(end, chunk + kItemsOfChunk) * kPixelsOfItem);
      // Whole tiles want 16 pixels: some before the chunk are calculated, but not written, once more.
      const int begin = to - from >= kPixelsOfItem ? from : larger(0, to - kPixelsOfItem);
      round_inputs(step, in + begin * step.in.pixel, to - begin, rounded);
      const auto* weights = static_cast<const std::uint16_t*>(step.weights);
      for (int channel = 0; channel < step.out.channels;) {
        const int vectors = vectors_at(step, channel);
        const auto work = vectors == 4   ? P::template block<activation, 4>
                          : vectors == 2 ? P::template block<activation, 2>
                                         : P::template block<activation, 1>;
        work(step, rounded, inputs, to - begin, from - begin, weights, channel, out + begin * step.out.pixel);
        weights += static_cast<std::ptrdiff_t>(inputs) * vectors * kWidth;
        channel += vectors * kWidth;
      }
    }
  }

  static void run(const Step& step, int first, int end, void* scratch) {
    if (!fits(step)) return plain().run(step, first, end, scratch);
    if (first >= end) return;
    F32Vectors<Avx512>::with_activation(
        step, [&](auto activation) { run_as<decltype(activation)::value>(step, first, end, scratch); });
  }

  template <Activation activation>
  static void run_as(const Step& step, int first, int end, void* scratch) {
    const typename P::Scope scope;
    const int count = pixels_of(step);
    if (is_flat(step)) {
      line<activation>(step, step.in.f32(0, 0), step.out.f32(0, 0), count, first, end, scratch);
      return;
    }
    for (int y = first; y < end; ++y) {
      line<activation>(step, step.in.f32(y, 0), step.out.f32(y, 0), count, 0, items_in(count), scratch);
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

  static constexpr Kernel kernel() { return {items, run, packed_size, pack, nullptr, scratch_size}; }
};

// Products of pairs in vectors: the instruction of AVX512-BF16.
struct PairsInVectors {
  struct Scope {
    Scope() {}  // nothing to set up
  };

  static __m512 dot(__m512 sum, __m512i pair, __m512i weights) {
    __asm__("vdpbf16ps %2, %1, %0" : "+v"(sum) : "v"(pair), "vm"(weights));
    return sum;
  }

  template <Activation activation, int rows, int vectors>
  static void tile(const Step& step, const std::uint16_t* in, int inputs, const std::uint16_t* weights, int channel,
                   float* out) {
    __m512 sums[rows][vectors];
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) {
      const __m512 bias = _mm512_loadu_ps(step.bias + channel + v * 16);
#pragma GCC unroll 32
      for (int r = 0; r < rows; ++r) sums[r][v] = bias;
    }
    for (int i = 0; i < inputs; i += 2, weights += vectors * 32) {
      __m512i w[vectors];
#pragma GCC unroll 4
      for (int v = 0; v < vectors; ++v) w[v] = _mm512_loadu_si512(weights + v * 32);
#pragma GCC unroll 24
      for (int r = 0; r < rows; ++r) {
        int pair;
        memcpy(&pair, in + r * inputs + i, sizeof pair);
        const __m512i x = _mm512_set1_epi32(pair);
#pragma GCC unroll 4
        for (int v = 0; v < vectors; ++v) sums[r][v] = dot(sums[r][v], x, w[v]);
      }
    }
    if constexpr (rows == 1) {  // seldom: one version for all activations
      float copy[vectors * 16];
      for (int v = 0; v < vectors; ++v) _mm512_storeu_ps(copy + v * 16, sums[0][v]);
      F32Vectors<Avx512>::finish_any(step, copy, rows, vectors, out, channel);
    } else {
      F32Vectors<Avx512>::finish<activation, rows, vectors>(step, sums, out, channel);
    }
  }

  // Pixels `first` to `count` of rounded inputs.
  template <Activation activation, int vectors>
  static void block(const Step& step, const std::uint16_t* in, int inputs, int count, int first,
                    const std::uint16_t* weights, int channel, float* out) {
    constexpr int kRows = 24 / (vectors == 1 ? 2 : vectors);
    for (int pixel = first; pixel < count;) {
      if (count - first < kRows) {
        tile<Activation::none, 1, vectors>(step, in + pixel * inputs, inputs, weights, channel,
                                           out + pixel * step.out.pixel);
        ++pixel;
        continue;
      }
      // The last tile begins earlier, so that it is whole: some pixels are calculated twice.
      const int from = smaller(pixel, count - kRows);
      tile<activation, kRows, vectors>(step, in + from * inputs, inputs, weights, channel, out + from * step.out.pixel);
      pixel = from + kRows;
    }
  }
};

}  // namespace
}  // namespace nanoedge::native
