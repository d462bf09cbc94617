# `cmake --install`: the library, with ncnn beside it where that is in, headers, the package for find_package(nanoedge).
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(TARGETS nanoedge ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
if(NANOEDGE_NCNN)
  foreach(kind LOCATION_RELEASE LOCATION LOCATION_NOCONFIG)
    get_target_property(ncnn_archive ncnn IMPORTED_${kind})
    if(ncnn_archive)
      break()
    endif()
  endforeach()
  install(FILES ${ncnn_archive} DESTINATION ${CMAKE_INSTALL_LIBDIR} RENAME libnanoedge_ncnn.a)
endif()
install(DIRECTORY include/nanoedge DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
configure_package_config_file(
  cmake/nanoedgeConfig.cmake.in ${CMAKE_BINARY_DIR}/nanoedgeConfig.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/nanoedge
  PATH_VARS CMAKE_INSTALL_LIBDIR CMAKE_INSTALL_INCLUDEDIR)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/nanoedgeConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/nanoedgeConfig.cmake ${CMAKE_BINARY_DIR}/nanoedgeConfigVersion.cmake
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/nanoedge)
if(NANOEDGE_APPS)
  install(TARGETS nanoedge-detect nanoedge-bench DESTINATION ${CMAKE_INSTALL_BINDIR})
  nanoedge_notices(executables ${CMAKE_BINARY_DIR}/notices)
  install(FILES ${CMAKE_CURRENT_SOURCE_DIR}/../LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/nanoedge)
  install(DIRECTORY ${CMAKE_BINARY_DIR}/notices/ DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/nanoedge)
endif()
