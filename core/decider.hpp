// The rules at work on one command. Internal to core: session::decide makes one of these and asks it.
// Each step either finds the refusal that comes first in docs/RULES.md's order, or goes on; nothing is changed anywhere.
#pragma once

#include <algorithm>

#include "core/lookup.hpp"

namespace holdfast::core {

/// An interval in the clocks' unit.
constexpr std::uint64_t us(interval_ms ms) { return std::uint64_t{ms} * us_per_ms; }

struct decider {
  const session& s;
  const envelope& head;
  log_time now;
  hold_time clock;  ///< the hold clock at `now`
  table_places& at;  ///< the hashes of what the command looks up; gets where a new hold's owner and keys are
  verdict& out;

  decider(const session& of, const envelope& with, log_time when, table_places& places, verdict& into)
      : s(of), head(with), now(when), clock(of.hold_clock(when)), at(places), out(into) {}

  void run(const command& asked);

  // ---- what every command goes through (decide.cpp) ----
  template <class Command>
  void run_as(const Command& wanted, const command& asked);
  template <class Command>
  [[nodiscard]] bool allowed(const Command& wanted) const;
  template <class Command>
  [[nodiscard]] refusal content(const Command& wanted) const;
  /// True if the id settles it: a repeat or id_reused.
  template <class Command>
  bool by_id(const Command& wanted, const command& asked);
  template <class Command>
  [[nodiscard]] refusal deadline() const;
  void repeat(const state::id_entry& e);

  // ---- refusing ----
  /// Refuses, telling of record `seq`; returns true so that steps can be chained with ||.
  bool no(refusal r, std::uint64_t seq);
  /// The newest record behind the state and the deadline that an answer shows of this hold: a shift moves every deadline.
  [[nodiscard]] std::uint64_t behind(const state::hold& shown) const;
  template <class Event>
  void yes(const Event& e) {
    out.accepted = true;
    out.done.template emplace<Event>(e);
  }

  // ---- steps shared by several commands ----
  bool gate();
  bool channel_row(const channel_policy*& row);
  /// Finds the hold, refuses unknown_hold; then `h` and `number` are set.
  bool hold_of(owner_id owner, hold_id id);
  bool ended();          ///< hold_ended unless the hold is live
  bool paying();         ///< hold_paying if so
  bool no_such_place(lines asked);
  bool no_such_place(ranges asked, bool with_allocation);
  /// Judges new lines; `dropped` are parts of the hold `h` that count as back. Fills scratch draws.
  bool places(const channel_policy& row, lines asked, std::span<const state::part> dropped);
  /// What stands in the way of a command's lines; the foremost refusal is the answer.
  struct shortage {
    refusal worst = refusal::none;
    std::uint64_t seq = 0;        ///< newest record behind it
    std::uint64_t left = 0;       ///< of the first area that has too few
    std::uint64_t wait_us = 0;    ///< until the last of the seats' holds is due
    bool left_known = false, area_may_return = false;
  };
  void offends(shortage& found, std::size_t line, refusal why, std::uint64_t seq);
  void taken_seat(shortage& found, const channel_policy& row, std::size_t line, std::uint32_t n, std::span<const state::part> dropped);
  void count_dropped(std::span<const state::part> dropped);
  void area_line(shortage& found, const channel_policy& row, std::size_t line, const core::line& l, std::span<const state::part> dropped);
  /// The rules of `channel` for keys of `kind`, against the key's count plus `more` minus `less`. A key nobody used yet has ref 0.
  bool over_limit(channel_no channel, key_kind kind, std::uint32_t key_ref, lines more, std::span<const state::part> less);
  bool over_limit(channel_no channel, key_kind kind, std::uint32_t key_ref, std::span<const state::part> more);
  /// Finds which parts `asked` names; refuses not_in_hold. `cut` gets the parts (with counts cut to size) in the order drawn last first.
  bool parts_named(lines asked, std::vector<state::part>& cut);

  [[nodiscard]] std::int64_t free_in(std::uint32_t area, std::uint32_t allocation) const;
  void take(std::uint32_t area, std::uint32_t allocation, std::int64_t count);

  // ---- commands ----
  void decide(const create_session&);
  void decide(const open_sale&);
  void decide(const pause_sale&);
  void decide(const resume_sale&);
  void decide(const close_sale&);
  void decide(const freeze_sale&);
  void decide(const hold_seats&);
  void decide(const change_hold&);
  void decide(const extend_hold&);
  void decide(const begin_payment&);
  void decide(const payment_failed&);
  void decide(const confirm_hold&);
  void decide(const release_hold&);
  void decide(const cancel_order&);
  void decide(const settle_refund&);
  void decide(const block_places&);
  void decide(const unblock_places&);
  void decide(const allocate_places&);
  void decide(const shift_deadlines&);
  void decide(const clear_fault&);
  void decide(const expire_due&);

  [[nodiscard]] channel_set all() const {
    return (channel_set{1} << s.rules().channels.size()) - 1U;
  }
  const state::hold* h = nullptr;
  std::uint32_t number = 0;
  /// The newest record among those that let the command come as far as it has: the last forgetting of ids, the state of the
  /// sale, a shift of the deadlines of holds in its way, the last of its owner's and of each limit's key. Every refusal waits for it.
  std::uint64_t passed = 0;
};

[[nodiscard]] inline bool live(hold_state st) { return st == hold_state::held || st == hold_state::paying; }

}  // namespace holdfast::core
