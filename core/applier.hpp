// The only place where a session changes. Nothing here refuses: what cannot be true aborts, because the record that says so is
// already on its way to the disk or comes from there. Internal to core: session::apply makes one of these for each record.
#pragma once

#include "core/apply_links.hpp"

namespace holdfast::core {

struct applier : link_changes {
  template <class T>
  const T& asked() const {
    const auto* c = std::get_if<T>(&r.asked);
    HOLDFAST_CHECK(c != nullptr, "an event under another's command");
    return *c;
  }
  state::hold& live_hold(hold_no n) const {
    auto& h = known(n);
    HOLDFAST_CHECK(live(h.state), "an event on a hold that has ended");
    return h;
  }
  state::hold& known(hold_no n) const {
    HOLDFAST_CHECK(s.holds_.has(n.value) && s.holds_.at(n.value).state != hold_state::none, "an event on an unknown hold");
    return s.holds_.at(n.value);
  }
  [[nodiscard]] channel_set all() const { return (channel_set{1} << s.rules().channels.size()) - 1U; }

  // ---- the sale and its places (apply.cpp) ----
  void operator()(const session_created&) const { HOLDFAST_CHECK(false, "a session is created once, by session::create"); }
  void operator()(const sale_opened&) const;
  void operator()(const sale_paused&) const;
  void operator()(const sale_resumed& e) const;
  void operator()(const sale_closed&) const;
  void operator()(const sale_frozen&) const;
  void operator()(const deadlines_shifted& e) const;
  void operator()(const fault_cleared& e) const;
  void operator()(const places_blocked&) const;
  void operator()(const places_unblocked&) const;
  void operator()(const places_allocated&) const;
  void control() const;
  /// What shops follow.
  void note_change(hold_no n, refund_no refund) const;

  // ---- holds (apply_holds.cpp) ----
  void operator()(const hold_placed& e) const;
  /// A live hold goes on with other parts, whose places have moved already; its keys no longer count the former ones.
  void change_parts(std::uint32_t hold, std::span<const state::part> parts) const;
  void operator()(const hold_changed& e) const;
  /// Takes the named lines out of `parts`, what was drawn last first, as decider::parts_named finds them.
  template <class Visit>
  void cut_out(std::vector<state::part>& parts, lines named, Visit&& visit) const {
    for (const auto& l : named) {
      std::uint32_t wanted = l.count;
      for (std::size_t p = parts.size(); p-- > 0 && wanted > 0;) {
        auto& have = parts[p];
        if (have.cancelled || have.number != l.number || have.is_area != (l.kind == place_kind::area) || have.price != l.price) continue;
        state::part piece = have;
        piece.count = std::min<std::uint32_t>(wanted, have.count);
        wanted -= piece.count;
        have.count -= piece.count;
        visit(piece);
      }
      HOLDFAST_CHECK(wanted == 0, "a line is taken from a hold that has it not");
    }
    std::erase_if(parts, [](const state::part& p) { return p.count == 0; });
  }
  void operator()(const hold_extended& e) const;
  void operator()(const hold_released& e) const;
  void operator()(const holds_expired& e) const;

  // ---- how holds end and are forgotten (apply_endings.cpp) ----
  /// Out of the live ones; it keeps its parts and keys, which a late payment may need.
  void end_live(std::uint32_t hold, hold_state as) const;
  void leave_live_list(std::uint32_t m) const;
  /// Ended without a sale: all parts come back, and unless money was near, the hold may one day be forgotten.
  void end_unsold(std::uint32_t hold, hold_state as, bool withdrawn) const;
  void forget_some() const;
  /// A late payment takes a hold out of those that may be forgotten; its place in the queue then stands empty.
  [[nodiscard]] bool still_ended(std::uint32_t hold) const { return s.holds_.at(hold).payments == 0; }
  void forget(std::uint32_t hold, std::uint64_t ended_at) const;

  // ---- money (apply_money.cpp) ----
  void operator()(const payment_begun& e) const;
  void operator()(const payment_rejected& e) const;
  void operator()(const hold_confirmed& e) const;
  /// The expired hold's parts anew, from the allocations that the record says.
  void retake(std::uint32_t n, pieces sold) const;
  void check_sold(const state::hold& h, pieces sold) const;
  void touch_keys(const state::hold& h) const;
  void operator()(const refund_recorded& e) const;
  void operator()(const order_cancelled& e) const;
  void operator()(const refund_closed&) const;
  void record_refund(refund_no number, refund_reason why, std::int64_t amount, const id128& owner, const id128& hold) const;
  [[nodiscard]] state::payment payment_of(const confirm_hold& c) const;
  void add_payment(std::uint32_t hold, state::payment p) const;
};

}  // namespace holdfast::core
