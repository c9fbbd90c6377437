// What a bench has to say.
#pragma once

#include <string>
#include <vector>

#include "apps/holdfast/document.hpp"
#include "apps/holdfast/load/ceiling.hpp"
#include "apps/holdfast/load/crew.hpp"

namespace holdfast::cli::load {

/// What the figures were measured with.
struct bench_frame {
  std::string workload;
  unsigned threads = 1;
  std::uint32_t connections = 0;
  std::uint32_t depth = 0, depth_asked = 0;  ///< in flight a connection; the server may allow less than was asked
  double rate = 0;                           ///< 0: a closed loop
  std::uint32_t sessions = 0, idle_sessions = 0, seats = 0;
  std::optional<pid_t> server;
};

[[nodiscard]] document report_of(const run_seen& r, const bench_frame& f);

/// A step of the search for the ceiling.
struct step_row {
  run_seen run;
  step_seen seen;
  stopper said = stopper::none;
};
[[nodiscard]] document report_of(const std::vector<step_row>& steps, const ceiling_search& search, const bench_frame& f);

/// What the judge needs of a run.
[[nodiscard]] step_seen step_of(const run_seen& r, double rate);

}  // namespace holdfast::cli::load
