// What NanoEdge finds and uses of this CPU.
#pragma once

#include <vector>

namespace nanoedge {

// A group of instructions that has kernels of its own.
struct CpuFeature {
  const char* name;      // as its makers call it: "AVX2", "dot product"
  const char* used_for;  // "fp32", "fp16", "bf16", "int8": the computations that it speeds up
  bool found;            // this CPU has it
  bool built;            // this build has kernels for it; used where it is found too
};

// Those of this kind of CPU, the oldest first.
std::vector<CpuFeature> cpu_features();

}  // namespace nanoedge
