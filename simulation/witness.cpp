#include "simulation/witness.hpp"

#include <algorithm>
#include <utility>

namespace holdfast::simulation {

using namespace core;

namespace {

std::string number(sequence s) { return std::to_string(s.value); }

/// The hold that an event names; 0 for those that name none.
hold_no hold_of(const event& e) {
  hold_no n;
  std::visit([&](const auto& x) {
    if constexpr (requires { x.hold; }) n = x.hold;
  }, e);
  return n;
}

}  // namespace

void witness::touch(seen_hold& h, lines list, bool takes) {
  for (const auto& l : list) {
    if (l.kind != place_kind::seat) continue;
    seats_[l.number].taken = last_;
    if (takes) h.seats.insert(l.number);
    else h.seats.erase(l.number);
  }
}

void witness::touch_all(seen_hold& h, bool paying) {
  for (const auto s : h.seats) (paying ? seats_[s].paid : seats_[s].taken) = last_;
}

std::string witness::on_record(const record& r) {
  if (r.number.value != last_.value + 1) return "record " + number(r.number) + " follows " + number(last_);
  last_ = r.number;
  last_tag_ = tag_of(r.asked);

  if (const auto* e = std::get_if<holds_expired>(&r.done)) {
    for (const auto n : e->holds) {
      const auto h = holds_.find(n);
      if (h == holds_.end()) return "record " + number(last_) + " expires a hold that was never placed";
      h->second.changed = last_;
      touch_all(h->second);
    }
    return {};
  }
  if (const auto* e = std::get_if<sale_resumed>(&r.done); e != nullptr && e->shift_us != 0) shifted_ = last_;
  if (std::holds_alternative<deadlines_shifted>(r.done) || std::holds_alternative<fault_cleared>(r.done)) shifted_ = last_;
  const auto owner = model_owner_of(r.asked);
  if (!r.head.id.value.zero()) first_[{owner, r.head.id}] = last_;
  if (const auto* c = std::get_if<confirm_hold>(&r.asked))
    payments_[{c->owner, c->hold, std::string(base::as_text(c->payment))}] = last_;
  if (const auto* e = std::get_if<hold_placed>(&r.done)) {
    auto& h = holds_[e->hold];
    // The number was another hold's, forgotten by now; the same id may stand for a younger hold already.
    if (const auto old = numbers_.find(h.key); old != numbers_.end() && old->second == e->hold) numbers_.erase(old);
    h = {{owner, r.head.id}, {}, last_};
    numbers_[h.key] = e->hold;
    touch(h, std::get<hold_seats>(r.asked).lines, true);
    return {};
  }
  if (const auto n = hold_of(r.done); n.value != 0) {
    const auto known = holds_.find(n);
    if (known == holds_.end()) return "record " + number(last_) + " names a hold that was never placed";
    auto& h = known->second;
    h.changed = last_;
    if (const auto* c = std::get_if<change_hold>(&r.asked)) touch(h, c->drop, false), touch(h, c->add, true);
    const auto withdraw = [&](lines some) {
      if (some.empty())
        for (const auto s : h.seats) out_of_sale_[s] = 1;
      for (const auto& l : some)
        if (l.kind == place_kind::seat) out_of_sale_[l.number] = 1;
    };
    if (const auto* c = std::get_if<release_hold>(&r.asked)) {
      if (c->withdrawn) withdraw(c->lines);
      if (c->lines.empty()) touch_all(h);
      else touch(h, c->lines, false);
    }
    if (const auto* c = std::get_if<cancel_order>(&r.asked)) {
      if (c->withdrawn) withdraw(c->lines);
      if (c->lines.empty()) touch_all(h);
      else touch(h, c->lines, false);
    }
    if (std::holds_alternative<hold_confirmed>(r.done)) touch_all(h);
    if (std::holds_alternative<payment_begun>(r.done) || std::holds_alternative<payment_rejected>(r.done)) touch_all(h, true);
    return {};
  }
  // Blocking what is blocked, or unblocking what is not, changes nothing that an answer could tell of.
  const auto each_seat = [](ranges list, auto&& visit) {
    for (const auto& x : list)
      if (x.kind == place_kind::seat)
        for (auto s = x.first; s <= x.last; ++s) visit(s);
  };
  if (const auto* c = std::get_if<block_places>(&r.asked))
    each_seat(c->ranges, [&](auto s) {
      if (std::exchange(out_of_sale_[s], 1) == 0) seats_[s].marked = last_;
    });
  else if (const auto* d = std::get_if<unblock_places>(&r.asked))
    each_seat(d->ranges, [&](auto s) {
      if (std::exchange(out_of_sale_[s], 0) != 0) seats_[s].marked = last_;
    });
  else if (const auto* e = std::get_if<allocate_places>(&r.asked))
    each_seat(e->ranges, [&](auto s) {
      if (std::exchange(allocations_[s], e->allocation) != e->allocation) seats_[s].allocated = last_;
    });
  else if (!std::holds_alternative<confirm_hold>(r.asked) && !std::holds_alternative<settle_refund>(r.asked)) control_ = last_;
  return {};
}

std::string witness::judge(const asked& a, const answer& said) {
  if (said.waits_for > last_) return "waits for " + number(said.waits_for) + ", the last record is " + number(last_);
  if (said.tells_of > said.waits_for) return "tells of " + number(said.tells_of) + " but waits for " + number(said.waits_for);
  const auto must_wait = [&](sequence s, const char* why) -> std::string {
    return said.waits_for < s ? "waits for " + number(said.waits_for) + ", but " + why + " " + number(s) : "";
  };
  const auto owner = model_owner_of(a.what);
  if (said.refused == refusal::none && !said.repeated) {
    if (tag_of(a.what) != last_tag_) return "was accepted without a record of its own";
    if (said.tells_of != last_ || said.waits_for != last_) return "was accepted in record " + number(last_) + " and tells of " + number(said.tells_of);
    return {};
  }
  if (said.repeated && !std::holds_alternative<settle_refund>(a.what)) {
    sequence first;
    if (const auto* c = std::get_if<confirm_hold>(&a.what)) first = payments_[{c->owner, c->hold, std::string(base::as_text(c->payment))}];
    else first = first_[{owner, a.head.id}];
    if (said.tells_of != first) return "repeats record " + number(first) + " and tells of " + number(said.tells_of);
  }
  hold_id named;
  std::visit([&](const auto& c) {
    if constexpr (requires { c.hold; }) named = c.hold;
    else if constexpr (requires { c.order; }) named = c.order;
  }, a.what);
  if (std::holds_alternative<hold_seats>(a.what)) named = a.head.id;
  if (said.state != hold_state::none) {
    const auto n = numbers_.find({owner, named});
    if (n == numbers_.end()) return "shows the state of a hold that is not there";
    if (auto t = must_wait(holds_.at(n->second).changed, "its hold changed in"); !t.empty()) return t;
    if (said.deadline.value != 0)
      if (auto t = must_wait(shifted_, "its deadline was shifted in"); !t.empty()) return t;
  }
  lines wanted;
  if (const auto* h = std::get_if<hold_seats>(&a.what)) wanted = h->lines;
  if (const auto* h = std::get_if<change_hold>(&a.what)) wanted = h->add;
  switch (said.refused) {
    case refusal::not_in_your_channel:
    case refusal::blocked:
    case refusal::sold_out:
    case refusal::none_free_now:
    case refusal::not_enough:
      for (std::size_t i = 0; i < wanted.size() && i < 64; ++i)
        if ((said.lines >> i & 1U) != 0 && wanted[i].kind == place_kind::seat) {
          const auto& seat = seats_[wanted[i].number];
          auto told = seat.allocated;
          if (said.refused != refusal::not_in_your_channel) told = std::max(told, seat.marked);
          if (said.refused == refusal::sold_out || said.refused == refusal::none_free_now) told = std::max(told, seat.taken);
          if (said.refused == refusal::none_free_now) told = std::max(told, seat.paid);
          if (auto t = must_wait(told, "an offending seat changed in"); !t.empty()) return t;
        }
      return {};
    case refusal::not_open:
    case refusal::paused:
    case refusal::closed:
    case refusal::frozen:
    case refusal::already: return must_wait(control_, "the sale changed in");
    default: return {};
  }
}

}  // namespace holdfast::simulation
