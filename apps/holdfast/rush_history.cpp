// What a rush writes down for `holdfast check`.
#include <algorithm>
#include <array>
#include <vector>

#include "apps/holdfast/rush.hpp"

namespace holdfast::cli {

namespace {

history::operation operation_of(step s) {
  using history::operation;
  static constexpr operation all[] = {operation::hold, operation::extend, operation::release, operation::begin_payment, operation::payment_failed,
                                      operation::confirm};
  return all[static_cast<std::size_t>(s)];
}

}  // namespace

/// What the buyer at work asked, and what came of it; null: nobody will ever say.
void rush::note(std::uint32_t b, const client::arrival* a) {
  const auto& who = buyers_[b];
  history::row r;
  r.what = operation_of(who.at);
  r.invoked = who.asked_at;
  r.hold = who.hold.lo;
  r.account = who.account.lo;
  r.again = who.again ? 1 : 0;
  if (a != nullptr) {
    const auto& said = a->message.said;
    const bool refused = said.refused != core::refusal::none || said.outcome == core::money_outcome::refund_due;
    r.answered = history::monotonic_ns();
    r.server = a->message.now.value;
    // What a command gave is said again in the same words; what the hold has by now is not.
    r.deadline = said.granted.value != 0 ? said.granted.value : said.deadline.value;
    r.record = said.tells_of.value;
    r.came = refused ? history::outcome::no : history::outcome::yes;
    r.refusal = static_cast<std::uint8_t>(said.refused);
    r.reason = static_cast<std::uint8_t>(said.reason);
    r.offending = static_cast<std::uint8_t>(said.lines);
    r.resent = a->retried ? 1 : 0;
    if (history::may_come_late(r)) r.deadline = who.head.client_deadline.value;
  }
  std::array<history::line_item, lines_most> items;
  const std::size_t n = who.at == step::hold ? who.line_count : 0;
  for (std::size_t i = 0; i < n; ++i)
    items[i] = {who.lines[i].number * 2 + (who.lines[i].kind == core::place_kind::area ? 1U : 0U), who.lines[i].count};
  recorder_->add(r, std::span(items.data(), n));
}

void note_look(history::recorder& to, const core::seats_seen& s, const core::answer& said, core::log_time now, std::uint64_t asked_at,
               std::uint64_t shift_us) {
  if (s.expiries_pending) return;
  history::row r;
  r.what = history::operation::look;
  r.came = history::outcome::yes;
  r.invoked = asked_at;
  r.answered = history::monotonic_ns();
  r.server = now.value;
  r.deadline = shift_us;
  r.hold = s.first;
  r.account = s.states.size();
  r.record = said.tells_of.value;
  std::vector<history::line_item> items((s.states.size() + 7) / 8);
  std::ranges::copy(s.states, reinterpret_cast<unsigned char*>(items.data()));
  to.add(r, items);
}

}  // namespace holdfast::cli
