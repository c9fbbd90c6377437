// The log time at which a server starts, and how long it was away.
#pragma once

#include <cstdint>

#include "base/result.hpp"

namespace holdfast::persistence {

inline constexpr std::uint64_t clock_gap_max_default = 24ULL * 3600 * 1'000'000;

struct clock_rule {
  std::uint64_t gap_max = clock_gap_max_default;  ///< microseconds
  bool accept_gap = false;                        ///< the operator says that the wall clock is right
};

/// All in microseconds; instants are UTC since 1970.
struct start_time {
  std::uint64_t log_time = 0;
  std::uint64_t downtime = 0;      ///< log time minus the last known one; holds get this back
  std::uint64_t clock_behind = 0;  ///< how far the wall clock is behind log time; not 0 deserves a warning
};

/// `last_known` is the newer of witness time and time of the last block, 0 for a new journal; `wall_clock` what the
/// machine says now. Log time never runs backwards: it starts at the newest of the three. Error: clock, if the wall
/// clock is more than gap_max ahead: a wrong clock would expire every hold and could never be taken back.
base::result<start_time> decide_start_time(std::uint64_t last_known, std::uint64_t wall_clock, const clock_rule& rule);

}  // namespace holdfast::persistence
