# Included by ncnn's own project(): flags of single sources.
#
# ncnn asks for -Ofast everywhere. Most of its layers are written by hand with intrinsics and are as fast, and a quarter
# smaller, with -O2; those that rely on the compiler's vectorizer keep -Ofast. (-Os is no choice: it leaves out
# vzeroupper, and each SSE instruction after AVX code would wait.)
#
# What finds out about the CPU runs when the program starts. In a build for one instruction set it must not use that set
# yet: NanoEdge refuses other CPUs with a sentence.
# ncnn's own runtime for clang's OpenMP pragmas is left out: src/threads/openmp.cpp is ours.
function(nanoedge_flags_of_sources)
  get_target_property(sources ncnn SOURCES)
  list(FILTER sources EXCLUDE REGEX "simpleomp\\.cpp$")
  set_target_properties(ncnn PROPERTIES SOURCES "${sources}")
  set(small ${sources})
  list(FILTER small INCLUDE REGEX "/(convolution|gemm|binaryop|innerproduct|permute|packing|padding|interp|cast)_")
  set_property(SOURCE ${small} TARGET_DIRECTORY ncnn APPEND PROPERTY COMPILE_OPTIONS -O2)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    get_target_property(folder ncnn SOURCE_DIR)
    set_property(SOURCE ${folder}/cpu.cpp TARGET_DIRECTORY ncnn APPEND PROPERTY COMPILE_OPTIONS -mno-avx)
  endif()
endfunction()
cmake_language(DEFER DIRECTORY ${CMAKE_SOURCE_DIR} CALL nanoedge_flags_of_sources)
