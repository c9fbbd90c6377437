// The server's clock. Log time begins where recovery says (persistence/start_time.hpp) and then follows the boot clock, which
// counts through suspends and is deaf to every step of the wall clock: nobody's hold ends early because somebody set the time.
#pragma once

#include "actors/time_source.hpp"

namespace holdfast::actors {

class log_clock final : public time_source {
 public:
  /// It is `start` now.
  explicit log_clock(core::log_time start);

  [[nodiscard]] core::log_time now() const override;
  [[nodiscard]] std::uint64_t wall_clock() const override;

 private:
  std::uint64_t start_;   ///< log time, microseconds
  std::uint64_t booted_;  ///< the boot clock at that moment, nanoseconds
};

/// The wall clock, microseconds UTC since 1970.
[[nodiscard]] std::uint64_t wall_clock_now();

/// Wall clock minus log time in microseconds: how far the wall clock has wandered or was set since the start.
[[nodiscard]] std::int64_t wall_minus_log(const time_source& time);

}  // namespace holdfast::actors
