# nanoedge_notices(module|executables FOLDER): the notices and the bill of materials of what others made.
function(nanoedge_notices kind folder)
  set(languages)
  if(NANOEDGE_STATIC AND kind STREQUAL executables)
    set(languages --c --cxx --architecture "${NANOEDGE_DEBIAN_ARCHITECTURE}")
  endif()
  execute_process(
    COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/notices.py ${kind} ${folder}
            --version ${PROJECT_VERSION} ${languages}
    ERROR_VARIABLE message RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${message}")
  endif()
endfunction()
