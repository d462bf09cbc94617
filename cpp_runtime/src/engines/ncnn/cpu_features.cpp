#include <cpu.h>
#include <platform.h>

#include "nanoedge/cpu.hpp"

namespace nanoedge {

std::vector<CpuFeature> cpu_features() {
#if defined(__x86_64__)
  return {
      {"SSE2", "fp32, int8", true, true},
      {"AVX2 and FMA", "fp32, int8", ncnn::cpu_support_x86_avx2() != 0 && ncnn::cpu_support_x86_fma() != 0,
       NCNN_AVX2 != 0 && NCNN_FMA != 0},
      {"AVX-VNNI", "int8", ncnn::cpu_support_x86_avx_vnni() != 0, NCNN_AVXVNNI != 0},
      {"AVX-512", "fp32, int8", ncnn::cpu_support_x86_avx512() != 0, NCNN_AVX512 != 0},
      {"AVX-512 VNNI", "int8", ncnn::cpu_support_x86_avx512_vnni() != 0, NCNN_AVX512VNNI != 0},
      {"AVX-512 BF16", "bf16", ncnn::cpu_support_x86_avx512_bf16() != 0, NCNN_AVX512BF16 != 0},
  };
#elif defined(__aarch64__)
  return {
      {"NEON", "fp32, int8", true, true},
      {"half-precision arithmetic", "fp16", ncnn::cpu_support_arm_asimdhp() != 0, NCNN_ARM82 != 0},
      {"dot product", "int8", ncnn::cpu_support_arm_asimddp() != 0, NCNN_ARM82DOT != 0},
      {"i8mm", "int8", ncnn::cpu_support_arm_i8mm() != 0, NCNN_ARM84I8MM != 0},
  };
#elif defined(__arm__)
  return {
      {"NEON", "fp32, int8", ncnn::cpu_support_arm_neon() != 0, true},
      {"VFPv4", "fp32", ncnn::cpu_support_arm_vfpv4() != 0, NCNN_VFPV4 != 0},
  };
#else
  return {};
#endif
}

}  // namespace nanoedge
