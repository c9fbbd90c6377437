// How much a test takes on in a build with the address sanitizer, in which tests take up to fifteen times as long.
#pragma once

namespace holdfast {

#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool instrumented = true;
#else
inline constexpr bool instrumented = false;
#endif

}  // namespace holdfast
