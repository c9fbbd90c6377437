#include <algorithm>

#include <fmt/format.h>

#include "base/planted.hpp"
#include "history/check.hpp"

namespace holdfast::history {

void note(findings& f, const check_options& o, std::string what) {
  ++f.found;
  if (f.violations.size() < o.violations_max) f.violations.push_back(std::move(what));
}

std::string name_of_row(const history& h, std::size_t row) {
  static constexpr const char* names[operations] = {"hold", "extend", "begin payment", "payment failed", "confirm", "release", "look"};
  const auto& r = h.rows[row];
  const auto since = [&](std::uint64_t t) { return (static_cast<double>(t) - static_cast<double>(h.rows.front().invoked)) / 1e9; };
  const auto what = r.what == operation::look ? std::string("look") : fmt::format("{} {:016x}", names[static_cast<std::size_t>(r.what)], r.hold);
  if (r.came == outcome::unknown) return fmt::format("row {} ({}, asked at {:.6f} s, no answer)", row + 1, what, since(r.invoked));
  const auto said = r.came == outcome::yes ? fmt::format("record {}", r.record) : fmt::format("refused with {}", r.refusal);
  return fmt::format("row {} ({}, {}, {:.6f} to {:.6f} s)", row + 1, what, said, since(r.invoked), since(r.answered));
}

namespace {

struct interval {
  std::uint64_t key;        ///< seat or account
  std::uint64_t from, to;
  std::uint32_t hold, places;
};

bool by_key_and_time(const interval& a, const interval& b) { return a.key != b.key ? a.key < b.key : a.from < b.from; }

/// When a hold surely had its places. At most two intervals: a sale may have come late, after a gap.
template <class Visit>
void sure_times(const hold_story& a, const clock_map& clock, Visit&& visit) {
  const auto end = std::min(a.release_invoked, a.deadline == 0 ? 0 : clock.earliest(a.deadline));
  if (a.placed == outcome::yes && a.confirmed == outcome::yes && a.confirm_answered <= end) return visit(a.answered, never);
  if (a.placed == outcome::yes && a.answered < end) visit(a.answered, end);
  if (a.confirmed == outcome::yes) visit(a.confirm_answered, never);
}

/// Two holds that surely had one seat at one time.
void check_overlaps(const history& h, const stories& s, std::vector<interval>& all, findings& f, const check_options& o) {
  std::sort(all.begin(), all.end(), by_key_and_time);
  for (std::size_t i = 1, widest = 0; i < all.size(); ++i) {
    const auto& a = all[widest];
    const auto& b = all[i];
    if (a.key != b.key) {
      widest = i;
      continue;
    }
    if (b.from < a.to && a.hold != b.hold)
      note(f, o, fmt::format("seat {} was {} by two at once: {} and {}", b.key, a.to == never && b.to == never ? "sold" : "had",
                             name_of_row(h, s.holds[a.hold].row), name_of_row(h, s.holds[b.hold].row)));
    if (b.to > a.to) widest = i;
  }
}

/// Of no key may more be had at once than there is for it.
template <class Most, class Tell>
void check_sums(const std::vector<interval>& all, Most most, Tell tell) {
  struct change { std::uint64_t key, at; std::int64_t places; std::uint32_t hold; };
  std::vector<change> changes;
  changes.reserve(all.size() * 2);
  for (const auto& i : all) {
    changes.push_back({i.key, i.from, i.places, i.hold});
    if (i.to != never) changes.push_back({i.key, i.to, -static_cast<std::int64_t>(i.places), i.hold});
  }
  // What ends and what begins in one moment did not overlap.
  std::sort(changes.begin(), changes.end(), [](const change& a, const change& b) {
    return a.key != b.key ? a.key < b.key : a.at != b.at ? a.at < b.at : a.places < b.places;
  });
  std::int64_t has = 0;
  for (std::size_t i = 0; i < changes.size(); ++i) {
    if (i == 0 || changes[i].key != changes[i - 1].key) has = 0;
    has += changes[i].places;
    if (changes[i].places > 0 && has > most(changes[i].key)) tell(changes[i].key, has, changes[i].hold);
  }
}

/// Whoever is refused for the limit must be able to have reached it, with everything that he may have had meanwhile.
void check_limit_refusals(const history& h, const stories& s, const clock_map& clock, findings& f, const check_options& o) {
  struct moment { std::uint64_t key, at; std::int64_t sum; };
  const auto before = [](const moment& a, const moment& b) { return a.key != b.key ? a.key < b.key : a.at < b.at; };
  const auto places_of = [&](std::uint32_t row) {
    std::int64_t all = 0;
    for (const auto& l : h.lines_of(row)) all += l.places;
    return all;
  };
  std::vector<moment> begun, ended;
  for (const auto& a : s.holds) {
    if (a.row == nobody || !a.may_exist()) continue;
    const auto account = h.rows[a.row].account;
    const auto places = places_of(a.row);
    begun.push_back({account, a.invoked, places});
    const bool open = a.confirmed != outcome::no || a.deadline == 0 || a.deadline_open;
    auto end = open ? never : clock.latest(a.deadline + o.shift_us);
    if (a.released == outcome::yes && a.confirmed == outcome::no) end = std::min(end, a.release_answered);
    if (end != never) ended.push_back({account, end, places});
  }
  for (auto* v : {&begun, &ended}) {
    std::sort(v->begin(), v->end(), before);
    for (std::size_t i = 1; i < v->size(); ++i)
      if ((*v)[i].key == (*v)[i - 1].key) (*v)[i].sum += (*v)[i - 1].sum;
  }
  /// Of all that came by then.
  const auto up_to = [&](const std::vector<moment>& v, std::uint64_t key, std::uint64_t at) {
    const auto after = std::upper_bound(v.begin(), v.end(), moment{key, at, 0}, before);
    return after == v.begin() || (after - 1)->key != key ? 0 : (after - 1)->sum;
  };
  for (std::uint32_t i = 0; i < h.rows.size(); ++i) {
    const auto& r = h.rows[i];
    if (r.what != operation::hold || r.came != outcome::no || r.refusal != said::over_limit) continue;
    auto may_have = up_to(begun, r.account, r.answered) - (r.invoked == 0 ? 0 : up_to(ended, r.account, r.invoked - 1));
    if (may_come_late(r)) may_have -= places_of(i);  // its own copy came after this
    if (may_have + places_of(i) <= o.limit)
      note(f, o, fmt::format("refused for the limit with {} places at most: {}", may_have, name_of_row(h, i)));
  }
}

/// Whoever asks after another was answered must not be told of an earlier time, and what he changes comes in a later record.
void check_real_time(const history& h, const stories& s, findings& f, const check_options& o) {
  struct moment { std::uint64_t at, record; };
  std::vector<moment> answered;
  std::vector<std::uint32_t> asked;
  for (std::uint32_t i = 0; i < h.rows.size(); ++i) {
    const auto& r = h.rows[i];
    if (r.came == outcome::unknown) continue;
    if (r.answered < r.invoked) note(f, o, "answered before it was asked: " + name_of_row(h, i));
    if (r.server + (r.came == outcome::yes ? slack_us : turn_us) < s.told_before[i])
      note(f, o, fmt::format("told of {} when {} had been told already: {}", r.server, s.told_before[i], name_of_row(h, i)));
    if (r.came != outcome::yes || r.again != 0) continue;
    answered.push_back({r.answered, r.record});
    asked.push_back(i);
  }
  if (!std::ranges::is_sorted(answered, {}, &moment::at)) std::ranges::sort(answered, {}, &moment::at);
  const auto invoked = [&](std::uint32_t i) { return h.rows[i].invoked; };
  if (!std::ranges::is_sorted(asked, {}, invoked)) std::ranges::sort(asked, {}, invoked);
  std::uint64_t record = 0;
  std::size_t done = 0;
  for (const auto i : asked) {
    const auto& r = h.rows[i];
    for (; done < answered.size() && answered[done].at < r.invoked; ++done) record = std::max(record, answered[done].record);
    if (r.what == operation::look ? r.record < record : r.record <= record)
      note(f, o, fmt::format("record {} after record {}: {}", r.record, record, name_of_row(h, i)));
  }
}

}  // namespace

findings check_intervals(const history& h, const stories& s, const clock_map& clock, const check_options& o) {
  findings f;
  std::vector<interval> seats, areas, accounts;
  for (std::uint32_t n = 0; n < s.holds.size(); ++n) {
    const auto& a = s.holds[n];
    if (a.row == nobody) continue;
    sure_times(a, clock, [&](std::uint64_t from, std::uint64_t to) {
      std::uint32_t places = 0;
      for (const auto& l : h.lines_of(a.row)) {
        places += l.places;
        (l.is_area() ? areas : seats).push_back({l.number(), from, to, n, l.places});
      }
      if (o.limit != 0) accounts.push_back({h.rows[a.row].account, from, to, n, places});
    });
  }
  f.looked_at = seats.size() + areas.size();
  check_overlaps(h, s, seats, f, o);
  check_sums(
      areas, [&](std::uint64_t area) { return static_cast<std::int64_t>(h.area_places[area]); },
      [&](std::uint64_t area, std::int64_t has, std::uint32_t hold) {
        note(f, o, fmt::format("{} places of area {} were had at once, and it has {}: {}", has, area, h.area_places[area],
                               name_of_row(h, s.holds[hold].row)));
      });
  if (o.limit != 0 && !planted(bug::checker_blind_to_limits)) {
    check_sums(
        accounts, [&](std::uint64_t) { return std::int64_t{o.limit}; },
        [&](std::uint64_t account, std::int64_t has, std::uint32_t hold) {
          note(f, o, fmt::format("account {:016x} had {} places: {}", account, has, name_of_row(h, s.holds[hold].row)));
        });
    check_limit_refusals(h, s, clock, f, o);
  }
  check_real_time(h, s, f, o);
  return f;
}

}  // namespace holdfast::history
