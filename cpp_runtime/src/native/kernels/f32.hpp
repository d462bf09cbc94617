// All kernels that calculate in float32, written once for all instruction sets: V and M as in f32_vectors.hpp.
// Everything but convolutions is one pass over the channels of each pixel.
#pragma once

#include <string.h>

#include "native/kernels/f32_convolution.hpp"
#include "native/kernels/f32_depthwise.hpp"

namespace nanoedge::native {
namespace {

template <class V, class M = FloatMaps<V>>
struct F32 : F32Vectors<V, M> {
  using Vectors = F32Vectors<V, M>;
  using Convolution = F32Convolution<V, M>;
  using Depthwise = F32Depthwise<V, M>;
  using typename Vectors::Vector, typename Vectors::In, typename Vectors::Out, typename Vectors::Value;
  using Vectors::activated, Vectors::in_at, Vectors::kWidth, Vectors::out_at, Vectors::store;

  // Calls work(y, x, channel) for every vector of some rows.
  template <class F>
  static void for_vectors(const Step& all, int first, int end, F&& work) {
    const Step step = all;
    for (int y = first; y < end; ++y) {
      for (int x = 0; x < step.out.width; ++x) {
        char* pixel = out_at(step, y, x);
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
    auto* columns = static_cast<Value*>(scratch);
    for (int y = first; y < end; ++y) {
      const int above = y * step.stride - step.top;
      const int top = larger(0, above), bottom = smaller(in.height, above + step.kernel);
      for (int i = 0; i < size; i += kWidth) {
        Vector largest = M::load(in_at(in, top, 0) + i);
        for (int row = top + 1; row < bottom; ++row) largest = V::max(largest, M::load(in_at(in, row, 0) + i));
        V::store(columns + i, largest);
      }
      for (int x = 0; x < step.out.width; ++x) {
        const int left = x * step.stride - step.left;
        const int begin = larger(0, left), right = smaller(in.width, left + step.kernel);
        char* out = out_at(step, y, x);
        for (int channel = 0; channel < step.out.channels; channel += kWidth) {
          const Value* from = columns + begin * in.pixel + channel;
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
    return sizeof(Value) * (static_cast<std::size_t>(step.in.width * step.in.pixel) + 2 * kWidth);
  }

  static void add(const Step& step, int first, int end, void*) {
    for_vectors(step, first, end, [&](int y, int x, int channel) {
      return activated(V::add(M::load(in_at(step.in, y, x) + channel), M::load(in_at(step.in2, y, x) + channel)), step);
    });
  }

  static void activate(const Step& step, int first, int end, void*) {
    for_vectors(step, first, end,
                [&](int y, int x, int channel) { return activated(M::load(in_at(step.in, y, x) + channel), step); });
  }

  static void gate(const Step& step, int first, int end, void*) {
    for_vectors(step, first, end, [&](int y, int x, int channel) {
      return V::multiply(M::load(in_at(step.in, y, x) + channel), M::load(in_at(step.in2, 0, 0) + channel));
    });
  }

  static void upsample_nearest(const Step& step, int first, int end, void*) {
    for_vectors(step, first, end,
                [&](int y, int x, int channel) { return M::load(in_at(step.in, y / 2, x / 2) + channel); });
  }

  // Half-pixel centres: an output lies a quarter of a pixel from its own and three quarters from one neighbour.
  static void upsample_bilinear(const Step& step, int first, int end, void*) {
    const int height = step.in.height, width = step.in.width;
    for_vectors(step, first, end, [&](int y, int x, int channel) {
      const int near_y = y / 2, far_y = y % 2 ? smaller(height - 1, near_y + 1) : larger(0, near_y - 1);
      const int near_x = x / 2, far_x = x % 2 ? smaller(width - 1, near_x + 1) : larger(0, near_x - 1);
      const Vector near = V::set(0.75F), far = V::set(0.25F);
      const auto between = [&](int row) {
        return V::multiply_add(M::load(in_at(step.in, row, near_x) + channel), near,
                               V::multiply(M::load(in_at(step.in, row, far_x) + channel), far));
      };
      return V::multiply_add(between(near_y), near, V::multiply(between(far_y), far));
    });
  }

  static void interleave(const Step& all, int first, int end, void*) {
    const Step step = all;
    const int half = step.in.channels;
    for (int y = first; y < end; ++y) {
      for (int x = 0; x < step.out.width; ++x) {
        const In* a = in_at(step.in, y, x);
        const In* b = in_at(step.in2, y, x);
        auto* out = reinterpret_cast<Out*>(out_at(step, y, x));
        int c = 0;
        for (; c < half && 2 * (c + kWidth) <= step.room; c += kWidth) M::store_interleaved(out + 2 * c, a + c, b + c);
        if (c < half && half >= kWidth) {  // the last vector begins earlier, so that it is whole
          c = half - kWidth;
          M::store_interleaved(out + 2 * c, a + c, b + c);
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
    const auto size = static_cast<std::size_t>(out.channels) * (Vectors::writes_floats(step) ? 4 : sizeof(Out));
    for (int item = first; item < end; ++item) {
      const int y = item - out.border_top;
      for (int x = -out.border_left; x < out.width + out.border_right; ++x) {
        char* to = out_at(step, y, x);
        if (y < 0 || y >= out.height || x < 0 || x >= out.width) {
          memset(to, 0, size);
        } else if (sizeof(In) != sizeof(float) && Vectors::writes_floats(step)) {
          const In* from = in_at(step.in, y, x);
          for (int c = 0; c < out.channels; c += kWidth) store(to, c, M::load(from + c), step);
        } else {
          memcpy(to, in_at(step.in, y, x), size);
        }
      }
    }
  }

  static void global_average(const Step& step, int, int, void*) {
    int channel = 0;
    for (; channel + 4 * kWidth <= step.in.channels; channel += 4 * kWidth) averages<4>(step, channel);
    for (; channel < step.in.channels; channel += kWidth) averages<1>(step, channel);
  }
  template <int vectors>
  static void averages(const Step& step, int channel) {
    const Map& in = step.in;
    const Vector factor = V::set(1.F / (static_cast<float>(in.height) * static_cast<float>(in.width)));
    Vector sums[vectors];
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) sums[v] = V::set(0.F);
    for (int y = 0; y < in.height; ++y) {
      for (int x = 0; x < in.width; ++x) {
        const In* pixel = in_at(in, y, x) + channel;
#pragma GCC unroll 4
        for (int v = 0; v < vectors; ++v) sums[v] = V::add(sums[v], M::load(pixel + v * kWidth));
      }
    }
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) {
      store(out_at(step, 0, 0), channel + v * kWidth, V::multiply(sums[v], factor), step);
    }
  }

  static constexpr Kernels kernels() {
    return {{{},
             Convolution::kernel(),
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
