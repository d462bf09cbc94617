// bfloat16 for AVX-512; compiled with -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512bf16.
#include "native/kernels/bf16.hpp"

namespace nanoedge::native {

const Kernels bf16_maps = F32<Avx512, Bf16Maps>::kernels();
const Kernel bf16_first_convolution = F32Convolution<Avx512, Bf16First>::kernel();
const Kernel avx512_bf16_convolution = Bf16<PairsInVectors>::kernel();

}  // namespace nanoedge::native
