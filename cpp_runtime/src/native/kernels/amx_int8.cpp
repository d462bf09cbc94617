// int8 for AMX: 1x1 convolutions in tiles, everything else as AVX-512 with VNNI does it.
#include "native/kernels/amx.hpp"
#include "native/kernels/avx512vnni.hpp"

namespace nanoedge::native {
namespace {

struct InTiles : Int8Convolution<Avx512Vnni> {
  static constexpr int kTilesOfChunk = 16;  // their inputs stay in the first cache beside the weights of a block

  // How many pixels lie behind each other.
  static int pixels_of(const Step& step) { return step.out.width * (is_flat(step) ? step.out.height : 1); }

  // What does not fit is done as by AVX-512.
  static const Kernel& plain() { return avx512vnni_u8.of[static_cast<int>(Kind::convolution)]; }

  static bool fits(const Step& step) { return step.kernel == 1 && step.stride == 1 && pixels_of(step) >= kTilePixels; }

  // As for VNNI, but inputs up to whole tiles.
  static Window window_of(const Step& step) {
    Window window = Int8Convolution<Avx512Vnni>::window_of(step);
    if (fits(step)) window.quads = (step.in.channels + kTileBytes - 1) / kTileBytes * (kTileBytes / 4);
    return window;
  }

  template <Activation activation, int vectors>
  static void block(const Step& step, const std::uint8_t* in, char* out, int count, int first, int end,
                    const std::int8_t* weights, int steps, int channel) {
    const std::ptrdiff_t out_step = pixel_bytes(step.out);
    const Epilogue<vectors, activation> epilogue(step, channel);
    const auto finish = [&](const std::int32_t* sums, int pixel, int row, int end_row) __attribute__((always_inline)) {
      char* to = out + (pixel + row) * out_step;
      for (; row < end_row; ++row, to += out_step) {
        Ints all[1][vectors];
#pragma GCC unroll 4
        for (int v = 0; v < vectors; ++v) all[0][v] = Avx512Vnni::load_ints(sums + v * kTileValues + row * kWidth);
        if (epilogue.form == Form::bytes) {
          epilogue(all[0], reinterpret_cast<std::uint8_t*>(to) + channel);
        } else if (epilogue.form == Form::floats) {
          epilogue(all[0], reinterpret_cast<float*>(to) + channel);
        } else {
          Ints copy[1][vectors];
#pragma GCC unroll 4
          for (int v = 0; v < vectors; ++v) copy[0][v] = all[0][v];
          finish_any<vectors>(step, copy, 1, to, out_step, channel);
        }
      }
    };
    Tiles::block<Tiles::Bytes, vectors, std::int32_t>(reinterpret_cast<const char*>(in), step.in.pixel, count, first,
                                                      end, reinterpret_cast<const char*>(weights), steps,
                                                      reinterpret_cast<const char*>(step.start + channel), finish);
  }

  // Some tiles of `count` pixels behind each other.
  template <Activation activation>
  static void line(const Step& step, const std::uint8_t* in, char* out, int count, int first, int end) {
    const int steps = window_of(step).quads / 16;
    for (int chunk = first; chunk < end; chunk += kTilesOfChunk) {
      const int chunk_end = smaller(end, chunk + kTilesOfChunk);
      const auto* weights = static_cast<const std::int8_t*>(step.weights);
      for (int channel = 0; channel < step.out.channels;) {
        const int vectors = vectors_at(step, channel);
        const auto work = vectors == 4   ? block<activation, 4>
                          : vectors == 2 ? block<activation, 2>
                                         : block<activation, 1>;
        work(step, in, out, count, chunk, chunk_end, weights, steps, channel);
        weights += static_cast<std::ptrdiff_t>(steps) * 16 * vectors * kWidth * 4;
        channel += vectors * kWidth;
      }
    }
  }

  static int tiles_of(int pixels) { return (pixels + kTilePixels - 1) / kTilePixels; }

  static int items(const Step& step) {
    if (!fits(step)) return plain().items(step);
    return is_flat(step) ? tiles_of(pixels_of(step)) : step.out.height;
  }

  static void run(const Step& step, int first, int end, void* scratch) {
    if (!fits(step)) return plain().run(step, first, end, scratch);
    if (first >= end) return;
    Blocks::with_activation(step, [&](auto activation) { run_as<decltype(activation)::value>(step, first, end); });
  }

  template <Activation activation>
  static void run_as(const Step& step, int first, int end) {
    const Tiles tiles;
    const int count = pixels_of(step);
    if (is_flat(step)) {
      line<activation>(step, step.in.u8(0, 0), static_cast<char*>(step.out.data), count, first, end);
      return;
    }
    for (int y = first; y < end; ++y) {
      auto* out = static_cast<char*>(pixel_of(step.out, y, 0));
      line<activation>(step, step.in.u8(y, 0), out, count, 0, tiles_of(count));
    }
  }

  static std::size_t packed_size(const Step& step) { return packed_size_in(step, window_of(step)); }
  static void pack(const Step& step, const void* from, void* to) { pack_in(step, window_of(step), from, to); }
};

}  // namespace

const Kernel amx_u8_convolution = {InTiles::items, InTiles::run, InTiles::packed_size, InTiles::pack,
                                   InTiles::channel_at};

}  // namespace nanoedge::native
