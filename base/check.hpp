// The third kind of failure: a bug. It stops the program, in release builds too, because a
// reservation server that goes on with broken invariants turns one mistake into many sales.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace holdfast::base {

[[noreturn]] inline void check_failed(const char* what, const char* why, const char* file, int line) noexcept {
  std::fprintf(stderr, "holdfast: broken invariant at %s:%d: %s (%s)\n", file, line, why, what);
  std::fflush(stderr);
  std::abort();
}

}  // namespace holdfast::base

/// Aborts with `why` unless `cond` holds. Never used for bad input or a bad disk: those are results.
#define HOLDFAST_CHECK(cond, why)                                                        \
  do {                                                                                   \
    if (!(cond)) [[unlikely]]                                                            \
      ::holdfast::base::check_failed(#cond, why, __FILE__, __LINE__);                    \
  } while (false)
