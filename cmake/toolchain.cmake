# How everything is compiled and linked: build types, warnings, hardening, sanitizers, ccache, lld.
include(CheckCXXCompilerFlag)
include(CheckLinkerFlag)
include(CheckPIESupported)
check_pie_supported(LANGUAGES CXX)

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Debug or Release" FORCE)
endif()

# Line tables in release builds too: a broken invariant in production has to be read from its stack. Instrumented code is compiled
# in two thirds of the time with -Og, which inlines less than -O1; it runs slower.
if(HOLDFAST_SANITIZE STREQUAL "none")
  set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1 -DNDEBUG")
else()
  set(CMAKE_CXX_FLAGS_RELEASE "-Og -g1")
endif()
add_compile_options(-fno-omit-frame-pointer)

# Warnings are errors for our code only: every target of ours links this one PRIVATE.
add_library(holdfast_warnings INTERFACE)
target_compile_options(holdfast_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Werror)
# Instrumentation blinds GCC's flow analysis, which then warns about the standard library's own lines.
if(NOT HOLDFAST_SANITIZE STREQUAL "none" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(holdfast_warnings INTERFACE -Wno-error=maybe-uninitialized -Wno-tsan)
endif()

# holdfast_compile_together(TARGET): eight files at a time are compiled as one, but in the build for the debugger, where a change is built soonest.
#
# A file that includes CLI11, CAF or Asio takes 10 to 20 seconds, instrumented 20 to 30, nearly all of it for their inline functions; eight together
# take little more, and their functions can be inlined in one another. Names in anonymous namespaces must then differ within the target. GCC's warnings about
# what it instruments are left to the other builds.
function(holdfast_compile_together target)
  if(NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON)
    if(NOT HOLDFAST_SANITIZE STREQUAL "none")
      target_compile_options(${target} PRIVATE -w)
    elseif(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
      # Taken for a header, a file's own anonymous namespace looks like every includer's.
      target_compile_options(${target} PRIVATE -Wno-subobject-linkage)
    endif()
  endif()
endfunction()

if(HOLDFAST_SANITIZE STREQUAL "address")
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all)
  add_link_options(-fsanitize=address,undefined)
elseif(HOLDFAST_SANITIZE STREQUAL "thread")
  add_compile_options(-fsanitize=thread)
  add_link_options(-fsanitize=thread)
elseif(HOLDFAST_SANITIZE STREQUAL "fuzz")
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "HOLDFAST_SANITIZE is fuzz: libFuzzer comes with Clang alone; use cmake --preset fuzz")
  endif()
  # Everything tells the fuzzer where it went; only the targets in tests/fuzz are linked with its main().
  add_compile_options(-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all)
  add_link_options(-fsanitize=address,undefined)
elseif(NOT HOLDFAST_SANITIZE STREQUAL "none")
  message(FATAL_ERROR "HOLDFAST_SANITIZE is '${HOLDFAST_SANITIZE}'; it must be none, address, thread or fuzz")
endif()

# Only the preset `planted`: scripts/planted-bugs then chooses one defect at run time.
if(HOLDFAST_PLANTED_BUGS)
  add_compile_definitions(HOLDFAST_PLANTED_BUGS)
endif()

# The standard library's own preconditions stay on in production, like our checks.
add_compile_definitions(_GLIBCXX_ASSERTIONS)
if(HOLDFAST_SANITIZE STREQUAL "none")
  add_compile_options(-fstack-protector-strong)
  # Fortified libc calls need optimisation; a sanitizer intercepts the same calls itself.
  add_compile_options($<$<CONFIG:Release>:-U_FORTIFY_SOURCE> $<$<CONFIG:Release>:-D_FORTIFY_SOURCE=2>)
  foreach(flag IN ITEMS -fstack-clash-protection -fcf-protection)
    string(MAKE_C_IDENTIFIER "HOLDFAST_HAS${flag}" has)
    check_cxx_compiler_flag(${flag} ${has})
    if(${has})
      add_compile_options(${flag})
    endif()
  endforeach()
endif()
add_link_options(-Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack)

find_program(HOLDFAST_CCACHE ccache)
mark_as_advanced(HOLDFAST_CCACHE)
if(HOLDFAST_CCACHE AND NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
  # Paths below the source count as relative, so that a clone elsewhere is served by the same cache.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${HOLDFAST_CCACHE})
endif()

find_program(HOLDFAST_LLD ld.lld)
mark_as_advanced(HOLDFAST_LLD)
if(HOLDFAST_LLD)
  check_linker_flag(CXX -fuse-ld=lld HOLDFAST_LLD_WORKS)
  if(HOLDFAST_LLD_WORKS)
    add_link_options(-fuse-ld=lld)
  endif()
endif()
