// Kernels in vector types of the compiler (GCC, clang), compiled once for each instruction set that x86 CPUs may have,
// and chosen when the program runs. Without such an instruction set the same code works in smaller steps.
#pragma once

#include <cstring>

#if defined(__x86_64__)
#define NANOEDGE_AVX2 __attribute__((target("avx2,fma")))
#define NANOEDGE_AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")))
#endif
#define NANOEDGE_INLINE inline __attribute__((always_inline))

namespace nanoedge {

// `lanes` floats, at any address.
template <int lanes>
struct Vector;
template <>
struct Vector<4> {
  typedef float type __attribute__((vector_size(16), aligned(4), may_alias));
};
template <>
struct Vector<8> {
  typedef float type __attribute__((vector_size(32), aligned(4), may_alias));
};
template <>
struct Vector<16> {
  typedef float type __attribute__((vector_size(64), aligned(4), may_alias));
};

#if defined(__x86_64__)
template <template <int> class Kernel, class Job>
NANOEDGE_AVX512 void run_with_avx512(const Job& job) {
  Kernel<16>::run(job);
}

template <template <int> class Kernel, class Job>
NANOEDGE_AVX2 void run_with_avx2(const Job& job) {
  Kernel<8>::run(job);
}
#endif

template <template <int> class Kernel, class Job>
void run_anywhere(const Job& job) {
  Kernel<4>::run(job);
}

// Most lanes that best_variant may choose; tests lower it to run the variants of other CPUs.
inline int most_lanes = 16;

// The fastest variant of a kernel that this CPU can run; a build for one instruction set holds only that one. The
// kernel's parameter is the number of lanes that the instruction set works on at once.
template <template <int> class Kernel, class Job>
void (*best_variant())(const Job&) {
#if defined(NANOEDGE_NEEDS_AVX512)
  return run_with_avx512<Kernel, Job>;
#elif defined(NANOEDGE_NEEDS_AVX2)
  return run_with_avx2<Kernel, Job>;
#else
#if defined(__x86_64__)
  if (most_lanes >= 16 && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq")) {
    return run_with_avx512<Kernel, Job>;
  }
  if (most_lanes >= 8 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    return run_with_avx2<Kernel, Job>;
#endif
  return run_anywhere<Kernel, Job>;
#endif
}

}  // namespace nanoedge
