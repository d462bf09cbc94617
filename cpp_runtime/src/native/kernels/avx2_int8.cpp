// int8 for AVX2 without dot products of bytes; compiled with -mavx2.
#include "native/kernels/int8_256bit.hpp"

namespace nanoedge::native {
namespace {

struct Avx2 : Int8Of256Bits {
  static constexpr int tile_sums = 8;  // beside them 2 to 8 inputs, weights, ones and products in 16 registers
  static constexpr int depthwise_sums = 8;
  static constexpr int depthwise_run = 0, fewest_vectors = 1;  // too few registers

  // Products of neighbouring bytes are added in 16 bits. They never overflow: see quantization/weights.py.
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

  // Weights of two quads behind each other, [channel][4] each.
  static bool can_add(const std::int8_t* one, const std::int8_t* other, int channels) {
    constexpr int kMost = 32767 / 255;
    for (int at = 0; at < 4 * channels; at += 2) {
      int above = 0, below = 0;
      const std::int8_t weights[] = {one[at], one[at + 1], other[at], other[at + 1]};
      for (const int weight : weights) (weight > 0 ? above : below) += weight;
      if (above > kMost || below < -kMost) return false;
    }
    return true;
  }
  static bool has_fours(const Step& step, const std::int8_t* packed) {
    const Window window = window_of(step);
    for (int channel = 0; channel < step.out.channels;) {
      const int channels = vectors_at(step, channel) * kWidth;
      for (int run = 0; run < window.rows * window.parts; ++run, packed += window.quads * 4 * channels) {
        for (int quad = 0; quad + 2 <= window.quads; quad += 2) {
          const std::int8_t* here = packed + quad * 4 * channels;
          if (!can_add(here, here + 4 * channels, channels)) return false;
        }
      }
      channel += channels;
    }
    return true;
  }

  static std::size_t packed_size(const Step& step) { return kHead + Fast::packed_size(step); }
  static void pack(const Step& step, const void* from, void* to) {
    auto* packed = static_cast<std::int8_t*>(to);
    Fast::pack(step, from, packed + kHead);
    packed[0] = has_fours(step, packed + kHead);
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
