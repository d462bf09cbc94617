// Tiles of AMX: sums of 16 pixels by 16 channels in one register, 64 bytes of inputs a pixel and step.
//
// Instructions as text: the intrinsics of GCC 12 do not say that they read memory.
#pragma once

#include <cstddef>
#include <cstdint>

#include "native/kernels/shapes.hpp"

namespace nanoedge::native {
namespace {

constexpr int kTilePixels = 16, kTileBytes = 64, kTileValues = 256;

template <int number>
struct Number {
  static constexpr int value = number;
};

// Tiles of 16 rows of 64 bytes, while it lives. Registers 0 to 3 are sums, 4 and 5 inputs, 6 and 7 weights.
class Tiles {
 public:
  Tiles() {
    struct alignas(64) {
      std::uint8_t palette = 1, start_row = 0, unused[14] = {};
      std::uint16_t bytes[8] = {64, 64, 64, 64, 64, 64, 64, 64}, none[8] = {};
      std::uint8_t rows[8] = {16, 16, 16, 16, 16, 16, 16, 16}, nothing[8] = {};
    } shape;
    __asm__ volatile("ldtilecfg %0" ::"m"(shape));
  }
  ~Tiles() { __asm__ volatile("tilerelease"); }
  Tiles(const Tiles&) = delete;
  Tiles& operator=(const Tiles&) = delete;

  template <int tile>
  static void load(const void* from, std::ptrdiff_t step) {
    __asm__ volatile("tileloadd (%0,%1,1), %%tmm%c2" ::"r"(from), "r"(step), "i"(tile) : "memory");
  }
  template <int tile>
  static void store(void* to) {
    __asm__ volatile("tilestored %%tmm%c2, (%0,%1,1)" ::"r"(to), "r"(std::ptrdiff_t{64}), "i"(tile) : "memory");
  }

  // Unsigned bytes by signed bytes into int32.
  struct Bytes {
    template <int sums, int inputs, int weights>
    static void multiply() {
      __asm__ volatile("tdpbusd %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(sums), "i"(inputs), "i"(weights));
    }
  };
  // Pairs of bfloat16 into float32.
  struct Halves {
    template <int sums, int inputs, int weights>
    static void multiply() {
      __asm__ volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(sums), "i"(inputs), "i"(weights));
    }
  };

  // Sums of 16 pixels by one vector of channels in register `tile`. `start` is what they begin with, one value a
  // channel; weights lie as [step][16][channels of the block][4 bytes].
  template <class Product, int tile, int vectors>
  static void multiply(const char* inputs, std::ptrdiff_t pixel, const char* weights, int steps, const char* start) {
    load<tile>(start, 0);
    constexpr int kInputs = 4 + tile % 2, kWeights = 6 + tile % 2;
    constexpr std::ptrdiff_t kQuad = vectors * 64;
    for (int step = 0; step < steps; ++step, inputs += kTileBytes, weights += 16 * kQuad) {
      load<kInputs>(inputs, pixel);
      load<kWeights>(weights, kQuad);
      Product::template multiply<tile, kInputs, kWeights>();
    }
  }

  // Calls finish(sums, pixel, first, end) for the tiles `first` to `end` of `count` pixels behind each other: the sums
  // of 16 pixels from `pixel` on, as [vector][pixel][16 sums], and the rows to finish. Those that belong to the tile
  // before are left out.
  //
  // While a tile is multiplied, the sums of the last one are stored and the rows of the one before are finished:
  // nothing waits for products.
  template <class Product, int vectors, class T, class Finish>
  static void block(const char* inputs, std::ptrdiff_t pixel_step, int count, int first, int end, const void* weights,
                    int steps, const void* start, Finish&& finish) {
    alignas(64) T sums[2][vectors * kTileValues];
    constexpr int kRows = kTilePixels / vectors;
    const auto* w = static_cast<const char*>(weights);
    const auto* s = static_cast<const char*>(start);
    const auto pixel_of_tile = [&](int tile) { return smaller(tile * kTilePixels, count - kTilePixels); };
    for (int tile = first; tile < end + 2; ++tile) {
      const T* done = sums[tile & 1];
      T* stored = sums[(tile + 1) & 1];
      const int before = pixel_of_tile(tile - 2), skip = (tile - 2) * kTilePixels - before;
      const char* in = inputs + pixel_of_tile(tile) * pixel_step;
      const auto part = [&](auto number) __attribute__((always_inline)) {
        constexpr int kTile = decltype(number)::value;
        if (tile > first && tile <= end) store<kTile>(stored + kTile * kTileValues);
        if (tile < end) multiply<Product, kTile, vectors>(in, pixel_step, w + 64 * kTile, steps, s + 64 * kTile);
        if (tile > first + 1) finish(done, before, larger(skip, kTile * kRows), (kTile + 1) * kRows);
      };
      part(Number<0>{});
      if constexpr (vectors > 1) part(Number<1>{});
      if constexpr (vectors > 2) part(Number<2>{}), part(Number<3>{});
    }
  }
};

}  // namespace
}  // namespace nanoedge::native
