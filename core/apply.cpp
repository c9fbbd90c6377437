// Each record to what it does; and records of the sale itself and of places that operators move.
#include "base/planted.hpp"
#include "core/applier.hpp"

namespace holdfast::core {

void applier::control() const {
  s.control_seq_ = seq;
  remember_operator();
  show_control();
}

void applier::operator()(const sale_opened&) const {
  s.open_ |= asked<open_sale>().channels & all();
  s.sale_ = sale_state::open;
  control();
}

void applier::operator()(const sale_paused&) const {
  s.sale_ = sale_state::paused;
  control();
}

void applier::operator()(const sale_resumed& e) const {
  if (s.frozen_at_.value != 0) {
    s.frozen_at_ = {};
    if (!planted(bug::freeze_eats_carts)) s.shift_ += e.shift_us;
  } else {
    s.sale_ = sale_state::open;
  }
  control();
}

void applier::operator()(const sale_closed&) const {
  s.open_ &= ~asked<close_sale>().channels;
  if (s.open_ == 0) s.sale_ = sale_state::closed;
  control();
}

void applier::operator()(const sale_frozen&) const {
  s.frozen_at_ = r.at;
  control();
}

void applier::operator()(const places_blocked&) const {
  const auto& c = asked<block_places>();
  for (const auto& range : c.ranges) {
    if (range.kind == place_kind::area) {
      auto& st = s.stock_of(range.first, range.allocation);
      const auto now = std::min(st.free(), range.count);
      st.debt += range.count - now;
      s.totals_.withdrawn += range.count - now;
      move_places(range.first, range.allocation, seat_state::free, seat_state::blocked, now);
      continue;
    }
    for (std::uint32_t n = range.first; n <= range.last; ++n) {
      auto& seat = s.seats_[n];
      seat.reason = c.reason;
      if (seat.state == seat_state::free) {
        set_seat(n, seat_state::blocked, 0);
      } else if (seat.state != seat_state::blocked && !seat.withdrawn) {
        seat.withdrawn = true;
        ++s.totals_.withdrawn;
      }
      seat.seq = seq;
    }
  }
  remember_operator();
}

void applier::operator()(const places_unblocked&) const {
  for (const auto& range : asked<unblock_places>().ranges) {
    if (range.kind == place_kind::area) {
      auto& st = s.stock_of(range.first, range.allocation);
      const auto now = std::min(st.blocked, range.count);
      st.debt -= range.count - now;
      s.totals_.withdrawn -= range.count - now;
      move_places(range.first, range.allocation, seat_state::blocked, seat_state::free, now);
      continue;
    }
    for (std::uint32_t n = range.first; n <= range.last; ++n) {
      auto& seat = s.seats_[n];
      if (seat.state == seat_state::blocked) {
        set_seat(n, seat_state::free, 0);
      } else if (seat.withdrawn) {
        seat.withdrawn = false;
        --s.totals_.withdrawn;
      } else {
        continue;
      }
      seat.reason = 0;
      seat.seq = seq;
    }
  }
  remember_operator();
}

void applier::operator()(const places_allocated&) const {
  const auto& c = asked<allocate_places>();
  for (const auto& range : c.ranges) {
    if (range.kind == place_kind::area) {
      auto& from = s.stock_of(range.first, range.allocation);
      auto& to = s.stock_of(range.first, c.allocation);
      HOLDFAST_CHECK(from.free() >= range.count, "allocated places that are not free");
      from.capacity -= range.count;
      to.capacity += range.count;
      from.seq = to.seq = seq;
      show(view_change::kind::area_gone, range.first, range.allocation, range.count);
      show(view_change::kind::area_back, range.first, c.allocation, range.count);
      continue;
    }
    for (std::uint32_t n = range.first; n <= range.last; ++n) {
      auto& seat = s.seats_[n];
      HOLDFAST_CHECK(seat.state == seat_state::free, "an allocated seat that is not free");
      if (view != nullptr) view->push_back({view_change::kind::seat_allocated, seat.allocation, c.allocation, n, 1});
      seat.allocation = c.allocation;
      seat.seq = seq;
    }
  }
  remember_operator();
}

void applier::operator()(const deadlines_shifted& e) const {
  s.shift_ += e.shift_us;
  if (r.head.from.who == role::recovery) s.downtime_shift_ += e.shift_us;
  s.control_seq_ = seq;
  remember_operator();
}

void applier::operator()(const fault_cleared& e) const {
  s.shift_ += e.shift_us;
  s.fault_at_ = {};
  control();
}

void applier::note_change(hold_no n, refund_no refund) const {
  change c;
  c.number = r.number;
  c.at = r.at;
  c.command = tag_of(r.asked);
  if (n.value != 0 && s.holds_.has(n.value) && s.holds_.at(n.value).state != hold_state::none) {
    const auto& h = s.holds_.at(n.value);
    c.state = h.state;
    c.owner = owner_id{s.owners_.at(h.owner_ref).id};
    c.hold = hold_id{s.ids_.at(h.id_ref).id};
  } else if (const auto* confirm = std::get_if<confirm_hold>(&r.asked)) {
    c.owner = confirm->owner;
    c.hold = confirm->hold;
  }
  c.refund = refund;
  s.ring_.push_back(c);
  if (s.ring_.size() > s.options_.changes_ring) s.ring_.pop_front();
}

namespace {

refund_no refund_of(const record& r) {
  if (const auto* refunded = std::get_if<refund_recorded>(&r.done)) return refunded->number;
  if (const auto* cancelled = std::get_if<order_cancelled>(&r.done)) return cancelled->number;
  if (const auto* settled = std::get_if<settle_refund>(&r.asked)) return settled->number;
  return {};
}

}  // namespace

void session::apply(const record& r, std::vector<view_change>* changes, const table_places* found) {
  HOLDFAST_CHECK(r.number.value == last_.value + 1, "records are applied in order, each once");
  HOLDFAST_CHECK(r.at >= last_at_, "log time never goes back");
  last_ = r.number;
  last_at_ = r.at;
  if (const auto* placed = std::get_if<hold_placed>(&r.done)) {
    table_places own;
    if (found == nullptr) {
      const auto* c = std::get_if<hold_seats>(&r.asked);
      HOLDFAST_CHECK(c != nullptr && c->keys.size() <= limits::keys_max, "an event under another's command");
      hash(r.head, r.asked, own);
      own.owner_ref = find_owner(c->owner.value, own.owner);
      for (std::size_t i = 0; i < c->keys.size(); ++i) own.key_ref[i] = find_key(c->keys[i], own.key[i]);
    }
    const applier a{{{*this, r, changes, found == nullptr ? own : *found}}};
    a(*placed);
    return a.note_change(placed->hold, {});
  }
  const table_places none;
  const applier a{{{*this, r, changes, none}}};
  std::visit(a, r.done);
  if (!std::holds_alternative<holds_expired>(r.done)) a.note_change(subject_of(r.done), refund_of(r));
}

}  // namespace holdfast::core
