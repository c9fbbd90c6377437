#include "persistence/start_time.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/planted.hpp"

namespace holdfast::persistence {

base::result<start_time> decide_start_time(std::uint64_t last_known, std::uint64_t wall_clock, const clock_rule& rule) {
  if (last_known == 0) return start_time{wall_clock, 0, 0};
  if (wall_clock > last_known && wall_clock - last_known > rule.gap_max && !rule.accept_gap)
    return base::error{base::trouble::clock,
                       fmt::format("the wall clock is {} s ahead of the journal, more than the {} s allowed: set the clock, "
                                   "or start with --accept-clock if it is right; nothing was changed",
                                   (wall_clock - last_known) / 1'000'000, rule.gap_max / 1'000'000)};
  start_time t;
  t.log_time = planted(bug::wall_clock_at_start) ? wall_clock : std::max(last_known, wall_clock);
  t.downtime = t.log_time - last_known;
  t.clock_behind = t.log_time - wall_clock;
  return t;
}

}  // namespace holdfast::persistence
