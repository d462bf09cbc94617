// int8 for AVX-VNNI: dot products of bytes in 256 bits; compiled with -mavx2 -mavxvnni.
#include "native/kernels/int8_256bit.hpp"

namespace nanoedge::native {
namespace {

struct AvxVnni : Int8Of256Bits {
  static constexpr int tile_sums = 12;  // beside them 3 inputs and weights in 16 registers
  static constexpr int depthwise_sums = 8;
  static constexpr int depthwise_run = 0, fewest_vectors = 1;  // too few registers

  // As text: for the intrinsic, GCC 12 copies registers around.
  static Ints dot(Ints sum, Ints bytes, Ints weights) {
    __asm__("%{vex%} vpdpbusd %2, %1, %0" : "+x"(sum) : "x"(bytes), "xm"(weights));
    return sum;
  }
};

}  // namespace

const Kernels avxvnni_u8 = Int8<AvxVnni>::kernels();

}  // namespace nanoedge::native
