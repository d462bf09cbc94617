# Targets nanoedge_jpeg (TurboJPEG API) and nanoedge_png (libspng).
nanoedge_source(libjpeg-turbo jpeg_source)
nanoedge_source(libspng png_source)

# Built from a copy without what no executable asks for: to read pictures smaller than they are, or with a palette, to
# write lossless and progressive ones, less exact ways to calculate; and with a loop over a block's coefficients that was
# written out 63 times. Every file is read and written as before.
set(jpeg_build ${CMAKE_BINARY_DIR}/jpeg)
set(jpeg_copy ${jpeg_build}/source)
if(NOT EXISTS ${jpeg_build}/libturbojpeg.a)
  message(STATUS "building libjpeg-turbo into ${jpeg_build} (once)")
  file(REMOVE_RECURSE ${jpeg_build})
  file(COPY ${jpeg_source}/ DESTINATION ${jpeg_copy} PATTERN java EXCLUDE PATTERN testimages EXCLUDE)
  file(READ ${jpeg_copy}/src/jmorecfg.h abilities)
  foreach(ability IDCT_SCALING QUANT_1PASS QUANT_2PASS DCT_IFAST DCT_FLOAT INPUT_SMOOTHING
          C_PROGRESSIVE C_LOSSLESS ENTROPY_OPT)
    string(REPLACE "#define ${ability}_SUPPORTED" "#undef ${ability}_SUPPORTED" abilities "${abilities}")
  endforeach()
  file(WRITE ${jpeg_copy}/src/jmorecfg.h "${abilities}")
  file(READ ${jpeg_copy}/src/jchuff.c encoder)
  string(REGEX REPLACE "(kloop\\([0-9]+\\);[ \n]+)+" "for (int k = 1; k < DCTSIZE2; k++) kloop(jpeg_natural_order[k]);\n" encoder "${encoder}")
  file(WRITE ${jpeg_copy}/src/jchuff.c "${encoder}")
  set(jpeg_optimization -O2)
  if(NOT NANOEDGE_NCNN)  # who leaves ncnn out wants a small executable
    set(jpeg_optimization -Os)
  endif()
  set(flags -DCMAKE_BUILD_TYPE=Release -DENABLE_SHARED=OFF -DENABLE_STATIC=ON -DWITH_TOOLS=OFF -DWITH_TESTS=OFF
      -DWITH_SIMD=OFF -DWITH_ARITH_ENC=OFF "-DCMAKE_C_FLAGS_RELEASE=${jpeg_optimization} -DNDEBUG" -DCMAKE_POSITION_INDEPENDENT_CODE=ON -DCMAKE_C_COMPILER=${CMAKE_C_COMPILER}
      "-DCMAKE_C_FLAGS=${CMAKE_C_FLAGS} -DNO_GETENV -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables -fno-unwind-tables")
  cmake_host_system_information(RESULT cores QUERY NUMBER_OF_LOGICAL_CORES)
  if(CMAKE_TOOLCHAIN_FILE)
    list(APPEND flags -DCMAKE_TOOLCHAIN_FILE=${CMAKE_TOOLCHAIN_FILE})
  endif()
  execute_process(
    COMMAND ${CMAKE_COMMAND} -S ${jpeg_copy} -B ${jpeg_build} -G ${CMAKE_GENERATOR} ${flags}
    OUTPUT_FILE ${CMAKE_BINARY_DIR}/libjpeg-turbo.log ERROR_FILE ${CMAKE_BINARY_DIR}/libjpeg-turbo.log
    RESULT_VARIABLE status)
  if(status EQUAL 0)
    execute_process(
      COMMAND ${CMAKE_COMMAND} --build ${jpeg_build} --target turbojpeg-static --parallel ${cores}
      OUTPUT_FILE ${CMAKE_BINARY_DIR}/libjpeg-turbo-build.log ERROR_FILE ${CMAKE_BINARY_DIR}/libjpeg-turbo-build.log
      RESULT_VARIABLE status)
  endif()
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "libjpeg-turbo cannot be built; see ${CMAKE_BINARY_DIR}/libjpeg-turbo*.log")
  endif()
endif()
add_library(nanoedge_jpeg INTERFACE)
target_include_directories(nanoedge_jpeg SYSTEM INTERFACE ${jpeg_copy}/src ${jpeg_build})
target_link_libraries(nanoedge_jpeg INTERFACE ${jpeg_build}/libturbojpeg.a)

file(GLOB zlib_files ${png_source}/zlib-*/*.c)
list(FILTER zlib_files EXCLUDE REGEX "gz[a-z]*\\.c$")
list(GET zlib_files 0 zlib_first)
get_filename_component(zlib_folder ${zlib_first} DIRECTORY)
file(GLOB spng_files ${png_source}/libspng-*/spng/spng.c)
get_filename_component(spng_folder ${spng_files} DIRECTORY)
add_library(nanoedge_png STATIC ${zlib_files} ${spng_files})
target_include_directories(nanoedge_png SYSTEM PUBLIC ${zlib_folder} ${spng_folder})
target_compile_definitions(nanoedge_png PUBLIC SPNG_STATIC PRIVATE Z_HAVE_UNISTD_H)
target_compile_definitions(nanoedge_png PRIVATE NOBYFOUR)  # one table for checksums, not eight
target_compile_options(nanoedge_png PRIVATE -w -Os -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables -fno-unwind-tables)
