// A whole house of make-believe in one thread: sales, their crowds, a network that loses, doubles and delays, a clock, and the real
// journal over a disk that fails. Everything that happens comes from the seed, so the same seed is the same world, bit for bit.
//
// The order of events is that of the actors' shells (actors/session_actor, actors/journal_actor): batch, step, records to the
// journal; one synced block; the view; then the answers. What the actors add to it (mailboxes, threads) is not here.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "persistence/recovery.hpp"
#include "simulation/sale.hpp"
#include "simulation/simulate.hpp"
#include "simulation/weather.hpp"

namespace holdfast::simulation {

class world {
 public:
  explicit world(const simulation_options& o);
  ~world();

  /// Plays until the last turn or the first violation.
  simulation_result run();

 private:
  struct on_its_way {
    std::size_t to = 0;
    core::request what;
    core::answer said;
  };

  // ---- what a turn may bring (world.cpp) ----
  void turn();
  void ask(std::size_t which);
  void wake(std::size_t which);
  void create(std::size_t which);
  void play(step& s);
  void deliver(const step& s, std::size_t i);
  void hear(std::size_t which, const core::request& r, const core::answer& said);
  void flush(std::size_t most);
  void settle_idle();
  void tick();
  void compare_if_quiet();
  void finish();
  void audit();

  // ---- the end of a process and the beginning of the next (restart.cpp) ----
  void crash();
  void restart();
  bool start(std::uint64_t wall_clock, std::optional<base::trouble> expected, bool breaks);
  void rot_a_copy(std::uint64_t wall_clock);
  void take_over(persistence::started& s);
  void settle_after(const persistence::started& s);
  bool give_back(persistence::started& s);
  persistence::start_options options_at(std::uint64_t wall_clock) const;

  step& new_step(std::size_t which);
  void retire();  ///< the oldest step, to be used again
  void wrong(complaint what);
  /// A line of the story, made only if somebody listens.
  template <class... Args>
  void tell(fmt::format_string<Args...> text, Args&&... args) {
    if (options_.story)
      options_.story(
          fmt::format("{:5} {} {}", result_.counts.turns, now_.value, fmt::format(text, std::forward<Args>(args)...)));
  }
  void tell_step(const step& s);
  [[nodiscard]] bool ok() const { return result_.violation.empty(); }
  [[nodiscard]] std::size_t index_of(std::uint64_t session) const { return static_cast<std::size_t>(session - 1); }

  const simulation_options options_;
  base::random chance_;
  weather weather_;
  mix mix_;
  std::shared_ptr<persistence::memory_disk> disk_;
  core::log_time now_;
  std::vector<std::unique_ptr<sale>> sales_;
  std::vector<core::sequence> acknowledged_;         ///< the newest record that the world has heard of, by sale
  std::vector<persistence::faulted_session> faulted_;

  // The process at work; none between a crash and the next start.
  std::shared_ptr<persistence::plan_library> plans_;
  std::unique_ptr<persistence::sold_guard> guard_;
  std::unique_ptr<persistence::journal_log> journal_;

  std::deque<std::unique_ptr<step>> steps_;          ///< decided, not settled; in the order in which the journal gets them
  std::vector<std::unique_ptr<step>> idle_;
  std::vector<on_its_way> late_requests_, late_answers_;
  std::vector<persistence::record_ref> refs_;        ///< used again
  bool died_ = false;                                ///< the journal failed: the process is to end
  simulation_result result_;
};

}  // namespace holdfast::simulation
