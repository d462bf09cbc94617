// What our own kernels use of this CPU, in a build that has no ncnn to ask.
#include <cstring>

#include "nanoedge/cpu.hpp"
#include "native/kernels/choose.hpp"

namespace nanoedge {
namespace {

// A group of instructions, and the kernels that need it.
struct Group {
  const char* name;
  const char* used_for;
  const char* kernels;
};

constexpr Group kGroups[] = {
#if defined(__x86_64__)
    {"AVX2 and FMA", "fp32, int8", "avx2"},
    {"AVX-VNNI", "int8", "avx-vnni"},
    {"AVX-512", "fp32", "avx512"},
    {"AVX-512 VNNI", "int8", "avx512-vnni"},
    {"AVX-512 BF16", "bf16", "avx512-bf16"},
    {"AMX", "int8, bf16", "amx"},
#elif defined(__aarch64__)
    {"NEON", "fp32, int8", "neon"},
    {"dot product", "int8", "neon-dot"},
    {"i8mm", "int8", "neon-i8mm"},
#elif defined(__arm__)
    {"NEON with VFPv4", "fp32, int8", "neon"},
#endif
    {nullptr, nullptr, nullptr},
};

}  // namespace

std::vector<CpuFeature> cpu_features() {
  std::vector<CpuFeature> features;
  for (const Group* group = kGroups; group->name != nullptr; ++group) {
    for (const native::KernelTable& table : native::kernel_tables()) {
      if (std::strcmp(table.name, group->kernels) != 0) continue;
      features.push_back({group->name, group->used_for, table.is_usable(), true});
    }
  }
  if (native::can_compute(ComputePrecision::fp16)) {
    features.push_back({"half-precision arithmetic", "fp16", true, true});
  }
  return features;
}

}  // namespace nanoedge
