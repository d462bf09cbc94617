// How fast a kernel table multiplies at best.
#pragma once

#include "native/kernels/step.hpp"

namespace nanoedge::native {

// Multiply-adds a second: the highest rate that the table's own 1x1 convolution reaches on maps that stay in the cache,
// over some numbers of channels, each at its fastest run. About half a second.
double measured_peak(const KernelTable& kernels, Element element, int threads);

}  // namespace nanoedge::native
