// int8 depth-wise convolutions: four rows are interleaved into quads [column][channel][4 rows], so that they take the
// same dot product as others; a quad serves several rows of output with weights that are moved along.
#pragma once

#include <string.h>

#include "native/kernels/int8_blocks.hpp"

namespace nanoedge::native {
namespace {

template <class D>
struct Int8Depthwise : Int8Blocks<D> {
  using Blocks = Int8Blocks<D>;
  using Blocks::channel_in_block, Blocks::vectors_at, Blocks::blocks_end, Blocks::kWidth, Blocks::kBlock;
  using typename Blocks::Ints;
  static constexpr std::ptrdiff_t kVectorBytes = 4 * kWidth;
  // Where one form serves all activations: whether there is one for none beside it, for the largest blocks.
  static constexpr bool kSparesActivation = D::joins_activations && D::loads_copies && D::depthwise_run > 0;

  template <int vectors, Activation activation>
  using Epilogue = typename Blocks::template Epilogue<vectors, activation>;

  // Rows of output that share quads, how many quads of rows they need, and the columns of a quad.
  struct Plan {
    int rows, quads, columns;
  };
  static Plan plan_of(const Step& step) {
    const int kernel = step.kernel, stride = step.stride;
    const int quads = (kernel + 3) / 4;
    const int columns = larger(step.in.width + step.left, (step.out.width - 1) * stride + kernel);
    return {(4 * quads - kernel) / stride + 1, quads, columns};
  }

  static int items(const Step& step) {
    const int rows = plan_of(step).rows;
    return (step.out.height + rows - 1) / rows;
  }

  static std::size_t scratch_size(const Step& step) {
    const Plan plan = plan_of(step);
    return static_cast<std::size_t>(plan.quads) * static_cast<std::size_t>(plan.columns) * kBlock * 4;
  }

  // Quads [quad][column][channels of the block][4] from row `above` of the input on; what lies outside is the zero
  // point.
  template <int vectors>
  __attribute__((noinline)) static void gather(const Step& step, const Plan& plan, int above, int channel,
                                               std::uint8_t* quads) {
    constexpr int kPixel = vectors * kWidth * 4;
    const Map& in = step.in;
    const bool in_order = step.out.element == Element::f32;
    alignas(64) std::uint8_t outside[kBlock];
    memset(outside, in.zero_point, sizeof outside);
    const int columns = plan.columns, width = smaller(columns - step.left, in.width);
    const auto nothing = [&](int count) {
      memset(quads, D::in_quads(in.zero_point), static_cast<std::size_t>(count * kPixel));
      quads += count * kPixel;
    };
    for (int quad = 0; quad < plan.quads; ++quad) {
      const std::uint8_t* lines[4];
      std::ptrdiff_t steps[4];
      for (int r = 0; r < 4; ++r) {
        const int y = above + 4 * quad + r;
        const bool inside = y >= 0 && y < in.height;
        lines[r] = inside ? in.u8(y, 0) + channel : outside;
        steps[r] = inside ? in.pixel : 0;
      }
      nothing(step.left);
      const auto columns_by = [&](auto&& make) {
        for (int column = 0; column < width; ++column, quads += kPixel) {
          make();
#pragma GCC unroll 4
          for (int r = 0; r < 4; ++r) lines[r] += steps[r];
        }
      };
      if (in_order) {
        columns_by([&] {
          for (int v = 0; v < vectors; ++v) D::make_quads_in_order(lines, v * kWidth, quads + v * kWidth * 4);
        });
      } else {
        columns_by([&] { D::template make_quads<vectors>(lines, quads); });
      }
      nothing(columns - step.left - width);
    }
  }

  // The sums of `count` pixels beside each other, of `loaded` vectors of channels from `v` on. With the filter's size
  // known, each quad is loaded once and goes into all sums that it is part of; 0: any size.
  template <int kernel, int stride, int loaded, int vectors, int count>
  __attribute__((always_inline)) static void multiply_add(const Step& step, const Plan& plan, const std::uint8_t* quads,
                                                          std::ptrdiff_t line, const char* weights, int v,
                                                          Ints (&sums)[count][vectors]) {
    constexpr int kPixel = vectors * kWidth * 4;
    const std::uint8_t* from = quads + v * kVectorBytes;
    weights += v * kVectorBytes;
    for (int quad = 0; quad < plan.quads; ++quad, from += line) {
      if constexpr (kernel > 0) {
        Ints w[kernel][loaded];
#pragma GCC unroll 8
        for (int tap = 0; tap < kernel; ++tap) load_some(weights + tap * vectors * kVectorBytes, w[tap]);
        weights += kernel * vectors * kVectorBytes;
#pragma GCC unroll 32
        for (int column = 0; column < (count - 1) * stride + kernel; ++column) {
          Ints values[loaded];
          load_some(from + column * kPixel, values);
#pragma GCC unroll 16
          for (int t = 0; t < count; ++t) {
            const int tap = column - t * stride;
            if (tap < 0 || tap >= kernel) continue;
#pragma GCC unroll 2
            for (int i = 0; i < loaded; ++i) sums[t][v + i] = D::dot(sums[t][v + i], values[i], w[tap][i]);
          }
        }
      } else {
        const std::ptrdiff_t pixel = step.stride * kPixel;
        const std::uint8_t* column = from;
        for (int tap = 0; tap < step.kernel; ++tap, column += kPixel, weights += vectors * kVectorBytes) {
          const Ints w = D::load_ints(weights);
#pragma GCC unroll 16
          for (int t = 0; t < count; ++t) sums[t][v] = D::dot(sums[t][v], D::load_ints(column + t * pixel), w);
        }
      }
    }
  }
  template <int count>
  __attribute__((always_inline)) static void load_some(const void* from, Ints (&to)[count]) {
    if constexpr (D::loads_pairs && count == 2) {
      D::template load_two<0>(from, to[0], to[1]);
    } else {
      for (int i = 0; i < count; ++i) to[i] = D::load_ints(static_cast<const char*>(from) + i * kVectorBytes);
    }
  }

  // All sums of `count` pixels beside each other.
  template <int kernel, int stride, int vectors, int count>
  __attribute__((always_inline)) static void add_up(Ints (&sums)[count][vectors], const Step& step, const Plan& plan,
                                                    const std::uint8_t* quads, const char* weights, int channel) {
    const std::int32_t* starts = step.start + channel;
    Ints start[vectors];
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) start[v] = D::load_ints(starts + v * kWidth);
#pragma GCC unroll 32
    for (int t = 0; t < count; ++t) Blocks::copies(start, starts, sums[t]);
    const std::ptrdiff_t line = static_cast<std::ptrdiff_t>(plan.columns) * vectors * kVectorBytes;
    constexpr int kLoaded = D::loads_pairs && kernel > 0 && vectors > 1 ? 2 : 1;
#pragma GCC unroll 4
    for (int v = 0; v < vectors; v += kLoaded) {
      multiply_add<kernel, stride, kLoaded>(step, plan, quads, line, weights, v, sums);
    }
  }

  template <int kernel, int stride, int count, int vectors, Activation activation>
  __attribute__((noinline)) static void pixels(const Step& step, const Plan& plan,
                                               const Epilogue<vectors, activation>& epilogue, const std::uint8_t* quads,
                                               const char* weights, char* out, std::ptrdiff_t out_step) {
    Ints sums[count][vectors];
    add_up<kernel, stride, vectors, count>(sums, step, plan, quads, weights, epilogue.channel);
    Blocks::template finish<count, vectors>(step, epilogue, sums, out, out_step);
  }

  // One pixel, any filter. Seldom: one version for all activations.
  template <int vectors>
  __attribute__((noinline)) static void pixel(const Step& step, const Plan& plan, const std::uint8_t* quads,
                                              const char* weights, int channel, char* out) {
    Ints sums[1][vectors];
    add_up<0, 0, vectors, 1>(sums, step, plan, quads, weights, channel);
    Blocks::template finish_any<vectors>(step, sums, 1, out, 0, channel);
  }

  // Pixels beside each other that are calculated together, for filters of a known size or of any.
  static constexpr int run_of(int kernel, int vectors) {
    return kernel > 0 ? D::depthwise_run : D::depthwise_sums / vectors;
  }

  // A row of output in one block of channels.
  template <int kernel, int stride, int vectors, Activation activation>
  static void row(const Step& step, const Plan& plan, const Epilogue<vectors, activation>& epilogue, int y,
                  const char* weights, const std::uint8_t* quads) {
    constexpr int kRun = run_of(kernel, vectors);
    const std::ptrdiff_t out_step = pixel_bytes(step.out);
    const std::ptrdiff_t pixel_step = static_cast<std::ptrdiff_t>(step.stride) * vectors * kVectorBytes;
    auto* out = static_cast<char*>(pixel_of(step.out, y, 0));
    const int width = step.out.width;
    if (width < kRun) {
      for (int x = 0; x < width; ++x) {
        pixel<vectors>(step, plan, quads + x * pixel_step, weights, epilogue.channel, out + x * out_step);
      }
      return;
    }
    for (int x = 0; x < width; x += kRun) {
      // The last run begins earlier, so that it is whole: some pixels are calculated twice.
      const int from = smaller(x, width - kRun);
      pixels<kernel, stride, kRun, vectors, activation>(step, plan, epilogue, quads + from * pixel_step, weights,
                                                        out + from * out_step, out_step);
    }
  }

  // What calculates a row: usual filters with what usually stands behind them are compiled in, where there are
  // registers enough, for blocks of `fewest_vectors` and more.
  template <Activation activation, int vectors>
  static auto row_for(const Step& step) {
    constexpr bool kHasWindows = D::depthwise_run > 0 && vectors >= D::fewest_vectors;
    if constexpr (kSparesActivation && activation == Activation::none) {  // see run
      return row<3, 1, vectors, activation>;
    } else {
      if constexpr (kHasWindows && (D::joins_activations || activation != Activation::leaky_relu)) {
        if (step.kernel == 3 && step.stride == 1) return row<3, 1, vectors, activation>;
        if (step.kernel == 3 && step.stride == 2) return row<3, 2, vectors, activation>;
      }
      if constexpr (kHasWindows && activation != Activation::none) {
        if (step.kernel == 5 && step.stride == 1) return row<5, 1, vectors, activation>;
        if (step.kernel == 5 && step.stride == 2) return row<5, 2, vectors, activation>;
      }
      return row<0, 0, vectors, activation>;
    }
  }

  // All rows of output of an item in one block of channels.
  template <Activation activation, int vectors>
  static void block(const Step& step, const Plan& plan, int y, int rows, int channel, const char* weights,
                    std::uint8_t* quads) {
    const auto work = row_for<activation, vectors>(step);
    const Epilogue<vectors, activation> epilogue(step, channel);
    gather<vectors>(step, plan, y * step.stride - step.top, channel, quads);
    const std::ptrdiff_t filter = static_cast<std::ptrdiff_t>(plan.quads) * step.kernel * vectors * kVectorBytes;
    for (int end = y + rows; y < end; ++y, weights += filter) work(step, plan, epilogue, y, weights, quads);
  }

  static void run(const Step& step, int first, int end, void* scratch) {
    if constexpr (kSparesActivation) {  // most small filters have none
      if (step.kernel == 3 && step.stride == 1 && step.activation == Activation::none) {
        return run_as<Activation::none>(step, first, end, scratch);
      }
    }
    Blocks::with_activation(step,
                            [&](auto activation) { run_as<decltype(activation)::value>(step, first, end, scratch); });
  }

  template <Activation activation>
  static void run_as(const Step& step, int first, int end, void* scratch) {
    const Plan plan = plan_of(step);
    for (int item = first; item < end; ++item) {
      const int y = item * plan.rows, rows = smaller(plan.rows, step.out.height - y);
      const auto* weights = static_cast<const char*>(step.weights);
      for (int channel = 0; channel < step.out.channels;) {
        const int vectors = vectors_at(step, channel);
        constexpr Activation kOfSmall = kSparesActivation ? Activation::leaky_relu : activation;
        const auto work = vectors == 4 ? block<activation, 4> : vectors == 2 ? block<kOfSmall, 2> : block<kOfSmall, 1>;
        work(step, plan, y, rows, channel, weights, static_cast<std::uint8_t*>(scratch));
        weights += static_cast<std::ptrdiff_t>(plan.rows) * plan.quads * step.kernel * vectors * kVectorBytes;
        channel += vectors * kWidth;
      }
    }
  }

  static std::size_t packed_size(const Step& step) {
    const Plan plan = plan_of(step);
    return static_cast<std::size_t>(blocks_end(step) / kWidth) * static_cast<std::size_t>(plan.rows) *
           static_cast<std::size_t>(plan.quads) * static_cast<std::size_t>(step.kernel) * kVectorBytes;
  }

  // [block][row of output][quad][column][channels of the block][4 rows]; the filter moves down with the row.
  static void pack(const Step& step, const void* from, void* to) {
    const auto* weights = static_cast<const std::int8_t*>(from);
    auto* packed = static_cast<std::int8_t*>(to);
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
};

}  // namespace
}  // namespace nanoedge::native
