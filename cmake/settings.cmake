# Compiler settings and outside packages, for every target.

option(MEMPROF_WARNINGS_AS_ERRORS "Fail on any warning" OFF)
option(MEMPROF_BUILD_BENCH "Build tests/bench" OFF)
option(MEMPROF_BUILD_FUZZ "Build tests/fuzz (clang only)" OFF)
set(MEMPROF_SANITIZE "" CACHE STRING "Value for -fsanitize=, empty for none")

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

add_library(memprof_settings INTERFACE)
target_compile_options(memprof_settings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wold-style-cast
  -Wnon-virtual-dtor -Woverloaded-virtual -Wimplicit-fallthrough -fno-omit-frame-pointer)
if(MEMPROF_WARNINGS_AS_ERRORS)
  target_compile_options(memprof_settings INTERFACE -Werror)
endif()
if(MEMPROF_SANITIZE)
  # -O1 with sanitizers takes g++ four times as long on Beast's headers as -O0 does.
  target_compile_options(memprof_settings INTERFACE
    -fsanitize=${MEMPROF_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(memprof_settings INTERFACE -fsanitize=${MEMPROF_SANITIZE})
  target_compile_definitions(memprof_settings INTERFACE MEMPROF_SANITIZED)
  if(MEMPROF_SANITIZE MATCHES "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(memprof_settings INTERFACE -Wno-tsan)
  endif()
endif()
include(${CMAKE_CURRENT_LIST_DIR}/hardening.cmake)

find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED CONFIG COMPONENTS json program_options url)
find_package(OpenSSL 3.0 REQUIRED)
find_package(fmt 9 REQUIRED)
find_package(GTest REQUIRED)
find_package(Python3 REQUIRED COMPONENTS Interpreter)
if(MEMPROF_BUILD_BENCH)
  find_package(benchmark REQUIRED)
endif()
