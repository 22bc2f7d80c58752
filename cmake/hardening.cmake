# What a release build brings against memory errors; tests/integration/test_hardening.py looks for it
# in the binaries. Sanitizers see more than all of it, and ASan clashes with _FORTIFY_SOURCE.

# Index out of range, empty optional: abort instead of undefined behaviour. Also where it is fuzzed.
target_compile_definitions(memprof_settings INTERFACE _GLIBCXX_ASSERTIONS)

if(NOT MEMPROF_SANITIZE)
  target_compile_options(memprof_settings INTERFACE -fstack-protector-strong
    -fstack-clash-protection
    # Without optimization _FORTIFY_SOURCE does nothing but warn; distributions predefine another.
    $<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE>
    $<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=3>)
  target_link_options(memprof_settings INTERFACE -Wl,-z,relro,-z,now,-z,noexecstack)
endif()

# CMAKE_POSITION_INDEPENDENT_CODE alone compiles for PIE, and links without it.
include(CheckPIESupported)
check_pie_supported(LANGUAGES CXX)
