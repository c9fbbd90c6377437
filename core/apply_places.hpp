// What a record does to places: seats, areas, their totals, the parts of a hold. Internal to core; see applier.hpp.
#pragma once

#include <algorithm>

#include "base/planted.hpp"
#include "core/decider.hpp"

namespace holdfast::core {

struct place_changes {
  session& s;
  const record& r;
  std::vector<view_change>* view;
  const table_places& found;  ///< for a placed hold: where its owner and keys are
  std::uint64_t seq = r.number.value;

  // ---- counting ----------------------------------------------------------------------------------------------
  [[nodiscard]] std::uint64_t& total(seat_state st) const {
    switch (st) {
      case seat_state::free: return s.totals_.free;
      case seat_state::held: return s.totals_.held;
      case seat_state::paying: return s.totals_.paying;
      case seat_state::sold: return s.totals_.sold;
      case seat_state::blocked: return s.totals_.blocked;
    }
    HOLDFAST_CHECK(false, "a seat in no state");
  }
  static std::uint32_t& count(state::stock& st, seat_state what) {
    switch (what) {
      case seat_state::held: return st.held;
      case seat_state::paying: return st.paying;
      case seat_state::sold: return st.sold;
      default: return st.blocked;
    }
  }
  static bool gone(seat_state st) { return st == seat_state::sold || st == seat_state::blocked; }

  void show(view_change::kind what, std::uint32_t number, std::uint32_t allocation, std::uint32_t n = 1) const {
    if (view != nullptr) view->push_back({what, static_cast<std::uint8_t>(allocation), 0, number, n});
  }
  void show_control() const {
    if (view == nullptr) return;
    const std::uint8_t marks = (s.frozen_at_.value != 0 ? 1 : 0) | (s.faulted() ? 2 : 0);
    view->push_back({view_change::kind::control, static_cast<std::uint8_t>(s.sale_), marks, s.open_, 0});
  }

  void set_seat(std::uint32_t n, seat_state to, std::uint32_t hold) const {
    auto& seat = s.seats_[n];
    --total(seat.state);
    ++total(to);
    if (gone(seat.state) != gone(to)) show(gone(to) ? view_change::kind::seat_gone : view_change::kind::seat_back, n, seat.allocation);
    seat.state = to;
    seat.hold = hold;
    seat.seq = seq;
  }

  /// Moves `n` places of an area's allocation between states; `free` is what the others leave.
  void move_places(std::uint32_t area, std::uint32_t allocation, seat_state from, seat_state to, std::uint32_t n) const {
    auto& st = s.stock_of(area, allocation);
    HOLDFAST_CHECK(from == seat_state::free ? st.free() >= n : count(st, from) >= n, "an area gives more places than it has");
    if (from != seat_state::free) count(st, from) -= n;
    if (to != seat_state::free) count(st, to) += n;
    total(from) -= n;
    total(to) += n;
    st.seq = seq;
    if (gone(from) != gone(to)) show(gone(to) ? view_change::kind::area_gone : view_change::kind::area_back, area, allocation, n);
  }

  // ---- places of a hold ----------------------------------------------------------------------------------------
  void occupy(std::uint32_t hold, const state::part& p, seat_state as) const {
    if (p.is_area) return move_places(p.number, p.allocation, seat_state::free, as, p.count);
    if (!planted(bug::late_payment_sells_next_owners_seat))
      HOLDFAST_CHECK(s.seats_[p.number].state == seat_state::free, "a seat is given to two holds");
    set_seat(p.number, as, hold);
  }
  void give_back(std::uint32_t hold, const state::part& p, bool withdrawn) const {
    if (p.is_area) {
      auto& st = s.stock_of(p.number, p.allocation);
      const auto from = as_seat(s.holds_.at(hold).state);
      const auto indebted = std::min<std::uint32_t>(st.debt, p.count);
      const std::uint32_t blocked = withdrawn ? p.count : indebted;
      st.debt -= indebted;
      s.totals_.withdrawn -= indebted;
      if (blocked > 0) move_places(p.number, p.allocation, from, seat_state::blocked, blocked);
      const std::uint32_t lost = planted(bug::area_loses_a_place) && p.count > blocked + 1 ? 1 : 0;
      if (p.count > blocked) move_places(p.number, p.allocation, from, seat_state::free, p.count - blocked - lost);
      return;
    }
    auto& seat = s.seats_[p.number];
    HOLDFAST_CHECK(seat.hold == hold, "a hold gives back another's seat");
    if (seat.withdrawn) --s.totals_.withdrawn;
    const bool block = (seat.withdrawn && !planted(bug::withdrawn_seat_comes_back_free)) || withdrawn;
    seat.withdrawn = false;
    set_seat(p.number, block ? seat_state::blocked : seat_state::free, 0);
  }
  void restate(std::uint32_t hold, seat_state from, seat_state to) const {
    for (const auto& p : s.parts_of(s.holds_.at(hold))) {
      if (p.is_area) move_places(p.number, p.allocation, from, to, p.count);
      else set_seat(p.number, to, hold);
    }
  }
  static seat_state as_seat(hold_state st) {
    switch (st) {
      case hold_state::held: return seat_state::held;
      case hold_state::paying: return seat_state::paying;
      case hold_state::sold: return seat_state::sold;
      default: break;
    }
    HOLDFAST_CHECK(false, "an ended hold has no places");
  }

  // ---- parts ---------------------------------------------------------------------------------------------------
  void set_parts(state::hold& h, std::span<const state::part> parts) const {
    drop_list(h);
    h.parts = static_cast<std::uint16_t>(parts.size());
    if (parts.size() == 1) {
      h.one = parts[0];
      return;
    }
    h.one = {};
    if (parts.empty()) return;
    h.list_class = session_list::class_for(parts.size()) & 15U;
    const auto ref = s.lists_.add(h.list_class);
    h.one.price = ref;
    std::copy(parts.begin(), parts.end(), s.lists_.at(h.list_class, ref));
  }
  void drop_list(state::hold& h) const {
    if (h.parts > 1) s.lists_.remove(h.list_class, h.one.price);
    h.parts = 0;
  }
  using session_list = list_pool<state::part>;

  void new_parts(lines asked, draws drawn, std::vector<state::part>& out) const {
    std::size_t d = 0;
    for (std::size_t i = 0; i < asked.size(); ++i) {
      state::part p;
      p.number = asked[i].number & 0x7fff'ffffU;
      p.price = asked[i].price;
      if (asked[i].kind == place_kind::seat) {
        p.count = 1;
        out.push_back(p);
        continue;
      }
      p.is_area = 1;
      std::uint32_t got = 0;
      for (; d < drawn.size() && drawn[d].line == i; ++d) {
        p.allocation = drawn[d].allocation;
        p.count = drawn[d].count & 0x3f'ffffU;
        got += drawn[d].count;
        out.push_back(p);
      }
      HOLDFAST_CHECK(got == asked[i].count, "draws do not add up to their line");
    }
    HOLDFAST_CHECK(d == drawn.size(), "draws beyond the lines");
  }
};

}  // namespace holdfast::core
