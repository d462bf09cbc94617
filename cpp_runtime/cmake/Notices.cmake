# nanoedge_notices(module|executables FOLDER): the notices and the bill of materials of what others made.
function(nanoedge_notices kind folder)
  set(parts)
  if(NANOEDGE_STATIC AND kind STREQUAL executables)
    list(APPEND parts --c --cxx --architecture "${NANOEDGE_DEBIAN_ARCHITECTURE}")
  endif()
  if(NOT NANOEDGE_NCNN)
    list(APPEND parts --without-ncnn)
  endif()
  execute_process(
    COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/notices.py ${kind} ${folder}
            --version ${PROJECT_VERSION} ${parts}
    ERROR_VARIABLE message RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${message}")
  endif()
endfunction()
