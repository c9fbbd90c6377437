// What the model shows, counted afresh each time.
#include <algorithm>

#include "base/modulo.hpp"
#include "simulation/model.hpp"

namespace holdfast::simulation {

using namespace core;

session_seen model::see_session() const {
  session_seen s;
  s.name = terms_->name;
  s.currency = terms_->currency;
  s.organiser_ref = terms_->organiser_ref;
  s.zone = terms_->zone;
  s.kind = terms_->kind;
  s.starts_at = terms_->starts_at;
  s.sale = sale_;
  s.open_channels = open_channels_;
  s.frozen = frozen_at_.has_value();
  s.faulted = faulted_since_.has_value();
  for (std::uint32_t i = 0; i < hall_.seats.size(); ++i) {
    const auto state = hall_.state_of(i);
    auto& n = s.places;
    ++(state == seat_state::free ? n.free : state == seat_state::held ? n.held : state == seat_state::paying ? n.paying
       : state == seat_state::sold                                     ? n.sold
                                                                       : n.blocked);
    if (hall_.seats[i].withdrawn) ++n.withdrawn;
  }
  for (std::uint32_t a = 0; a < hall_.areas.size(); ++a)
    for (std::uint8_t i = 0; i < hall_.areas[a].size(); ++i) {
      const auto n = hall_.count(a, i);
      s.places.free += n.free;
      s.places.held += n.held;
      s.places.paying += n.paying;
      s.places.sold += n.sold;
      s.places.blocked += n.blocked;
      s.places.withdrawn += n.withdrawn;
    }
  s.seats = hall_.seats.size();
  s.areas = hall_.areas.size();
  for (const auto& [key, h] : hall_.holds) {
    if (h.live()) ++s.live_holds;
    else if (h.state == hold_state::sold) ++s.orders;
    else if (h.state != hold_state::cancelled) ++s.ended_holds;
  }
  for (const auto& [identity, p] : payments_) base::add_modulo(s.amount_paid, p.amount);
  s.forgotten_early = forgotten_early_;
  s.refunds_total = refunds_.size();
  for (const auto& r : refunds_) {
    if (r.settled_by) continue;
    ++s.refunds_open;
    base::add_modulo(s.amount_refunds_due, r.amount);
  }
  s.shift_us = shift_;
  s.downtime_shift_us = downtime_shift_;
  s.plan_revision = terms_->plan_revision;
  std::optional<std::uint64_t> next;
  for (const auto& [key, h] : hall_.holds)
    if (h.live()) next = std::min(next.value_or(h.deadline), h.deadline);
  if (next) s.next_deadline = log_time{*next + shift_};
  return s;
}

std::optional<std::uint64_t> model::next_deadline() const {
  if (frozen_at_ || faulted_since_) return std::nullopt;
  const auto next = see_session().next_deadline.value;
  return next == 0 ? std::nullopt : std::optional(next);
}

std::optional<hold_seen> model::see_hold(owner_id owner, hold_id id) const {
  const auto* h = find(owner, id);
  if (h == nullptr) return std::nullopt;
  hold_seen s;
  s.number = hold_no{h->number};
  s.owner = owner;
  s.id = id;
  s.state = h->state;
  s.channel = h->channel;
  s.deadline = log_time{h->deadline + shift_};
  s.lifetime_end = log_time{h->lifetime_end + shift_};
  s.extensions = h->extensions;
  s.attempts = h->attempts;
  s.basket = h->basket;
  for (const auto& l : h->lines) s.lines.push_back({l.what, l.cancelled});
  for (const auto& p : h->payments)
    s.payments.push_back({0, p.amount, p.kind, p.first.outcome, p.first.reason, p.first.number});
  return s;
}

seat_seen model::see_seat(std::uint32_t seat) const {
  const auto& s = hall_.seats[seat];
  seat_seen seen;
  seen.state = hall_.state_of(seat);
  seen.withdrawn = s.withdrawn;
  seen.reason = s.reason;
  seen.allocation = s.allocation;
  seen.category = plan_.seats[seat].category;
  if (s.holder) {
    seen.owner = s.holder->first;
    seen.hold = s.holder->second;
    const auto& h = hall_.holds.at(*s.holder);
    if (h.live()) seen.deadline = log_time{h.deadline + shift_};
  }
  return seen;
}

owner_seen model::see_owner(owner_id owner) const {
  owner_seen s;
  for (const auto& [key, h] : hall_.holds)
    if (key.first == owner) s.holds.push_back(*see_hold(key.first, key.second));
  for (std::size_t i = 0; i < refunds_.size(); ++i) {
    const auto& r = refunds_[i];
    if (r.owner == owner)
      s.refunds.push_back({refund_no{static_cast<std::uint32_t>(i + 1)}, r.reason, r.amount, r.settled_by.has_value(), r.owner, r.hold});
  }
  return s;
}

seats_seen model::see_seats() const {
  seats_seen s;
  s.pages = static_cast<std::uint32_t>(std::max<std::size_t>(1, (hall_.seats.size() + seats_per_page - 1) / seats_per_page));
  for (std::uint32_t i = 0; i < hall_.seats.size(); ++i)
    s.states.push_back(static_cast<std::uint8_t>(static_cast<unsigned>(hall_.state_of(i)) | (hall_.seats[i].withdrawn ? 0x80U : 0U)));
  for (std::uint32_t a = 0; a < hall_.areas.size(); ++a) {
    area_seen area;
    for (std::uint8_t i = 0; i < hall_.areas[a].size(); ++i) area.allocations.push_back(hall_.count(a, i));
    s.areas.push_back(area);
  }
  return s;
}

fate_seen model::see_fate(owner_id owner, command_id id, log_time client_deadline) const {
  fate_seen f;
  if (const auto known = ids_.find({owner, id}); known != ids_.end()) {
    f.what = fate::accepted;
    f.first = known->second.first;
    f.first.repeated = true;
    f.command = known->second.tag;
    around(f.first, known->second.hold);
    return f;
  }
  const auto by = client_deadline.value;
  const bool before_the_forgotten = newest_forgotten_ && by <= *newest_forgotten_ + rules_.id_min * us_per_ms;
  f.what = by == 0 || before_the_forgotten ? fate::older : fate::not_so_far;
  return f;
}

std::string model::contradiction() const {
  for (std::uint32_t a = 0; a < hall_.areas.size(); ++a)
    for (std::uint8_t i = 0; i < hall_.areas[a].size(); ++i) {
      const auto n = hall_.count(a, i);
      const auto capacity = hall_.areas[a][i].capacity;
      if (n.held + n.paying + n.sold + n.blocked > capacity) return "area " + std::to_string(a) + " has more taken than places";
      if (n.withdrawn > n.held + n.paying + n.sold) return "area " + std::to_string(a) + " owes more than is occupied";
    }
  std::size_t with_seat = 0, held_seats = 0;
  for (const auto& s : hall_.seats) {
    if (s.holder) ++held_seats;
    if (s.holder && s.blocked) return "a seat is both occupied and blocked";
    if (!s.holder && s.withdrawn) return "an empty seat is marked withdrawn";
  }
  for (const auto& [key, h] : hall_.holds) {
    if (!h.occupies()) continue;
    for (const auto& l : h.lines) {
      if (l.cancelled || l.what.kind != place_kind::seat) continue;
      ++with_seat;
      if (hall_.seats[l.what.number].holder != key) return "a hold has a seat that is not its own";
    }
  }
  return with_seat == held_seats ? "" : "a seat is held by nobody's line";
}

}  // namespace holdfast::simulation
