// Where time comes from. Below the session actor and the journal actor it is an argument.
#pragma once

#include <cstdint>

#include "core/types.hpp"

namespace holdfast::actors {

/// For any thread.
class time_source {
 public:
  virtual ~time_source() = default;
  /// Log time, microseconds UTC since 1970. Never decreases, whoever asks.
  [[nodiscard]] virtual core::log_time now() const = 0;
  /// What the machine's wall clock says, microseconds UTC since 1970. May step both ways: only for openings and closings, and
  /// for showing how far it is from log time.
  [[nodiscard]] virtual std::uint64_t wall_clock() const = 0;
};

}  // namespace holdfast::actors
