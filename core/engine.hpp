// A session at work: decides batches, records what was accepted, lets time expire what is due, and says for each answer
// which record must be on disk before it may leave. Single-threaded; the actor around it adds nothing.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <variant>

#include "core/answer.hpp"
#include "core/command.hpp"
#include "core/event.hpp"
#include "core/look.hpp"
#include "core/session.hpp"
#include "core/view.hpp"

namespace holdfast::core {

/// One thing asked of a session. Borrows like the command it carries.
struct request {
  std::uint64_t ticket = 0;  ///< the caller's, comes back with the answer
  envelope head;
  std::variant<command, look> asked;
};

/// Where a step puts what it made. All calls come in order, during step; what they borrow lives until the call returns
/// (but `shown`, which is shared).
class step_sink {
 public:
  virtual ~step_sink() = default;
  /// Append this to the journal. Called once per accepted command, before the answer.
  virtual void on_record(const record& r) = 0;
  /// Belongs to the last record: apply to the sale_view when that record is durable.
  virtual void on_view_change(const view_change& c) = 0;
  /// Let this go once `said.waits_for` is durable. `shown` only for looks that were not refused.
  virtual void on_answer(std::uint64_t ticket, const answer& said, std::shared_ptr<const seen> shown) = 0;
};

class engine {
 public:
  /// Takes over a session that has been created or recovered. All its records so far count as durable.
  /// A faulted session answers looks only (money: `faulted`, keep and retry) and its hold clock stands at `faulted_since`,
  /// until clear_fault. Restoring from recovery passes the log time of the fault.
  explicit engine(session state, std::optional<log_time> faulted_since = std::nullopt);

  /// Decides `batch` in order at log time `now` (never before an earlier step's). Expires what the commands touch first, and at
  /// most policy.expiries_per_step others. An empty batch is a timer's step. Never does work proportional to the state.
  void step(std::span<const request> batch, log_time now, step_sink& out);

  /// Records up to here are durable; answers that tell of no later ones may leave at once from now on.
  void durable(sequence up_to);

  /// When the engine wants to be stepped next though nobody asks: the earliest deadline in log time, `now` itself if due holds are
  /// left over. Empty: nothing to wait for (or the hold clock stands).
  [[nodiscard]] std::optional<log_time> next_deadline() const;

  [[nodiscard]] sequence durable() const;
  [[nodiscard]] const session& state() const { return state_; }

 private:
  void accept(const envelope& head, const command& asked, const event& done, log_time now, const table_places* found, step_sink& out);
  void expire(std::vector<hold_no>& holds, log_time now, step_sink& out);
  void expire_due_ones(log_time now, step_sink& out);
  void answer_command(const request& asked, const command& wanted, table_places& ahead, log_time now, step_sink& out);
  void answer_look(const request& asked, const look& wanted, log_time now, step_sink& out);
  [[nodiscard]] interval_ms fault_shift(log_time now) const;

  /// How many commands the engine looks ahead; a power of two.
  static constexpr std::size_t ahead_max = 16;

  session state_;
  sequence durable_;
  log_time last_now_;
  bool backlog_ = false;                 ///< due holds are left over: commands must look behind themselves
  table_places ahead_[ahead_max];        ///< of the commands that come next, by their place in the batch
  std::vector<hold_no> due_;
  std::vector<view_change> changes_;
};

}  // namespace holdfast::core
