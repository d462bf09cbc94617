#include "native/kernels/choose.hpp"

#include <algorithm>
#include <cstdlib>
#include <string>

#include "nanoedge/error.hpp"

namespace nanoedge::native {

namespace {

#if defined(__x86_64__)
bool has_avx2() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}
bool has_avx_vnni() {
  return has_avx2() && __builtin_cpu_supports("avxvnni");
}
bool has_avx512() {
  return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}
bool has_avx512_vnni() {
  return has_avx512() && __builtin_cpu_supports("avx512vnni");
}
#endif

bool is_everywhere() {
  return true;
}

}  // namespace

const std::vector<KernelTable>& kernel_tables() {
  static const std::vector<KernelTable> tables = {
#if defined(__x86_64__)
      {"avx512-vnni", has_avx512_vnni, &avx512_f32, &avx512vnni_u8},
      {"avx512", has_avx512, &avx512_f32, &avx2_u8},
      {"avx-vnni", has_avx_vnni, &avx2_f32, &avxvnni_u8},
      {"avx2", has_avx2, &avx2_f32, &avx2_u8},
#endif
      {"scalar", is_everywhere, &scalar_f32, &scalar_u8},
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

}  // namespace nanoedge::native
