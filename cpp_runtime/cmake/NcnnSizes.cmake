# Included by ncnn's own project(): ncnn asks for -Ofast everywhere. Most of its layers are written by hand with
# intrinsics and are as fast, and a quarter smaller, with -O2; those that rely on the compiler's vectorizer keep -Ofast.
# (-Os is no choice: it leaves out vzeroupper, and each SSE instruction after AVX code would wait.)
function(nanoedge_small_layers)
  get_target_property(sources ncnn SOURCES)
  list(FILTER sources INCLUDE REGEX "/(convolution|gemm|binaryop|innerproduct|permute|packing|padding|interp|cast)_")
  set_property(SOURCE ${sources} TARGET_DIRECTORY ncnn APPEND PROPERTY COMPILE_OPTIONS -O2)
endfunction()
cmake_language(DEFER DIRECTORY ${CMAKE_SOURCE_DIR} CALL nanoedge_small_layers)
