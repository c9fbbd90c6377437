// Holding, changing, extending and giving back places.
#include <algorithm>
#include <bit>

#include "base/planted.hpp"
#include "core/decider.hpp"

namespace holdfast::core {
namespace {

/// Allocations of `set` in the order of drawing: ascending, public last.
template <class Visit>
void in_draw_order(std::uint32_t set, Visit&& visit) {
  if (planted(bug::area_drawn_public_first) && (set & 1U) != 0) visit(0U), set &= ~1U;
  for (std::uint32_t rest = set & ~1U; rest != 0; rest &= rest - 1) visit(static_cast<std::uint32_t>(std::countr_zero(rest)));
  if ((set & 1U) != 0) visit(0U);
}

/// The foremost of two refusals about places; they are numbered in their order of precedence.
refusal foremost(refusal a, refusal b) {
  static_assert(refusal::not_in_your_channel < refusal::blocked && refusal::blocked < refusal::sold_out &&
                refusal::sold_out < refusal::none_free_now && refusal::none_free_now < refusal::not_enough);
  return a == refusal::none || b < a ? b : a;
}

}  // namespace

std::int64_t decider::free_in(std::uint32_t area, std::uint32_t allocation) const {
  std::int64_t n = s.stock_of(area, allocation).free();
  for (const auto& t : s.scratch_->taken_places)
    if (t.area == area && t.allocation == allocation) n -= t.count;
  return n;
}

void decider::take(std::uint32_t area, std::uint32_t allocation, std::int64_t count) {
  for (auto& t : s.scratch_->taken_places)
    if (t.area == area && t.allocation == allocation) {
      t.count += count;
      return;
    }
  s.scratch_->taken_places.push_back({area, allocation, count});
}

void decider::offends(shortage& found, std::size_t line, refusal why, std::uint64_t seq) {
  found.worst = foremost(found.worst, why);
  found.seq = std::max(found.seq, seq);
  if (line < 64) out.said.lines |= std::uint64_t{1} << line;
}

bool decider::places(const channel_policy& row, lines asked, std::span<const state::part> dropped) {
  s.scratch_->draws.clear();
  shortage found;
  bool areas_counted = false;
  for (std::size_t i = 0; i < asked.size(); ++i) {
    const line& l = asked[i];
    if (l.kind == place_kind::seat) {
      const auto& seat = s.seats_[l.number];
      const bool for_this_channel = ((row.allocations >> seat.allocation) & 1U) != 0;
      if (seat.state != seat_state::free || seat.withdrawn || !for_this_channel) taken_seat(found, row, i, l.number, dropped);
      continue;
    }
    if (!areas_counted) count_dropped(dropped);
    areas_counted = true;
    area_line(found, row, i, l, dropped);
  }
  if (found.worst == refusal::none) return false;
  if (found.worst == refusal::not_enough) out.said.left = found.left;
  if (found.worst == refusal::none_free_now && found.wait_us > 0)
    out.said.retry_after = static_cast<interval_ms>(std::min<std::uint64_t>((found.wait_us + us_per_ms - 1) / us_per_ms, ~interval_ms{0}));
  else if ((found.worst == refusal::none_free_now || found.worst == refusal::not_enough) && found.area_may_return)
    out.said.retry_after = 1'000;
  return no(found.worst, found.seq);
}

void decider::taken_seat(shortage& found, const channel_policy& row, std::size_t line, std::uint32_t n, std::span<const state::part> dropped) {
  const auto& seat = s.seats_[n];
  if (((row.allocations >> seat.allocation) & 1U) == 0) return offends(found, line, refusal::not_in_your_channel, seat.seq);
  if (seat.withdrawn || seat.state == seat_state::blocked) return offends(found, line, refusal::blocked, seat.seq);
  for (const auto& d : dropped)
    if (!d.is_area && d.number == n && seat.hold == number) return;
  if (seat.state == seat_state::sold) return offends(found, line, refusal::sold_out, seat.seq);
  const auto& holder = s.holds_.at(seat.hold);
  const auto of_holder = planted(bug::refusal_forgets_the_holder) ? 0 : holder.seq;
  offends(found, line, refusal::none_free_now, std::max<std::uint64_t>(of_holder, seat.seq));
  if (holder.deadline > clock.value) found.wait_us = std::max(found.wait_us, holder.deadline - clock.value);
}

void decider::count_dropped(std::span<const state::part> dropped) {
  auto& taken = s.scratch_->taken_places;
  taken.clear();
  // Dropped area places come back first: into the debt as long as there is one, then free.
  for (const auto& d : dropped)
    if (d.is_area) take(d.number, d.allocation, -static_cast<std::int64_t>(d.count));
  for (auto& t : taken) {
    const auto debt = s.stock_of(t.area, t.allocation).debt;
    t.count = std::min<std::int64_t>(0, t.count + debt);
  }
}

void decider::area_line(shortage& found, const channel_policy& row, std::size_t line, const core::line& l, std::span<const state::part> dropped) {
  std::int64_t free = 0, free_now = 0;
  std::uint64_t capacity = 0, held = 0, occupied = 0, area_seq = 0;
  in_draw_order(row.allocations & ((1U << s.allocations_) - 1U), [&](std::uint32_t a) {
    const auto& st = s.stock_of(l.number, a);
    // As if what is dropped had come back already: first into the debt, then free.
    std::uint64_t back = 0;
    for (const auto& d : dropped)
      if (d.is_area && d.number == l.number && d.allocation == a) back += d.count;
    const std::uint64_t owed = std::min<std::uint64_t>(st.debt, back);
    const std::uint64_t still_held = st.held + st.paying - back, debt = st.debt - owed;
    capacity += st.capacity;
    held += still_held > debt ? still_held - debt : 0;
    occupied += st.occupied() - back;
    free += free_in(l.number, a);
    free_now += static_cast<std::int64_t>(st.free() + back - owed);
    area_seq = std::max(area_seq, st.seq);
  });
  if (capacity == 0) return offends(found, line, refusal::not_in_your_channel, area_seq);
  if (free >= l.count) {
    std::int64_t wanted = l.count;
    in_draw_order(row.allocations & ((1U << s.allocations_) - 1U), [&](std::uint32_t a) {
      const auto n = std::min(wanted, free_in(l.number, a));
      if (n <= 0) return;
      s.scratch_->draws.push_back({static_cast<std::uint16_t>(line), static_cast<std::uint8_t>(a), static_cast<std::uint32_t>(n)});
      take(l.number, a, n);
      wanted -= n;
    });
    return;
  }
  if (free > 0 || free_now > 0) {
    offends(found, line, refusal::not_enough, area_seq);
    if (!found.left_known) found.left = static_cast<std::uint64_t>(std::max<std::int64_t>(free, 0));
    found.left_known = true;
    found.area_may_return = found.area_may_return || held > 0;
  } else if (held > 0) {
    offends(found, line, refusal::none_free_now, area_seq);
    found.area_may_return = true;
  } else {
    offends(found, line, occupied > 0 ? refusal::sold_out : refusal::blocked, area_seq);
  }
}

bool decider::over_limit(channel_no channel, key_kind kind, std::uint32_t key_ref, lines more, std::span<const state::part> less) {
  const auto k = static_cast<std::size_t>(kind);
  for (const auto& rule : s.rules_[channel]) {
    if (rule.kind != kind) continue;
    const auto mask = s.masks_[k][rule.mask];
    const auto in_mask = [&](bool area, std::uint32_t n) {
      return (mask >> s.category_of(area ? place_kind::area : place_kind::seat, n)) & 1U;
    };
    const std::uint64_t seq = key_ref == 0 ? 0 : s.keys_.at(key_ref).seq;
    std::uint64_t has = key_ref == 0 ? 0 : s.keys_.at(key_ref).counts[rule.mask];
    for (const auto& p : less)
      if (in_mask(p.is_area, p.number)) has -= p.count;
    std::uint64_t asked = 0;
    for (const auto& l : more)
      if (in_mask(l.kind == place_kind::area, l.number)) asked += l.count;
    if (asked == 0 || has + asked <= rule.places_max + (planted(bug::limit_off_by_one) ? 1U : 0U)) {
      passed = std::max(passed, seq);
      continue;
    }
    out.said.kind = kind;
    out.said.left = rule.places_max > has ? rule.places_max - has : 0;
    return no(refusal::over_limit, seq);
  }
  return false;
}

bool decider::over_limit(channel_no channel, key_kind kind, std::uint32_t key_ref, std::span<const state::part> more) {
  // Few commands come here (begin with new keys, a late confirm), so a copy in the other form is fine.
  std::vector<line> as_lines;
  for (const auto& p : more)
    if (!p.cancelled) as_lines.push_back({p.is_area ? place_kind::area : place_kind::seat, p.number, p.count, p.price});
  return over_limit(channel, kind, key_ref, as_lines, {});
}

void decider::decide(const hold_seats& c) {
  const channel_policy* row = nullptr;
  if (channel_row(row) || gate()) return;
  if (c.plan_revision != s.terms_->plan_revision) return void(no(refusal::plan_changed, 1));
  if (c.lines.size() > row->lines_max) return void(no(refusal::too_many_lines, 0));
  if (no_such_place(c.lines)) return;
  const auto key_of = [&](key_kind kind) -> const limit_key* {
    for (const auto& k : c.keys)
      if (k.kind == kind) return &k;
    return nullptr;
  };
  for (const auto& rule : row->rules)
    if (key_of(rule.kind) == nullptr) {
      out.said.kind = rule.kind;
      return void(no(refusal::limit_key_missing, 0));
    }
  at.owner_ref = s.find_owner(c.owner.value, at.owner);
  if (at.owner_ref != 0) {
    const auto& o = s.owners_.at(at.owner_ref);
    if (o.live >= row->holds_per_owner_max) return void(no(refusal::too_many_holds, o.seq));
    passed = std::max(passed, o.seq);
  }
  if (places(*row, c.lines, {})) return;
  for (std::size_t i = 0; i < c.keys.size(); ++i) at.key_ref[i] = s.find_key(c.keys[i], at.key[i]);
  for (const auto& rule : row->rules)
    if (over_limit(head.channel, rule.kind, at.key_ref[key_of(rule.kind) - c.keys.data()], c.lines, {})) return;
  if (s.holds_.last() == ~std::uint32_t{0} - 1) return void(no(refusal::table_full, 0));

  const auto granted = std::min({c.interval, row->hold_max, row->lifetime_max});
  const hold_time until{clock.value + us(granted)};
  out.said.granted = s.in_log_time(until);
  yes(hold_placed{hold_no{s.holds_.next()}, until, s.scratch_->draws});
}

bool decider::parts_named(lines asked, std::vector<state::part>& cut) {
  cut.clear();
  const auto parts = s.parts_of(*h);
  std::uint64_t missing = 0;
  bool any = false;
  for (std::size_t i = 0; i < asked.size(); ++i) {
    const line& l = asked[i];
    std::uint32_t wanted = l.count;
    // What was drawn last goes back first, so that public places, which all may have, return before a channel's own.
    for (std::size_t p = parts.size(); p-- > 0 && wanted > 0;) {
      if (parts[p].cancelled || parts[p].number != l.number || parts[p].is_area != (l.kind == place_kind::area) || parts[p].price != l.price)
        continue;
      state::part piece = parts[p];
      piece.count = std::min<std::uint32_t>(wanted, parts[p].count);
      wanted -= piece.count;
      cut.push_back(piece);
    }
    if (wanted == 0) continue;
    any = true;
    if (i < 64) missing |= std::uint64_t{1} << i;
  }
  if (!any) return false;
  out.said.lines = missing;
  return no(refusal::not_in_hold, h->seq);
}

void decider::decide(const change_hold& c) {
  const channel_policy* row = nullptr;
  if (channel_row(row) || hold_of(c.owner, c.hold) || ended() || paying()) return;
  if (s.frozen_at_.value != 0) return void(no(refusal::frozen, s.control_seq_));
  if (!c.add.empty() && gate()) return;
  if (h->changes >= limits::changes_per_hold_max) return void(no(refusal::too_many_changes, h->seq));
  if (!c.add.empty() && c.plan_revision != s.terms_->plan_revision) return void(no(refusal::plan_changed, 1));
  if (no_such_place(c.add) || no_such_place(c.drop)) return;
  auto& cut = s.scratch_->cut;
  if (parts_named(c.drop, cut)) return;

  // What stays: the hold's lines (parts of one area at one price are one line) without the dropped counts.
  const auto parts = s.parts_of(*h);
  const auto stays = [&](bool area, std::uint32_t n, price_ref price, bool any_price) {
    std::int64_t count = 0;
    for (const auto& p : parts)
      if (p.is_area == area && p.number == n && (any_price || p.price == price)) count += p.count;
    for (const auto& p : cut)
      if (p.is_area == area && p.number == n && (any_price || p.price == price)) count -= p.count;
    return count > 0;
  };
  for (std::size_t i = 0; i < c.add.size(); ++i) {
    const bool area = c.add[i].kind == place_kind::area;
    if (!stays(area, c.add[i].number, c.add[i].price, !area)) continue;
    if (i < 64) out.said.lines |= std::uint64_t{1} << i;
    no(refusal::duplicate_line, h->seq);
  }
  if (out.said.refused != refusal::none) return;
  std::size_t lines_kept = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const bool first_of_line = i == 0 || !parts[i].is_area || !parts[i - 1].is_area || parts[i].number != parts[i - 1].number ||
                               parts[i].price != parts[i - 1].price;
    if (first_of_line && stays(parts[i].is_area, parts[i].number, parts[i].price, false)) ++lines_kept;
  }
  if (lines_kept + c.add.size() == 0) return void(no(refusal::last_line, h->seq));
  if (lines_kept + c.add.size() > row->lines_max) return void(no(refusal::too_many_lines, h->seq));
  if (places(*row, c.add, cut)) return;
  for (const auto& rule : row->rules)
    for (auto m = h->members; m != 0; m = s.members_.at(m).of_hold) {
      const auto& member = s.members_.at(m);
      if ((member.target & state::area_bit) != 0 || s.keys_.at(member.target).kind != rule.kind) continue;
      if (over_limit(head.channel, rule.kind, member.target, c.add, cut)) return;
    }
  yes(hold_changed{hold_no{number}, s.scratch_->draws});
}

void decider::decide(const extend_hold& c) {
  const channel_policy* row = nullptr;
  if (channel_row(row) || hold_of(c.owner, c.hold) || ended() || paying()) return;
  if (s.frozen_at_.value != 0) return void(no(refusal::frozen, s.control_seq_));
  if (h->changes >= limits::changes_per_hold_max) return void(no(refusal::too_many_changes, h->seq));
  if (h->extensions >= row->extensions_max) return void(no(refusal::too_many_extensions, h->seq));
  const hold_time until{std::min(clock.value + us(std::min(c.interval, row->hold_max)),
                                  planted(bug::extend_beyond_lifetime) ? ~std::uint64_t{0} : h->lifetime_end)};
  if (until.value <= h->deadline) return void(no(refusal::no_gain, h->seq));
  out.said.granted = s.in_log_time(until);
  yes(hold_extended{hold_no{number}, until});
}

void decider::decide(const release_hold& c) {
  if (hold_of(c.owner, c.hold) || ended()) return;
  if (head.from.who == role::buyer && paying()) return;
  if (c.lines.empty()) return yes(hold_released{hold_no{number}});
  auto& cut = s.scratch_->cut;
  const bool strange = parts_named(c.lines, cut);
  std::uint64_t all = 0, some = 0;
  for (const auto& p : s.parts_of(*h)) all += p.count;
  for (const auto& p : cut) some += p.count;
  if (some < all && paying()) {
    out.said.lines = 0;
    return;
  }
  if (strange) return;
  if (some < all && h->changes >= limits::changes_per_hold_max) return void(no(refusal::too_many_changes, h->seq));
  yes(hold_released{hold_no{number}});
}

}  // namespace holdfast::core
