// float32 kernels, written once for all instruction sets. V is a vector of `width` floats: see simd_*.hpp.
//
// A convolution is a matrix product: rows are output pixels, columns output channels, and a tile of kRows pixels by one
// or two vectors of channels stays in registers while all its inputs pass by. Depth-wise filters go through a row of
// pixels and keep several of them in registers. Everything else is one pass over the channels of each pixel.
#pragma once

#include <math.h>
#include <string.h>

#include "native/kernels/step.hpp"

namespace nanoedge::native {
namespace {

inline int smaller(int a, int b) {
  return a < b ? a : b;
}
inline int larger(int a, int b) {
  return a > b ? a : b;
}

template <class V>
struct F32 {
  using Vector = typename V::Vector;
  static constexpr int kWidth = V::width;
  static constexpr int kRows = V::tile_rows;
  static constexpr int kPixelsOfItem = 24;  // of a 1x1 convolution: their inputs stay in the first cache

  // --- activations ---------------------------------------------------------------------------------------------------

  static Vector activated(Vector x, const Step& step) {
    switch (step.activation) {
      case Activation::none:
        return x;
      case Activation::relu:
        return V::max(x, V::set(0.F));
      case Activation::relu6:
        return V::min(V::max(x, V::set(0.F)), V::set(6.F));
      case Activation::leaky_relu:
        return V::max(x, V::multiply(x, V::set(step.slope)));
      case Activation::hard_swish:
        return V::multiply(x, hard_sigmoid(x));
      case Activation::hard_sigmoid:
        return hard_sigmoid(x);
      case Activation::silu: {
        float values[kWidth];
        V::store(values, x);
        for (float& value : values) value = value / (1.F + expf(-value));
        return V::load(values);
      }
    }
    return x;
  }

  static Vector hard_sigmoid(Vector x) {
    return V::min(V::max(V::multiply_add(x, V::set(1.F / 6.F), V::set(0.5F)), V::set(0.F)), V::set(1.F));
  }

  // Stores the channels from `channel` on, as many as may be written.
  static void store(float* pixel, int channel, Vector x, const Step& step) {
    const int left = step.room - channel;
    if (left >= kWidth) {
      V::store(pixel + channel, x);
    } else {
      V::store_first(pixel + channel, x, smaller(left, step.out.channels - channel));
    }
  }

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

  template <int rows, int vectors>
  static void tile(const Step& step, const Window& window, const float* in, std::ptrdiff_t in_step,
                   const float* weights, int channel, float* out) {
    Vector sums[rows][vectors];
    for (int v = 0; v < vectors; ++v) {
      const Vector bias = V::load(step.bias + channel + v * kWidth);
      for (int r = 0; r < rows; ++r) sums[r][v] = bias;
    }
    for (int y = 0; y < window.rows; ++y) {
      for (int part = 0; part < window.parts; ++part) {
        const float* run = in + y * window.row_step + part * window.part_step;
        for (int k = 0; k < window.length; ++k) {
          Vector w[vectors];
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
    for (int r = 0; r < rows; ++r) {
      for (int v = 0; v < vectors; ++v) {
        store(out + r * step.out.pixel, channel + v * kWidth, activated(sums[r][v], step), step);
      }
    }
  }

  // Some pixels behind each other, all channels.
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
          vectors == 2 ? tile<1, 2>(step, window, from, in_step, weights, channel, to)
                       : tile<1, 1>(step, window, from, in_step, weights, channel, to);
          pixel = first + 1;
        } else {
          vectors == 2 ? tile<kRows, 2>(step, window, from, in_step, weights, channel, to)
                       : tile<kRows, 1>(step, window, from, in_step, weights, channel, to);
          pixel = first + kRows;
        }
      }
      weights += static_cast<std::ptrdiff_t>(total) * vectors * kWidth;
      channel += vectors * kWidth;
    }
  }

  // A 1x1 convolution sees one long row of pixels.
  static bool is_flat(const Step& step) {
    return step.kernel == 1 && step.stride == 1 && step.in.is_contiguous() && step.out.is_contiguous();
  }

  static int convolution_items(const Step& step) {
    if (!is_flat(step)) return step.out.height;
    return (step.out.height * step.out.width + kPixelsOfItem - 1) / kPixelsOfItem;
  }

  static void convolution(const Step& step, int first, int end, void*) {
    const Window window = window_of(step);
    if (is_flat(step)) {
      const int count = step.out.height * step.out.width;
      for (int item = first; item < end; ++item) {
        const int from = item * kPixelsOfItem, here = smaller(kPixelsOfItem, count - from);
        pixels(step, window, step.in.f32(0, 0) + from * step.in.pixel, step.in.pixel,
               step.out.f32(0, 0) + from * step.out.pixel, here);
      }
      return;
    }
    for (int y = first; y < end; ++y) {
      pixels(step, window, step.in.f32(y * step.stride - step.top, -step.left), step.stride * step.in.pixel,
             step.out.f32(y, 0), step.out.width);
    }
  }

  static std::size_t convolution_size(const Step& step) {
    const int channels = (step.out.channels + kWidth - 1) / kWidth * kWidth;
    return sizeof(float) * static_cast<std::size_t>(step.kernel) * step.kernel * step.in.channels * channels;
  }

  static void pack_convolution(const Step& step, const void* from, void* to) {
    const auto* weights = static_cast<const float*>(from);
    auto* packed = static_cast<float*>(to);
    const int inputs = step.in.channels, taps = step.kernel * step.kernel;
    for (int channel = 0; channel < step.out.channels;) {
      const int block = (step.out.channels - channel > kWidth ? 2 : 1) * kWidth;
      for (int tap = 0; tap < taps; ++tap) {
        for (int input = 0; input < inputs; ++input) {
          for (int c = channel; c < channel + block; ++c) {
            const std::ptrdiff_t at = (static_cast<std::ptrdiff_t>(c) * inputs + input) * taps + tap;
            *packed++ = c < step.out.channels ? weights[at] : 0.F;
          }
        }
      }
      channel += block;
    }
  }

  // --- depth-wise ----------------------------------------------------------------------------------------------------

  // Pixels whose filter reads inside the map only, in its columns; rows are given.
  template <int kernel, int count>
  static void depthwise_run(const Step& step, const float* in, float* out, const float* weights, int first_row,
                            int end_row, int channel) {
    Vector sums[count];
    const Vector bias = V::load(step.bias + channel);
    for (int t = 0; t < count; ++t) sums[t] = bias;
    const std::ptrdiff_t step_in = step.stride * step.in.pixel;
    for (int row = first_row; row < end_row; ++row) {
      const float* line = in + row * step.in.row + channel;
#pragma GCC unroll 8
      for (int column = 0; column < kernel; ++column) {
        const Vector w = V::load(weights + (row * kernel + column) * kWidth);
#pragma GCC unroll 8
        for (int t = 0; t < count; ++t) {
          sums[t] = V::multiply_add(V::load(line + t * step_in + column * step.in.pixel), w, sums[t]);
        }
      }
    }
    for (int t = 0; t < count; ++t) store(out + t * step.out.pixel, channel, activated(sums[t], step), step);
  }

  // Any pixel.
  static void depthwise_pixel(const Step& step, const float* weights, int y, int x, int first_row, int end_row,
                              int channel) {
    const int kernel = step.kernel, left = x * step.stride - step.left;
    const int first = larger(0, -left), end = smaller(kernel, step.in.width - left);
    Vector sum = V::load(step.bias + channel);
    for (int row = first_row; row < end_row; ++row) {
      const float* line = step.in.f32(y * step.stride - step.top + row, left) + channel;
      for (int column = first; column < end; ++column) {
        sum = V::multiply_add(V::load(line + column * step.in.pixel),
                              V::load(weights + (row * kernel + column) * kWidth), sum);
      }
    }
    store(step.out.f32(y, x), channel, activated(sum, step), step);
  }

  template <int kernel>
  static void depthwise_row(const Step& step, int y) {
    constexpr int kLong = 8, kShort = 4;  // sums side by side hide how long an addition takes
    const int above = y * step.stride - step.top;
    const int first_row = larger(0, -above),
              end_row = smaller(kernel > 0 ? kernel : step.kernel, step.in.height - above);
    // Columns whose whole filter lies inside.
    const int first = smaller(step.out.width, (step.left + step.stride - 1) / step.stride);
    const int last = step.in.width - step.kernel + step.left;
    const int end = last < 0 ? first : larger(first, smaller(step.out.width, last / step.stride + 1));
    const std::ptrdiff_t filter = static_cast<std::ptrdiff_t>(step.kernel) * step.kernel * kWidth;
    for (int x = 0; x < step.out.width;) {
      const int inside = kernel > 0 && x >= first ? end - x : 0;
      const int count = inside >= kLong ? kLong : inside >= kShort ? kShort : 1;
      const auto* weights = static_cast<const float*>(step.weights);
      for (int channel = 0; channel < step.out.channels; channel += kWidth, weights += filter) {
        if constexpr (kernel > 0) {
          const float* in = step.in.f32(above, x * step.stride - step.left);
          float* out = step.out.f32(y, x);
          if (count == kLong) {
            depthwise_run<kernel, kLong>(step, in, out, weights, first_row, end_row, channel);
            continue;
          }
          if (count == kShort) {
            depthwise_run<kernel, kShort>(step, in, out, weights, first_row, end_row, channel);
            continue;
          }
        }
        depthwise_pixel(step, weights, y, x, first_row, end_row, channel);
      }
      x += count;
    }
  }

  static void depthwise(const Step& step, int first, int end, void*) {
    const auto row = step.kernel == 3 ? depthwise_row<3> : step.kernel == 5 ? depthwise_row<5> : depthwise_row<0>;
    for (int y = first; y < end; ++y) row(step, y);
  }

  static std::size_t depthwise_size(const Step& step) {
    const int channels = (step.out.channels + kWidth - 1) / kWidth * kWidth;
    return sizeof(float) * static_cast<std::size_t>(step.kernel) * step.kernel * channels;
  }

  static void pack_depthwise(const Step& step, const void* from, void* to) {
    const auto* weights = static_cast<const float*>(from);
    auto* packed = static_cast<float*>(to);
    const int taps = step.kernel * step.kernel;
    for (int channel = 0; channel < step.out.channels; channel += kWidth) {
      for (int tap = 0; tap < taps; ++tap) {
        for (int c = channel; c < channel + kWidth; ++c) {
          *packed++ = c < step.out.channels ? weights[static_cast<std::ptrdiff_t>(c) * taps + tap] : 0.F;
        }
      }
    }
  }

  // --- the rest ------------------------------------------------------------------------------------------------------

  static int rows(const Step& step) { return step.out.height; }
  static int one(const Step&) { return 1; }

  // Calls work(y, x, channel) for every vector of some rows.
  template <class F>
  static void for_vectors(const Step& step, int first, int end, F&& work) {
    for (int y = first; y < end; ++y) {
      for (int x = 0; x < step.out.width; ++x) {
        float* pixel = step.out.f32(y, x);
        for (int channel = 0; channel < step.out.channels; channel += kWidth) {
          store(pixel, channel, work(y, x, channel), step);
        }
      }
    }
  }

  static void max_pool(const Step& step, int first, int end, void*) {
    for (int y = first; y < end; ++y) {
      const int above = y * step.stride - step.top;
      const int top = larger(0, above), bottom = smaller(step.in.height, above + step.kernel);
      for (int x = 0; x < step.out.width; ++x) {
        const int left = x * step.stride - step.left;
        const int begin = larger(0, left), right = smaller(step.in.width, left + step.kernel);
        float* out = step.out.f32(y, x);
        for (int channel = 0; channel < step.out.channels; channel += kWidth) {
          Vector largest = V::set(-INFINITY);
          for (int row = top; row < bottom; ++row) {
            const float* in = step.in.f32(row, begin) + channel;
            for (int column = begin; column < right; ++column, in += step.in.pixel) {
              largest = V::max(largest, V::load(in));
            }
          }
          store(out, channel, largest, step);
        }
      }
    }
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

  static void interleave(const Step& step, int first, int end, void*) {
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
        for (; c < half; ++c) {
          out[2 * c] = a[c];
          out[2 * c + 1] = b[c];
        }
      }
    }
  }

  static int copy_items(const Step& step) { return step.out.border_top + step.out.height + step.out.border_bottom; }

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
             {rows, depthwise, depthwise_size, pack_depthwise},
             {rows, max_pool},
             {rows, add},
             {rows, upsample_bilinear},
             {rows, upsample_nearest},
             {rows, interleave},
             {copy_items, copy},
             {rows, activate},
             {one, global_average},
             {rows, gate}}};
  }
};

}  // namespace
}  // namespace nanoedge::native
