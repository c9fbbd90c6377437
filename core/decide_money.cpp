// Paying, confirming, giving money back. Money that came ends as a sale or as a recorded refund due, never as silence.
#include <algorithm>

#include "base/hash.hpp"
#include "base/planted.hpp"
#include "core/decider.hpp"

namespace holdfast::core {
namespace {

piece piece_of(const state::part& p) {
  return {p.is_area ? place_kind::area : place_kind::seat, static_cast<std::uint8_t>(p.is_area ? p.allocation : 0U), p.number, p.count};
}

}  // namespace

void decider::decide(const begin_payment& c) {
  const channel_policy* row = nullptr;
  if (channel_row(row) || hold_of(c.owner, c.hold) || ended()) return;
  if (h->attempts >= row->attempts_max) return void(no(refusal::too_many_attempts, h->seq));

  std::size_t total = h->keys;
  const auto known = [&](const limit_key& k) -> const state::key* {
    for (auto m = h->members; m != 0; m = s.members_.at(m).of_hold) {
      const auto target = s.members_.at(m).target;
      if ((target & state::area_bit) == 0 && s.keys_.at(target).kind == k.kind) return &s.keys_.at(target);
    }
    return nullptr;
  };
  for (const auto& k : c.keys) {
    const auto* has = known(k);
    if (has != nullptr && has->value != k.value) return void(no(refusal::bad_keys, h->seq));
    if (has == nullptr) ++total;
  }
  if (total > limits::keys_max) return void(no(refusal::bad_keys, h->seq));

  const auto life_left = h->lifetime_end > clock.value ? h->lifetime_end - clock.value : 0;
  const auto granted = std::min(us(std::min(c.interval, row->paying_max)), life_left);
  if (granted < us(s.rules().pay_min)) return void(no(refusal::pay_time_short, h->seq));
  for (const auto& rule : row->rules)
    for (const auto& k : c.keys)
      if (k.kind == rule.kind && known(k) == nullptr && over_limit(head.channel, k.kind, s.find_key(k), s.parts_of(*h))) return;

  const hold_time until{std::max(h->deadline, clock.value + granted)};
  out.said.granted = s.in_log_time(until);
  yes(payment_begun{hold_no{number}, until});
}

void decider::decide(const payment_failed& c) {
  if (hold_of(c.owner, c.hold) || ended()) return;
  if (h->state != hold_state::paying) return void(no(refusal::not_paying, h->seq));
  const auto& extra = s.extras_.at(h->extra_ref);
  if (extra.attempt != base::stable_hash128(c.attempt)) return void(no(refusal::not_this_attempt, h->seq));
  const auto least = clock.value + us(s.rules().pay_min);
  const hold_time until{h->grace_used ? extra.former : std::max(extra.former, least)};
  out.said.granted = s.in_log_time(until);
  yes(payment_rejected{hold_no{number}, until});
}

void decider::decide(const confirm_hold& c) {
  const auto reference = base::stable_hash128(c.payment);
  const refund_no next_refund{static_cast<std::uint32_t>(s.refunds_.size() + 1)};
  const auto give_back = [&](refund_reason why) {
    out.said.outcome = money_outcome::refund_due;
    out.said.reason = why;
    out.said.number = next_refund;
    yes(refund_recorded{next_refund, why, hold_no{number}});
  };
  /// Rule 1: the same payment again.
  const auto again = [&](const state::payment& p) {
    if (p.amount != c.amount || p.kind != c.kind) return no(refusal::payment_differs, p.seq);
    out.said.repeated = true;
    out.said.outcome = p.refund == 0 ? money_outcome::sold : money_outcome::refund_due;
    out.said.reason = p.reason;
    out.said.number = refund_no{p.refund};
    out.said.tells_of = sequence{p.seq};
    out.said.waits_for = sequence{std::max<std::uint64_t>(p.seq, h == nullptr ? 0 : behind(*h))};
    return true;
  };

  number = s.find_hold(c.owner.value, c.hold.value, at.named);
  if (number != 0) {
    h = &s.holds_.at(number);
    out.said.state = h->state;
    out.said.deadline = s.deadline_of(hold_no{number});
  }
  // A payment that came before its hold stays what it was, though the hold is there now: it must not buy as well.
  if (s.strays_.live() != 0)
    if (const auto ref = s.find_stray(c.owner.value, c.hold.value, reference); ref != 0) return void(again(s.strays_.at(ref).paid));
  if (number == 0) {
    if (s.strays_open_ >= s.rules().unknown_refunds_max) return void(no(refusal::refunds_full, s.last_.value));
    return give_back(refund_reason::unknown_hold);
  }
  std::size_t payments = 0;
  for (auto p = h->payments; p != 0; p = s.payments_.at(p).next, ++payments)
    if (s.payments_.at(p).reference == reference && !planted(bug::confirm_again_is_second_payment)) return void(again(s.payments_.at(p)));
  if (payments >= limits::payments_per_hold_max) return void(no(refusal::refunds_full, h->seq));

  auto& sold = s.scratch_->pieces;
  sold.clear();
  const auto sell = [&](bool late) {
    out.said.outcome = money_outcome::sold;
    yes(hold_confirmed{hold_no{number}, late, sold});
  };
  const auto parts = s.parts_of(*h);
  switch (h->state) {
    case hold_state::held:
    case hold_state::paying:
      for (const auto& p : parts) sold.push_back(piece_of(p));
      return sell(false);
    case hold_state::sold:
    case hold_state::cancelled: return give_back(refund_reason::already_paid);
    case hold_state::released: return give_back(refund_reason::released);
    case hold_state::expired: break;
    case hold_state::none: HOLDFAST_CHECK(false, "a remembered hold without a state");
  }

  if (clock.value > h->deadline + us(s.rules().late_confirm_max) && !planted(bug::late_payment_has_no_end)) return give_back(refund_reason::too_late);
  // Areas: first what every part finds where it was drawn, then the shortfalls from public and the others.
  s.scratch_->taken_places.clear();
  auto& own = s.scratch_->cut;
  own.assign(parts.begin(), parts.end());
  for (auto& p : own) {
    if (!p.is_area) continue;
    p.count = static_cast<std::uint32_t>(std::clamp<std::int64_t>(free_in(p.number, p.allocation), 0, p.count));
    take(p.number, p.allocation, p.count);
  }
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto& p = parts[i];
    if (!p.is_area) {
      const auto& seat = s.seats_[p.number];
      if ((seat.state != seat_state::free || seat.withdrawn) && !planted(bug::late_payment_sells_next_owners_seat))
        return give_back(refund_reason::seats_gone);
      sold.push_back(piece_of(p));
      continue;
    }
    if (own[i].count > 0) sold.push_back(piece_of(own[i]));
    std::int64_t wanted = p.count - own[i].count;
    for (std::uint32_t a = 0; a < s.allocations_ && wanted > 0; ++a) {
      const auto n = std::min(wanted, free_in(p.number, a));
      if (n <= 0) continue;
      take(p.number, a, n);
      wanted -= n;
      sold.push_back({place_kind::area, static_cast<std::uint8_t>(a), p.number, static_cast<std::uint32_t>(n)});
    }
    if (wanted > 0) return give_back(refund_reason::seats_gone);
  }
  for (const auto& rule : s.rules().channels[h->channel].rules)
    for (auto m = h->members; m != 0; m = s.members_.at(m).of_hold) {
      const auto target = s.members_.at(m).target;
      if ((target & state::area_bit) != 0 || s.keys_.at(target).kind != rule.kind || planted(bug::late_payment_over_limit)) continue;
      answer kept = out.said;
      if (over_limit(h->channel, rule.kind, target, parts)) {
        out.said = kept;
        return give_back(refund_reason::over_limit);
      }
    }
  sell(true);
}

void decider::decide(const cancel_order& c) {
  if (hold_of(c.owner, c.order)) return;
  if (h->state == hold_state::cancelled) return void(no(refusal::hold_ended, h->seq));
  if (h->state != hold_state::sold) return void(no(refusal::not_an_order, h->seq));
  auto& cut = s.scratch_->cut;
  if (c.lines.empty()) {
    cut.clear();
    for (const auto& p : s.parts_of(*h))
      if (!p.cancelled) cut.push_back(p);
  } else if (parts_named(c.lines, cut)) {
    return;
  }
  std::int64_t may_go_back = 0;
  for (auto p = h->payments; p != 0; p = s.payments_.at(p).next)
    if (s.payments_.at(p).refund == 0) may_go_back = s.payments_.at(p).amount - s.payments_.at(p).back;
  if (c.amount > may_go_back) {
    out.said.left = static_cast<std::uint64_t>(may_go_back);
    return void(no(refusal::amount_too_high, h->seq));
  }
  auto& back = s.scratch_->pieces;
  back.clear();
  for (const auto& p : cut) back.push_back(piece_of(p));
  const refund_no refund{c.amount > 0 ? static_cast<std::uint32_t>(s.refunds_.size() + 1) : 0U};
  out.said.number = refund;
  yes(order_cancelled{hold_no{number}, refund, back});
}

void decider::decide(const settle_refund& c) {
  if (c.number.value == 0 || c.number.value > s.refunds_.size()) return void(no(refusal::unknown_refund, s.last_.value));
  const auto& r = s.refunds_[c.number.value - 1];
  if (r.settled && r.settled_with == base::stable_hash128(c.reference)) {
    out.said.repeated = true;
    out.said.tells_of = out.said.waits_for = sequence{r.seq};
    return;
  }
  if (r.settled) return void(no(refusal::refund_settled, r.seq));
  yes(refund_closed{});
}

}  // namespace holdfast::core
