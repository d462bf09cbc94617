#include "native/kernels/choose.hpp"

#include <algorithm>
#include <cstdlib>
#include <string>

#if defined(__x86_64__)
#include <cpuid.h>
#endif
#if defined(__linux__)
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include "nanoedge/error.hpp"

namespace nanoedge::native {

namespace {

#if defined(__x86_64__)
bool has_avx2() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}
bool has_avx_vnni() {
  unsigned a = 0, b = 0, c = 0, d = 0;  // older compilers have no name for it
  constexpr unsigned kAvxVnni = 1U << 4;
  return has_avx2() && __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0 && (a & kAvxVnni) != 0;
}
bool has_avx512() {
  return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}
bool has_avx512_vnni() {
  return has_avx512() && __builtin_cpu_supports("avx512vnni");
}
bool has_avx512_bf16() {
  return has_avx512_vnni() && __builtin_cpu_supports("avx512bf16");
}

// Tiles are a large state: the system keeps it for a process that asks.
bool may_use_tiles() {
#if defined(__linux__)
  constexpr long kAskForState = 0x1023, kTileData = 18;
  return syscall(SYS_arch_prctl, kAskForState, kTileData) == 0;
#else
  return false;
#endif
}

bool has_amx() {
  static const bool found = [] {
    unsigned a = 0, b = 0, c = 0, d = 0;
    if (!has_avx512_bf16() || __get_cpuid_count(7, 0, &a, &b, &c, &d) == 0) return false;
    constexpr unsigned kBf16 = 1U << 22, kTile = 1U << 24, kInt8 = 1U << 25, kAll = kBf16 | kTile | kInt8;
    return (d & kAll) == kAll && may_use_tiles();
  }();
  return found;
}
#elif defined(__aarch64__) || defined(__arm__)
// What Linux says of the CPU. By number: headers of older systems lack some of the names.
unsigned long features(unsigned long kind) {
#if defined(__linux__)
  return getauxval(kind);
#else
  return static_cast<void>(kind), 0;
#endif
}
constexpr unsigned long kFeatures = 16;  // AT_HWCAP
#if defined(__aarch64__)
constexpr unsigned long kMoreFeatures = 26;  // AT_HWCAP2
// With arithmetic in half precision, which every CPU with dot products has.
bool has_dot_product() {
  constexpr unsigned long kHalf = 1UL << 10, kDot = 1UL << 20;
  return (features(kFeatures) & (kHalf | kDot)) == (kHalf | kDot);
}
bool has_i8mm() {
  return has_dot_product() && (features(kMoreFeatures) & 1UL << 13) != 0;
}
#else
bool has_neon() {
  constexpr unsigned long kNeon = 1UL << 12, kFused = 1UL << 16;  // multiply-adds that round once: VFPv4
  return (features(kFeatures) & (kNeon | kFused)) == (kNeon | kFused);
}
#endif
#endif

#if defined(__x86_64__)
constexpr HalfKernels kVectorsOfBf16 = {&bf16_maps, &avx512_bf16_convolution, &bf16_first_convolution,
                                        &avx512_bf16_convolution};
constexpr HalfKernels kTilesOfBf16 = {&bf16_maps, &amx_bf16_convolution, &bf16_first_convolution,
                                      &amx_bf16_convolution};
#elif defined(__aarch64__)
constexpr HalfKernels kHalves = {&neon_f16, &neon_f16_convolution, &neon_f16_first_convolution,
                                 &neon_f16_last_convolution};
#endif

bool is_everywhere() {
  return true;
}

}  // namespace

const std::vector<KernelTable>& kernel_tables() {
  static const std::vector<KernelTable> tables = {
#if defined(__x86_64__)
      {"amx", has_amx, &avx512_f32, &avx512vnni_u8, &amx_u8_convolution, &kTilesOfBf16},
      {"avx512-bf16", has_avx512_bf16, &avx512_f32, &avx512vnni_u8, nullptr, &kVectorsOfBf16},
      {"avx512-vnni", has_avx512_vnni, &avx512_f32, &avx512vnni_u8},
      {"avx512", has_avx512, &avx512_f32, &avx2_u8},
      {"avx-vnni", has_avx_vnni, &avx2_f32, &avxvnni_u8},
      {"avx2", has_avx2, &avx2_f32, &avx2_u8},
#elif defined(__aarch64__)
      {"neon-i8mm", has_i8mm, &neon_f32, &neon_u8, &neon_i8mm_convolution, nullptr, &neon_dot_depthwise, &kHalves},
      {"neon-dot", has_dot_product, &neon_f32, &neon_u8, &neon_dot_convolution, nullptr, &neon_dot_depthwise, &kHalves},
      {"neon", is_everywhere, &neon_f32, &neon_u8},
#elif defined(__arm__)
      {"neon", has_neon, &neon_f32, &neon_u8},
#endif
#if !defined(NANOEDGE_WITHOUT_SCALAR)
      {"scalar", is_everywhere, &scalar_f32, &scalar_u8},
#endif
  };
  return tables;
}

bool has_vector_kernels() {
  const std::vector<KernelTable>& tables = kernel_tables();
  return std::any_of(tables.begin(), tables.end() - 1, [](const KernelTable& table) { return table.is_usable(); });
}

const KernelTable& choose_kernels() {
  const char* wanted = std::getenv("NANOEDGE_KERNELS");
  if (wanted == nullptr || *wanted == '\0') {
    for (const KernelTable& table : kernel_tables()) {
      if (table.is_usable()) return table;
    }
  }
  std::string known;
  for (const KernelTable& table : kernel_tables()) {
    if (wanted == nullptr || std::string(wanted) != table.name) {
      known += (known.empty() ? "" : ", ") + std::string(table.name);
      continue;
    }
    if (!table.is_usable()) {
      throw Error(ErrorKind::engine, std::string("NANOEDGE_KERNELS asks for ") + wanted + ", which this CPU lacks.");
    }
    return table;
  }
  throw Error(ErrorKind::input, std::string("NANOEDGE_KERNELS is '") + wanted + "'; known: " + known + ".");
}

Element floats_of(ComputePrecision compute) {
  return compute == ComputePrecision::bf16   ? Element::bf16
         : compute == ComputePrecision::fp16 ? Element::f16
                                             : Element::f32;
}

bool can_compute(ComputePrecision compute) {
  return compute == ComputePrecision::fp32 || choose_kernels().half(floats_of(compute)) != nullptr;
}

}  // namespace nanoedge::native
