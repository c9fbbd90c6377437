# holdfast_room(ROOM [PUBLIC lib...] [PRIVATE lib...])
#
# Makes the library holdfast_<room>, alias holdfast::<room>, of all *.cpp in the calling folder; new files are
# noticed by the next build. PUBLIC are the libraries whose headers appear in the room's own headers. A room
# of headers alone becomes an INTERFACE library with the same name, so that its users need not know.
function(holdfast_room room)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "PUBLIC;PRIVATE")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "holdfast_room(${room}): unknown arguments ${arg_UNPARSED_ARGUMENTS}")
  endif()
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  if(sources)
    add_library(holdfast_${room} STATIC ${sources})
    target_link_libraries(holdfast_${room} PUBLIC ${arg_PUBLIC} PRIVATE ${arg_PRIVATE} holdfast_warnings)
    holdfast_compile_together(holdfast_${room})
    set(scope PUBLIC)
  else()
    add_library(holdfast_${room} INTERFACE)
    target_link_libraries(holdfast_${room} INTERFACE ${arg_PUBLIC})
    set(scope INTERFACE)
  endif()
  # Includes are written from the root of the repository: #include "core/types.hpp".
  target_include_directories(holdfast_${room} ${scope} ${CMAKE_SOURCE_DIR})
  add_library(holdfast::${room} ALIAS holdfast_${room})
endfunction()
