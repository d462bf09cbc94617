// Which kernels run here.
#pragma once

#include <vector>

#include "nanoedge/detector.hpp"
#include "native/kernels/step.hpp"

namespace nanoedge::native {

// All that this build has, the fastest first; the last one runs everywhere.
const std::vector<KernelTable>& kernel_tables();

// The fastest that this CPU can run, or the one that the environment variable NANOEDGE_KERNELS names (for tests and
// comparisons). Throws Error (input) for an unknown name, Error (engine) for one that this CPU cannot run.
const KernelTable& choose_kernels();

// What maps of float32 are kept in.
Element floats_of(ComputePrecision compute);

// Whether those kernels can calculate float layers so. Throws what choose_kernels throws.
bool can_compute(ComputePrecision compute);

// Whether this CPU can run more than the last of them.
bool has_vector_kernels();

}  // namespace nanoedge::native
