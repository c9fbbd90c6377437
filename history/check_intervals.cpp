#include <algorithm>

#include <fmt/format.h>

#include "history/check.hpp"

namespace holdfast::history {

void note(findings& f, const check_options& o, std::string what) {
  ++f.found;
  if (f.violations.size() < o.violations_max) f.violations.push_back(std::move(what));
}

std::string name_of_row(const history& h, std::size_t row) {
  const auto& r = h.rows[row];
  return fmt::format("row {} (hold {:016x}, record {}, from {} to {})", row + 1, r.hold, r.record, r.invoked, r.answered);
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

void check_limit(const history& h, const stories& s, std::vector<interval>& all, findings& f, const check_options& o) {
  struct change { std::uint64_t key, at; std::int64_t places; std::uint32_t hold; };
  std::vector<change> changes;
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
    if (changes[i].places > 0 && has > o.limit)
      note(f, o, fmt::format("account {:016x} had {} places: {}", changes[i].key, has, name_of_row(h, s.holds[changes[i].hold].row)));
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
    if (r.server + slack_us < s.told_before[i])
      note(f, o, fmt::format("told of {} when {} had been told already: {}", r.server, s.told_before[i], name_of_row(h, i)));
    if (r.came != outcome::yes) continue;
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

/// One id, one outcome.
void check_outcomes(const history& h, const stories& s, findings& f, const check_options& o) {
  for (std::uint32_t i = 0; i < h.rows.size(); ++i) {
    const auto& r = h.rows[i];
    if (r.what == operation::look || r.came == outcome::unknown) continue;
    const auto& a = s.holds[s.hold_of[i]];
    if (a.row == nobody) {
      note(f, o, "something was asked about a hold that nobody asked for: " + name_of_row(h, i));
      continue;
    }
    const auto& first = h.rows[a.row];
    if (r.what == operation::hold && i != a.row && first.came != outcome::unknown && r.invoked > first.answered &&
        first.came == outcome::yes && (r.came != outcome::yes || r.record != first.record))
      note(f, o, fmt::format("one id, two outcomes: {} and {}", name_of_row(h, a.row), name_of_row(h, i)));
    if (r.what != operation::hold && r.came == outcome::yes && a.placed == outcome::no)
      note(f, o, fmt::format("{} was accepted though its hold was refused in {}", name_of_row(h, i), name_of_row(h, a.row)));
    if (r.what == operation::confirm && r.came == outcome::no && a.confirmed == outcome::yes && r.invoked > a.confirm_answered)
      note(f, o, "sold, and the same payment again is refused: " + name_of_row(h, i));
    if (r.what == operation::release && r.came == outcome::yes && a.confirmed == outcome::yes)
      note(f, o, "released and sold: " + name_of_row(h, i));
  }
}

}  // namespace

findings check_intervals(const history& h, const stories& s, const clock_map& clock, const check_options& o) {
  findings f;
  std::vector<interval> seats, accounts;
  for (std::uint32_t n = 0; n < s.holds.size(); ++n) {
    const auto& a = s.holds[n];
    if (a.row == nobody) continue;
    sure_times(a, clock, [&](std::uint64_t from, std::uint64_t to) {
      std::uint32_t places = 0;
      for (const auto& l : h.lines_of(a.row)) {
        places += l.places;
        if (!l.is_area()) seats.push_back({l.number(), from, to, n, 1});
      }
      if (o.limit != 0) accounts.push_back({h.rows[a.row].account, from, to, n, places});
    });
  }
  f.looked_at = seats.size();
  check_overlaps(h, s, seats, f, o);
  if (o.limit != 0) check_limit(h, s, accounts, f, o);
  check_real_time(h, s, f, o);
  check_outcomes(h, s, f, o);
  return f;
}

}  // namespace holdfast::history
