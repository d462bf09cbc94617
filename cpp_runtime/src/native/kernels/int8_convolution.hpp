// int8 convolutions: matrix products as in f32.hpp, four inputs a step.
#pragma once

#include "native/kernels/int8_blocks.hpp"

namespace nanoedge::native {
namespace {

template <class D>
struct Int8Convolution : Int8Blocks<D> {
  using Blocks = Int8Blocks<D>;
  using Blocks::channel_in_block, Blocks::vectors_at, Blocks::blocks_end, Blocks::kWidth;
  using typename Blocks::Ints;
  template <int vectors, Activation activation>
  using Epilogue = typename Blocks::template Epilogue<vectors, activation>;

  // Where a pixel's inputs lie: `runs` of `quads` times four bytes, each so far from the first.
  struct Window {
    int runs, quads;
    std::ptrdiff_t at[kMostKernel * kMostKernel];
    int total() const { return runs * quads; }
  };

  // Pixels that lie behind each other are one run.
  static bool has_rows(const Step& step) { return step.in.pixel == step.in.channels; }

  __attribute__((noinline)) static Window window_of(const Step& step) {
    const Map& in = step.in;
    const int columns = has_rows(step) ? 1 : step.kernel;
    Window window;
    window.runs = 0;
    window.quads = ((has_rows(step) ? step.kernel : 1) * in.channels + 3) / 4;
    for (int y = 0; y < step.kernel; ++y) {
      for (int x = 0; x < columns; ++x) window.at[window.runs++] = y * in.row + x * in.pixel;
    }
    return window;
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

  // Twice four inputs of each pixel, which D adds up before they go into a sum.
  template <int rows, int vectors>
  static void multiply_add_two(Ints (&sums)[rows][vectors], const std::uint8_t* in, std::ptrdiff_t in_step,
                               const std::int8_t* weights) {
    const std::int8_t* others = weights + vectors * kWidth * 4;
    if constexpr (rows > vectors) {
#pragma GCC unroll 32
      for (int r = 0; r < rows; ++r) {
        const Ints x = D::four_bytes(in + r * in_step), y = D::four_bytes(in + r * in_step + 4);
#pragma GCC unroll 4
        for (int v = 0; v < vectors; ++v) {
          const std::ptrdiff_t at = v * kWidth * 4;
          sums[r][v] = D::dot_two(sums[r][v], x, D::load_ints(weights + at), y, D::load_ints(others + at));
        }
      }
    } else {
      Ints x[rows], y[rows];
#pragma GCC unroll 4
      for (int r = 0; r < rows; ++r) {
        x[r] = D::four_bytes(in + r * in_step);
        y[r] = D::four_bytes(in + r * in_step + 4);
      }
#pragma GCC unroll 4
      for (int v = 0; v < vectors; ++v) {
        const std::ptrdiff_t at = v * kWidth * 4;
#pragma GCC unroll 4
        for (int r = 0; r < rows; ++r) {
          sums[r][v] = D::dot_two(sums[r][v], x[r], D::load_ints(weights + at), y[r], D::load_ints(others + at));
        }
      }
    }
  }

  // The sums of some pixels in a block of channels: all products.
  template <int rows, int vectors>
  __attribute__((always_inline)) static void add_up(Ints (&sums)[rows][vectors], const Step& step, const Window& window,
                                                    const std::uint8_t* in, std::ptrdiff_t in_step,
                                                    const std::int8_t* weights, int channel) {
    const std::int32_t* starts = step.start + channel;
    Ints start[vectors];
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) start[v] = D::load_ints(starts + v * kWidth);
#pragma GCC unroll 32
    for (int r = 0; r < rows; ++r) Blocks::copies(start, starts, sums[r]);
    const int quads = window.quads;
    const std::ptrdiff_t* at = window.at;
    for (const std::ptrdiff_t* const end = at + window.runs; at < end; ++at) {
      const std::uint8_t* run = in + *at;
      if constexpr (D::has_fours) {
        const int fours = quads >> 2, rest = quads & 3;
        D::template multiply_add_fours<rows, vectors>(sums, run, in_step, weights, fours);
        weights += static_cast<std::ptrdiff_t>(fours) * vectors * kWidth * 16;
        D::template multiply_add_rest<rows, vectors>(sums, run + 16 * fours, in_step, weights, rest);
        weights += static_cast<std::ptrdiff_t>(rest) * vectors * kWidth * 4;
      } else {
        int quad = 0;
        if constexpr (D::has_two_quads) {
          for (; quad + 2 <= quads; quad += 2, weights += 2 * vectors * kWidth * 4) {
            multiply_add_two<rows, vectors>(sums, run + 4 * quad, in_step, weights);
          }
        }
        for (; quad < quads; ++quad, weights += vectors * kWidth * 4) {
          multiply_add<rows, vectors>(sums, run + 4 * quad, in_step, weights);
        }
      }
    }
  }

  template <int rows, int vectors, Activation activation>
  static void tile(const Step& step, const Window& window, const Epilogue<vectors, activation>& epilogue,
                   const std::uint8_t* in, std::ptrdiff_t in_step, const std::int8_t* weights, char* out) {
    Ints sums[rows][vectors];
    add_up<rows, vectors>(sums, step, window, in, in_step, weights, epilogue.channel);
    Blocks::template finish<rows, vectors>(step, epilogue, sums, out, pixel_bytes(step.out));
  }

  // One pixel. Seldom: one version for all activations.
  template <int vectors>
  __attribute__((noinline)) static void pixel(const Step& step, const Window& window, const std::uint8_t* in,
                                              const std::int8_t* weights, int channel, char* out) {
    Ints sums[1][vectors];
    add_up<1, vectors>(sums, step, window, in, 0, weights, channel);
    Blocks::template finish_any<vectors>(step, sums, 1, out, 0, channel);
  }

  template <Activation activation, int vectors>
  static void block(const Step& step, const Window& window, const std::uint8_t* in, std::ptrdiff_t in_step,
                    const std::int8_t* weights, int channel, char* out, int count) {
    constexpr int kSums = D::tile_sums / (D::has_fours ? 4 : vectors);  // inputs of fours take registers too
    constexpr int kRows = kSums > 1 ? kSums : 1;
    const std::ptrdiff_t out_step = pixel_bytes(step.out);
    if (kRows == 1 || count < kRows) {
      for (int i = 0; i < count; ++i) {
        pixel<vectors>(step, window, in + i * in_step, weights, channel, out + i * out_step);
      }
      return;
    }
    const Epilogue<vectors, activation> epilogue(step, channel);
    for (int i = 0; i < count; i += kRows) {
      // The last tile begins earlier, so that it is whole: some pixels are calculated twice.
      const int first = smaller(i, count - kRows);
      tile<kRows, vectors>(step, window, epilogue, in + first * in_step, in_step, weights, out + first * out_step);
    }
  }

  // Some pixels behind each other, all channels.
  template <Activation activation>
  static void pixels(const Step& step, const Window& window, const std::uint8_t* in, std::ptrdiff_t in_step, void* to,
                     int count) {
    const auto* weights = static_cast<const std::int8_t*>(step.weights);
    auto* out = static_cast<char*>(to);
    for (int channel = 0; channel < step.out.channels;) {
      const int vectors = vectors_at(step, channel);
      const auto work = vectors == 4   ? block<activation, 4>
                        : vectors == 2 ? block<activation, 2>
                                       : block<activation, 1>;
      work(step, window, in, in_step, weights, channel, out, count);
      weights += static_cast<std::ptrdiff_t>(window.total()) * vectors * kWidth * 4;
      channel += vectors * kWidth;
    }
  }

  static int items(const Step& step) { return is_flat(step) ? flat_items_of(step) : step.out.height; }

  static void run(const Step& step, int first, int end, void*) {
    Blocks::with_activation(step, [&](auto activation) { run_as<decltype(activation)::value>(step, first, end); });
  }

  template <Activation activation>
  static void run_as(const Step& step, int first, int end) {
    const Window window = window_of(step);
    if (is_flat(step)) {
      for (int item = first; item < end; ++item) {
        const int from = first_pixel_of(step, item), here = first_pixel_of(step, item + 1) - from;
        pixels<activation>(step, window, step.in.u8(0, 0) + from * step.in.pixel, step.in.pixel,
                           static_cast<char*>(step.out.data) + from * pixel_bytes(step.out), here);
      }
      return;
    }
    for (int y = first; y < end; ++y) {
      pixels<activation>(step, window, step.in.u8(y * step.stride - step.top, -step.left), step.stride * step.in.pixel,
                         pixel_of(step.out, y, 0), step.out.width);
    }
  }

  static std::size_t packed_size(const Step& step) { return packed_size_in(step, window_of(step)); }
  static void pack(const Step& step, const void* from, void* to) { pack_in(step, window_of(step), from, to); }

  static std::size_t packed_size_in(const Step& step, const Window& window) {
    return 4 * static_cast<std::size_t>(window.total()) * static_cast<std::size_t>(blocks_end(step));
  }

  // Whether D can add up, before they go into a sum, the products of every two quads behind each other.
  static bool fits_in_twos(const Step& step, const std::int8_t* packed) {
    const Window window = window_of(step);
    for (int channel = 0; channel < step.out.channels;) {
      const int channels = vectors_at(step, channel) * kWidth, quad_size = 4 * channels;
      for (int run = 0; run < window.runs; ++run, packed += static_cast<std::ptrdiff_t>(window.quads) * quad_size) {
        for (int quad = 0; quad + 2 <= window.quads; quad += 2) {
          const std::int8_t* here = packed + static_cast<std::ptrdiff_t>(quad) * quad_size;
          if (!D::can_add(here, here + quad_size, channels)) return false;
        }
      }
      channel += channels;
    }
    return true;
  }

  // [block][run][quad][channels of the block][4]; what is no weight is 0.
  static void pack_in(const Step& step, const Window& window, const void* from, void* to) {
    const auto* weights = static_cast<const std::int8_t*>(from);
    auto* packed = static_cast<std::int8_t*>(to);
    const int inputs = step.in.channels, kernel = step.kernel;
    memset(packed, 0, packed_size_in(step, window));
    for (int channel = 0; channel < step.out.channels;) {
      const int vectors = vectors_at(step, channel), quad_size = 4 * vectors * kWidth;
      for (int place = 0; place < vectors * kWidth; ++place) {
        const int c = channel + channel_in_block(step, vectors, place / kWidth, place % kWidth);
        if (c >= step.out.channels) continue;
        const std::int8_t* filter = weights + static_cast<std::ptrdiff_t>(c) * inputs * kernel * kernel;
        for (int input = 0; input < inputs; ++input) {
          for (int y = 0; y < kernel; ++y) {
            for (int x = 0; x < kernel; ++x, ++filter) {
              const int run = has_rows(step) ? y : y * kernel + x, i = has_rows(step) ? x * inputs + input : input;
              const std::ptrdiff_t quad = static_cast<std::ptrdiff_t>(run) * window.quads + i / 4;
              packed[quad * quad_size + 4 * place + i % 4] = *filter;
            }
          }
        }
      }
      packed += static_cast<std::ptrdiff_t>(window.total()) * quad_size;
      channel += vectors * kWidth;
    }
  }
};

}  // namespace
}  // namespace nanoedge::native
