// Simulated years of ticket sales under faults. One seed is one small world (world.hpp); sweeps try many.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace holdfast::simulation {

struct simulation_options {
  std::uint64_t seed = 1;
  std::uint64_t steps = 300;          ///< turns of the world: batches, timers, writes, crashes
  std::uint64_t compare_every = 64;   ///< turns between comparisons of the whole state, where nothing is under way
  /// The disk says that it synced and did not. Every promise rests on syncs, so a power cut must then be found out: the control
  /// run that shows that the simulation would notice.
  bool lying_disk = false;
  std::function<void(const std::string&)> story;  ///< if set, is told what happens, a line each
};

struct simulation_counts {
  std::uint64_t turns = 0, commands = 0, looks = 0, records = 0, blocks = 0;
  std::uint64_t crashes = 0, power_cuts = 0, broken_writes = 0, starts = 0, failed_starts = 0;
  std::uint64_t damaged_copies = 0, refused_copies = 0, clock_refusals = 0, faults = 0;
  std::uint64_t steps_lost = 0, answers_of_lost_steps = 0, comparisons = 0, audits = 0;
  std::uint64_t requests_lost = 0, requests_late = 0, requests_twice = 0, answers_lost = 0, answers_late = 0;

  simulation_counts& operator+=(const simulation_counts& o);
};

struct simulation_result {
  simulation_counts counts;
  std::string violation;       ///< empty: every invariant held
  std::uint64_t at_turn = 0;   ///< the turn that the violation was seen in
  std::uint64_t digest = 0;    ///< of every answer and every block: equal for equal seeds
};

/// One seed from beginning to end, or to the first violation.
[[nodiscard]] simulation_result simulate(const simulation_options& o);

/// The shortest prefix of a failing run that still fails, found by comparing after each turn; `r` is what `simulate` said.
[[nodiscard]] simulation_result shortest_failing(const simulation_options& o, const simulation_result& r);

}  // namespace holdfast::simulation
