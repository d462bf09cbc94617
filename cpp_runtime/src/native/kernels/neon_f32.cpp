// float32 for NEON.
#include "native/kernels/f32.hpp"
#include "native/kernels/neon.hpp"

namespace nanoedge::native {

const Kernels neon_f32 = F32<Neon>::kernels();

}  // namespace nanoedge::native
