#include <algorithm>
#include <unordered_map>

#include <fmt/format.h>

#include "base/planted.hpp"
#include "history/check.hpp"

namespace holdfast::history {

namespace {

/// All accepted operations, in the order of the records that the server named, on books that a child could keep.
class book {
 public:
  book(const history& h, const stories& s, const check_options& o, findings& f)
      : h_(h), s_(s), o_(o), f_(f), owner_(h.seats, nobody), before_(h.seats, false), holds_(s.holds.size()) {}

  /// What was sold or blocked before anybody of ours came.
  void begins_with(std::size_t look) {
    for (auto seat = h_.first_seen(look); seat < h_.last_seen(look); ++seat) {
      const auto shown = h_.state_of(look, seat);
      before_[seat] = shown != seen::free && shown != seen::held && shown != seen::paying;
    }
  }

  void happens(std::uint32_t i) {
    const auto& r = h_.rows[i];
    if (r.what == operation::look) return looked(i);
    const auto n = s_.hold_of[i];
    auto& a = holds_[n];
    switch (r.what) {
      case operation::hold: return placed(i, n);
      case operation::extend:
      case operation::begin_payment:
        must_live(i, a);
        if (r.what == operation::extend) a.held_deadline = r.deadline;
        a.deadline = r.deadline;
        return;
      case operation::payment_failed:
        must_live(i, a);
        a.deadline = r.deadline;
        return;
      case operation::confirm: return sold(i, n);
      case operation::release:
        must_live(i, a);
        a.is = state::gone;
        count(h_.rows[i], n, -1);
        return;
      case operation::look: return;
    }
  }

 private:
  enum class state : std::uint8_t { none, live, sold, gone };
  struct hold {
    state is = state::none;
    std::uint64_t deadline = 0, held_deadline = 0;
  };

  void wrong(std::uint32_t i, const std::string& what) { note(f_, o_, fmt::format("{} {}", name_of_row(h_, i), what)); }

  /// Surely live at this instant of the server's time: nothing unanswered could have ended it or made its deadline earlier.
  [[nodiscard]] bool surely_has(std::uint32_t n, std::uint64_t server) const {
    const auto& a = holds_[n];
    const auto& told = s_.holds[n];
    if (a.is == state::sold) return true;
    if (a.is != state::live || told.released == outcome::unknown) return false;
    return (told.deadline_open ? std::min(a.deadline, told.deadline) : a.deadline) > server;
  }

  void must_live(std::uint32_t i, const hold& a) {
    if (a.is == state::sold) wrong(i, "came after the sale of its hold");
    if (a.is == state::gone) wrong(i, "came after its hold was given back");
    if (a.is == state::live && a.deadline + o_.shift_us <= s_.told_before[i] && !s_.holds[s_.hold_of[i]].deadline_open)
      wrong(i, "came after its hold had ended");
    if (a.is == state::none && s_.holds[s_.hold_of[i]].placed == outcome::yes) wrong(i, "came before its hold");
  }

  void placed(std::uint32_t i, std::uint32_t n) {
    const auto& r = h_.rows[i];
    auto& a = holds_[n];
    if (a.is != state::none) return wrong(i, "was placed twice");
    a = {state::live, r.deadline, r.deadline};
    for (const auto& l : h_.lines_of(i)) {
      if (l.is_area()) continue;
      occupy(i, n, l.number());
    }
    count(r, n, 1);
  }

  void occupy(std::uint32_t i, std::uint32_t n, std::uint32_t seat) {
    const auto other = owner_[seat];
    if (other != nobody && other != n && surely_has(other, h_.rows[i].server))
      wrong(i, fmt::format("got seat {}, which {} had", seat, name_of_row(h_, s_.holds[other].row)));
    if (before_[seat] && o_.alone) wrong(i, fmt::format("got seat {}, which was sold or blocked before", seat));
    owner_[seat] = n;
  }

  void sold(std::uint32_t i, std::uint32_t n) {
    auto& a = holds_[n];
    if (a.is == state::gone) wrong(i, "sold a hold that was given back");
    if (a.is == state::none && s_.holds[n].placed == outcome::yes) wrong(i, "came before its hold");
    const bool in_time = a.is == state::live && a.deadline > h_.rows[i].server;
    if (s_.holds[n].row != nobody)
      for (const auto& l : h_.lines_of(s_.holds[n].row))
        if (!l.is_area()) occupy(i, n, l.number());
    if (!in_time && a.is == state::none) count(h_.rows[i], n, 1);
    a.is = state::sold;
  }

  /// A look at everything tells of the newest record of all.
  void looked(std::uint32_t i) {
    const auto& r = h_.rows[i];
    for (auto seat = h_.first_seen(i); seat < h_.last_seen(i); ++seat) {
      if (before_[seat]) continue;
      const auto shown = h_.state_of(i, seat);
      const auto n = owner_[seat];
      const bool is_sold = n != nobody && holds_[n].is == state::sold;
      if (is_sold && shown != seen::sold)
        wrong(i, fmt::format("does not show seat {} as sold, which {} bought", seat, name_of_row(h_, s_.holds[n].row)));
      if (!is_sold && shown == seen::free && n != nobody && surely_has(n, r.server))
        wrong(i, fmt::format("shows seat {} as free, which {} has", seat, name_of_row(h_, s_.holds[n].row)));
      if (!is_sold && shown == seen::sold && o_.alone && !maybe_sold(seat)) wrong(i, fmt::format("shows seat {} as sold, which nobody bought", seat));
    }
  }

  /// Some sale of the seat was asked for and not answered.
  [[nodiscard]] bool maybe_sold(std::uint32_t seat) {
    if (!asked_.empty() || asked_made_) return asked_.contains(seat);
    asked_made_ = true;
    for (const auto& a : s_.holds) {
      if (a.row == nobody || a.confirmed == outcome::no) continue;
      for (const auto& l : h_.lines_of(a.row))
        if (!l.is_area()) asked_.emplace(l.number(), true);
    }
    return asked_.contains(seat);
  }

  void count(const row& r, std::uint32_t n, int sign) {
    if (o_.limit == 0 || planted(bug::checker_blind_to_limits)) return;
    static_cast<void>(n);
    std::int64_t places = 0;
    if (s_.holds[n].row != nobody)
      for (const auto& l : h_.lines_of(s_.holds[n].row)) places += l.places;
    auto& mine = accounts_[r.account];
    std::erase_if(mine, [&](const auto& x) { return x.first == n || !surely_has(x.first, r.server); });
    if (sign < 0) return;
    mine.emplace_back(n, places);
    std::int64_t all = 0;
    for (const auto& x : mine) all += x.second;
    if (all > o_.limit) note(f_, o_, fmt::format("account {:016x} has {} places at record {}", r.account, all, r.record));
  }

  const history& h_;
  const stories& s_;
  const check_options& o_;
  findings& f_;
  std::vector<std::uint32_t> owner_;
  std::vector<bool> before_;
  std::vector<hold> holds_;
  std::unordered_map<std::uint32_t, bool> asked_;
  bool asked_made_ = false;
  std::unordered_map<std::uint64_t, std::vector<std::pair<std::uint32_t, std::int64_t>>> accounts_;
};

}  // namespace

findings check_order(const history& h, const stories& s, const check_options& o) {
  findings f;
  struct entry { std::uint64_t record; std::uint32_t row; };
  std::vector<entry> order;
  order.reserve(h.rows.size());
  for (std::uint32_t i = 0; i < h.rows.size(); ++i) {
    const auto& r = h.rows[i];
    if (r.came == outcome::yes && r.again == 0) order.push_back({r.record, i});
  }
  // A look comes after the record that it tells of.
  std::sort(order.begin(), order.end(), [&](const entry& a, const entry& b) {
    const bool la = h.rows[a.row].what == operation::look, lb = h.rows[b.row].what == operation::look;
    return a.record != b.record ? a.record < b.record : la != lb ? lb : a.row < b.row;
  });
  f.looked_at = order.size();
  book all(h, s, o, f);
  for (const auto look : s.first_looks) all.begins_with(look);
  std::uint64_t server = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    const auto& r = h.rows[order[i].row];
    const bool look = r.what == operation::look;
    if (i > 0 && !look && order[i - 1].record == r.record && h.rows[order[i - 1].row].what != operation::look &&
        !(h.rows[order[i - 1].row].hold == r.hold && h.rows[order[i - 1].row].what == r.what))
      note(f, o, fmt::format("one record, two operations: {} and {}", name_of_row(h, order[i - 1].row), name_of_row(h, order[i].row)));
    else if (i > 0 && !look && order[i - 1].record == r.record && h.rows[order[i - 1].row].what != operation::look)
      continue;  // the same again
    // Records are decided in their order, so none was decided before one that came before it was even asked for.
    if (r.server + slack_us < server)
      note(f, o, fmt::format("{} is of an earlier time than a record before it", name_of_row(h, order[i].row)));
    server = std::max(server, s.told_before[order[i].row]);
    all.happens(order[i].row);
    if (o.tell && i % 65'536 == 0) o.tell(static_cast<double>(i) / static_cast<double>(order.size()));
  }
  return f;
}

}  // namespace holdfast::history
