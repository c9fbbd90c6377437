// Each seat by itself: what touches it, and from when to when; then the exact search.
#include <algorithm>
#include <thread>

#include <fmt/format.h>

#include "base/planted.hpp"
#include "history/check.hpp"
#include "history/seat_search.hpp"

namespace holdfast::history {

namespace {

/// The phases that a refused line may have seen; 0: nothing is said about it.
std::uint8_t seen_by_refusal(const row& r, std::uint32_t line) {
  if (r.refusal < said::blocked || r.refusal > said::none_free_now || line >= 8) return 0;
  // No line is named when the whole sale is sold out.
  if (r.refusal == said::sold_out && r.offending == 0) return bit_of(phase::sold);
  const bool offends = (r.offending >> line & 1U) != 0;
  // It is the least of these refusals and says of every line whether it is in the way.
  if (r.refusal == said::none_free_now) return bit_of(offends ? phase::held : phase::free);
  if (!offends) return 0;
  const bool only_one = (r.offending & (r.offending - 1U)) == 0;
  if (only_one && r.refusal == said::sold_out) return bit_of(phase::sold);
  return bit_of(phase::held) | bit_of(phase::sold);
}

/// A blocked seat is like one that was sold to nobody.
phase phase_of(unsigned state) {
  return state == seen::free ? phase::free : state == seen::held || state == seen::paying ? phase::held : phase::sold;
}

/// All operations, seat by seat.
struct by_seat {
  std::vector<std::size_t> first;  ///< one more than there are seats
  std::vector<touch> touches;
  std::uint64_t settled = 0;       ///< needed no search
};

/// What is known of each seat before the search.
struct known_seats {
  std::vector<phase> at_first;           ///< without a look at it: free
  std::vector<std::uint64_t> sold_from;  ///< surely sold to the end from then on; never: or not at all
  std::vector<bool> ours;                ///< somebody got it, so it is none that is set aside for others
};

known_seats know(const history& h, const stories& s) {
  known_seats k{std::vector<phase>(h.seats, phase::free), std::vector<std::uint64_t>(h.seats, never), std::vector<bool>(h.seats)};
  for (const auto look : s.first_looks)
    for (auto seat = h.first_seen(look); seat < h.last_seen(look); ++seat) {
      k.at_first[seat] = phase_of(h.state_of(look, seat));
      if (k.at_first[seat] == phase::sold) k.sold_from[seat] = 0;
    }
  for (const auto& a : s.holds) {
    if (a.row == nobody || a.placed != outcome::yes) continue;
    for (const auto& l : h.lines_of(a.row)) {
      if (l.is_area()) continue;
      k.ours[l.number()] = true;
      if (a.confirmed == outcome::yes) k.sold_from[l.number()] = std::min(k.sold_from[l.number()], a.confirm_answered);
    }
  }
  return k;
}

/// A copy of what was refused may be accepted as a whole only: not if one of its seats was sold before it was first asked for.
bool comes_too_late(const history& h, const hold_story& a, const known_seats& known) {
  return a.late_until != 0 && std::ranges::any_of(h.lines_of(a.row), [&](const line_item& l) {
           return !l.is_area() && known.sold_from[l.number()] < a.invoked;
         });
}

/// Returns how many refusals needed no search: who asks after a sale and is told of it was told the truth in every world. In the
/// end of a rush that is nearly everybody.
template <class Visit>
std::uint64_t each_touch(const history& h, const stories& s, const clock_map& clock, const known_seats& known, const check_options& o, Visit&& visit) {
  std::uint64_t settled = 0;
  for (std::uint32_t i = 0; i < h.rows.size(); ++i) {
    const auto& r = h.rows[i];
    if (r.what != operation::hold || r.came != outcome::no) continue;
    const auto lines = h.lines_of(i);
    for (std::uint32_t k = 0; k < lines.size(); ++k) {
      const auto fits = lines[k].is_area() ? std::uint8_t{0} : seen_by_refusal(r, k);
      const auto seat = lines[k].number();
      if (fits == 0 || (r.offending == 0 && !known.ours[seat] && known.at_first[seat] != phase::sold)) continue;
      if ((fits & bit_of(phase::sold)) != 0 && known.sold_from[seat] < r.invoked) ++settled;
      else visit(seat, touch{touch::kind::see, fits, false, false, i, nobody, r.invoked, r.answered});
    }
  }
  for (std::uint32_t n = 0; n < s.holds.size(); ++n) {
    const auto& a = s.holds[n];
    if (a.row == nobody || !a.may_exist() || comes_too_late(h, a, known)) continue;
    // Nothing is known of a hold's end if its beginning is not.
    const bool has_end = a.deadline != 0;
    const auto end_from = has_end ? clock.earliest(a.deadline) : a.invoked;
    // A hold that has not begun cannot end: a deadline may be over before its client hears of it.
    const auto end_to = !has_end || a.deadline_open || a.answered == never
                            ? never
                            : std::max(clock.latest(a.deadline + o.shift_us), a.answered + 1);
    for (const auto& l : h.lines_of(a.row)) {
      if (l.is_area()) continue;
      // A copy of what was refused: after its client's deadline it is not accepted any more.
      const bool late = a.late_until != 0;
      visit(l.number(), touch{touch::kind::take, 0, false, late, a.row, n, a.invoked, late ? clock.latest(a.late_until) : a.answered});
      visit(l.number(), touch{touch::kind::end, 0, false, false, a.row, n, std::max(end_from, a.invoked), end_to});
      if (a.confirmed != outcome::no)
        visit(l.number(), touch{touch::kind::sell, 0, a.confirm_answered >= end_from, false, a.row, n, a.confirm_invoked, a.confirm_answered});
      if (a.released != outcome::no)
        visit(l.number(), touch{touch::kind::give, 0, false, false, a.row, n, a.release_invoked, a.release_answered});
    }
  }
  for (std::uint32_t i = 0; i < h.rows.size(); ++i) {
    const auto& r = h.rows[i];
    if (r.what != operation::look) continue;
    for (auto seat = h.first_seen(i); seat < h.last_seen(i); ++seat) {
      const auto fits = bit_of(phase_of(h.state_of(i, seat)));
      visit(seat, touch{touch::kind::see, fits, false, false, i, nobody, r.invoked, r.answered});
    }
  }
  return settled;
}

by_seat sort_by_seat(const history& h, const stories& s, const clock_map& clock, const known_seats& known, const check_options& o) {
  by_seat b;
  b.first.resize(h.seats + 1U);
  b.settled = each_touch(h, s, clock, known, o, [&](std::uint32_t seat, const touch&) { ++b.first[seat + 1U]; });
  for (std::size_t i = 1; i < b.first.size(); ++i) b.first[i] += b.first[i - 1];
  b.touches.resize(b.first.back());
  auto next = b.first;
  each_touch(h, s, clock, known, o, [&](std::uint32_t seat, const touch& t) { b.touches[next[seat]++] = t; });
  return b;
}

findings search_seats(const history& h, const known_seats& known, const by_seat& b, std::uint32_t from, std::uint32_t to, const check_options& o) {
  findings f;
  seat_search search;
  for (auto seat = from; seat < to; ++seat) {
    if (o.tell && seat % 1'024 == 0) o.tell(static_cast<double>(seat - from) / (to - from));
    if (known.at_first[seat] == phase::held || !o.alone) {
      ++f.left_out;
      continue;
    }
    const auto touches = std::span(b.touches).subspan(b.first[seat], b.first[seat + 1U] - b.first[seat]);
    if (touches.empty()) continue;
    switch (search.run(touches, known.at_first[seat])) {
      case seat_search::result::fits: break;
      case seat_search::result::too_much: ++f.left_out; break;
      case seat_search::result::violation:
        if (planted(bug::checker_blind_to_seats)) break;
        note(f, o, fmt::format("seat {}: no order explains {}", seat, name_of_row(h, search.worst())));
        break;
    }
  }
  return f;
}

constexpr std::uint32_t seats_worth_a_thread = 2'048;
constexpr std::uint32_t threads_max = 8;

}  // namespace

findings check_seats(const history& h, const stories& s, const clock_map& clock, const check_options& o) {
  const auto known = know(h, s);
  const auto b = sort_by_seat(h, s, clock, known, o);

  // Seats have nothing to do with each other: each thread has a stretch of them, and the first tells for all how far they are.
  const auto wanted = o.threads != 0 ? o.threads : std::min(std::thread::hardware_concurrency(), h.seats / seats_worth_a_thread);
  const auto parts = std::clamp(wanted, 1U, threads_max);
  std::vector<findings> found(parts);
  auto quiet = o;
  quiet.tell = {};
  const auto from = [&](std::uint32_t part) { return static_cast<std::uint32_t>(std::uint64_t{h.seats} * part / parts); };
  {
    std::vector<std::jthread> helpers;  // whatever they look at lives longer
    for (std::uint32_t p = 1; p < parts; ++p)
      helpers.emplace_back([&, p] { found[p] = search_seats(h, known, b, from(p), from(p + 1), quiet); });
    found[0] = search_seats(h, known, b, 0, from(1), o);
  }
  auto f = std::move(found[0]);
  for (std::uint32_t p = 1; p < parts; ++p) {
    f.left_out += found[p].left_out;
    f.found += found[p].found;
    for (auto& v : found[p].violations)
      if (f.violations.size() < o.violations_max) f.violations.push_back(std::move(v));
  }
  f.looked_at = b.touches.size() + b.settled;
  return f;
}

}  // namespace holdfast::history
