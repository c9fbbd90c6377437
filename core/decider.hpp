// The rules at work on one command. Internal to core: session::decide makes one of these and asks it.
// Each step either finds the refusal that comes first in docs/RULES.md's order, or goes on; nothing is changed anywhere.
#pragma once

#include <algorithm>

#include "core/session.hpp"

namespace holdfast::core {

struct decider {
  const session& s;
  const envelope& head;
  log_time now;
  hold_time clock;  ///< the hold clock at `now`
  verdict out{};

  decider(const session& of, const envelope& with, log_time at) : s(of), head(with), now(at), clock(of.hold_clock(at)) {}

  verdict run(const command& asked);

  // ---- what every command goes through (decide.cpp) ----
  [[nodiscard]] bool allowed(const command& asked) const;
  [[nodiscard]] refusal content(const command& asked) const;
  /// True if the id settles it: a repeat or id_reused.
  bool by_id(const command& asked);
  [[nodiscard]] refusal deadline(const command& asked) const;
  void repeat(const state::id_entry& e);

  // ---- refusing ----
  /// Refuses, telling of record `seq`; returns true so that steps can be chained with ||.
  bool no(refusal r, std::uint64_t seq);
  /// The newest record behind the state and the deadline that an answer shows of this hold: a shift moves every deadline.
  [[nodiscard]] std::uint64_t behind(const state::hold& shown) const;
  void yes(event e) {
    out.accepted = true;
    out.done = std::move(e);
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
};

[[nodiscard]] inline bool live(hold_state st) { return st == hold_state::held || st == hold_state::paying; }

}  // namespace holdfast::core
