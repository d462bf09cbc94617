# NANOEDGE_CPU: which instruction sets ncnn is built for.
#   all         every one that ncnn has kernels for; chosen at run time (wheels, distributed builds)
#   baseline    what every CPU of the architecture has: SSE2, or NEON
#   x86-64-v3   AVX2, FMA, F16C
#   x86-64-v4   AVX-512 (F, BW, CD, DQ, VL) and VNNI
#   native      the best of those that this machine has
set(known all baseline x86-64-v3 x86-64-v4 native)
if(NOT NANOEDGE_CPU IN_LIST known)
  message(FATAL_ERROR "NANOEDGE_CPU is one of ${known}, not ${NANOEDGE_CPU}.")
endif()
set(cpu ${NANOEDGE_CPU})
if(cpu STREQUAL native)
  set(cpu baseline)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64" AND EXISTS /proc/cpuinfo)
    file(STRINGS /proc/cpuinfo features REGEX "^flags" LIMIT_COUNT 1)
    if(features MATCHES "avx512vl" AND features MATCHES "avx512_vnni")
      set(cpu x86-64-v4)
    elseif(features MATCHES "avx2" AND features MATCHES "fma")
      set(cpu x86-64-v3)
    endif()
  endif()
  message(STATUS "this machine's instruction set: ${cpu}")
endif()

set(no_avx -DNCNN_AVX=OFF -DNCNN_FMA=OFF -DNCNN_F16C=OFF -DNCNN_AVX2=OFF -DNCNN_AVXVNNI=OFF -DNCNN_AVX512=OFF
    -DNCNN_AVX512VNNI=OFF -DNCNN_AVX512BF16=OFF)
set(no_avx512 -DNCNN_AVXVNNI=OFF -DNCNN_AVX512=OFF -DNCNN_AVX512VNNI=OFF -DNCNN_AVX512BF16=OFF)
set(NANOEDGE_CPU_DEFINITIONS)
if(cpu STREQUAL all)
  set(NANOEDGE_NCNN_CPU -DNCNN_RUNTIME_CPU=ON)
elseif(cpu STREQUAL baseline)
  set(NANOEDGE_NCNN_CPU -DNCNN_RUNTIME_CPU=OFF ${no_avx})
elseif(cpu STREQUAL x86-64-v3)
  set(NANOEDGE_NCNN_CPU -DNCNN_RUNTIME_CPU=OFF ${no_avx512})
  set(NANOEDGE_CPU_DEFINITIONS NANOEDGE_NEEDS_AVX2)
else()
  set(NANOEDGE_NCNN_CPU -DNCNN_RUNTIME_CPU=OFF -DNCNN_AVXVNNI=OFF -DNCNN_AVX512BF16=OFF)
  set(NANOEDGE_CPU_DEFINITIONS NANOEDGE_NEEDS_AVX512)
endif()
if(NANOEDGE_SANITIZE)  # every variant of our kernels, so that the tests can run each
  set(NANOEDGE_CPU_DEFINITIONS)
endif()
