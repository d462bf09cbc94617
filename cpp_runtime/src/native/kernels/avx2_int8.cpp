// int8 for AVX2 without dot products of bytes; compiled with -mavx2.
#include "native/kernels/int8_256bit.hpp"

namespace nanoedge::native {
namespace {

struct Avx2 : Int8Of256Bits {
  static constexpr int tile_sums = 8;  // beside them 2 to 8 inputs, weights, ones and products in 16 registers
  static constexpr int depthwise_sums = 4;

  // Products of neighbouring bytes are added in 16 bits. They never overflow: see quantization/weights.py.
  static Ints dot(Ints sum, Ints bytes, Ints weights) {
    const Ints pairs = _mm256_maddubs_epi16(bytes, weights);
    return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
  }

  // Depth-wise weights have no such limit: bytes are widened, two rows are added in 32 bits.
  using DepthwiseWeight = std::int16_t;
  static constexpr int depthwise_bytes = 64;
  struct DepthwiseWeights {
    Ints low, high;
  };
  struct DepthwiseSums {
    Ints low, high;  // of channels 0 to 3 and 4 to 7, each two sums
  };
  static DepthwiseWeights depthwise_weights(const char* from) { return {load_ints(from), load_ints(from + 32)}; }
  static DepthwiseSums depthwise_zero() { return {_mm256_setzero_si256(), _mm256_setzero_si256()}; }
  static DepthwiseSums depthwise_dot(DepthwiseSums sums, const std::uint8_t* quads, const DepthwiseWeights& weights) {
    const auto* from = reinterpret_cast<const __m128i*>(quads);
    const Ints low = _mm256_cvtepu8_epi16(_mm_loadu_si128(from));
    const Ints high = _mm256_cvtepu8_epi16(_mm_loadu_si128(from + 1));
    return {_mm256_add_epi32(sums.low, _mm256_madd_epi16(low, weights.low)),
            _mm256_add_epi32(sums.high, _mm256_madd_epi16(high, weights.high))};
  }
  static Ints depthwise_sum(DepthwiseSums sums) {
    return _mm256_permute4x64_epi64(_mm256_hadd_epi32(sums.low, sums.high), 0xD8);
  }
};

}  // namespace

const Kernels avx2_u8 = Int8<Avx2>::kernels();

}  // namespace nanoedge::native
