# The kinds of target there are. A room's headers are seen as "room/file.hpp" by those that link it
# and by nobody else: each room has an include root of its own that holds only itself.

# memprof_add_room(NAME SOURCES file... LINKS target...)
function(memprof_add_room name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS" ${ARGN})
  set(root ${CMAKE_BINARY_DIR}/rooms/${name})
  file(MAKE_DIRECTORY ${root})
  file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR} ${root}/${name} SYMBOLIC)
  add_library(memprof_${name} STATIC ${ARG_SOURCES})
  target_include_directories(memprof_${name} PUBLIC ${root})
  target_link_libraries(memprof_${name} PUBLIC ${ARG_LINKS} PRIVATE memprof_settings)
  add_library(memprof::${name} ALIAS memprof_${name})
endfunction()

# memprof_add_tool(NAME SOURCES file... LINKS target...)  -> build/<preset>/bin/NAME
function(memprof_add_tool name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE memprof::cli ${ARG_LINKS} memprof_settings)
endfunction()

# memprof_add_unit_test(ROOM SOURCES file... LINKS target...)
function(memprof_add_unit_test room)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS" ${ARGN})
  add_executable(unit_${room} ${ARG_SOURCES})
  target_link_libraries(unit_${room} PRIVATE ${ARG_LINKS} GTest::gtest_main memprof_settings)
  target_compile_definitions(unit_${room} PRIVATE
    MEMPROF_TEST_DATA="${CMAKE_SOURCE_DIR}/tests/data")
  add_test(NAME unit_${room} COMMAND unit_${room})
  set_tests_properties(unit_${room} PROPERTIES LABELS unit)
endfunction()

# memprof_add_python_test(FILE [LABELS label...])  name: its path without test_ and .py
function(memprof_add_python_test file)
  cmake_parse_arguments(ARG "" "" "LABELS" ${ARGN})
  get_filename_component(stem ${file} NAME_WE)
  get_filename_component(folder ${CMAKE_CURRENT_SOURCE_DIR} NAME)
  string(REGEX REPLACE "^test_" "" stem ${stem})
  add_test(NAME ${folder}_${stem}
    COMMAND Python3::Interpreter -m unittest -q ${CMAKE_CURRENT_SOURCE_DIR}/${file}
    WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
  set_tests_properties(${folder}_${stem} PROPERTIES
    LABELS "${folder};${ARG_LABELS}"
    ENVIRONMENT "MEMPROF_BIN_DIR=${CMAKE_BINARY_DIR}/bin;PYTHONPATH=${CMAKE_SOURCE_DIR}/tests;PYTHONDONTWRITEBYTECODE=1;TSAN_OPTIONS=atexit_sleep_ms=0")
endfunction()
