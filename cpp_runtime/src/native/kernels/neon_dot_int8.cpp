// int8 for NEON with dot products of signed bytes; compiled with -march=armv8.2-a+dotprod.
#include "native/kernels/neon_int8.hpp"

namespace nanoedge::native {
namespace {

struct SignedDot {
  static constexpr int depthwise_run = 4, weights_loaded = 2;  // one instruction loads two
  static constexpr bool loads_copies = true;

  static uint8x16_t turned(uint8x16_t x) { return signed_bytes(x); }
  static int32x4_t dot(int32x4_t sum, int32x4_t bytes, int32x4_t weights) {
    return vdotq_s32(sum, vreinterpretq_s8_s32(bytes), vreinterpretq_s8_s32(weights));
  }
  template <int lane>
  static int32x4_t dot_lane(int32x4_t sum, uint8x16_t sixteen, int32x4_t weights) {
    return vdotq_laneq_s32(sum, vreinterpretq_s8_s32(weights), vreinterpretq_s8_u8(sixteen), lane);
  }
  static uint8x16x2_t join(uint8x16_t ab, uint8x16_t cd) {
    const uint16x8x2_t both = vzipq_u16(vreinterpretq_u16_u8(ab), vreinterpretq_u16_u8(cd));
    return {{vreinterpretq_u8_u16(both.val[0]), vreinterpretq_u8_u16(both.val[1])}};
  }
  static void arrange(std::int8_t*, std::size_t) {}
};

}  // namespace

const Kernel neon_dot_convolution = NeonConvolution<SignedDot>::kernel();
const Kernel neon_dot_depthwise = NeonDepthwise<SignedDot>::kernel();

}  // namespace nanoedge::native
