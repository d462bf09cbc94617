// int8 for AVX2 without dot products of bytes; compiled with -mavx2.
#include "native/kernels/int8_256bit.hpp"

namespace nanoedge::native {
namespace {

struct Avx2 : Int8Of256Bits {
  static constexpr int tile_sums = 8;  // beside them 2 to 8 inputs, weights, ones and products in 16 registers
  static constexpr int depthwise_sums = 8;
  static constexpr int depthwise_run = 0, fewest_vectors = 1;  // too few registers

  // Products of neighbouring bytes are added in 16 bits. They never overflow: see export/int8/native/weights.py.
  static Ints pairs(Ints bytes, Ints weights) { return _mm256_maddubs_epi16(bytes, weights); }
  static Ints dot(Ints sum, Ints bytes, Ints weights) { return add_pairs(sum, pairs(bytes, weights)); }
  static Ints add_pairs(Ints sum, Ints words) {
    return _mm256_add_epi32(sum, _mm256_madd_epi16(words, _mm256_set1_epi16(1)));
  }
};

// For weights whose products do not overflow if there are four of them either.
struct Fours : Avx2 {
  static constexpr bool has_two_quads = true;
  static Ints dot_two(Ints sum, Ints x, Ints weights, Ints y, Ints others) {
    return add_pairs(sum, _mm256_add_epi16(pairs(x, weights), pairs(y, others)));
  }

  // Weights of two quads, [channel][4] each: whether the sums of both signs stay small enough.
  static bool can_add(const std::int8_t* one, const std::int8_t* other, int channels) {
    const Ints zero = _mm256_setzero_si256(), ones = _mm256_set1_epi8(1), most = _mm256_set1_epi16(32767 / 255);
    Ints too_large = zero;
    for (int at = 0; at < 4 * channels; at += 4 * width) {
      const Ints a = load_ints(one + at), b = load_ints(other + at);
      const auto sum = [&](Ints x, Ints y) { return _mm256_add_epi16(pairs(ones, x), pairs(ones, y)); };
      const Ints above = sum(_mm256_max_epi8(a, zero), _mm256_max_epi8(b, zero));
      const Ints below = sum(_mm256_min_epi8(a, zero), _mm256_min_epi8(b, zero));
      const Ints larger_one = _mm256_max_epi16(above, _mm256_sub_epi16(zero, below));
      too_large = _mm256_or_si256(too_large, _mm256_cmpgt_epi16(larger_one, most));
    }
    return _mm256_testz_si256(too_large, too_large) != 0;
  }
};

// For others: small, not fast.
struct OneByOne : Avx2 {
  static constexpr int tile_sums = 1;
};

// Packed: [whether there are fours, in 64 bytes][weights].
struct Convolution : Int8Convolution<Fours> {
  using Fast = Int8Convolution<Fours>;
  using Slow = Int8Convolution<OneByOne>;
  static constexpr std::ptrdiff_t kHead = 64;

  static std::size_t packed_size(const Step& step) { return kHead + Fast::packed_size(step); }
  static void pack(const Step& step, const void* from, void* to) {
    auto* packed = static_cast<std::int8_t*>(to);
    Fast::pack(step, from, packed + kHead);
    packed[0] = fits_in_twos(step, packed + kHead);
  }
  static void run(const Step& step, int first, int end, void* scratch) {
    const auto* packed = static_cast<const std::int8_t*>(step.weights);
    Step own = step;
    own.weights = packed + kHead;
    (packed[0] != 0 ? Fast::run : Slow::run)(own, first, end, scratch);
  }

  static constexpr Kernel kernel() { return {items, run, packed_size, pack, channel_at}; }
};

constexpr Kernels all() {
  Kernels kernels = Int8<Avx2>::kernels();
  kernels.of[static_cast<int>(Kind::convolution)] = Convolution::kernel();
  return kernels;
}

}  // namespace

const Kernels avx2_u8 = all();

}  // namespace nanoedge::native
