// int8 for AVX-512 with VNNI; compiled with -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512vnni.
#include "native/kernels/avx512vnni.hpp"

namespace nanoedge::native {

const Kernels avx512vnni_u8 = Int8<Avx512Vnni>::kernels();

}  // namespace nanoedge::native
