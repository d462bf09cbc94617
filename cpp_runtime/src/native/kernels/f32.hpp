// All float32 kernels, written once for all instruction sets. V is a vector of `width` floats: see the files that
// include this one.
//
// A convolution is a matrix product: rows are output pixels, columns output channels, and a tile of kRows pixels by one
// or two vectors of channels stays in registers while all its inputs pass by. Everything but convolutions is one pass
// over the channels of each pixel.
#pragma once

#include <math.h>
#include <string.h>

#include "native/kernels/f32_depthwise.hpp"

namespace nanoedge::native {
namespace {

template <class V>
struct F32 : F32Vectors<V> {
  using Vectors = F32Vectors<V>;
  using Depthwise = F32Depthwise<V>;
  using typename Vectors::Vector;
  using Vectors::activated, Vectors::kWidth, Vectors::store;
  static constexpr int kRows = V::tile_rows;
  static constexpr int kPixelsOfItem = 24;  // of a 1x1 convolution: their inputs stay in the first cache

  // --- convolution ---------------------------------------------------------------------------------------------------

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

  template <Activation activation, int rows, int vectors>
  static void tile(const Step& step, const Window& window, const float* in, std::ptrdiff_t in_step,
                   const float* weights, int channel, float* out) {
    Vector sums[rows][vectors];
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) {
      const Vector bias = V::load(step.bias + channel + v * kWidth);
#pragma GCC unroll 32
      for (int r = 0; r < rows; ++r) sums[r][v] = bias;
    }
    for (int y = 0; y < window.rows; ++y) {
      for (int part = 0; part < window.parts; ++part) {
        const float* run = in + y * window.row_step + part * window.part_step;
        for (int k = 0; k < window.length; ++k) {
          Vector w[vectors];
#pragma GCC unroll 4
          for (int v = 0; v < vectors; ++v) w[v] = V::load(weights + v * kWidth);
          weights += vectors * kWidth;
#pragma GCC unroll 16
          for (int r = 0; r < rows; ++r) {
            const Vector x = V::set(run[r * in_step + k]);
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
  static void pixels(const Step& step, const Window& window, const float* in, std::ptrdiff_t in_step, float* out,
                     int count) {
    const auto* weights = static_cast<const float*>(step.weights);
    const int total = window.total();
    for (int channel = 0; channel < step.out.channels;) {
      const int vectors = step.out.channels - channel > kWidth ? 2 : 1;
      for (int pixel = 0; pixel < count;) {
        // The last tile begins earlier, so that it is whole: some pixels are calculated twice.
        const int first = count < kRows ? pixel : smaller(pixel, count - kRows);
        const float* from = in + first * in_step;
        float* to = out + first * step.out.pixel;
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

  static int convolution_items(const Step& step) {
    if (!is_flat(step)) return step.out.height;
    return (step.out.height * step.out.width + kPixelsOfItem - 1) / kPixelsOfItem;
  }

  static void convolution(const Step& step, int first, int end, void*) {
    Vectors::with_activation(step,
                             [&](auto activation) { convolution_as<decltype(activation)::value>(step, first, end); });
  }

  template <Activation activation>
  static void convolution_as(const Step& step, int first, int end) {
    const Window window = window_of(step);
    if (is_flat(step)) {
      const int count = step.out.height * step.out.width;
      for (int item = first; item < end; ++item) {
        const int from = item * kPixelsOfItem, here = smaller(kPixelsOfItem, count - from);
        pixels<activation>(step, window, step.in.f32(0, 0) + from * step.in.pixel, step.in.pixel,
                           step.out.f32(0, 0) + from * step.out.pixel, here);
      }
      return;
    }
    for (int y = first; y < end; ++y) {
      pixels<activation>(step, window, step.in.f32(y * step.stride - step.top, -step.left), step.stride * step.in.pixel,
                         step.out.f32(y, 0), step.out.width);
    }
  }

  static std::size_t convolution_size(const Step& step) {
    const int channels = (step.out.channels + kWidth - 1) / kWidth * kWidth;
    return sizeof(float) * static_cast<std::size_t>(step.kernel) * step.kernel * step.in.channels * channels;
  }

  // [block][row][column][input][channels of the block]
  static void pack_convolution(const Step& step, const void* from, void* to) {
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

  // --- the rest ------------------------------------------------------------------------------------------------------

  // Calls work(y, x, channel) for every vector of some rows.
  template <class F>
  static void for_vectors(const Step& all, int first, int end, F&& work) {
    const Step step = all;
    for (int y = first; y < end; ++y) {
      for (int x = 0; x < step.out.width; ++x) {
        float* pixel = step.out.f32(y, x);
        for (int channel = 0; channel < step.out.channels; channel += kWidth) {
          store(pixel, channel, work(y, x, channel), step);
        }
      }
    }
  }

  // The largest of each column's rows first, as one run of values, then of the columns.
  static void max_pool(const Step& all, int first, int end, void* scratch) {
    const Step step = all;  // of our own: what is written cannot change it
    const Map& in = step.in;
    const auto size = static_cast<int>(in.width * in.pixel);
    auto* columns = static_cast<float*>(scratch);
    for (int y = first; y < end; ++y) {
      const int above = y * step.stride - step.top;
      const int top = larger(0, above), bottom = smaller(in.height, above + step.kernel);
      for (int i = 0; i < size; i += kWidth) {
        Vector largest = V::load(in.f32(top, 0) + i);
        for (int row = top + 1; row < bottom; ++row) largest = V::max(largest, V::load(in.f32(row, 0) + i));
        V::store(columns + i, largest);
      }
      for (int x = 0; x < step.out.width; ++x) {
        const int left = x * step.stride - step.left;
        const int begin = larger(0, left), right = smaller(in.width, left + step.kernel);
        float* out = step.out.f32(y, x);
        for (int channel = 0; channel < step.out.channels; channel += kWidth) {
          const float* from = columns + begin * in.pixel + channel;
          Vector largest = V::load(from);
          if (right - begin == 3) {
            largest = V::max(V::max(largest, V::load(from + in.pixel)), V::load(from + 2 * in.pixel));
          } else {
            for (int column = begin + 1; column < right; ++column) {
              from += in.pixel;
              largest = V::max(largest, V::load(from));
            }
          }
          store(out, channel, largest, step);
        }
      }
    }
  }
  static std::size_t max_pool_scratch(const Step& step) {
    return sizeof(float) * (static_cast<std::size_t>(step.in.width * step.in.pixel) + 2 * kWidth);
  }

  static void add(const Step& step, int first, int end, void*) {
    for_vectors(step, first, end, [&](int y, int x, int channel) {
      return activated(V::add(V::load(step.in.f32(y, x) + channel), V::load(step.in2.f32(y, x) + channel)), step);
    });
  }

  static void activate(const Step& step, int first, int end, void*) {
    for_vectors(step, first, end,
                [&](int y, int x, int channel) { return activated(V::load(step.in.f32(y, x) + channel), step); });
  }

  static void gate(const Step& step, int first, int end, void*) {
    for_vectors(step, first, end, [&](int y, int x, int channel) {
      return V::multiply(V::load(step.in.f32(y, x) + channel), V::load(step.in2.f32(0, 0) + channel));
    });
  }

  static void upsample_nearest(const Step& step, int first, int end, void*) {
    for_vectors(step, first, end,
                [&](int y, int x, int channel) { return V::load(step.in.f32(y / 2, x / 2) + channel); });
  }

  // Half-pixel centres: an output lies a quarter of a pixel from its own and three quarters from one neighbour.
  static void upsample_bilinear(const Step& step, int first, int end, void*) {
    const int height = step.in.height, width = step.in.width;
    for_vectors(step, first, end, [&](int y, int x, int channel) {
      const int near_y = y / 2, far_y = y % 2 ? smaller(height - 1, near_y + 1) : larger(0, near_y - 1);
      const int near_x = x / 2, far_x = x % 2 ? smaller(width - 1, near_x + 1) : larger(0, near_x - 1);
      const Vector near = V::set(0.75F), far = V::set(0.25F);
      const auto between = [&](int row) {
        return V::multiply_add(V::load(step.in.f32(row, near_x) + channel), near,
                               V::multiply(V::load(step.in.f32(row, far_x) + channel), far));
      };
      return V::multiply_add(between(near_y), near, V::multiply(between(far_y), far));
    });
  }

  static void interleave(const Step& all, int first, int end, void*) {
    const Step step = all;
    const int half = step.in.channels;
    for (int y = first; y < end; ++y) {
      for (int x = 0; x < step.out.width; ++x) {
        const float* a = step.in.f32(y, x);
        const float* b = step.in2.f32(y, x);
        float* out = step.out.f32(y, x);
        int c = 0;
        for (; c < half && 2 * (c + kWidth) <= step.room; c += kWidth) {
          V::store_interleaved(out + 2 * c, V::load(a + c), V::load(b + c));
        }
        if (c < half && half >= kWidth) {  // the last vector begins earlier, so that it is whole
          c = half - kWidth;
          V::store_interleaved(out + 2 * c, V::load(a + c), V::load(b + c));
          continue;
        }
        for (; c < half; ++c) {
          out[2 * c] = a[c];
          out[2 * c + 1] = b[c];
        }
      }
    }
  }

  static void copy(const Step& step, int first, int end, void*) {
    const Map& out = step.out;
    const auto size = sizeof(float) * static_cast<std::size_t>(out.channels);
    for (int item = first; item < end; ++item) {
      const int y = item - out.border_top;
      for (int x = -out.border_left; x < out.width + out.border_right; ++x) {
        if (y < 0 || y >= out.height || x < 0 || x >= out.width) {
          memset(out.f32(y, x), 0, size);
        } else {
          memcpy(out.f32(y, x), step.in.f32(y, x), size);
        }
      }
    }
  }

  static void global_average(const Step& step, int, int, void*) {
    const Map& in = step.in;
    const Vector factor = V::set(1.F / (static_cast<float>(in.height) * static_cast<float>(in.width)));
    for (int channel = 0; channel < in.channels; channel += kWidth) {
      Vector sum = V::set(0.F);
      for (int y = 0; y < in.height; ++y) {
        for (int x = 0; x < in.width; ++x) sum = V::add(sum, V::load(in.f32(y, x) + channel));
      }
      store(step.out.f32(0, 0), channel, V::multiply(sum, factor), step);
    }
  }

  static constexpr Kernels kernels() {
    return {{{},
             {convolution_items, convolution, convolution_size, pack_convolution},
             {rows_of, Depthwise::run, Depthwise::packed_size, Depthwise::pack, nullptr, Depthwise::scratch_size},
             {rows_of, max_pool, nullptr, nullptr, nullptr, max_pool_scratch},
             {rows_of, add},
             {rows_of, upsample_bilinear},
             {rows_of, upsample_nearest},
             {rows_of, interleave},
             {bordered_rows_of, copy},
             {rows_of, activate},
             {one_item, global_average},
             {rows_of, gate}}};
  }
};

}  // namespace
}  // namespace nanoedge::native
