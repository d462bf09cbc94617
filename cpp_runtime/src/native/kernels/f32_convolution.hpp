// Convolutions in float32: V and M as in f32_vectors.hpp.
//
// A convolution is a matrix product: rows are output pixels, columns output channels, and a tile of kRows pixels by one
// or two vectors of channels stays in registers while all its inputs pass by.
#pragma once

#include "native/kernels/f32_vectors.hpp"

namespace nanoedge::native {
namespace {

template <class V, class M>
struct F32Convolution : F32Vectors<V, M> {
  using Vectors = F32Vectors<V, M>;
  using typename Vectors::Vector, typename Vectors::In;
  using Vectors::in_at, Vectors::kWidth, Vectors::out_at;
  static constexpr int kRows = V::tile_rows;

  // Where a pixel's inputs lie: `rows` rows of `parts` runs of `length` values.
  struct Window {
    int rows, parts, length;
    std::ptrdiff_t row_step, part_step;
    int total() const { return rows * parts * length; }
  };

  static Window window_of(const Step& step) {
    const Map& in = step.in;
    if (in.pixel == in.channels) return {step.kernel, 1, step.kernel * in.channels, in.row, 0};
    return {step.kernel, step.kernel, in.channels, in.row, in.pixel};
  }

  // As many inputs of each pixel as a vector has, loaded at once.
  template <int rows, int vectors>
  __attribute__((always_inline)) static void multiply_add_lanes(Vector (&sums)[rows][vectors], const In* in,
                                                                std::ptrdiff_t in_step, const float* weights) {
    Vector x[rows];
#pragma GCC unroll 16
    for (int r = 0; r < rows; ++r) x[r] = M::load(in + r * in_step);
    multiply_add_lane<0, rows, vectors>(sums, x, weights);
    multiply_add_lane<1, rows, vectors>(sums, x, weights + vectors * kWidth);
    multiply_add_lane<2, rows, vectors>(sums, x, weights + 2 * vectors * kWidth);
    multiply_add_lane<3, rows, vectors>(sums, x, weights + 3 * vectors * kWidth);
  }
  template <int lane, int rows, int vectors>
  __attribute__((always_inline)) static void multiply_add_lane(Vector (&sums)[rows][vectors], const Vector (&x)[rows],
                                                               const float* weights) {
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) {
      const Vector w = V::load(weights + v * kWidth);
#pragma GCC unroll 16
      for (int r = 0; r < rows; ++r) sums[r][v] = V::template multiply_add_lane<lane>(x[r], w, sums[r][v]);
    }
  }

  template <Activation activation, int rows, int vectors>
  static void tile(const Step& step, const Window& window, const In* in, std::ptrdiff_t in_step, const float* weights,
                   int channel, char* out) {
    Vector sums[rows][vectors];
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) {
      const Vector bias = V::load(step.bias + channel + v * kWidth);
#pragma GCC unroll 32
      for (int r = 0; r < rows; ++r) sums[r][v] = bias;
    }
    for (int y = 0; y < window.rows; ++y) {
      for (int part = 0; part < window.parts; ++part) {
        const In* run = in + y * window.row_step + part * window.part_step;
        int k = 0;
        if constexpr (V::lanes > 1) {
          for (; k + V::lanes <= window.length; k += V::lanes, weights += V::lanes * vectors * kWidth) {
            multiply_add_lanes<rows, vectors>(sums, run + k, in_step, weights);
          }
        }
        for (; k < window.length; ++k) {
          Vector w[vectors];
#pragma GCC unroll 4
          for (int v = 0; v < vectors; ++v) w[v] = V::load(weights + v * kWidth);
          weights += vectors * kWidth;
#pragma GCC unroll 16
          for (int r = 0; r < rows; ++r) {
            const Vector x = M::set(run[r * in_step + k]);
#pragma GCC unroll 4
            for (int v = 0; v < vectors; ++v) sums[r][v] = V::multiply_add(x, w[v], sums[r][v]);
          }
        }
      }
    }
    if constexpr (rows == 1) {  // seldom: one version for all activations
      float copy[vectors * kWidth];
      for (int v = 0; v < vectors; ++v) V::store(copy + v * kWidth, sums[0][v]);
      Vectors::finish_any(step, copy, rows, vectors, out, channel);
    } else {
      Vectors::template finish<activation, rows, vectors>(step, sums, out, channel);
    }
  }

  // Some pixels behind each other, all channels.
  template <Activation activation>
  static void pixels(const Step& step, const Window& window, const In* in, std::ptrdiff_t in_step, char* out,
                     int count) {
    const auto* weights = static_cast<const float*>(step.weights);
    const int total = window.total();
    for (int channel = 0; channel < step.out.channels;) {
      const int vectors = step.out.channels - channel > kWidth ? 2 : 1;
      for (int pixel = 0; pixel < count;) {
        // The last tile begins earlier, so that it is whole: some pixels are calculated twice.
        const int first = count < kRows ? pixel : smaller(pixel, count - kRows);
        const In* from = in + first * in_step;
        char* to = out + first * pixel_bytes(step.out);
        if (count < kRows) {
          vectors == 2 ? tile<Activation::none, 1, 2>(step, window, from, in_step, weights, channel, to)
                       : tile<Activation::none, 1, 1>(step, window, from, in_step, weights, channel, to);
          pixel = first + 1;
        } else {
          vectors == 2 ? tile<activation, kRows, 2>(step, window, from, in_step, weights, channel, to)
                       : tile<activation, kRows, 1>(step, window, from, in_step, weights, channel, to);
          pixel = first + kRows;
        }
      }
      weights += static_cast<std::ptrdiff_t>(total) * vectors * kWidth;
      channel += vectors * kWidth;
    }
  }

  static int items(const Step& step) { return is_flat(step) ? flat_items_of(step) : step.out.height; }

  static void run(const Step& step, int first, int end, void*) {
    Vectors::with_activation(step, [&](auto activation) { run_as<decltype(activation)::value>(step, first, end); });
  }

  template <Activation activation>
  static void run_as(const Step& step, int first, int end) {
    const Window window = window_of(step);
    if (is_flat(step)) {
      for (int item = first; item < end; ++item) {
        const int from = first_pixel_of(step, item), here = first_pixel_of(step, item + 1) - from;
        pixels<activation>(step, window, in_at(step.in, 0, 0) + from * step.in.pixel, step.in.pixel,
                           out_at(step, 0, 0) + from * pixel_bytes(step.out), here);
      }
      return;
    }
    for (int y = first; y < end; ++y) {
      pixels<activation>(step, window, in_at(step.in, y * step.stride - step.top, -step.left),
                         step.stride * step.in.pixel, out_at(step, y, 0), step.out.width);
    }
  }

  static std::size_t packed_size(const Step& step) {
    const int channels = (step.out.channels + kWidth - 1) / kWidth * kWidth;
    return sizeof(float) * static_cast<std::size_t>(step.kernel) * step.kernel * step.in.channels * channels;
  }

  // [block][row][column][input][channels of the block]
  static void pack(const Step& step, const void* from, void* to) {
    const auto* weights = static_cast<const float*>(from);
    auto* packed = static_cast<float*>(to);
    const int inputs = step.in.channels, taps = step.kernel * step.kernel;
    for (int channel = 0; channel < step.out.channels;) {
      const int block = (step.out.channels - channel > kWidth ? 2 : 1) * kWidth;
      for (int c = 0; c < block; ++c) {
        const bool is_real = channel + c < step.out.channels;
        const float* filter = weights + static_cast<std::ptrdiff_t>(channel + c) * inputs * taps;
        for (int input = 0; input < inputs; ++input) {
          for (int tap = 0; tap < taps; ++tap) {
            packed[(tap * inputs + input) * block + c] = is_real ? filter[input * taps + tap] : 0.F;
          }
        }
      }
      packed += static_cast<std::ptrdiff_t>(inputs) * taps * block;
      channel += block;
    }
  }

  static constexpr Kernel kernel() { return {items, run, packed_size, pack}; }
};

}  // namespace
}  // namespace nanoedge::native
