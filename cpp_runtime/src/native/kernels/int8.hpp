// int8 kernels, written once for all instruction sets. D is a vector of `width` int32 sums: see the files that include
// this one.
//
// Sums are exact. Behind them stands, in float32, a multiply-add with the channel's multiplier and bias, the
// activation, rounding to the nearest even integer, saturation: all instruction sets give the same bytes.
//
// A convolution is a matrix product as in f32.hpp, four inputs a step. Depth-wise filters take the same dot product:
// four rows are interleaved into quads [column][channel][4 rows], and a quad serves several rows of output with weights
// that are moved along.
//
// Channels are worked on in blocks of four, two or one vectors. Packing int32 to bytes works on 128-bit lanes, so
// within a block of v vectors four neighbouring channels c to c + 3 stand in lane c / 4 / v of vector c / 4 % v:
// packed, they are in order.
#pragma once

#include <emmintrin.h>
#include <string.h>

#include "native/kernels/step.hpp"

namespace nanoedge::native {
namespace {

template <class D>
struct Int8 {
  using Ints = typename D::Ints;
  using Floats = typename D::Floats;
  using Sums = typename D::DepthwiseSums;
  static constexpr int kWidth = D::width;
  static constexpr int kPixelsOfItem = 24;

  static int smaller(int a, int b) { return a < b ? a : b; }
  static int larger(int a, int b) { return a > b ? a : b; }

  // --- blocks --------------------------------------------------------------------------------------------------------

  static constexpr int kLanes = kWidth / 4;
  static constexpr int kBlock = 4 * kWidth;  // channels of the largest

  // Vectors of the block that begins at a channel.
  static int vectors_at(const Step& step, int channel) {
    const int left = step.out.channels - channel;
    return left > 2 * kWidth ? 4 : left > kWidth ? 2 : 1;
  }

  // The channel, counted from the block's first, of an element of a vector. Floats are written in order.
  static int channel_in_block(const Step& step, int vectors, int vector, int element) {
    if (step.out.element == Element::f32) return vector * kWidth + element;
    return (element / 4 * vectors + vector) * 4 + element % 4;
  }

  static int channel_at(const Step& step, int place) {
    for (int channel = 0; channel < step.out.channels;) {
      const int vectors = vectors_at(step, channel), size = vectors * kWidth;
      if (place < channel + size) {
        const int within = place - channel;
        return channel + channel_in_block(step, vectors, within / kWidth, within % kWidth);
      }
      channel += size;
    }
    return step.out.channels;
  }

  // All blocks together: the last one may be larger than what is left.
  static int blocks_end(const Step& step) {
    int channel = 0;
    while (channel < step.out.channels) channel += vectors_at(step, channel) * kWidth;
    return channel;
  }

  // --- behind the sums -----------------------------------------------------------------------------------------------

  // In steps of the output, its zero point included, or in real values.
  static Floats activated(Floats y, const Step& step) {
    switch (step.activation) {
      case Activation::relu:
        return D::max(y, D::set(step.scalars[0]));
      case Activation::relu6:
        return D::min(D::max(y, D::set(step.scalars[0])), D::set(step.scalars[1]));
      case Activation::leaky_relu:
        return D::max(y, D::multiply_add(y, D::set(step.slope), D::set(step.scalars[1])));
      case Activation::hard_swish: {
        const Floats share = D::multiply_add(y, D::set(1.F / 6.F), D::set(0.5F));
        const Floats gate = D::min(D::max(share, D::set(0.F)), D::set(1.F));
        return D::multiply_add(D::multiply(y, gate), D::set(step.scalars[1]), D::set(step.scalars[0]));
      }
      default:
        return y;
    }
  }

  // Writes a block's values.
  template <int vectors>
  static void put(const Step& step, const Floats* values, void* pixel, int channel) {
    if (step.room - channel < vectors * kWidth) {
      put_some<vectors>(step, values, pixel, channel);
    } else if (step.out.element == Element::u8) {
      D::template store_bytes<vectors>(static_cast<std::uint8_t*>(pixel) + channel, values);
    } else {
      float* to = static_cast<float*>(pixel) + channel;
      for (int v = 0; v < vectors; ++v) D::store(to + v * kWidth, values[v]);
    }
  }

  // As many as may be written.
  template <int vectors>
  __attribute__((noinline, cold)) static void put_some(const Step& step, const Floats* values, void* pixel,
                                                       int channel) {
    const auto count = static_cast<std::size_t>(smaller(vectors * kWidth, step.out.channels - channel));
    if (step.out.element == Element::u8) {
      std::uint8_t all[vectors * kWidth];
      D::template store_bytes<vectors>(all, values);
      memcpy(static_cast<std::uint8_t*>(pixel) + channel, all, count);
    } else {
      float all[vectors * kWidth];
      for (int v = 0; v < vectors; ++v) D::store(all + v * kWidth, values[v]);
      memcpy(static_cast<float*>(pixel) + channel, all, sizeof(float) * count);
    }
  }

  template <int rows, int vectors, Activation activation>
  static void finish_as(const Step& step, const Ints (&sums)[rows][vectors], char* out, std::ptrdiff_t out_step,
                        int channel) {
#pragma GCC unroll 32
    for (int r = 0; r < rows; ++r) {
      Floats values[vectors];
#pragma GCC unroll 4
      for (int v = 0; v < vectors; ++v) {
        const int c = channel + v * kWidth;
        const Floats y = D::multiply_add(D::floats(sums[r][v]), D::load(step.multiplier + c), D::load(step.bias + c));
        if constexpr (activation == Activation::leaky_relu) {
          values[v] = D::max(y, D::multiply_add(y, D::set(step.slope), D::set(step.scalars[1])));
        } else if constexpr (activation == Activation::none) {
          values[v] = y;
        } else {
          values[v] = activated(y, step);
        }
      }
      put<vectors>(step, values, out + r * out_step, channel);
    }
  }

  // The sums of `rows` pixels become values and are written.
  template <int rows, int vectors>
  static void finish(const Step& step, const Ints (&sums)[rows][vectors], char* out, std::ptrdiff_t out_step,
                     int channel) {
    if (step.activation == Activation::leaky_relu) {
      finish_as<rows, vectors, Activation::leaky_relu>(step, sums, out, out_step, channel);
    } else if (step.activation == Activation::none) {
      finish_as<rows, vectors, Activation::none>(step, sums, out, out_step, channel);
    } else {
      finish_as<rows, vectors, Activation::relu>(step, sums, out, out_step, channel);
    }
  }

  static void* pixel_of(const Map& map, int y, int x) {
    return map.element == Element::f32 ? static_cast<void*>(map.f32(y, x)) : static_cast<void*>(map.u8(y, x));
  }
  static std::ptrdiff_t pixel_bytes(const Map& map) { return map.pixel * (map.element == Element::f32 ? 4 : 1); }

  // --- convolution ---------------------------------------------------------------------------------------------------

  // Where a pixel's inputs lie: `rows` rows of `parts` runs of `quads` times four bytes.
  struct Window {
    int rows, parts, quads;
    std::ptrdiff_t row_step, part_step;
    int total() const { return rows * parts * quads; }
  };

  static Window window_of(const Step& step) {
    const Map& in = step.in;
    if (in.pixel == in.channels) return {step.kernel, 1, (step.kernel * in.channels + 3) / 4, in.row, 0};
    return {step.kernel, step.kernel, (in.channels + 3) / 4, in.row, in.pixel};
  }

  // Four inputs of each pixel. What there is less of is kept in registers, beside the sums.
  template <int rows, int vectors>
  static void multiply_add(Ints (&sums)[rows][vectors], const std::uint8_t* in, std::ptrdiff_t in_step,
                           const std::int8_t* weights) {
    if constexpr (rows > vectors) {
      Ints w[vectors];
#pragma GCC unroll 4
      for (int v = 0; v < vectors; ++v) w[v] = D::load_ints(weights + v * kWidth * 4);
#pragma GCC unroll 32
      for (int r = 0; r < rows; ++r) {
        const Ints x = D::four_bytes(in + r * in_step);
#pragma GCC unroll 4
        for (int v = 0; v < vectors; ++v) sums[r][v] = D::dot(sums[r][v], x, w[v]);
      }
    } else {
      Ints x[rows];
#pragma GCC unroll 4
      for (int r = 0; r < rows; ++r) x[r] = D::four_bytes(in + r * in_step);
#pragma GCC unroll 4
      for (int v = 0; v < vectors; ++v) {
        const Ints w = D::load_ints(weights + v * kWidth * 4);
#pragma GCC unroll 4
        for (int r = 0; r < rows; ++r) sums[r][v] = D::dot(sums[r][v], x[r], w);
      }
    }
  }

  template <int rows, int vectors>
  static void tile(const Step& step, const Window& window, const std::uint8_t* in, std::ptrdiff_t in_step,
                   const std::int8_t* weights, int channel, char* out) {
    Ints sums[rows][vectors];
    for (int v = 0; v < vectors; ++v) {
      const Ints start = D::load_ints(step.start + channel + v * kWidth);
      for (int r = 0; r < rows; ++r) sums[r][v] = start;
    }
    for (int y = 0; y < window.rows; ++y) {
      for (int part = 0; part < window.parts; ++part) {
        const std::uint8_t* run = in + y * window.row_step + part * window.part_step;
        for (int quad = 0; quad < window.quads; ++quad, weights += vectors * kWidth * 4) {
          multiply_add<rows, vectors>(sums, run + 4 * quad, in_step, weights);
        }
      }
    }
    finish<rows, vectors>(step, sums, out, pixel_bytes(step.out), channel);
  }

  template <int vectors>
  static void block(const Step& step, const Window& window, const std::uint8_t* in, std::ptrdiff_t in_step,
                    const std::int8_t* weights, int channel, char* out, int count) {
    constexpr int kRows = D::tile_sums / vectors;
    const std::ptrdiff_t out_step = pixel_bytes(step.out);
    if (count < kRows) {
      for (int pixel = 0; pixel < count; ++pixel) {
        tile<1, vectors>(step, window, in + pixel * in_step, in_step, weights, channel, out + pixel * out_step);
      }
      return;
    }
    for (int pixel = 0; pixel < count; pixel += kRows) {
      // The last tile begins earlier, so that it is whole: some pixels are calculated twice.
      const int first = smaller(pixel, count - kRows);
      tile<kRows, vectors>(step, window, in + first * in_step, in_step, weights, channel, out + first * out_step);
    }
  }

  // Some pixels behind each other, all channels.
  static void pixels(const Step& step, const Window& window, const std::uint8_t* in, std::ptrdiff_t in_step, void* to,
                     int count) {
    const auto* weights = static_cast<const std::int8_t*>(step.weights);
    auto* out = static_cast<char*>(to);
    for (int channel = 0; channel < step.out.channels;) {
      const int vectors = vectors_at(step, channel);
      const auto work = vectors == 4 ? block<4> : vectors == 2 ? block<2> : block<1>;
      work(step, window, in, in_step, weights, channel, out, count);
      weights += static_cast<std::ptrdiff_t>(window.total()) * vectors * kWidth * 4;
      channel += vectors * kWidth;
    }
  }

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
        pixels(step, window, step.in.u8(0, 0) + from * step.in.pixel, step.in.pixel,
               static_cast<char*>(step.out.data) + from * pixel_bytes(step.out), here);
      }
      return;
    }
    for (int y = first; y < end; ++y) {
      pixels(step, window, step.in.u8(y * step.stride - step.top, -step.left), step.stride * step.in.pixel,
             pixel_of(step.out, y, 0), step.out.width);
    }
  }

  static std::size_t convolution_size(const Step& step) {
    return 4 * static_cast<std::size_t>(window_of(step).total()) * static_cast<std::size_t>(blocks_end(step));
  }

  static void pack_convolution(const Step& step, const void* from, void* to) {
    const auto* weights = static_cast<const std::int8_t*>(from);
    auto* packed = static_cast<std::int8_t*>(to);
    const Window window = window_of(step);
    const int inputs = step.in.channels, kernel = step.kernel;
    const int length = inputs * (window.parts == 1 ? kernel : 1);  // of a run
    for (int channel = 0; channel < step.out.channels;) {
      const int vectors = vectors_at(step, channel);
      for (int y = 0; y < kernel; ++y) {
        for (int part = 0; part < window.parts; ++part) {
          for (int quad = 0; quad < window.quads; ++quad) {
            for (int place = 0; place < vectors * kWidth; ++place) {
              const int c = channel + channel_in_block(step, vectors, place / kWidth, place % kWidth);
              for (int i = 4 * quad; i < 4 * quad + 4; ++i) {
                const int x = window.parts == 1 ? i / inputs : part, input = window.parts == 1 ? i % inputs : i;
                const bool is_real = c < step.out.channels && i < length;
                const std::ptrdiff_t at = ((static_cast<std::ptrdiff_t>(c) * inputs + input) * kernel + y) * kernel + x;
                *packed++ = is_real ? weights[at] : std::int8_t{0};
              }
            }
          }
        }
      }
      channel += vectors * kWidth;
    }
  }

  // --- depth-wise ----------------------------------------------------------------------------------------------------

  // Rows of output that share quads, and how many quads of rows they need.
  struct Plan {
    int rows, quads;
  };
  static Plan plan_of(const Step& step) {
    const int kernel = step.kernel, stride = step.stride;
    const int quads = (kernel + 3) / 4;
    return {(4 * quads - kernel) / stride + 1, quads};
  }

  static int quad_columns(const Step& step) {
    return larger(step.in.width + step.left, (step.out.width - 1) * step.stride + step.kernel);
  }

  static int depthwise_items(const Step& step) {
    const int rows = plan_of(step).rows;
    return (step.out.height + rows - 1) / rows;
  }

  static std::size_t depthwise_scratch(const Step& step) {
    return static_cast<std::size_t>(plan_of(step).quads) * static_cast<std::size_t>(quad_columns(step)) * kBlock * 4;
  }

  // Interleaves four rows of 16 channels; `places` are those of their four groups of four.
  static void make_quads(const std::uint8_t* const* rows, int channel, std::uint8_t* to, const int* places) {
    const auto load = [&](int row) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(rows[row] + channel)); };
    const __m128i a = load(0), b = load(1), c = load(2), d = load(3);
    const __m128i ab_low = _mm_unpacklo_epi8(a, b), ab_high = _mm_unpackhi_epi8(a, b);
    const __m128i cd_low = _mm_unpacklo_epi8(c, d), cd_high = _mm_unpackhi_epi8(c, d);
    const auto store = [&](int group, __m128i x) {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(to + places[group]), x);
    };
    store(0, _mm_unpacklo_epi16(ab_low, cd_low));
    store(1, _mm_unpackhi_epi16(ab_low, cd_low));
    store(2, _mm_unpacklo_epi16(ab_high, cd_high));
    store(3, _mm_unpackhi_epi16(ab_high, cd_high));
  }

  // Quads [quad][column][channels of the block][4] from row `above` of the input on; what lies outside is the zero
  // point.
  template <int vectors>
  static void gather(const Step& step, const Plan& plan, int above, int channel, std::uint8_t* quads) {
    constexpr int kChannels = vectors * kWidth, kGroups = (kChannels + 15) / 16;
    const Map& in = step.in;
    alignas(64) std::uint8_t outside[kBlock + 16];
    memset(outside, in.zero_point, sizeof outside);
    int places[kGroups][4];
    for (int group = 0; group < 4 * kGroups; ++group) {
      const int of_floats = group;  // floats are written in order
      const int of_bytes = group % vectors * kLanes + group / vectors;
      places[group / 4][group % 4] = 16 * (step.out.element == Element::f32 ? of_floats : of_bytes);
    }
    const int columns = quad_columns(step), end = smaller(columns, step.left + in.width);
    for (int quad = 0; quad < plan.quads; ++quad) {
      const std::uint8_t* lines[4];
      std::ptrdiff_t steps[4];
      for (int r = 0; r < 4; ++r) {
        const int y = above + 4 * quad + r;
        const bool inside = y >= 0 && y < in.height;
        lines[r] = inside ? in.u8(y, 0) + channel : outside;
        steps[r] = inside ? in.pixel : 0;
      }
      const std::uint8_t* const nothing[4] = {outside, outside, outside, outside};
      for (int column = 0; column < columns; ++column, quads += kChannels * 4) {
        const bool inside = column >= step.left && column < end;
        const std::uint8_t* const* rows = inside ? lines : nothing;
        for (int group = 0; group < kGroups; ++group) make_quads(rows, 16 * group, quads, places[group]);
        if (inside) {
          for (int r = 0; r < 4; ++r) lines[r] += steps[r];
        }
      }
    }
  }

  template <int vectors, int count>
  static void depthwise_run(const Step& step, const Plan& plan, const std::uint8_t* quads, const char* weights,
                            int channel, char* out, std::ptrdiff_t out_step) {
    constexpr int kPixel = vectors * kWidth * 4;
    Sums sums[count][vectors];
    for (int t = 0; t < count; ++t) {
      for (int v = 0; v < vectors; ++v) sums[t][v] = D::depthwise_zero();
    }
    const std::ptrdiff_t line = static_cast<std::ptrdiff_t>(quad_columns(step)) * kPixel;
    const std::ptrdiff_t pixel = step.stride * kPixel;
    for (int quad = 0; quad < plan.quads; ++quad) {
      const std::uint8_t* from = quads + quad * line;
      for (int column = 0; column < step.kernel; ++column, from += kPixel) {
#pragma GCC unroll 4
        for (int v = 0; v < vectors; ++v) {
          const typename D::DepthwiseWeights w = D::depthwise_weights(weights);
          weights += D::depthwise_bytes;
#pragma GCC unroll 4
          for (int t = 0; t < count; ++t) {
            sums[t][v] = D::depthwise_dot(sums[t][v], from + t * pixel + v * kWidth * 4, w);
          }
        }
      }
    }
    Ints all[count][vectors];
    for (int t = 0; t < count; ++t) {
      for (int v = 0; v < vectors; ++v) {
        all[t][v] = D::add_ints(D::depthwise_sum(sums[t][v]), D::load_ints(step.start + channel + v * kWidth));
      }
    }
    finish<count, vectors>(step, all, out, out_step, channel);
  }

  // All rows of output of an item in one block of channels.
  template <int vectors>
  static void depthwise_block(const Step& step, const Plan& plan, int y, int rows, int channel, const char* weights,
                              std::uint8_t* quads) {
    constexpr int kRun = D::depthwise_sums / vectors;
    gather<vectors>(step, plan, y * step.stride - step.top, channel, quads);
    const std::ptrdiff_t out_step = pixel_bytes(step.out);
    const std::ptrdiff_t filter = static_cast<std::ptrdiff_t>(plan.quads) * step.kernel * vectors * D::depthwise_bytes;
    for (int row = 0; row < rows; ++row, weights += filter) {
      auto* out = static_cast<char*>(pixel_of(step.out, y + row, 0));
      const std::ptrdiff_t pixel = static_cast<std::ptrdiff_t>(step.stride) * vectors * kWidth * 4;
      int x = 0;
      for (; x + kRun <= step.out.width; x += kRun) {
        depthwise_run<vectors, kRun>(step, plan, quads + x * pixel, weights, channel, out + x * out_step, out_step);
      }
      for (; x < step.out.width; ++x) {
        depthwise_run<vectors, 1>(step, plan, quads + x * pixel, weights, channel, out + x * out_step, out_step);
      }
    }
  }

  static void depthwise(const Step& step, int first, int end, void* scratch) {
    const Plan plan = plan_of(step);
    for (int item = first; item < end; ++item) {
      const int y = item * plan.rows, rows = smaller(plan.rows, step.out.height - y);
      const auto* weights = static_cast<const char*>(step.weights);
      for (int channel = 0; channel < step.out.channels;) {
        const int vectors = vectors_at(step, channel);
        const auto work = vectors == 4 ? depthwise_block<4> : vectors == 2 ? depthwise_block<2> : depthwise_block<1>;
        work(step, plan, y, rows, channel, weights, static_cast<std::uint8_t*>(scratch));
        weights += static_cast<std::ptrdiff_t>(plan.rows) * plan.quads * step.kernel * vectors * D::depthwise_bytes;
        channel += vectors * kWidth;
      }
    }
  }

  static std::size_t depthwise_size(const Step& step) {
    const Plan plan = plan_of(step);
    return static_cast<std::size_t>(blocks_end(step) / kWidth) * static_cast<std::size_t>(plan.rows) *
           static_cast<std::size_t>(plan.quads) * static_cast<std::size_t>(step.kernel) *
           static_cast<std::size_t>(D::depthwise_bytes);
  }

  // [block][row of output][quad][column][channels of the block][4 rows]; the filter moves down with the row.
  static void pack_depthwise(const Step& step, const void* from, void* to) {
    const auto* weights = static_cast<const std::int8_t*>(from);
    auto* packed = static_cast<typename D::DepthwiseWeight*>(to);
    const Plan plan = plan_of(step);
    const int kernel = step.kernel;
    for (int channel = 0; channel < step.out.channels;) {
      const int vectors = vectors_at(step, channel);
      for (int row = 0; row < plan.rows; ++row) {
        for (int quad = 0; quad < plan.quads; ++quad) {
          for (int column = 0; column < kernel; ++column) {
            for (int place = 0; place < vectors * kWidth; ++place) {
              const int c = channel + channel_in_block(step, vectors, place / kWidth, place % kWidth);
              for (int i = 0; i < 4; ++i) {
                const int tap = 4 * quad + i - row * step.stride;
                const bool is_real = c < step.out.channels && tap >= 0 && tap < kernel;
                const std::ptrdiff_t at = (static_cast<std::ptrdiff_t>(c) * kernel + tap) * kernel + column;
                *packed++ = is_real ? weights[at] : std::int8_t{0};
              }
            }
          }
        }
      }
      channel += vectors * kWidth;
    }
  }

  // --- the rest ------------------------------------------------------------------------------------------------------

  static int rows(const Step& step) { return step.out.height; }
  static int one(const Step&) { return 1; }

  // Calls work(y, x, out, channels) for every pixel of some rows; that many channels may be written and read.
  template <class F>
  static void for_pixels(const Step& step, int first, int end, F&& work) {
    const int whole = (step.out.channels + 15) / 16 * 16;
    const int channels = whole <= step.room ? whole : step.out.channels;
    for (int y = first; y < end; ++y) {
      for (int x = 0; x < step.out.width; ++x) work(y, x, step.out.u8(y, x), channels);
    }
  }

  static void max_pool(const Step& step, int first, int end, void*) {
    for_pixels(step, first, end, [&](int y, int x, std::uint8_t* out, int channels) {
      const int above = y * step.stride - step.top, left = x * step.stride - step.left;
      const int top = larger(0, above), bottom = smaller(step.in.height, above + step.kernel);
      const int begin = larger(0, left), right = smaller(step.in.width, left + step.kernel);
      for (int c = 0; c < channels; c += 16) {
        __m128i largest = _mm_setzero_si128();
        for (int row = top; row < bottom; ++row) {
          const std::uint8_t* in = step.in.u8(row, begin) + c;
          for (int column = begin; column < right; ++column, in += step.in.pixel) {
            largest = _mm_max_epu8(largest, _mm_loadu_si128(reinterpret_cast<const __m128i*>(in)));
          }
        }
        if (c + 16 <= channels) {
          _mm_storeu_si128(reinterpret_cast<__m128i*>(out + c), largest);
        } else {
          memcpy(out + c, &largest, static_cast<std::size_t>(channels - c));
        }
      }
    });
  }

  // One vector of channels in order: elements of a block of one.
  static void add(const Step& step, int first, int end, void*) {
    const Floats factor = D::set(step.scalars[3]), factor2 = D::set(step.scalars[4]), shift = D::set(step.scalars[5]);
    for (int y = first; y < end; ++y) {
      for (int x = 0; x < step.out.width; ++x) {
        const std::uint8_t* a = step.in.u8(y, x);
        const std::uint8_t* b = step.in2.u8(y, x);
        void* out = pixel_of(step.out, y, x);
        for (int c = 0; c < step.out.channels; c += kWidth) {
          const Floats other = D::multiply_add(D::floats(D::load_bytes(b + c)), factor2, shift);
          const Floats sum = activated(D::multiply_add(D::floats(D::load_bytes(a + c)), factor, other), step);
          put<1>(step, &sum, out, c);
        }
      }
    }
  }

  static void gate(const Step& step, int first, int end, void*) {
    const float* gates = step.in2.f32(0, 0);
    const Floats unit = D::set(step.scalars[3]), shift = D::set(step.scalars[0]);
    const Ints zero = D::set_ints(step.in.zero_point);
    for (int y = first; y < end; ++y) {
      for (int x = 0; x < step.out.width; ++x) {
        const std::uint8_t* in = step.in.u8(y, x);
        void* out = pixel_of(step.out, y, x);
        for (int c = 0; c < step.out.channels; c += kWidth) {
          const Floats value = D::floats(D::subtract_ints(D::load_bytes(in + c), zero));
          const Floats product = D::multiply_add(value, D::multiply(D::load(gates + c), unit), shift);
          put<1>(step, &product, out, c);
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

  static void interleave(const Step& step, int first, int end, void*) {
    const int half = step.in.channels;
    for (int y = first; y < end; ++y) {
      for (int x = 0; x < step.out.width; ++x) {
        const std::uint8_t* a = step.in.u8(y, x);
        const std::uint8_t* b = step.in2.u8(y, x);
        std::uint8_t* out = step.out.u8(y, x);
        int c = 0;
        for (; c < half && 2 * (c + 16) <= step.room; c += 16) {
          const __m128i one = _mm_loadu_si128(reinterpret_cast<const __m128i*>(a + c));
          const __m128i other = _mm_loadu_si128(reinterpret_cast<const __m128i*>(b + c));
          _mm_storeu_si128(reinterpret_cast<__m128i*>(out + 2 * c), _mm_unpacklo_epi8(one, other));
          _mm_storeu_si128(reinterpret_cast<__m128i*>(out + 2 * c + 16), _mm_unpackhi_epi8(one, other));
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

  static void global_average(const Step& step, int, int, void*) {
    const Map& in = step.in;
    const int count = in.height * in.width;
    for (int c = 0; c < in.channels; ++c) {
      std::int32_t sum = 0;
      for (int y = 0; y < in.height; ++y) {
        for (int x = 0; x < in.width; ++x) sum += in.u8(y, x)[c];
      }
      const float mean = static_cast<float>(sum - count * in.zero_point) / static_cast<float>(count);
      step.out.f32(0, 0)[c] = mean * step.scalars[3];
    }
  }

  static constexpr Kernels kernels() {
    return {{{},
             {convolution_items, convolution, convolution_size, pack_convolution, channel_at, nullptr},
             {depthwise_items, depthwise, depthwise_size, pack_depthwise, channel_at, depthwise_scratch},
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
