# The C++ Actor Framework. Debian ships 0.17 without a CMake package; 0.18 and later bring their own, with
# another API, so this module refuses everything but 0.17.
#
# Defines CAF::core.
find_path(CAF_INCLUDE_DIR caf/actor_system.hpp)
find_library(CAF_CORE_LIBRARY caf_core)
mark_as_advanced(CAF_INCLUDE_DIR CAF_CORE_LIBRARY)

if(CAF_INCLUDE_DIR)
  # One number there: 1706 is 0.17.6.
  file(STRINGS ${CAF_INCLUDE_DIR}/caf/config.hpp caf_line REGEX "^#define CAF_VERSION [0-9]+")
  string(REGEX MATCH "[0-9]+" caf_number "${caf_line}")
  if(caf_number)
    math(EXPR caf_major "${caf_number} / 10000")
    math(EXPR caf_minor "${caf_number} / 100 % 100")
    math(EXPR caf_patch "${caf_number} % 100")
    set(CAF_VERSION ${caf_major}.${caf_minor}.${caf_patch})
  endif()
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(CAF
  REQUIRED_VARS CAF_CORE_LIBRARY CAF_INCLUDE_DIR
  VERSION_VAR CAF_VERSION)
if(CAF_FOUND AND NOT CAF_VERSION MATCHES "^0\\.17\\.")
  set(CAF_FOUND FALSE)
  message(WARNING "CAF ${CAF_VERSION} was found, but Holdfast is written for CAF 0.17")
endif()

if(CAF_FOUND AND NOT TARGET CAF::core)
  find_package(Threads REQUIRED)
  add_library(CAF::core UNKNOWN IMPORTED GLOBAL)
  set_target_properties(CAF::core PROPERTIES
    IMPORTED_LOCATION ${CAF_CORE_LIBRARY}
    INTERFACE_INCLUDE_DIRECTORIES ${CAF_INCLUDE_DIR}
    INTERFACE_LINK_LIBRARIES Threads::Threads
    # CAF 0.17 binds a reference through an empty shared_ptr when it spawns a function without arguments
    # (detail/init_fun_factory.hpp). It reads nothing through it, but the library's assertions and the
    # undefined-behaviour sanitizer stop the program there. The address sanitizer still sees every real
    # access through null.
    INTERFACE_COMPILE_OPTIONS "-U_GLIBCXX_ASSERTIONS;$<$<STREQUAL:${HOLDFAST_SANITIZE},address>:-fno-sanitize=null>")
endif()
