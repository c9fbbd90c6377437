// Records about holds that live: placed, changed, extended, released, expired.
#include "base/planted.hpp"
#include "core/applier.hpp"

namespace holdfast::core {

void applier::operator()(const hold_placed& e) const {
  const auto& c = asked<hold_seats>();
  const auto& row = s.rules().channels.at(r.head.channel);
  const auto n = s.holds_.add();
  HOLDFAST_CHECK(n == e.hold.value, "hold numbers are given out in one order");
  const auto owner = found.owner_ref != 0 ? found.owner_ref : add_owner(c.owner.value, found.owner);
  auto& o = s.owners_.at(owner);
  ++o.uses;
  ++o.live;
  o.seq = seq;
  auto& h = s.holds_.at(n);
  h.owner_ref = owner;
  h.state = hold_state::held;
  h.channel = r.head.channel;
  h.deadline = e.deadline.value;
  h.lifetime_end = s.hold_clock(r.at).value + us(row.lifetime_max);
  h.seq = seq;
  if (!c.basket.value.zero()) {
    h.extra_ref = s.extras_.add();
    s.extras_.at(h.extra_ref).basket = c.basket.value;
  }
  if (c.lines.size() == 1 && c.lines[0].kind == place_kind::seat) {
    h.parts = 1;
    h.one.number = c.lines[0].number & 0x7fff'ffffU;
    h.one.price = c.lines[0].price;
    h.one.count = 1;
  } else {
    std::vector<state::part>& parts = s.scratch_->cut;
    parts.clear();
    new_parts(c.lines, e.draws, parts);
    set_parts(h, parts);
  }
  for (const auto& p : s.parts_of(h)) {
    if (planted(bug::several_seats_held_in_part) && h.parts > 1 && &p == &s.parts_of(h).back()) break;
    occupy(n, p, seat_state::held);
  }
  for (std::size_t i = 0; i < c.keys.size(); ++i) join_key(n, found.key_ref[i] != 0 ? found.key_ref[i] : add_key(c.keys[i], found.key[i]));
  s.due_.add(s.holds_, n);
  join_areas(n);
  link_owner(n, o.live_first);
  ++s.live_;
  HOLDFAST_CHECK(!r.head.id.value.zero(), "a hold is named by its command's id");
  h.id_ref = remember(owner, n, {}, s.in_log_time(e.deadline).value, found.id);
}

void applier::change_parts(std::uint32_t hold, std::span<const state::part> parts) const {
  auto& h = s.holds_.at(hold);
  leave_areas(h);
  set_parts(h, parts);
  join_areas(hold);
  count_keys(h, parts, +1);
  ++h.changes;
  h.seq = seq;
  remember_on(hold, 0);
}

void applier::operator()(const hold_changed& e) const {
  const auto& c = asked<change_hold>();
  auto& h = live_hold(e.hold);
  const auto n = e.hold.value;
  std::vector<state::part> parts(s.parts_of(h).begin(), s.parts_of(h).end());
  count_keys(h, parts, -1);
  cut_out(parts, c.drop, [&](const state::part& p) { give_back(n, p, false); });
  std::vector<state::part> added;
  new_parts(c.add, e.draws, added);
  for (const auto& p : added) occupy(n, p, as_seat(h.state));
  parts.insert(parts.end(), added.begin(), added.end());
  change_parts(n, parts);
}

void applier::operator()(const hold_extended& e) const {
  auto& h = live_hold(e.hold);
  if (!planted(bug::extension_forgotten)) set_deadline(e.hold.value, e.deadline);
  ++h.extensions;
  ++h.changes;
  h.seq = seq;
  remember_on(e.hold.value, s.in_log_time(e.deadline).value);
}

void applier::operator()(const hold_released& e) const {
  const auto& c = asked<release_hold>();
  auto& h = live_hold(e.hold);
  const auto n = e.hold.value;
  std::uint64_t all = 0, some = 0;
  for (const auto& p : s.parts_of(h)) all += p.count;
  for (const auto& l : c.lines) some += l.count;
  if (c.lines.empty() || some == all) {
    remember_on(n, 0);
    return end_unsold(n, hold_state::released, c.withdrawn);
  }
  std::vector<state::part> parts(s.parts_of(h).begin(), s.parts_of(h).end());
  count_keys(h, parts, -1);
  cut_out(parts, c.lines, [&](const state::part& p) { give_back(n, p, c.withdrawn); });
  change_parts(n, parts);
}

void applier::operator()(const holds_expired& e) const {
  HOLDFAST_CHECK(s.may_expire(e.holds, r.at), "a hold expires early, twice or out of order");
  for (std::size_t i = 0; i < e.holds.size(); ++i) {
    s.fetch_ending(e.holds, i);
    end_unsold(e.holds[i].value, hold_state::expired, false);
    note_change(e.holds[i], {});
  }
}

}  // namespace holdfast::core
