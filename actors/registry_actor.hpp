// The actor that knows all sessions: it gives recovered ones their actors, creates new ones, tells the gateway which there are, and
// stops the house in order. It is asked rarely and stands on nobody's road.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <caf/typed_event_based_actor.hpp>

#include "actors/board.hpp"
#include "actors/interfaces.hpp"
#include "actors/session_actor.hpp"
#include "actors/surroundings.hpp"

namespace holdfast::actors {

/// A session as recovery found it; every record of it is durable.
struct recovered_session {
  core::session state;
  std::optional<core::log_time> faulted_since;
};

/// Openings and closings of a session that exists or will.
struct session_schedule {
  std::string session;  ///< name
  std::vector<appointment> items;
};

struct registry_options {
  std::size_t sessions_max = 10'000;
  core::session_options session;  ///< for new sessions
  std::vector<session_schedule> schedules;
  /// Wall clock, microseconds UTC: until then a server was alive and kept its appointments, so earlier ones are not given again.
  /// Later ones are, even if they have passed meanwhile. 0 for a new journal.
  std::uint64_t kept_until = 0;
  /// Called on the registry's thread when a faulted session is back at work and its record of that is durable.
  std::function<void(core::session_id)> on_fault_cleared;
};

class registry_shell final : public registry_actor::base {
 public:
  registry_shell(caf::actor_config& config, std::vector<recovered_session> recovered, registry_options options,
                 std::shared_ptr<board> inspected, surroundings_ptr around);

  behavior_type make_behavior() override;
  const char* name() const override { return "registry"; }

 private:
  struct known {
    session_entry_ptr entry;
    std::shared_ptr<const core::session_terms> terms;
    std::optional<core::log_time> faulted_since;
  };
  /// On its way to the disk; nobody knows of it yet.
  struct coming {
    std::unique_ptr<session_seed> seed;
    std::shared_ptr<const core::session_terms> terms;
    std::vector<create_session_ptr> waiting;  ///< the first is who asked for it
  };
  struct clearing {
    clear_fault_ptr asked;
  };

  void create(const create_session_ptr& asked);
  void clear_fault(const clear_fault_ptr& asked);
  void heard(std::uint64_t ticket, const core::answer& said, core::log_time at);
  void add(std::unique_ptr<session_seed> seed, std::shared_ptr<const core::session_terms> terms,
           std::optional<core::log_time> faulted_since);
  void publish(core::session_id id);
  void answer(std::uint64_t ticket, const caf::actor& sink, const core::answer& said, core::session_id session, core::log_time at);
  void refuse(std::uint64_t ticket, const caf::actor& sink, core::refusal why);
  caf::result<done_atom> stop();
  void stop_journal();
  [[nodiscard]] caf::actor self_as_sink();

  surroundings_ptr around_;
  registry_options options_;
  std::shared_ptr<board> board_;
  std::shared_ptr<meter> mailbox_ = std::make_shared<meter>();
  std::vector<recovered_session> recovered_;
  pool<request_batch> requests_{4};

  std::map<core::session_id, known> sessions_;
  std::map<std::string, core::session_id, std::less<>> names_;
  std::uint64_t last_id_ = 0;
  std::vector<caf::actor> sinks_;

  // By the ticket under which the registry waits for its own answer.
  std::uint64_t last_ticket_ = 0;
  std::map<std::uint64_t, coming> coming_;
  std::map<std::uint64_t, clearing> clearing_;

  bool stopping_ = false;
  std::size_t sessions_to_stop_ = 0;
  caf::typed_response_promise<done_atom> stopped_;
};

/// True if the terms can stand in a session's first record: name, currency, references, policy and plan are as core/command.hpp,
/// policy.hpp and plan.hpp say.
[[nodiscard]] bool well_formed(const core::session_terms& terms);
/// True if both would make the same session, byte for byte, plan included.
[[nodiscard]] bool same_content(const core::session_terms& a, const core::session_terms& b);

}  // namespace holdfast::actors
