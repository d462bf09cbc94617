// All int8 kernels, written once for all instruction sets. D is a vector of `width` int32 sums: see the files that
// include this one.
#pragma once

#include <string.h>

#include "native/kernels/int8_convolution.hpp"
#include "native/kernels/int8_depthwise.hpp"

namespace nanoedge::native {
namespace {

template <class D>
struct Int8 : Int8Blocks<D> {
  using Blocks = Int8Blocks<D>;
  using Convolution = Int8Convolution<D>;
  using Depthwise = Int8Depthwise<D>;
  using Blocks::kWidth;
  using typename Blocks::Floats, typename Blocks::Ints;

  // Calls work(y, x, out, channels) for every pixel of some rows; that many channels may be written and read.
  template <class F>
  static void for_pixels(const Step& step, int first, int end, F&& work) {
    const int whole = (step.out.channels + 15) / 16 * 16;
    const int channels = whole <= step.room ? whole : step.out.channels;
    for (int y = first; y < end; ++y) {
      for (int x = 0; x < step.out.width; ++x) work(y, x, step.out.u8(y, x), channels);
    }
  }

  // Sixteen bytes at a time, whatever the vectors are: compilers find them for any of these loops, but not at -O2.
  typedef std::uint8_t Sixteen __attribute__((vector_size(16)));
  static Sixteen load_sixteen(const std::uint8_t* from) {
    Sixteen value;
    memcpy(&value, from, sizeof value);
    return value;
  }
  static Sixteen largest_of(Sixteen a, Sixteen b) { return a > b ? a : b; }

  // Of two rows of `size` bytes, which may be the same.
  static void largest_of_rows(const std::uint8_t* a, const std::uint8_t* b, int size, std::uint8_t* to) {
    int i = 0;
    for (; i + 16 <= size; i += 16) {
      const Sixteen value = largest_of(load_sixteen(a + i), load_sixteen(b + i));
      memcpy(to + i, &value, sizeof value);
    }
    for (; i < size; ++i) to[i] = a[i] > b[i] ? a[i] : b[i];
  }

  // The largest of each column's rows first, as one run of bytes, then of the columns.
  static void max_pool(const Step& all, int first, int end, void* scratch) {
    const Step step = all;
    const Map& in = step.in;
    const auto size = static_cast<int>(in.width * in.pixel);
    auto* columns = static_cast<std::uint8_t*>(scratch);
    for (int y = first; y < end; ++y) {
      const int above = y * step.stride - step.top;
      const int top = larger(0, above), last = smaller(in.height, above + step.kernel) - 1;
      largest_of_rows(in.u8(top, 0), in.u8(last, 0), size, columns);
      for (int row = top + 1; row < last; ++row) largest_of_rows(columns, in.u8(row, 0), size, columns);
      for_pixels(step, y, y + 1, [&](int, int x, std::uint8_t* out, int channels) {
        const int left = x * step.stride - step.left;
        const int begin = larger(0, left), count = smaller(in.width, left + step.kernel) - begin;
        largest_of_pixels(columns + begin * in.pixel, in.pixel, count, channels, out);
      });
    }
  }

  // Of `count` pixels beside each other.
  static void largest_of_pixels(const std::uint8_t* from, std::ptrdiff_t pixel, int count, int channels,
                                std::uint8_t* out) {
    const auto largest = [&](const std::uint8_t* bytes) {
      Sixteen value = load_sixteen(bytes);
      for (int i = 1; i < count; ++i) value = largest_of(value, load_sixteen(bytes + i * pixel));
      return value;
    };
    if (channels >= 16) {
      for (int c = 0; c < channels; c += 16) {
        const int at = smaller(c, channels - 16);  // the last vector begins earlier, so that it is whole
        const Sixteen value = largest(from + at);
        memcpy(out + at, &value, sizeof value);
      }
      return;
    }
    const Sixteen value = largest(from);
    memcpy(out, &value, static_cast<std::size_t>(channels));
  }
  static std::size_t max_pool_scratch(const Step& step) {
    return static_cast<std::size_t>(step.in.width * step.in.pixel) + 32;
  }

  static void add(const Step& step, int first, int end, void*) {
    Blocks::with_activation(step, [&](auto activation) { add_as<decltype(activation)::value>(step, first, end); });
  }

  // One vector of channels in order: elements of a block of one.
  template <Activation activation>
  static void add_as(const Step& all, int first, int end) {
    const Step step = all;  // of our own: what is written cannot change it
    const typename Blocks::Constants constants(step);
    const Floats factor = D::set(step.scalars[3]), factor2 = D::set(step.scalars[4]), shift = D::set(step.scalars[5]);
    const bool is_simple = step.out.element == Element::u8 && Blocks::is_compiled(step);
    for (int y = first; y < end; ++y) {
      for (int x = 0; x < step.out.width; ++x) {
        const std::uint8_t* a = step.in.u8(y, x);
        const std::uint8_t* b = step.in2.u8(y, x);
        auto* out = static_cast<char*>(pixel_of(step.out, y, x));
        for (int c = 0; c < step.out.channels; c += kWidth) {
          const Floats other = D::multiply_add(D::floats(D::load_bytes(b + c)), factor2, shift);
          const Floats sum = D::multiply_add(D::floats(D::load_bytes(a + c)), factor, other);
          if (is_simple && step.room - c >= kWidth) {
            const Floats value[1] = {Blocks::template activated_as<activation>(sum, constants)};
            D::template store_bytes<1>(reinterpret_cast<std::uint8_t*>(out) + c, value);
          } else {
            const Floats value[1] = {Blocks::activated(sum, step)};
            Blocks::template write<1>(step, value, out, c);
          }
        }
      }
    }
  }

  static void gate(const Step& all, int first, int end, void*) {
    const Step step = all;
    const float* gates = step.in2.f32(0, 0);
    const Floats unit = D::set(step.scalars[3]), shift = D::set(step.scalars[0]);
    const Ints zero = D::set_ints(step.in.zero_point);
    for (int y = first; y < end; ++y) {
      for (int x = 0; x < step.out.width; ++x) {
        const std::uint8_t* in = step.in.u8(y, x);
        auto* out = static_cast<char*>(pixel_of(step.out, y, x));
        for (int c = 0; c < step.out.channels; c += kWidth) {
          const Floats value = D::floats(D::subtract_ints(D::load_bytes(in + c), zero));
          const Floats product[1] = {D::multiply_add(value, D::multiply(D::load(gates + c), unit), shift)};
          Blocks::template write<1>(step, product, out, c);
        }
      }
    }
  }

  static void activate(const Step& step, int first, int end, void*) {
    const auto* table = static_cast<const std::uint8_t*>(step.weights);
    for_pixels(step, first, end, [&](int y, int x, std::uint8_t* out, int) {
      const std::uint8_t* in = step.in.u8(y, x);
      for (int c = 0; c < step.out.channels; ++c) out[c] = table[in[c]];
    });
  }

  static void upsample_nearest(const Step& step, int first, int end, void*) {
    for_pixels(step, first, end, [&](int y, int x, std::uint8_t* out, int channels) {
      memcpy(out, step.in.u8(y / 2, x / 2), static_cast<std::size_t>(channels));
    });
  }

  static void upsample_bilinear(const Step& step, int first, int end, void*) {
    const int height = step.in.height, width = step.in.width;
    for_pixels(step, first, end, [&](int y, int x, std::uint8_t* __restrict out, int channels) {
      const int near_y = y / 2, far_y = y % 2 ? smaller(height - 1, near_y + 1) : larger(0, near_y - 1);
      const int near_x = x / 2, far_x = x % 2 ? smaller(width - 1, near_x + 1) : larger(0, near_x - 1);
      const std::uint8_t* __restrict a = step.in.u8(near_y, near_x);
      const std::uint8_t* __restrict b = step.in.u8(near_y, far_x);
      const std::uint8_t* __restrict c = step.in.u8(far_y, near_x);
      const std::uint8_t* __restrict d = step.in.u8(far_y, far_x);
      for (int i = 0; i < channels; ++i) {
        const auto sides = static_cast<std::uint16_t>(3 * (b[i] + c[i]));
        out[i] = static_cast<std::uint8_t>(static_cast<std::uint16_t>(9 * a[i] + sides + d[i] + 8) >> 4);
      }
    });
  }

  static void interleave(const Step& all, int first, int end, void*) {
    const Step step = all;
    constexpr int kBytes = D::interleaved_bytes;
    const int half = step.in.channels;
    for (int y = first; y < end; ++y) {
      for (int x = 0; x < step.out.width; ++x) {
        const std::uint8_t* a = step.in.u8(y, x);
        const std::uint8_t* b = step.in2.u8(y, x);
        std::uint8_t* out = step.out.u8(y, x);
        int c = 0;
        for (; c < half && 2 * (c + kBytes) <= step.room; c += kBytes) D::store_interleaved(out + 2 * c, a + c, b + c);
        if (c < half && half >= kBytes) {  // the last vector begins earlier, so that it is whole
          c = half - kBytes;
          D::store_interleaved(out + 2 * c, a + c, b + c);
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
    const auto size = static_cast<std::size_t>(out.channels);
    for (int item = first; item < end; ++item) {
      const int y = item - out.border_top;
      for (int x = -out.border_left; x < out.width + out.border_right; ++x) {
        if (y < 0 || y >= out.height || x < 0 || x >= out.width) {
          memset(out.u8(y, x), out.zero_point, size);
        } else {
          memcpy(out.u8(y, x), step.in.u8(y, x), size);
        }
      }
    }
  }

  // A vector of channels at a time, of all pixels. What there is to add with takes away: sums are negative.
  static void global_average(const Step& step, int, int, void*) {
    const Map& in = step.in;
    const int count = in.height * in.width;
    float* out = step.out.f32(0, 0);
    const auto write = [&](int c, std::int32_t negative) {
      const float mean = static_cast<float>(-negative - count * in.zero_point) / static_cast<float>(count);
      out[c] = mean * step.scalars[3];
    };
    if (in.channels < kWidth) {
      for (int c = 0; c < in.channels; ++c) {
        std::int32_t sum = 0;
        for (int y = 0; y < in.height; ++y) {
          for (int x = 0; x < in.width; ++x) sum -= in.u8(y, x)[c];
        }
        write(c, sum);
      }
      return;
    }
    for (int c = 0; c < in.channels; c += kWidth) {
      const int at = smaller(c, in.channels - kWidth);  // the last vector begins earlier, so that it is whole
      Ints sum = D::set_ints(0);
      for (int y = 0; y < in.height; ++y) {
        const std::uint8_t* pixel = in.u8(y, 0) + at;
        for (int x = 0; x < in.width; ++x, pixel += in.pixel) sum = D::subtract_ints(sum, D::load_bytes(pixel));
      }
      std::int32_t sums[kWidth];
      memcpy(sums, &sum, sizeof sums);
      for (int i = 0; i < kWidth; ++i) write(at + i, sums[i]);
    }
  }

  static constexpr Kernels kernels() {
    return {{{},
             {Convolution::items, Convolution::run, Convolution::packed_size, Convolution::pack, Blocks::channel_at},
             {Depthwise::items, Depthwise::run, Depthwise::packed_size, Depthwise::pack, Blocks::channel_at,
              Depthwise::scratch_size},
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
