// Convolutions in float32: V and M as in f32_vectors.hpp.
//
// A convolution is a matrix product: rows are output pixels, columns output channels, and a tile of pixels by one, two
// or four vectors of channels stays in registers while all its inputs pass by.
#pragma once

#include "native/kernels/f32_vectors.hpp"

namespace nanoedge::native {
namespace {

template <class V, class M>
struct F32Convolution : F32Vectors<V, M> {
  using Vectors = F32Vectors<V, M>;
  using typename Vectors::Vector, typename Vectors::In, typename Vectors::Value;
  using Vectors::in_at, Vectors::kWidth, Vectors::out_at;

  // Vectors of the block of channels that begins at one.
  static int vectors_at(const Step& step, int channel) {
    const int left = step.out.channels - channel;
    if (V::block_vectors == 4 && left > 3 * kWidth) return 4;
    return left > kWidth ? 2 : 1;
  }

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

  // `count` inputs of each pixel, at most as many as a vector has, loaded at once.
  template <int rows, int vectors>
  __attribute__((always_inline)) static void multiply_add_lanes(Vector (&sums)[rows][vectors], const In* in,
                                                                std::ptrdiff_t in_step, const Value* weights,
                                                                int count) {
    Vector x[rows];
#pragma GCC unroll 16
    for (int r = 0; r < rows; ++r) x[r] = M::load(in + r * in_step);
    multiply_add_lanes_from<0, rows, vectors>(sums, x, weights, count);
  }
  template <int lane, int rows, int vectors>
  __attribute__((always_inline)) static void multiply_add_lanes_from(Vector (&sums)[rows][vectors],
                                                                     const Vector (&x)[rows], const Value* weights,
                                                                     int count) {
    if (count <= lane) return;
    multiply_add_lane<lane, 0, rows, vectors>(sums, x, weights);
    if constexpr (lane + 1 < V::lanes) multiply_add_lanes_from<lane + 1, rows, vectors>(sums, x, weights, count);
  }
  template <int lane, int v, int rows, int vectors>
  __attribute__((always_inline)) static void multiply_add_lane(Vector (&sums)[rows][vectors], const Vector (&x)[rows],
                                                               const Value* weights) {
    constexpr int kLoaded = vectors == 1 ? 1 : 2, kAt = (lane * vectors + v) * kWidth;
    Vector w[kLoaded];
    if constexpr (V::loads_pairs && kLoaded == 2) {
      V::template load_two<kAt* static_cast<int>(sizeof(Value))>(weights, w[0], w[1]);
    } else {
#pragma GCC unroll 2
      for (int i = 0; i < kLoaded; ++i) w[i] = V::load(weights + kAt + i * kWidth);
    }
#pragma GCC unroll 2
    for (int i = 0; i < kLoaded; ++i) {
#pragma GCC unroll 16
      for (int r = 0; r < rows; ++r) sums[r][v + i] = V::template multiply_add_lane<lane>(x[r], w[i], sums[r][v + i]);
    }
    if constexpr (v + kLoaded < vectors) multiply_add_lane<lane, v + kLoaded, rows, vectors>(sums, x, weights);
  }

  template <Activation activation, int rows, int vectors>
  static void tile(const Step& step, const Window& window, const In* in, std::ptrdiff_t in_step, const Value* weights,
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
            multiply_add_lanes<rows, vectors>(sums, run + k, in_step, weights, V::lanes);
          }
          const int rest = window.length - k;
          if (rest > 0) multiply_add_lanes<rows, vectors>(sums, run + k, in_step, weights, rest);
          weights += rest * vectors * kWidth;
          continue;
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

  // Some pixels behind each other, one block of channels.
  template <Activation activation, int vectors>
  static void block(const Step& step, const Window& window, const In* in, std::ptrdiff_t in_step, const Value* weights,
                    int channel, char* out, int count) {
    constexpr int kRows = V::tile_rows(vectors);
    const std::ptrdiff_t out_step = pixel_bytes(step.out);
    if (count < kRows) {
      for (int pixel = 0; pixel < count; ++pixel) {
        tile<Activation::none, 1, vectors>(step, window, in + pixel * in_step, in_step, weights, channel,
                                           out + pixel * out_step);
      }
      return;
    }
    for (int pixel = 0; pixel < count; pixel += kRows) {
      // The last tile begins earlier, so that it is whole: some pixels are calculated twice.
      const int first = smaller(pixel, count - kRows);
      tile<activation, kRows, vectors>(step, window, in + first * in_step, in_step, weights, channel,
                                       out + first * out_step);
    }
  }

  // Some pixels behind each other, all channels.
  template <Activation activation>
  static void pixels(const Step& step, const Window& window, const In* in, std::ptrdiff_t in_step, char* out,
                     int count) {
    const auto* weights = static_cast<const Value*>(step.weights);
    const int total = window.total();
    for (int channel = 0; channel < step.out.channels;) {
      const int vectors = vectors_at(step, channel);
      auto work = vectors == 2 ? block<activation, 2> : block<activation, 1>;
      if constexpr (V::block_vectors == 4) work = vectors == 4 ? block<activation, 4> : work;
      work(step, window, in, in_step, weights, channel, out, count);
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
    return sizeof(Value) * static_cast<std::size_t>(step.kernel) * step.kernel * step.in.channels * channels;
  }

  // [block][row][column][input][channels of the block]
  static void pack(const Step& step, const void* from, void* to) {
    const auto* weights = static_cast<const float*>(from);
    auto* packed = static_cast<Value*>(to);
    const int inputs = step.in.channels, taps = step.kernel * step.kernel;
    for (int channel = 0; channel < step.out.channels;) {
      const int block = vectors_at(step, channel) * kWidth;
      for (int c = 0; c < block; ++c) {
        const bool is_real = channel + c < step.out.channels;
        const float* filter = weights + static_cast<std::ptrdiff_t>(channel + c) * inputs * taps;
        for (int input = 0; input < inputs; ++input) {
          for (int tap = 0; tap < taps; ++tap) {
            packed[(tap * inputs + input) * block + c] = static_cast<Value>(is_real ? filter[input * taps + tap] : 0.F);
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
