# nanoedge_components(module|executables FOLDER): the notices and the bill of materials of what others made.
function(nanoedge_components kind folder)
  set(static)
  if(NANOEDGE_STATIC)
    set(static --static)
  endif()
  execute_process(
    COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/components.py ${kind} ${folder}
            --version ${PROJECT_VERSION} ${static}
    ERROR_VARIABLE message RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${message}")
  endif()
endfunction()
