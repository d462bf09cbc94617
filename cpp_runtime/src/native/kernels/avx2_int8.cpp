// int8 for AVX2 without dot products of bytes; compiled with -mavx2.
#include "native/kernels/int8_256bit.hpp"

namespace nanoedge::native {
namespace {

struct Avx2 : Int8Of256Bits {
  static constexpr int tile_sums = 8;  // beside them 2 to 8 inputs, weights, ones and products in 16 registers
  static constexpr int depthwise_sums = 8;
  static constexpr int depthwise_run = 0, fewest_vectors = 1;  // too few registers

  // Products of neighbouring bytes are added in 16 bits. They never overflow: see quantization/weights.py.
  static Ints dot(Ints sum, Ints bytes, Ints weights) {
    const Ints pairs = _mm256_maddubs_epi16(bytes, weights);
    return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
  }
};

}  // namespace

const Kernels avx2_u8 = Int8<Avx2>::kernels();

}  // namespace nanoedge::native
