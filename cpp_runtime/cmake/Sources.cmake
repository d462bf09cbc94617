# nanoedge_source(NAME VARIABLE): the folder of a pinned source, fetched when it is not there.
find_package(Python3 REQUIRED COMPONENTS Interpreter)
if(NANOEDGE_SOURCES)  # an option here, a variable of the environment there
  set(ENV{NANOEDGE_SOURCES} ${NANOEDGE_SOURCES})
endif()

function(nanoedge_source name variable)
  execute_process(
    COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/sources.py ${name}
    OUTPUT_VARIABLE folder
    ERROR_VARIABLE message
    RESULT_VARIABLE status
    OUTPUT_STRIP_TRAILING_WHITESPACE)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${message}")
  endif()
  set(${variable} ${folder} PARENT_SCOPE)
endfunction()
