// AVX-512 (F, BW, DQ, VL); compiled with -mavx512f -mavx512bw -mavx512dq -mavx512vl.
#include "native/kernels/avx512.hpp"

namespace nanoedge::native {

const Kernels avx512_f32 = F32<Avx512>::kernels();

}  // namespace nanoedge::native
