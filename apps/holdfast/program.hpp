// The operator's and box office's program. Everything that it needs from outside comes in here, so that tests can be outside.
#pragma once

#include <iosfwd>

#include "apps/holdfast/style.hpp"

namespace holdfast::cli {

struct surroundings {
  std::ostream& out;
  std::ostream& err;
  style out_style;
  bool err_is_terminal = false;  ///< progress bars go there
};

/// The exit codes; `holdfast --help` lists them.
namespace exits {
inline constexpr int ok = 0;
inline constexpr int refused = 1;       ///< the server said no, or the audit found a violation
inline constexpr int usage = 2;
inline constexpr int bad_data = 65;     ///< a file, id or place that does not read; bytes that do not decode
inline constexpr int unavailable = 69;  ///< no server, or it went away
inline constexpr int io = 74;
inline constexpr int busy = 75;         ///< somebody else has the directory
inline constexpr int config = 78;       ///< an address in the environment or an option does not read
}  // namespace exits

/// Parses, does what is asked, and returns the exit code.
[[nodiscard]] int run(int argc, const char* const* argv, surroundings& around);

}  // namespace holdfast::cli
