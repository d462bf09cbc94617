// bfloat16 for AVX-512; compiled with -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512bf16.
#include "native/kernels/bf16.hpp"

namespace nanoedge::native {

const Kernel avx512_bf16_convolution = Bf16<PairsInVectors>::kernel();

}  // namespace nanoedge::native
