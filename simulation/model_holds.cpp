// The model's step 7 for holds: gate, places, limits, hold, change, extend, release.
#include <algorithm>

#include "simulation/model.hpp"

namespace holdfast::simulation {

using namespace core;

namespace {

std::vector<line> copy(lines l) { return {l.begin(), l.end()}; }

bool same_place(const model_line& has, const line& l) {
  return !has.cancelled && has.what.kind == l.kind && has.what.number == l.number && has.what.price == l.price;
}

}  // namespace

answer model_cut(model_hold& h, lines named, std::vector<model_line>& out) {
  answer a;
  for (std::size_t i = 0; i < named.size(); ++i) {
    std::uint32_t wanted = named[i].count;
    for (auto& has : h.lines) {
      if (!same_place(has, named[i])) continue;
      model_line piece{has.what, false, {}};
      piece.what.count = std::min(wanted, has.what.count);
      wanted -= piece.what.count;
      has.what.count -= piece.what.count;
      // What was drawn last goes back first.
      for (auto n = has.what.kind == place_kind::area ? piece.what.count : 0; n > 0;) {
        auto& last = has.draws.back();
        const auto some = std::min(n, last.count);
        piece.draws.push_back({last.allocation, some});
        n -= some;
        last.count -= some;
        if (last.count == 0) has.draws.pop_back();
      }
      out.push_back(piece);
    }
    std::erase_if(h.lines, [](const model_line& l) { return l.what.count == 0; });
    if (wanted == 0) continue;
    a.refused = refusal::not_in_hold;
    a.lines |= bit(i);
  }
  return a;
}

// ---- what several commands ask ----------------------------------------------------------------------------------

refusal model::gate(channel_no channel) const {
  if (frozen_at_) return refusal::frozen;
  if (sale_ == sale_state::announced) return refusal::not_open;
  if (sale_ == sale_state::paused) return refusal::paused;
  if (sale_ == sale_state::closed) return refusal::closed;
  if ((open_channels_ >> channel & 1U) == 0) return refusal::not_open;
  return refusal::none;
}

std::uint8_t model::category_of(const line& l) const {
  return l.kind == place_kind::seat ? plan_.seats[l.number].category : plan_.areas[l.number].category;
}

std::vector<std::uint8_t> model::draw_order(channel_no channel) const {
  const auto may = rules_.channels[channel].allocations;
  std::vector<std::uint8_t> order;
  for (std::uint8_t a = 1; a < plan_.allocations.size(); ++a)
    if ((may >> a & 1U) != 0) order.push_back(a);
  if ((may & 1U) != 0) order.push_back(0);
  return order;
}

answer model::places_exist(lines wanted) const {
  std::uint64_t bits = 0;
  bool missing = false;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const auto known = wanted[i].kind == place_kind::seat ? plan_.seats.size() : plan_.areas.size();
    if (wanted[i].number < known) continue;
    missing = true;
    bits |= bit(i);
  }
  return missing ? answer{.refused = refusal::no_such_place, .lines = bits} : answer{};
}

answer model::judge_places(const model_hall& in, lines wanted, channel_no channel) const {
  const auto order = draw_order(channel);
  std::map<std::uint32_t, std::uint64_t> asked_before;  // area -> places that earlier lines of the command want
  std::vector<refusal> found(wanted.size(), refusal::none);
  std::optional<std::uint64_t> left;  // of the first line that is short
  bool may_get_better = false;        // some line is short where places are held
  std::uint64_t seats_wait_us = 0;
  bool seats_held = false;

  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const auto& l = wanted[i];
    if (l.kind == place_kind::seat) {
      const auto& s = in.seats[l.number];
      const auto state = in.state_of(l.number);
      if (std::find(order.begin(), order.end(), s.allocation) == order.end()) found[i] = refusal::not_in_your_channel;
      else if (s.blocked || s.withdrawn) found[i] = refusal::blocked;
      else if (state == seat_state::sold) found[i] = refusal::sold_out;
      else if (state != seat_state::free) {
        found[i] = refusal::none_free_now;
        seats_held = true;
        seats_wait_us = std::max(seats_wait_us, in.holds.at(*s.holder).deadline - clock());
      }
      continue;
    }
    place_counts sum;
    std::uint64_t may_come_back = 0;
    bool any_capacity = false;
    for (const auto a : order) {
      const auto n = in.count(l.number, a);
      any_capacity = any_capacity || in.areas[l.number][a].capacity > 0;
      sum.free += n.free;
      sum.held += n.held + n.paying;
      sum.sold += n.sold;
      const auto live = n.held + n.paying;
      may_come_back += live > n.withdrawn ? live - n.withdrawn : 0;
    }
    auto& before = asked_before[l.number];
    const std::uint64_t rest = sum.free > before ? sum.free - before : 0;
    if (!any_capacity) found[i] = refusal::not_in_your_channel;
    else if (sum.free + sum.held + sum.sold == 0) found[i] = refusal::blocked;
    else if (sum.free == 0 && may_come_back == 0) found[i] = refusal::sold_out;
    else if (sum.free == 0) found[i] = refusal::none_free_now;
    else if (l.count > rest) {
      found[i] = refusal::not_enough;
      if (!left) left = rest;
      may_get_better = may_get_better || may_come_back > 0;
    }
    if (found[i] == refusal::none) before += l.count;
  }

  answer a;
  for (const auto code : {refusal::not_enough, refusal::none_free_now, refusal::sold_out, refusal::blocked, refusal::not_in_your_channel})
    if (std::find(found.begin(), found.end(), code) != found.end()) a.refused = code;
  for (std::size_t i = 0; i < found.size(); ++i)
    if (found[i] != refusal::none) a.lines |= bit(i);
  if (a.refused == refusal::not_enough) {
    a.left = *left;
    a.retry_after = may_get_better ? 1'000 : 0;
  }
  if (a.refused == refusal::none_free_now)
    a.retry_after = seats_held ? static_cast<interval_ms>((seats_wait_us + us_per_ms - 1) / us_per_ms) : 1'000;
  return a;
}

std::uint64_t model::places_in(const std::vector<line>& lines, std::uint64_t categories) const {
  std::uint64_t n = 0;
  for (const auto& l : lines)
    if ((categories >> category_of(l) & 1U) != 0) n += l.count;
  return n;
}

std::uint64_t model::used(const model_hall& in, key_kind kind, const base::id128& value, std::uint64_t categories) const {
  std::uint64_t n = 0;
  for (const auto& [key, h] : in.holds) {
    const auto k = h.keys.find(kind);
    if (!h.occupies() || k == h.keys.end() || k->second != value) continue;
    for (const auto& l : h.lines)
      if (!l.cancelled) n += places_in({l.what}, categories);
  }
  return n;
}

answer model::judge_limits(const model_hall& in, const std::map<key_kind, base::id128>& keys, const std::vector<line>& added,
                           channel_no channel) const {
  for (const auto& rule : rules_.channels[channel].rules) {
    const auto key = keys.find(rule.kind);
    if (key == keys.end()) continue;
    const auto more = places_in(added, rule.categories);
    const auto has = used(in, rule.kind, key->second, rule.categories);
    if (more > 0 && has + more > rule.places_max)
      return answer{.refused = refusal::over_limit, .left = has < rule.places_max ? rule.places_max - has : 0, .kind = rule.kind};
  }
  return {};
}

void model::take(model_hall& in, const hold_key& key, lines wanted, channel_no channel) const {
  auto& h = in.holds.at(key);
  for (const auto& l : wanted) {
    model_line taken{l, false, {}};
    if (l.kind == place_kind::seat) in.seats[l.number].holder = key;
    else taken.draws = *in.draw(l.number, l.count, draw_order(channel));
    h.lines.push_back(taken);
  }
}

// ---- the commands -----------------------------------------------------------------------------------------------

answer model::hold(const envelope& head, const hold_seats& c) {
  const auto& row = rules_.channels[head.channel];
  if (const auto r = gate(head.channel); r != refusal::none) return refuse(r);
  if (c.plan_revision != terms_->plan_revision) return refuse(refusal::plan_changed);
  if (c.lines.size() > row.lines_max) return refuse(refusal::too_many_lines);
  if (const auto a = places_exist(c.lines); a.refused != refusal::none) return a;
  std::map<key_kind, base::id128> keys;
  for (const auto& k : c.keys) keys[k.kind] = k.value;
  for (const auto& rule : row.rules)
    if (keys.count(rule.kind) == 0) return answer{.refused = refusal::limit_key_missing, .kind = rule.kind};
  std::uint64_t live = 0;
  for (const auto& [key, h] : hall_.holds)
    if (key.first == c.owner && h.live()) ++live;
  if (live >= row.holds_per_owner_max) return refuse(refusal::too_many_holds);
  if (const auto a = judge_places(hall_, c.lines, head.channel); a.refused != refusal::none) return a;
  if (const auto a = judge_limits(hall_, keys, copy(c.lines), head.channel); a.refused != refusal::none) return a;

  model_hold h;
  if (free_numbers_.empty()) {
    h.number = next_number_++;
  } else {
    h.number = free_numbers_.front();
    free_numbers_.pop_front();
  }
  h.channel = head.channel;
  h.basket = c.basket;
  h.keys = keys;
  h.lifetime_end = clock() + std::uint64_t{row.lifetime_max} * us_per_ms;
  h.deadline = h.held_deadline = clock() + std::uint64_t{std::min({c.interval, row.hold_max, row.lifetime_max})} * us_per_ms;
  const hold_key key{c.owner, head.id};
  hall_.holds[key] = h;
  take(hall_, key, c.lines, head.channel);
  return answer{.granted = log_time{h.deadline + shift_}};
}

answer model::change(const envelope& head, const change_hold& c) {
  auto* h = find(c.owner, c.hold);
  if (h == nullptr) return refuse(refusal::unknown_hold);
  if (!h->live()) return refuse(refusal::hold_ended);
  if (h->state == hold_state::paying) return refuse(refusal::hold_paying);
  if (frozen_at_) return refuse(refusal::frozen);
  if (!c.add.empty())
    if (const auto r = gate(head.channel); r != refusal::none) return refuse(r);
  if (h->changes >= 32) return refuse(refusal::too_many_changes);
  if (!c.add.empty() && c.plan_revision != terms_->plan_revision) return refuse(refusal::plan_changed);
  if (const auto a = places_exist(c.add); a.refused != refusal::none) return a;
  if (const auto a = places_exist(c.drop); a.refused != refusal::none) return a;

  // Everything is tried on a copy, so that a refusal changes nothing.
  const hold_key key{c.owner, c.hold};
  model_hall trial = hall_;
  auto& t = trial.holds.at(key);
  std::vector<model_line> dropped;
  if (const auto a = model_cut(t, c.drop, dropped); a.refused != refusal::none) return a;
  for (const auto& l : dropped) trial.give_back(l, false);
  answer twice;
  for (std::size_t i = 0; i < c.add.size(); ++i)
    for (const auto& kept : t.lines) {
      const auto& l = c.add[i];
      if (kept.what.kind != l.kind || kept.what.number != l.number) continue;
      if (l.kind == place_kind::area && kept.what.price != l.price) continue;
      twice.refused = refusal::duplicate_line;
      twice.lines |= bit(i);
    }
  if (twice.refused != refusal::none) return twice;
  if (t.lines.empty() && c.add.empty()) return refuse(refusal::last_line);
  if (t.lines.size() + c.add.size() > rules_.channels[head.channel].lines_max) return refuse(refusal::too_many_lines);
  if (const auto a = judge_places(trial, c.add, head.channel); a.refused != refusal::none) return a;
  if (const auto a = judge_limits(trial, t.keys, copy(c.add), head.channel); a.refused != refusal::none) return a;
  take(trial, key, c.add, head.channel);
  ++t.changes;
  hall_ = trial;
  return {};
}

answer model::extend(const envelope& head, const extend_hold& c) {
  const auto& row = rules_.channels[head.channel];
  auto* h = find(c.owner, c.hold);
  if (h == nullptr) return refuse(refusal::unknown_hold);
  if (!h->live()) return refuse(refusal::hold_ended);
  if (h->state == hold_state::paying) return refuse(refusal::hold_paying);
  if (frozen_at_) return refuse(refusal::frozen);
  if (h->changes >= 32) return refuse(refusal::too_many_changes);
  if (h->extensions >= row.extensions_max) return refuse(refusal::too_many_extensions);
  const auto wanted = std::min(clock() + std::uint64_t{std::min(c.interval, row.hold_max)} * us_per_ms, h->lifetime_end);
  if (wanted <= h->deadline) return refuse(refusal::no_gain);
  h->deadline = h->held_deadline = wanted;
  ++h->extensions;
  ++h->changes;
  return answer{.granted = log_time{h->deadline + shift_}};
}

answer model::release(const envelope& head, const release_hold& c) {
  auto* h = find(c.owner, c.hold);
  if (h == nullptr) return refuse(refusal::unknown_hold);
  if (!h->live()) return refuse(refusal::hold_ended);
  model_hold rest = *h;
  std::vector<model_line> back;
  answer strange;
  if (c.lines.empty()) back.swap(rest.lines);
  else strange = model_cut(rest, c.lines, back);
  const bool whole = rest.lines.empty();
  if (h->state == hold_state::paying && (head.from.who == role::buyer || !whole)) return refuse(refusal::hold_paying);
  if (strange.refused != refusal::none) return strange;
  if (!whole && h->changes >= 32) return refuse(refusal::too_many_changes);

  for (const auto& l : back) hall_.give_back(l, c.withdrawn);
  if (whole) {
    h->state = hold_state::released;
    ended({c.owner, c.hold});
  } else {
    h->lines = rest.lines;
    ++h->changes;
  }
  return {};
}

}  // namespace holdfast::simulation
