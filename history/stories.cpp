#include "history/stories.hpp"

#include <algorithm>
#include <bit>

namespace holdfast::history {

clock_map::clock_map(const history& h) {
  marks_.reserve(h.rows.size());
  for (const auto& r : h.rows)
    if (r.came != outcome::unknown && r.server != 0) marks_.push_back({r.server, r.came == outcome::yes ? r.invoked : 0, r.answered});
  // Answers come nearly in the order of the server's time.
  if (!std::ranges::is_sorted(marks_, {}, &mark::server)) std::ranges::sort(marks_, {}, &mark::server);
  for (std::size_t i = 1; i < marks_.size(); ++i) marks_[i].invoked = std::max(marks_[i].invoked, marks_[i - 1].invoked);
  for (std::size_t i = marks_.size(); i-- > 1;) marks_[i - 1].answered = std::min(marks_[i - 1].answered, marks_[i].answered);
  if (marks_.empty()) return;
  from_ = marks_.front().server;
  const auto slices = std::bit_ceil(marks_.size() / 4 + 1);
  slice_ = (marks_.back().server - from_) / slices + 1;
  buckets_.resize(slices + 1, static_cast<std::uint32_t>(marks_.size()));
  for (std::size_t i = marks_.size(); i-- > 0;) buckets_[(marks_[i].server - from_) / slice_] = static_cast<std::uint32_t>(i);
  for (std::size_t i = buckets_.size() - 1; i-- > 0;) buckets_[i] = std::min(buckets_[i], buckets_[i + 1]);
}

/// The first mark at or after `server`.
std::size_t clock_map::first_from(std::uint64_t server) const {
  if (marks_.empty() || server <= from_) return 0;
  const auto slice = (server - from_) / slice_;
  if (slice + 1 >= buckets_.size()) return marks_.back().server >= server ? marks_.size() - 1 : marks_.size();
  const auto begin = marks_.begin() + buckets_[slice], end = marks_.begin() + buckets_[slice + 1];
  return static_cast<std::size_t>(
      std::lower_bound(begin, end, server, [](const mark& m, std::uint64_t s) { return m.server < s; }) -
      marks_.begin());
}

std::uint64_t clock_map::earliest(std::uint64_t server) const {
  const auto i = first_from(server - std::min(server, slack_us));
  return i == 0 ? 0 : marks_[i - 1].invoked;
}

std::uint64_t clock_map::latest(std::uint64_t server) const {
  const auto i = first_from(server);
  return i == marks_.size() ? never : marks_[i].answered;
}

namespace {

/// From the names of holds to small numbers.
class numbering {
 public:
  explicit numbering(std::size_t most) : slots_(std::bit_ceil(most * 2 + 16), nobody), mask_(slots_.size() - 1) { names_.reserve(most); }
  std::uint32_t operator()(std::uint64_t name) {
    for (auto i = (name * 0x9e3779b97f4a7c15ULL) >> 20U;; ++i) {
      auto& slot = slots_[i & mask_];
      if (slot == nobody) {
        slot = static_cast<std::uint32_t>(names_.size());
        names_.push_back(name);
        return slot;
      }
      if (names_[slot] == name) return slot;
    }
  }

 private:
  std::vector<std::uint32_t> slots_;  // numbers alone: most names come once, and a small table stays near
  std::size_t mask_;
  std::vector<std::uint64_t> names_;
};

std::vector<std::uint64_t> told_before(const history& h) {
  struct moment { std::uint64_t at, server; };
  std::vector<moment> told;
  told.reserve(h.rows.size());
  for (const auto& r : h.rows)
    if (r.came != outcome::unknown) told.push_back({r.answered, r.server});
  if (!std::ranges::is_sorted(told, {}, &moment::at)) std::ranges::sort(told, {}, &moment::at);
  for (std::size_t i = 1; i < told.size(); ++i) told[i].server = std::max(told[i].server, told[i - 1].server);
  std::vector<std::uint64_t> before(h.rows.size());
  // The next row was asked at about the time of this one: the search begins where the last one ended.
  std::size_t at = 0;
  for (std::size_t i = 0; i < h.rows.size(); ++i) {
    const auto asked = h.rows[i].invoked;
    std::size_t low = at, high = at;
    for (std::size_t step = 1; low > 0 && told[low - 1].at >= asked; step *= 2) low = low > step ? low - step : 0;
    for (std::size_t step = 1; high < told.size() && told[high].at < asked; step *= 2) high = std::min(told.size(), high + step);
    at = static_cast<std::size_t>(std::partition_point(told.begin() + static_cast<std::ptrdiff_t>(low), told.begin() + static_cast<std::ptrdiff_t>(high),
                                                       [&](const moment& m) { return m.at < asked; }) -
                                  told.begin());
    before[i] = at == 0 ? 0 : told[at - 1].server;
  }
  return before;
}

}  // namespace

stories tell(const history& h) {
  stories s;
  s.hold_of.resize(h.rows.size(), nobody);
  s.told_before = told_before(h);
  std::size_t placed = 0, others = 0;
  for (const auto& r : h.rows) ++(r.what == operation::hold ? placed : others);
  numbering number(placed + others);
  std::vector<std::uint64_t> before_paying;
  s.holds.reserve(placed + 1);
  before_paying.reserve(placed + 1);
  for (std::uint32_t i = 0; i < h.rows.size(); ++i) {
    const auto& r = h.rows[i];
    if (r.what == operation::look) continue;
    const auto n = s.hold_of[i] = number(r.hold);
    if (n == s.holds.size()) s.holds.emplace_back(), before_paying.push_back(0);
    if (r.again != 0) continue;
    auto& a = s.holds[n];
    // What was refused and may come late all the same may have happened, then or later, or never: as if nobody had answered.
    const auto came = may_come_late(r) ? outcome::unknown : r.came;
    const auto answered = came == outcome::unknown ? never : r.answered;
    switch (r.what) {
      case operation::hold:
        if (a.row != nobody && a.placed == outcome::yes) break;  // asked again: the first answer counts
        a.row = i;
        a.placed = came;
        a.invoked = r.invoked;
        a.answered = answered;
        a.late_until = may_come_late(r) ? r.deadline : 0;
        a.deadline = before_paying[n] = may_come_late(r) ? 0 : r.deadline;
        break;
      case operation::extend:
      case operation::begin_payment:
        if (came == outcome::unknown) a.deadline_open = true;
        if (came != outcome::yes) break;
        a.deadline = r.deadline;
        if (r.what == operation::extend) before_paying[n] = r.deadline;
        break;
      case operation::payment_failed:
        if (came == outcome::unknown) a.deadline = std::min(a.deadline, before_paying[n]), a.deadline_open = true;
        if (came == outcome::yes) a.deadline = r.deadline;
        break;
      case operation::confirm:
        if (came == outcome::no || a.confirmed == outcome::yes) break;
        a.confirmed = came;
        a.confirm_invoked = r.invoked;
        a.confirm_answered = answered;
        break;
      case operation::release:
        if (came == outcome::no || a.released == outcome::yes) break;
        a.released = came;
        a.release_invoked = r.invoked;
        a.release_answered = answered;
        break;
      case operation::look: break;
    }
  }
  auto first_other = never;
  for (const auto& r : h.rows)
    if (r.what != operation::look) first_other = std::min(first_other, r.invoked);
  for (std::uint32_t i = 0; i < h.rows.size() && h.rows[i].what == operation::look; ++i)
    if (h.rows[i].answered <= first_other) s.first_looks.push_back(i);
  return s;
}

std::optional<std::uint64_t> shift_told(const history& h) {
  const auto is_look = [](const row& r) { return r.what == operation::look; };
  const auto first = std::ranges::find_if(h.rows, is_look);
  if (first == h.rows.end() || !is_look(h.rows.back())) return std::nullopt;
  const auto last = h.rows.back().deadline;
  return last - std::min(last, first->deadline);
}

}  // namespace holdfast::history
