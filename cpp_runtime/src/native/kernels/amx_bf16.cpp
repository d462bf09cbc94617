// bfloat16 for AMX: 1x1 convolutions in tiles; fewer than 16 pixels and larger filters as AVX-512 does them.
#include "native/kernels/amx.hpp"
#include "native/kernels/bf16.hpp"

namespace nanoedge::native {
namespace {

struct PairsInTiles {
  using Scope = Tiles;
  static constexpr int fewest_pixels = kTilePixels;
  static const Kernel& plain() { return avx512_bf16_convolution; }

  template <Activation activation, int vectors>
  static void block(const Step& step, const std::uint16_t* in, int count, int first, int end,
                    const std::uint16_t* weights, int channel, char* out) {
    using Vectors = F32Vectors<Avx512, Bf16Maps>;
    const std::ptrdiff_t out_step = pixel_bytes(step.out);
    const bool is_simple =
        step.out.element == Element::bf16 && step.room - channel >= vectors * 16 && Vectors::is_compiled(step);
    const __m512 slope = Vectors::slope_of(step);
    const auto finish = [&](const float* sums, int pixel, int row, int end_row) __attribute__((always_inline)) {
      char* to = out + (pixel + row) * out_step;
      for (; row < end_row; ++row, to += out_step) {
        __m512 values[1][vectors];
#pragma GCC unroll 4
        for (int v = 0; v < vectors; ++v) values[0][v] = _mm512_loadu_ps(sums + v * kTileValues + row * 16);
        if (is_simple) {
          auto* values_to = reinterpret_cast<std::uint16_t*>(to) + channel;
#pragma GCC unroll 4
          for (int v = 0; v < vectors; ++v) {
            Bf16Maps::store(values_to + v * 16, Vectors::activated_as<activation>(values[0][v], slope));
          }
        } else {
          Vectors::finish<activation, 1, vectors>(step, values, to, channel);
        }
      }
    };
    Tiles::block<Tiles::Halves, vectors, float>(reinterpret_cast<const char*>(in), 2 * step.in.pixel, count, first, end,
                                                reinterpret_cast<const char*>(weights), (step.in.channels + 31) / 32,
                                                reinterpret_cast<const char*>(step.bias + channel), finish);
  }
};

}  // namespace

const Kernel amx_bf16_convolution = Bf16<PairsInTiles>::kernel();

}  // namespace nanoedge::native
