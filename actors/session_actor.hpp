// The actor of one session: a thin shell around core::engine. It takes the time, steps the engine through a batch, sends what came
// of it, and keeps one timer armed. What may be held or sold is no business of this file.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include <caf/typed_event_based_actor.hpp>

#include "actors/interfaces.hpp"
#include "actors/step_outcome.hpp"
#include "actors/surroundings.hpp"

namespace holdfast::actors {

/// A session about to get its actor. All its records so far are durable, and `view` shows them.
struct session_seed {
  session_seed(core::session_id session, core::engine ready, std::shared_ptr<core::sale_view> shown)
      : id(session), engine(std::move(ready)), view(std::move(shown)) {}

  core::session_id id;
  core::engine engine;
  std::shared_ptr<core::sale_view> view;
  std::shared_ptr<meter> mailbox = std::make_shared<meter>();
  std::shared_ptr<std::atomic<std::uint64_t>> opens_at = std::make_shared<std::atomic<std::uint64_t>>(session_entry::none_due);
};

class session_shell final : public session_actor::base {
 public:
  session_shell(caf::actor_config& config, std::unique_ptr<session_seed> seed, surroundings_ptr around);

  behavior_type make_behavior() override;
  const char* name() const override { return "session"; }

 private:
  void decide(std::span<const core::request> requests, const caf::actor& sink);
  void keep_appointments(core::log_time now);
  void arm();

  surroundings_ptr around_;
  std::unique_ptr<session_seed> seed_;
  step_outcome out_;

  /// To come, in order of their instants.
  std::vector<appointment> appointments_;
  /// Record of the opening given last; the funnel is told of the next one when this is durable.
  std::optional<core::sequence> opening_given_;

  /// The timer: only the message with the present generation counts, so an older one that is still on its way does nothing.
  std::uint64_t generation_ = 0;
  std::optional<core::log_time> armed_for_;
};

/// The id under which the command of an appointment is given: the same for the same appointment, so that it is carried out once
/// however often it is given.
[[nodiscard]] core::command_id id_of(const appointment& a);

}  // namespace holdfast::actors
