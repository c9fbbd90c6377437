// One sale of a simulation: the engine at work, and beside it all that is told only what has become durable: the naive model, the
// bookkeeping of who was last in which record, a session made of the records' bytes alone, and the funnel's view. What the world
// hears of the engine must agree with these, whatever a crash has taken back.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "core/engine.hpp"
#include "persistence/plan_library.hpp"
#include "simulation/model.hpp"
#include "simulation/random_commands.hpp"
#include "simulation/step.hpp"
#include "simulation/witness.hpp"

namespace holdfast::simulation {

/// Empty: nothing is wrong.
using complaint = std::string;

class sale final : private core::step_sink {
 public:
  /// A session of a handful of seats needs no large tables, and thousands of them are made a second.
  static constexpr core::session_options options{.hash_key = 0, .changes_ring = 64};

  sale(std::uint64_t seed, core::session_id id, const mix& m);

  [[nodiscard]] core::session_id id() const { return id_; }
  [[nodiscard]] random_commands& crowd() { return crowd_; }

  // ---- the server's side: lives from one start to the next crash ----
  /// Fills `s` with the session's creation; `library` is the journal's. To be opened once that is durable.
  void create(core::log_time now, persistence::plan_library& library, step& s) const;
  /// Its creation is durable and settled.
  void open_new();
  /// Goes to work with a state that is durable.
  void open(core::session state, std::optional<core::log_time> faulted_since);
  void close() { engine_.reset(); }
  [[nodiscard]] bool is_open() const { return engine_.has_value(); }
  /// Steps the engine through `s.asked` at `s.now` and notes what comes.
  void play(step& s);
  /// The step is durable: shown in the view before any of its answers leaves.
  void show(const step& s) { view_->apply(s.changes, s.last); }
  [[nodiscard]] const core::engine& engine() const { return *engine_; }

  // ---- the second opinion: all in the order of the records ----
  /// The step is durable, or has no records and all before it are durable.
  complaint settle(const step& s);
  /// The step is gone for ever. What left of it must have been true without it and all other steps that are gone.
  complaint forget(const step& s);
  /// All that is gone has been told.
  void forgot() { without_.reset(); }
  [[nodiscard]] bool exists() const { return shadow_.has_value(); }
  [[nodiscard]] core::sequence settled() const { return shadow_ ? shadow_->last() : core::sequence{}; }

  /// What recovery must find: byte for byte what the settled records come to.
  complaint recovered(const core::session& state) const;
  /// By how many milliseconds the rules let recovery shift the deadlines; 0: not at all.
  [[nodiscard]] core::interval_ms shift_after(std::uint64_t downtime_us) const;
  /// Out of service since then, as the model is told.
  void fault(core::log_time since);

  /// Engine, model and shadow stand at the same record: everything that looks can show, and every byte.
  complaint compare(core::log_time now);

 private:
  void on_record(const core::record& r) override;
  void on_view_change(const core::view_change& c) override;
  void on_answer(std::uint64_t ticket, const core::answer& said, std::shared_ptr<const core::seen> shown) override;

  complaint take(const step& s, std::size_t record);
  complaint found(const step& s, std::size_t record);
  complaint judge(model& second, const core::request& r, const told& t, core::log_time now) const;
  complaint judge_without(const core::request& r, const told& t, core::log_time now);
  std::shared_ptr<const core::seen> peek(const core::look& l, core::log_time now, core::answer* said);

  core::session_id id_;
  std::shared_ptr<const core::session_terms> terms_;
  random_commands crowd_;

  std::optional<core::engine> engine_;
  std::shared_ptr<core::sale_view> view_;
  step* at_ = nullptr;  ///< being played

  persistence::plan_library plans_;
  std::optional<core::session> shadow_;
  std::optional<model> model_;
  std::optional<witness> witness_;
  std::unique_ptr<model> without_;  ///< the model as the crash left it, for what is gone
  std::pmr::monotonic_buffer_resource arena_;
  core::record decoded_;
  base::bytes ours_, theirs_;
  core::answer look_said_;
  std::shared_ptr<const core::seen> look_shown_;
};

}  // namespace holdfast::simulation
