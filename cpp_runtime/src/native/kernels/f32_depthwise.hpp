// Depth-wise convolutions in float32. Two vectors of channels after the other: the rows that a filter sees lie in
// memory of the thread, with zeros around them, and each row of the input gets there once.
#pragma once

#include <string.h>

#include "native/kernels/f32_vectors.hpp"

namespace nanoedge::native {
namespace {

template <class V, class M>
struct F32Depthwise : F32Vectors<V, M> {
  using Vectors = F32Vectors<V, M>;
  using typename Vectors::Vector, typename Vectors::In, typename Vectors::Value;
  using Vectors::activated, Vectors::in_at, Vectors::kWidth, Vectors::out_at, Vectors::store;

  static constexpr int kVectors = 2;  // whole cache lines, and two beside each other, are read

  // Columns of a kept row: those of the input and of the padding on both sides.
  static int columns_of(const Step& step) {
    return larger(step.left + step.in.width, (step.out.width - 1) * step.stride + step.kernel);
  }

  static std::size_t scratch_size(const Step& step) {
    return sizeof(Value) * kVectors * kWidth * static_cast<std::size_t>(columns_of(step)) *
           static_cast<std::size_t>(step.kernel);
  }

  // A row of the input, which may lie outside, as far as the filters see it: [vector][column].
  static void keep_row(const Step& step, int y, int channel, int vectors, Value* to) {
    const int columns = columns_of(step);
    const std::ptrdiff_t line = static_cast<std::ptrdiff_t>(columns) * kWidth;
    if (y < 0 || y >= step.in.height) {
      memset(to, 0, sizeof(Value) * static_cast<std::size_t>(vectors * line));
      return;
    }
    const auto zeros = [&](int first, int end) {
      for (int v = 0; v < vectors; ++v) {
        for (int x = first; x < end; ++x) V::store(to + v * line + x * kWidth, V::set(0.F));
      }
    };
    zeros(0, step.left);
    zeros(step.left + step.in.width, columns);
    const In* in = in_at(step.in, y, 0) + channel;
    Value* inside = to + step.left * kWidth;
    for (int x = 0; x < step.in.width; ++x, in += step.in.pixel, inside += kWidth) {
      V::store(inside, M::load(in));
      if (vectors == kVectors) V::store(inside + line, M::load(in + kWidth));
    }
  }

  // `count` pixels beside each other from column `x` on. Each value is loaded once and goes into all sums that it is
  // part of.
  template <Activation activation, int kernel, int stride, int count>
  static void pixels(const Step& step, const Value* const* rows, const Value* weights, int y, int x, int channel) {
    // One instruction of ARM loads two columns.
    constexpr int kColumns = (count - 1) * stride + kernel, kLoaded = V::lanes > 1 ? 2 : 1;
    Vector sums[count][1];
#pragma GCC unroll 16
    for (int t = 0; t < count; ++t) sums[t][0] = V::load(step.bias + channel);
    for (int row = 0; row < kernel; ++row, weights += kernel * kWidth) {
      const Value* line = rows[row] + x * stride * kWidth;
      Vector w[kernel];
#pragma GCC unroll 8
      for (int tap = 0; tap < kernel; ++tap) w[tap] = V::load(weights + tap * kWidth);
#pragma GCC unroll 32
      for (int column = 0; column < kColumns; column += kLoaded) {
        Vector values[kLoaded];
#pragma GCC unroll 2
        for (int i = 0; i < kLoaded; ++i) values[i] = V::load(line + smaller(column + i, kColumns - 1) * kWidth);
#pragma GCC unroll 2
        for (int i = 0; i < kLoaded; ++i) {
#pragma GCC unroll 16
          for (int t = 0; t < count; ++t) {
            const int tap = column + i - t * stride;
            if (tap >= 0 && tap < kernel) sums[t][0] = V::multiply_add(values[i], w[tap], sums[t][0]);
          }
        }
      }
    }
    Vectors::template finish<activation, count, 1>(step, sums, out_at(step, y, x), channel);
  }

  // Any filter.
  static void pixel(const Step& step, const Value* const* rows, const Value* weights, int y, int x, int channel) {
    Vector sum = V::load(step.bias + channel);
    for (int row = 0; row < step.kernel; ++row) {
      const Value* line = rows[row] + x * step.stride * kWidth;
      for (int tap = 0; tap < step.kernel; ++tap, weights += kWidth) {
        sum = V::multiply_add(V::load(line + tap * kWidth), V::load(weights), sum);
      }
    }
    store(out_at(step, y, x), channel, activated(sum, step), step);
  }

  template <Activation activation, int kernel, int stride>
  static void row(const Step& step, const Value* const* rows, const Value* weights, int y, int channel) {
    constexpr int kLong = V::depthwise_run, kShort = kLong / 2;
    const int width = step.out.width;
    int x = 0;
    for (; x + kLong <= width; x += kLong) {
      pixels<activation, kernel, stride, kLong>(step, rows, weights, y, x, channel);
    }
    for (; x < width && width >= kShort; x += kShort) {
      // The last run begins earlier, so that it is whole: some pixels are calculated twice.
      pixels<activation, kernel, stride, kShort>(step, rows, weights, y, smaller(x, width - kShort), channel);
    }
    for (; x < width; ++x) pixel(step, rows, weights, y, x, channel);
  }

  static void any_row(const Step& step, const Value* const* rows, const Value* weights, int y, int channel) {
    for (int x = 0; x < step.out.width; ++x) pixel(step, rows, weights, y, x, channel);
  }

  static void run(const Step& step, int first, int end, void* scratch) {
    Vectors::with_activation(step,
                             [&](auto activation) { run_as<decltype(activation)::value>(step, first, end, scratch); });
  }

  template <Activation activation>
  static void run_as(const Step& step, int first, int end, void* scratch) {
    const int kernel = step.kernel, stride = step.stride;
    const bool is_common = (kernel == 3 || kernel == 5) && (stride == 1 || stride == 2);
    const auto work = !is_common    ? any_row
                      : kernel == 3 ? (stride == 1 ? row<activation, 3, 1> : row<activation, 3, 2>)
                      : stride == 1 ? row<Activation::leaky_relu, 5, 1>  // a slope of 1 is none
                                    : row<Activation::leaky_relu, 5, 2>;
    const std::ptrdiff_t line = static_cast<std::ptrdiff_t>(columns_of(step)) * kWidth;
    const std::ptrdiff_t filter = static_cast<std::ptrdiff_t>(kernel) * kernel * kWidth;
    const auto* weights = static_cast<const Value*>(step.weights);
    auto* kept = static_cast<Value*>(scratch);
    for (int channel = 0; channel < step.out.channels; channel += kVectors * kWidth, weights += kVectors * filter) {
      const int vectors = step.out.channels - channel > kWidth ? kVectors : 1;
      int next = first * stride;  // the first row that is not kept yet, counted from the padding's first
      for (int y = first; y < end; ++y) {
        for (next = larger(next, y * stride); next < y * stride + kernel; ++next) {
          keep_row(step, next - step.top, channel, vectors, kept + next % kernel * kVectors * line);
        }
        for (int v = 0; v < vectors; ++v) {
          const Value* rows[kMostKernel];
          for (int row = 0; row < kernel; ++row) {
            rows[row] = kept + ((y * stride + row) % kernel * kVectors + v) * line;
          }
          work(step, rows, weights + v * filter, y, channel + v * kWidth);
        }
      }
    }
  }

  static std::size_t packed_size(const Step& step) {
    const int channels = (step.out.channels + kWidth - 1) / kWidth * kWidth;
    return sizeof(Value) * static_cast<std::size_t>(step.kernel) * step.kernel * channels;
  }

  // [vector of channels][tap][channels]
  static void pack(const Step& step, const void* from, void* to) {
    const auto* weights = static_cast<const float*>(from);
    auto* packed = static_cast<Value*>(to);
    const int taps = step.kernel * step.kernel;
    for (int channel = 0; channel < step.out.channels; channel += kWidth) {
      for (int tap = 0; tap < taps; ++tap) {
        for (int c = channel; c < channel + kWidth; ++c) {
          const float weight = c < step.out.channels ? weights[static_cast<std::ptrdiff_t>(c) * taps + tap] : 0.F;
          *packed++ = static_cast<Value>(weight);
        }
      }
    }
  }
};

}  // namespace
}  // namespace nanoedge::native
