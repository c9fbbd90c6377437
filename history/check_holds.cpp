// Each hold by itself. Its client asks one thing after the other, so what it was told so far says what it may be told next; only
// time is between them, and for the time there are bounds on both sides.
#include <algorithm>
#include <string_view>
#include <tuple>

#include <fmt/format.h>

#include "base/planted.hpp"
#include "history/check.hpp"

namespace holdfast::history {

namespace {

enum class state : std::uint8_t { none, held, paying, sold, given_back, paid_back };

/// What a hold's client knows.
struct life {
  state is = state::none;
  bool sure = true;                ///< everything that was asked about it was answered, for good
  std::uint32_t last = nobody;     ///< the row of what was last asked
  std::uint64_t deadline = 0, held_deadline = 0;
};

class reading {
 public:
  reading(const history& h, const stories& s, const clock_map& clock, const check_options& o, findings& f)
      : h_(h), s_(s), clock_(clock), o_(o), f_(f), lives_(s.holds.size()) {}

  void read(std::uint32_t i) {
    const auto& r = h_.rows[i];
    auto& l = lives_[s_.hold_of[i]];
    ++f_.looked_at;
    if (r.again != 0) return asked_again(i, l);
    l.last = i;
    if (r.came == outcome::unknown) l.sure = false;
    else if (r.came == outcome::yes) accepted(i, l);
    else refused(i, l);
    if (may_come_late(r)) l.sure = false;
  }

 private:
  void wrong(std::uint32_t i, std::string_view what) { note(f_, o_, fmt::format("{}: {}", what, name_of_row(h_, i))); }

  static bool live(const life& l) { return l.is == state::held || l.is == state::paying; }
  /// By its deadline, when this was answered.
  [[nodiscard]] bool surely_live(const row& r, const life& l) const {
    return !planted(bug::checker_blind_to_lost_holds) && l.sure && live(l) && r.answered < clock_.earliest(l.deadline);
  }
  /// By its deadline, when this was asked.
  [[nodiscard]] bool surely_over(const row& r, const life& l) const {
    return l.sure && live(l) && clock_.latest(l.deadline + (planted(bug::checker_alarms_for_nothing) ? 0 : o_.shift_us)) < r.invoked;
  }

  /// The same command after its answer: an acceptance is said again, word by word. Refusals are not remembered.
  void asked_again(std::uint32_t i, const life& l) {
    const auto& r = h_.rows[i];
    if (l.last == nobody || h_.rows[l.last].what != r.what) return wrong(i, "asked again what was not asked before");
    const auto& first = h_.rows[l.last];
    const bool was_accepted = first.came == outcome::yes || (first.came == outcome::no && first.refusal == 0);
    if (r.came == outcome::unknown || !was_accepted || r.refusal == said::busy || r.refusal == said::faulted) return;
    const auto told = [](const row& x) { return std::tuple(x.came, x.refusal, x.reason, x.record, x.deadline); };
    if (told(r) != told(first)) wrong(i, fmt::format("another answer than in row {} to the same command", l.last + 1));
    if (!std::ranges::equal(h_.lines_of(i), h_.lines_of(l.last), [](const line_item& a, const line_item& b) { return a.place == b.place && a.places == b.places; }))
      wrong(i, "asked again with other lines");
  }

  void accepted(std::uint32_t i, life& l) {
    const auto& r = h_.rows[i];
    if (r.what == operation::hold) {
      if (l.is != state::none) return wrong(i, "one id, two holds");
      l.is = state::held;
      l.deadline = l.held_deadline = r.deadline;
      return;
    }
    if (s_.holds[s_.hold_of[i]].placed == outcome::no) return wrong(i, "accepted though its hold was refused");
    if (l.is == state::given_back) return wrong(i, "accepted after its hold was given back");
    if (l.is == state::sold) return wrong(i, "accepted after its hold was sold");
    if (l.is == state::paid_back) return wrong(i, "accepted after its money was due back");
    // A late payment may still find its places free.
    if (r.what != operation::confirm && surely_over(r, l)) wrong(i, "accepted after its hold had ended");
    switch (r.what) {
      case operation::extend:
        if (l.sure && l.is == state::paying) wrong(i, "extended while its payment ran");
        if (l.sure && live(l) && r.deadline <= l.deadline) wrong(i, "extended, and not later than before");
        l.deadline = l.held_deadline = r.deadline;
        return;
      case operation::begin_payment:
        if (l.sure && live(l) && r.deadline < l.deadline) wrong(i, "its payment began, and it ends earlier");
        l.is = state::paying;
        l.deadline = r.deadline;
        return;
      case operation::payment_failed:
        if (l.sure && l.is == state::held) wrong(i, "a payment failed that had not begun");
        if (l.sure && live(l) && r.deadline < l.held_deadline) wrong(i, "its payment failed, and it ends earlier than before that");
        l.is = state::held;
        l.deadline = r.deadline;
        return;
      case operation::confirm: l.is = state::sold; return;
      case operation::release: l.is = state::given_back; return;
      case operation::hold:
      case operation::look: return;
    }
  }

  void refused(std::uint32_t i, life& l) {
    const auto& r = h_.rows[i];
    if (r.what == operation::hold) {
      if (l.sure && l.is != state::none) wrong(i, "placed before, and refused now");
      return;
    }
    if (r.what == operation::confirm) {
      // Money for a live hold is a sale, whatever the state of the sale.
      if (l.sure && l.is == state::sold) wrong(i, "sold, and the same payment again is refused");
      if (o_.alone && r.refusal == 0 && surely_live(r, l)) wrong(i, "paid in time, and the money is due back");
      if (r.refusal == 0) l.is = state::paid_back;
      return;
    }
    if (!o_.alone) return;
    switch (r.refusal) {
      case said::unknown_hold:
      case said::hold_ended:
        if (surely_live(r, l)) wrong(i, r.refusal == said::unknown_hold ? "forgotten before its deadline" : "over before its deadline");
        if (l.sure && l.is == state::sold && r.refusal == said::unknown_hold) wrong(i, "sold and forgotten");
        return;
      case said::hold_paying:
        if (l.sure && l.is == state::held) wrong(i, "refused because of a payment that does not run");
        return;
      case said::not_paying:
      case said::not_this_attempt:
        if (l.sure && l.is == state::paying) wrong(i, "refused as if its payment did not run");
        return;
      default: return;
    }
  }

  const history& h_;
  const stories& s_;
  const clock_map& clock_;
  const check_options& o_;
  findings& f_;
  std::vector<life> lives_;
};

}  // namespace

findings check_holds(const history& h, const stories& s, const clock_map& clock, const check_options& o) {
  findings f;
  reading all(h, s, clock, o, f);
  for (std::uint32_t i = 0; i < h.rows.size(); ++i) {
    if (h.rows[i].what == operation::look) continue;
    if (s.holds[s.hold_of[i]].row == nobody) note(f, o, "something was asked about a hold that nobody asked for: " + name_of_row(h, i));
    else all.read(i);
    if (o.tell && i % 65'536 == 0) o.tell(static_cast<double>(i) / static_cast<double>(h.rows.size()));
  }
  return f;
}

}  // namespace holdfast::history
