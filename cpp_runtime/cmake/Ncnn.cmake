# The library `ncnn`: an installed one where find_package finds it, else built from its pinned source with only the
# layers that these networks use, once for each compiler and set of flags, into the cache.
include(${CMAKE_CURRENT_LIST_DIR}/Sources.cmake)

set(NANOEDGE_LAYERS
    binaryop cast clip concat convolution convolutiondepthwise flatten gemm hardsigmoid hardswish innerproduct input
    interp packing padding permute pooling relu reshape sigmoid shufflechannel slice split swish)

function(nanoedge_build_ncnn)
  nanoedge_source(ncnn source)
  # Every layer that ncnn knows, off, but for those above.
  file(STRINGS ${source}/src/CMakeLists.txt lines REGEX "^ncnn_add_layer\\(")
  set(layers)
  foreach(line IN LISTS lines)
    string(REGEX REPLACE "^ncnn_add_layer\\(([A-Za-z0-9_]+).*" "\\1" layer "${line}")
    string(TOLOWER ${layer} layer)
    if(NOT layer IN_LIST NANOEDGE_LAYERS)
      list(APPEND layers -DWITH_LAYER_${layer}=OFF)
    endif()
  endforeach()
  set(mathematics)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    set(mathematics -U__FAST_MATH__)  # glibc's headers would call its libmvec, which wheels may not
  endif()
  set(flags
      -DCMAKE_BUILD_TYPE=Release
      "-DCMAKE_CXX_FLAGS_RELEASE=-DNDEBUG -fno-unwind-tables -fno-asynchronous-unwind-tables"
      -DCMAKE_POSITION_INDEPENDENT_CODE=ON
      -DCMAKE_CXX_VISIBILITY_PRESET=hidden
      "-DCMAKE_CXX_FLAGS=${CMAKE_CXX_FLAGS} ${NANOEDGE_NCNN_FLAGS} ${mathematics}"
      -DNCNN_VULKAN=OFF
      -DNCNN_BUILD_TOOLS=OFF
      -DNCNN_BUILD_EXAMPLES=OFF
      -DNCNN_BUILD_BENCHMARK=OFF
      -DNCNN_BUILD_TESTS=OFF
      -DNCNN_C_API=OFF
      -DNCNN_PIXEL=OFF
      -DNCNN_PIXEL_ROTATE=OFF
      -DNCNN_PIXEL_AFFINE=OFF
      -DNCNN_PIXEL_DRAWING=OFF
      -DNCNN_SIMPLEOCV=OFF
      -DNCNN_PLATFORM_API=OFF
      -DNCNN_DISABLE_RTTI=OFF
      -DNCNN_DISABLE_EXCEPTION=ON
      -DNCNN_WEIGHT_QUANT=OFF
      -DNCNN_AVXVNNIINT8=OFF
      -DNCNN_AVXVNNIINT16=OFF
      -DNCNN_AVXNECONVERT=OFF
      -DNCNN_AVX512FP16=OFF
      -DNCNN_XOP=OFF
      -DNCNN_FMA4=OFF
      -DNCNN_ARM82FP16FML=OFF
      -DNCNN_ARM84BF16=OFF
      -DNCNN_ARM86SVE=OFF
      ${NANOEDGE_NCNN_CPU}
      ${layers})
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
    list(APPEND flags -DNCNN_ARM84I8MM=ON)  # ncnn asks for it only where fp16fml is wanted too
  endif()
  if(CMAKE_CXX_COMPILER_ID MATCHES Clang)  # so that ncnn looks for no OpenMP; NcnnFlags.cmake leaves out its own
    list(APPEND flags -DNCNN_SIMPLEOMP=ON)
  endif()
  # The key holds what the build depends on, not where this checkout lies.
  file(SHA256 ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/NcnnFlags.cmake sizes)
  set(toolchain)
  if(CMAKE_TOOLCHAIN_FILE)
    file(SHA256 ${CMAKE_TOOLCHAIN_FILE} toolchain)
  endif()
  string(SHA256 key "${source};${flags};${sizes};${toolchain};${CMAKE_CXX_COMPILER_ID};${CMAKE_CXX_COMPILER_VERSION};${CMAKE_SYSTEM_PROCESSOR};own threads")
  string(SUBSTRING ${key} 0 16 key)
  get_filename_component(cache ${source}/../../../ncnn ABSOLUTE)
  set(place ${cache}/${key})
  if(NOT EXISTS ${place}/lib/cmake/ncnn/ncnnConfig.cmake)
    message(STATUS "building ncnn into ${place} (once; some minutes)")
    set(work ${CMAKE_BINARY_DIR}/ncnn)
    file(REMOVE_RECURSE ${work})  # a half-made or older build would keep its flags
    string(RANDOM LENGTH 8 part)  # another build folder may make the same library meanwhile
    set(part ${place}.part-${part})
    cmake_host_system_information(RESULT cores QUERY NUMBER_OF_LOGICAL_CORES)
    set(generator -G ${CMAKE_GENERATOR})
    if(CMAKE_TOOLCHAIN_FILE)
      list(APPEND generator -DCMAKE_TOOLCHAIN_FILE=${CMAKE_TOOLCHAIN_FILE})
    endif()
    if(CMAKE_MAKE_PROGRAM)
      list(APPEND generator -DCMAKE_MAKE_PROGRAM=${CMAKE_MAKE_PROGRAM})
    endif()
    execute_process(
      COMMAND ${CMAKE_COMMAND} -S ${source} -B ${work} ${generator} -DCMAKE_CXX_COMPILER=${CMAKE_CXX_COMPILER}
              -DCMAKE_C_COMPILER=${CMAKE_C_COMPILER} -DCMAKE_INSTALL_PREFIX=${part} -DCMAKE_INSTALL_LIBDIR=lib
              -DCMAKE_PROJECT_ncnn_INCLUDE=${CMAKE_CURRENT_FUNCTION_LIST_DIR}/NcnnFlags.cmake ${flags}
      OUTPUT_FILE ${CMAKE_BINARY_DIR}/ncnn-configure.log ERROR_FILE ${CMAKE_BINARY_DIR}/ncnn-configure.log
      RESULT_VARIABLE status)
    if(NOT status EQUAL 0)
      message(FATAL_ERROR "ncnn cannot be configured; see ${CMAKE_BINARY_DIR}/ncnn-configure.log")
    endif()
    execute_process(
      COMMAND ${CMAKE_COMMAND} --build ${work} --target install --parallel ${cores}
      OUTPUT_FILE ${CMAKE_BINARY_DIR}/ncnn-build.log ERROR_FILE ${CMAKE_BINARY_DIR}/ncnn-build.log
      RESULT_VARIABLE status)
    if(NOT status EQUAL 0)
      message(FATAL_ERROR "ncnn cannot be built; see ${CMAKE_BINARY_DIR}/ncnn-build.log")
    endif()
    if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)  # see src/threads/openmp.cpp
      set(names GOMP_parallel omp_get_thread_num omp_get_num_threads omp_get_max_threads omp_set_num_threads
                omp_get_dynamic omp_set_dynamic)
      list(TRANSFORM names REPLACE "(.+)" "--redefine-sym=\\1=nanoedge_\\1")
      execute_process(COMMAND ${CMAKE_OBJCOPY} ${names} ${part}/lib/libncnn.a RESULT_VARIABLE status)
      if(NOT status EQUAL 0)
        message(FATAL_ERROR "objcopy cannot rename symbols in libncnn.a")
      endif()
    endif()
    file(REMOVE_RECURSE ${work})
    file(RENAME ${part} ${place} RESULT status)
    if(NOT status EQUAL 0)
      if(NOT EXISTS ${place}/lib/cmake/ncnn/ncnnConfig.cmake)
        message(FATAL_ERROR "ncnn cannot be put into ${place}: ${status}")
      endif()
      file(REMOVE_RECURSE ${part})  # the other one was faster
    endif()
  endif()
  set(ncnn_DIR ${place}/lib/cmake/ncnn PARENT_SCOPE)
endfunction()

if(NANOEDGE_OWN_NCNN)  # an earlier run in this build folder built it: its flags may have changed since
  unset(ncnn_DIR CACHE)
else()
  find_package(ncnn CONFIG QUIET)
endif()
if(NOT ncnn_FOUND)
  nanoedge_build_ncnn()
  set(NANOEDGE_OWN_NCNN ON CACHE INTERNAL "ncnn comes from our cache")
  find_package(ncnn CONFIG REQUIRED NO_DEFAULT_PATH PATHS ${ncnn_DIR} NO_CMAKE_FIND_ROOT_PATH)
endif()
# ncnn is built without exceptions, which neither it nor what it calls throws; its users keep theirs.
set_target_properties(ncnn PROPERTIES INTERFACE_COMPILE_OPTIONS "")
set(NANOEDGE_OWN_THREADS OFF)
if(NANOEDGE_OWN_NCNN)  # its parallel loops run on our threads, not on the compiler's OpenMP
  set(NANOEDGE_OWN_THREADS ON)
  set_target_properties(ncnn PROPERTIES INTERFACE_LINK_LIBRARIES "nanoedge;Threads::Threads")
endif()
