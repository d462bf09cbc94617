// int8 for NEON without dot products of bytes.
#include "native/kernels/int8.hpp"
#include "native/kernels/neon_pairs.hpp"
#if defined(__aarch64__)
#include "native/kernels/neon_fours.hpp"
#endif

namespace nanoedge::native {
namespace {

using D = NeonInt8<WidePairs>;
#if !defined(__aarch64__)
using Convolution = NeonConvolution<WidePairs>;  // too few registers for more
#endif

// What sixteen channels at a time do faster than the vectors of sums do.
struct Sixteens : Int8<D> {
  using Base = Int8<D>;

  static void floats_of(const std::uint8_t* from, Floats (&to)[4]) {
    const uint8x16_t bytes = vld1q_u8(from);
    const uint16x8_t low = vmovl_u8(vget_low_u8(bytes)), high = vmovl_u8(vget_high_u8(bytes));
    to[0] = vcvtq_f32_u32(vmovl_u16(vget_low_u16(low)));
    to[1] = vcvtq_f32_u32(vmovl_u16(vget_high_u16(low)));
    to[2] = vcvtq_f32_u32(vmovl_u16(vget_low_u16(high)));
    to[3] = vcvtq_f32_u32(vmovl_u16(vget_high_u16(high)));
  }

  static void add(const Step& all, int first, int end, void* scratch) {
    if (all.out.element != Element::u8 || all.room < kWidth || !is_compiled(all))
      return Base::add(all, first, end, scratch);
    const Step step = all;
    const Constants constants(step);
    const Floats factor = D::set(step.scalars[3]), factor2 = D::set(step.scalars[4]), shift = D::set(step.scalars[5]);
    for (int y = first; y < end; ++y) {
      for (int x = 0; x < step.out.width; ++x) {
        const std::uint8_t* a = step.in.u8(y, x);
        const std::uint8_t* b = step.in2.u8(y, x);
        std::uint8_t* out = step.out.u8(y, x);
        for (int c = 0; c < step.out.channels; c += kBlock) {
          Floats values[4], others[4];
          floats_of(a + c, values);
          floats_of(b + c, others);
#pragma GCC unroll 4
          for (int v = 0; v < 4; ++v) {
            const Floats other = D::multiply_add(others[v], factor2, shift);
            values[v] = activated_as<Activation::leaky_relu>(D::multiply_add(values[v], factor, other), constants);
          }
          write<4>(step, values, reinterpret_cast<char*>(out), c);
        }
      }
    }
  }

  static void upsample_bilinear(const Step& step, int first, int end, void*) {
    const int height = step.in.height, width = step.in.width;
    for_pixels(step, first, end, [&](int y, int x, std::uint8_t* out, int channels) {
      const int near_y = y / 2, far_y = y % 2 ? smaller(height - 1, near_y + 1) : larger(0, near_y - 1);
      const int near_x = x / 2, far_x = x % 2 ? smaller(width - 1, near_x + 1) : larger(0, near_x - 1);
      const std::uint8_t* const corners[] = {step.in.u8(near_y, near_x), step.in.u8(near_y, far_x),
                                             step.in.u8(far_y, near_x), step.in.u8(far_y, far_x)};
      for (int c = 0; c < channels; c += 8) {
        uint16x8_t sum = vmull_u8(vld1_u8(corners[0] + c), vdup_n_u8(9));
        sum = vmlal_u8(sum, vld1_u8(corners[1] + c), vdup_n_u8(3));
        sum = vmlal_u8(sum, vld1_u8(corners[2] + c), vdup_n_u8(3));
        const uint8x8_t sixteenth = vrshrn_n_u16(vaddw_u8(sum, vld1_u8(corners[3] + c)), 4);
        if (c + 8 <= channels) {
          vst1_u8(out + c, sixteenth);
        } else {
          memcpy(out + c, &sixteenth, static_cast<std::size_t>(channels - c));
        }
      }
    });
  }
};

constexpr Kernels all() {
  Kernels kernels = Sixteens::Base::kernels();
  const auto set = [&](Kind kind, const Kernel& kernel) { kernels.of[static_cast<int>(kind)] = kernel; };
  set(Kind::convolution, Convolution::kernel());
  set(Kind::depthwise, NeonDepthwise<WidePairs>::kernel());
  set(Kind::add, {rows_of, Sixteens::add});
  set(Kind::upsample_bilinear, {rows_of, Sixteens::upsample_bilinear});
  return kernels;
}

}  // namespace

const Kernels neon_u8 = all();

}  // namespace nanoedge::native
