#include "core/engine.hpp"

#include <algorithm>

#include "base/planted.hpp"

namespace holdfast::core {

engine::engine(session state, std::optional<log_time> faulted_since) : state_(std::move(state)), durable_(state_.last()) {
  if (faulted_since) state_.set_faulted(*faulted_since);
}

void engine::durable(sequence up_to) { durable_ = std::max(durable_, up_to); }
sequence engine::durable() const { return durable_; }

std::optional<log_time> engine::next_deadline() const {
  const auto next = state_.next_due();
  if (!next || state_.faulted() || (planted(bug::timer_leaves_the_rest) && backlog_)) return std::nullopt;
  if (state_.clock_stands() && next->at > state_.hold_clock(last_now_)) return std::nullopt;
  return std::max(last_now_, state_.in_log_time(next->at));
}

/// Records `r`, makes it so, and hands over what it does to the view.
void engine::accept(const envelope& head, const command& asked, const event& done, log_time now, const table_places* found, step_sink& out) {
  record r{sequence{state_.last().value + 1}, now, rules_version, head, asked, done};
  out.on_record(r);
  changes_.clear();
  state_.apply(r, &changes_, found);
  for (const auto& c : changes_) out.on_view_change(c);
}

void engine::expire(std::vector<hold_no>& holds, log_time now, step_sink& out) {
  std::sort(holds.begin(), holds.end(), [&](hold_no a, hold_no b) { return a != b && state_.earlier(a, b); });
  holds.erase(std::unique(holds.begin(), holds.end()), holds.end());
  envelope head;
  head.from.who = role::timer;
  for (std::size_t i = 0; i < holds.size(); i += expiries_per_record_max) {
    const auto n = std::min<std::size_t>(expiries_per_record_max, holds.size() - i);
    accept(head, expire_due{}, holds_expired{std::span(holds).subspan(i, n)}, now, nullptr, out);
  }
  holds.clear();
}

void engine::expire_due_ones(log_time now, step_sink& out) {
  backlog_ = false;
  if (state_.faulted()) return;
  hold_time clock = state_.hold_clock(now);
  if (planted(bug::deadline_instant_is_in_time) && clock.value > 0) --clock.value;
  for (std::size_t left = state_.rules().expiries_per_step; left > 0;) {
    due_.clear();
    state_.due_now(clock, std::min<std::size_t>(left, expiries_per_record_max), due_);
    if (due_.empty()) return;
    left -= due_.size();
    expire(due_, now, out);
  }
  const auto next = state_.next_due();
  backlog_ = next && next->at <= clock;
}

void engine::answer_command(const request& asked, const command& wanted, table_places& ahead, log_time now, step_sink& out) {
  const auto clock = state_.hold_clock(now);
  while (backlog_ && !planted(bug::expired_holds_refuse_buyers)) {
    due_.clear();
    state_.touched(asked.head, wanted, clock, due_);
    if (due_.empty()) break;
    expire(due_, now, out);
  }
  verdict v = state_.decide(asked.head, wanted, now, ahead);
  // With due holds left over, a refusal (or a refund due) may stand on one of them, and places of an area may be drawn from another
  // allocation because of one: expire those and decide again.
  while (backlog_) {
    due_.clear();
    if (!v.accepted || v.said.reason != refund_reason::none) state_.behind(asked.head, wanted, v.said, clock, due_);
    else state_.in_the_way(asked.head, wanted, v.done, clock, due_);
    if (due_.empty()) break;
    expire(due_, now, out);
    v = state_.decide(asked.head, wanted, now, ahead);
  }
  if (v.accepted) {
    accept(asked.head, wanted, v.done, now, &ahead, out);
    // A failed payment may leave a hold whose own deadline is over: what follows in the batch must not meet it alive.
    if (const auto next = state_.next_due(); next && next->at <= state_.hold_clock(now)) backlog_ = true;
    const auto hold = subject_of(v.done);
    v.said.tells_of = v.said.waits_for = state_.last();
    if (hold.value != 0) {
      v.said.state = state_.state_of(hold);
      v.said.deadline = state_.deadline_of(hold);
    }
  }
  out.on_answer(asked.ticket, v.said, nullptr);
}

void engine::answer_look(const request& asked, const look& wanted, log_time now, step_sink& out) {
  if (backlog_) {
    due_.clear();
    state_.touched(wanted, state_.hold_clock(now), due_);
    if (!due_.empty()) expire(due_, now, out);
  }
  answer said;
  auto shown = state_.show(wanted, asked.head.from, now, said);
  out.on_answer(asked.ticket, said, std::move(shown));
}

void engine::step(std::span<const request> batch, log_time now, step_sink& out) {
  HOLDFAST_CHECK(now >= last_now_ && now >= state_.last_time(), "time goes forward");
  last_now_ = now;
  expire_due_ones(now, out);
  // One address leads to the next: slot, entry, hold, seat. Each is asked for some commands before the next needs it.
  constexpr std::size_t slots = 12, entries = 8, holds = 4, parts = 2;
  static_assert(slots < ahead_max);
  const auto command_at = [&](std::size_t i) { return i < batch.size() ? std::get_if<command>(&batch[i].asked) : nullptr; };
  const auto at = [this](std::size_t i) -> table_places& { return ahead_[i % ahead_max]; };
  const auto look_ahead = [&](std::size_t i) {
    if (const auto* c = command_at(i)) state_.look_ahead(batch[i].head, *c, at(i));
  };
  for (std::size_t i = 0; i < slots; ++i) look_ahead(i);
  for (std::size_t i = 0; i < batch.size(); ++i) {
    look_ahead(i + slots);
    if (const auto* c = command_at(i + entries)) state_.fetch_entries(*c, at(i + entries), entries);
    if (const auto* c = command_at(i + holds)) state_.fetch_holds(*c, at(i + holds));
    if (const auto* c = command_at(i + parts)) state_.fetch_parts(*c, at(i + parts));
    const auto& asked = batch[i];
    if (const auto* wanted = std::get_if<look>(&asked.asked)) {
      answer_look(asked, *wanted, now, out);
      continue;
    }
    const auto& wanted = *std::get_if<command>(&asked.asked);
    if (std::holds_alternative<clear_fault>(wanted) && state_.faulted()) {
      const command with_shift = clear_fault{fault_shift(now)};
      answer_command(asked, with_shift, at(i), now, out);
    } else {
      answer_command(asked, wanted, at(i), now, out);
    }
  }
}

/// How long the hold clock stood because of the fault alone, rounded up to whole milliseconds.
interval_ms engine::fault_shift(log_time now) const {
  const auto stood = now.value - (state_.hold_clock(now).value + state_.shift_us());
  return state_.frozen() ? 0 : static_cast<interval_ms>(std::min<std::uint64_t>((stood + us_per_ms - 1) / us_per_ms, ~interval_ms{0}));
}

}  // namespace holdfast::core
