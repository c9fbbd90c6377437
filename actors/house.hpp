// All actors of a server together: started over an open journal and recovered sessions, stopped in order.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include "actors/board.hpp"
#include "actors/fail_stop.hpp"
#include "actors/interfaces.hpp"
#include "actors/registry_actor.hpp"
#include "actors/surroundings.hpp"
#include "actors/time_source.hpp"
#include "persistence/journal.hpp"

namespace holdfast::actors {

struct house_options {
  registry_options registry;
  std::size_t block_bytes_max = 64U << 20U;  ///< records of one block
  /// On a thread of its own, because it waits for the disk. Tests with CAF's test_coordinator turn it off: a detached actor would
  /// run beside their virtual time.
  bool journal_detached = true;
};

/// How CAF schedules the session actors. CAF alone would start at least four threads, however few processors there are.
struct scheduling {
  std::size_t threads = 1;         ///< beside the journal's and the gateway's loops
  /// Or "stealing", whose workers poll and sleep between two messages: measured with one request under way, an answer takes 130 us
  /// there and 25 us here. One batch a message leaves the shared queue nothing to be a bottleneck for.
  std::string policy = "sharing";
};
void configure(caf::actor_system_config& config, const scheduling& how);

class house {
 public:
  /// `journal`, `time`, `records` and `failure` outlive the actor system; nobody else calls `journal` until `stop` has returned, but
  /// to scan it.
  house(caf::actor_system& system, persistence::journal& journal, std::vector<recovered_session> recovered, const time_source& time,
        record_encoder& records, fail_stop& failure, house_options options);
  house(const house&) = delete;
  house& operator=(const house&) = delete;

  [[nodiscard]] const registry_actor& registry() const { return registry_; }
  [[nodiscard]] const inspector_actor& inspector() const { return inspector_; }
  /// For the gateway's loops to hang their meters on.
  [[nodiscard]] const std::shared_ptr<actors::board>& board() const { return board_; }
  [[nodiscard]] const std::shared_ptr<journal_figures>& figures() const { return around_->figures; }

  /// Sessions first, then the journal's actor: when this returns, everything that was asked is decided and durable, and `journal` is
  /// its owner's again, to be closed (which writes the last witness). Waits, so never under a test_coordinator (send the registry
  /// stop_atom there). The gateway must have drained: what is asked after this is lost without an answer.
  void stop();

 private:
  caf::actor_system& system_;
  std::shared_ptr<actors::board> board_ = std::make_shared<actors::board>();
  surroundings_ptr around_;
  registry_actor registry_;
  inspector_actor inspector_;
};

}  // namespace holdfast::actors
