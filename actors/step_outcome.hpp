// From the engine's hands into messages: records and the answers that wait for them go to the journal, answers with nothing to
// wait for straight to their sink.
#pragma once

#include <cstdint>
#include <memory>

#include "actors/surroundings.hpp"
#include "core/engine.hpp"

namespace holdfast::actors {

/// One for each session, used again and again. Invariant: an answer that tells of record n travels in the message that carries
/// record n to the journal, or in a later one, unless n was durable when the step began.
class step_outcome final : public core::step_sink {
 public:
  step_outcome(surroundings_ptr around, core::session_id session, std::shared_ptr<core::sale_view> view);

  /// Before a step at `now`; `durable` is how far the journal is with this session.
  void begin(core::sequence durable, core::log_time now);
  /// Answers of what is stepped next are wanted by nobody, or are.
  void mute(bool on) { muted_ = on; }
  void on_record(const core::record& r) override;
  void on_view_change(const core::view_change& c) override;
  void on_answer(std::uint64_t ticket, const core::answer& said, std::shared_ptr<const core::seen> shown) override;
  /// After the step: sends everything. `sink` gets the answers.
  void send(const caf::actor& sink);

  /// A plan new to the journal goes in front of the session's first record.
  void on_plan(const std::shared_ptr<const core::plan>& seating);
  /// The newest record that was handed to the journal or is about to be.
  [[nodiscard]] core::sequence recorded() const { return recorded_; }

 private:
  append_batch& append();

  surroundings_ptr around_;
  core::session_id session_;
  std::shared_ptr<core::sale_view> view_;
  core::sequence durable_;
  core::sequence recorded_;
  core::log_time now_;
  bool muted_ = false;
  append_batch_ptr append_;
  answer_batch_ptr free_;
};

}  // namespace holdfast::actors
