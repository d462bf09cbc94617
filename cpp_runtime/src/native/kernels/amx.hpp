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
  constexpr operator int() const { return number; }
};

// Tiles of 16 rows of 64 bytes, while it lives. Registers 0 to 3 are sums, 4 inputs, 6 and 7 weights.
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

  // Calls finish(sums, pixel, first, end) for the tiles `first` to `end` of `count` pixels behind each other: the sums
  // of 16 pixels from `pixel` on, as [vector][pixel][16 sums], and the rows to finish. Those that belong to the tile
  // before are left out. `start` is what sums begin with, one value a channel; weights lie as [step][16][channels of
  // the block][4 bytes].
  //
  // Inputs are loaded once for all vectors of channels, whose products do not wait for each other; the rows of the tile
  // before are finished a few at a time between them.
  template <class Product, int vectors, class T, class Finish>
  static void block(const char* inputs, std::ptrdiff_t pixel_step, int count, int first, int end, const char* weights,
                    int steps, const char* start, Finish&& finish) {
    alignas(64) T sums[2][vectors * kTileValues];
    constexpr std::ptrdiff_t kQuad = vectors * 64;
    const auto pixel_of_tile = [&](int tile) { return smaller(tile * kTilePixels, count - kTilePixels); };
    for (int tile = first; tile <= end; ++tile) {
      const T* done = sums[(tile + 1) & 1];
      const int before = pixel_of_tile(tile - 1);
      int row = tile > first ? (tile - 1) * kTilePixels - before : kTilePixels;  // the next to finish
      const auto finish_to = [&](int end_row) __attribute__((always_inline)) {
        if (row < end_row) finish(done, before, row, end_row);
        row = larger(row, end_row);
      };
      if (tile < end) {
        const char* in = inputs + pixel_of_tile(tile) * pixel_step;
        const char* w = weights;
        for_each<vectors>([&](auto v) { load<v>(start + 64 * v, 0); });
        const int slice = kTilePixels / (steps + 1);
        for (int step = 0; step < steps; ++step, in += kTileBytes, w += 16 * kQuad) {
          load<4>(in, pixel_step);
          for_each<vectors>([&](auto v) {
            load<6 + v % 2>(w + 64 * v, kQuad);
            Product::template multiply<v, 4, 6 + v % 2>();
          });
          finish_to(slice * (step + 1));
        }
        T* stored = sums[tile & 1];
        for_each<vectors>([&](auto v) { store<v>(stored + v * kTileValues); });
      }
      finish_to(kTilePixels);
    }
  }

 private:
  // Calls work(v) for v from 0 on, with a number that is known when this is compiled.
  template <int vectors, class F>
  __attribute__((always_inline)) static void for_each(F&& work) {
    work(Number<0>{});
    if constexpr (vectors > 1) work(Number<1>{});
    if constexpr (vectors > 2) work(Number<2>{}), work(Number<3>{});
  }
};

}  // namespace
}  // namespace nanoedge::native
