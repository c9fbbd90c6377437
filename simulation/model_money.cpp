// The model's step 7 for money: begin, failed, confirm, cancel, settle.
#include <algorithm>

#include "simulation/model.hpp"

namespace holdfast::simulation {

using namespace core;

namespace {

std::string string_of(base::byte_view b) { return std::string(base::as_text(b)); }

}  // namespace

answer model::begin(const envelope& head, const begin_payment& c) {
  const auto& row = rules_.channels[head.channel];
  auto* h = find(c.owner, c.hold);
  if (h == nullptr) return refuse(refusal::unknown_hold);
  if (!h->live()) return refuse(refusal::hold_ended);
  if (h->attempts >= row.attempts_max) return refuse(refusal::too_many_attempts);
  auto keys = h->keys;
  std::map<key_kind, base::id128> fresh;
  for (const auto& k : c.keys) {
    const auto has = keys.find(k.kind);
    if (has != keys.end() && has->second != k.value) return refuse(refusal::bad_keys);
    if (has == keys.end()) fresh[k.kind] = k.value;
  }
  keys.insert(fresh.begin(), fresh.end());
  if (keys.size() > 4) return refuse(refusal::bad_keys);
  const std::uint64_t lifetime_left = h->lifetime_end > clock() ? h->lifetime_end - clock() : 0;
  const std::uint64_t granted = std::min(std::uint64_t{std::min(c.interval, row.paying_max)} * us_per_ms, lifetime_left);
  if (granted < std::uint64_t{rules_.pay_min} * us_per_ms) return refuse(refusal::pay_time_short);
  std::vector<line> has;
  for (const auto& l : h->lines) has.push_back(l.what);
  if (const auto a = judge_limits(hall_, fresh, has, head.channel); a.refused != refusal::none) return a;

  h->keys = keys;
  h->state = hold_state::paying;
  h->deadline = std::max(h->deadline, clock() + granted);
  h->attempt = string_of(c.attempt);
  ++h->attempts;
  h->for_ever = true;
  return answer{.granted = log_time{h->deadline + shift_}};
}

answer model::failed(const payment_failed& c) {
  auto* h = find(c.owner, c.hold);
  if (h == nullptr) return refuse(refusal::unknown_hold);
  if (!h->live()) return refuse(refusal::hold_ended);
  if (h->state != hold_state::paying) return refuse(refusal::not_paying);
  if (h->attempt != string_of(c.attempt)) return refuse(refusal::not_this_attempt);
  h->state = hold_state::held;
  h->deadline = h->held_deadline;
  const std::uint64_t least = clock() + std::uint64_t{rules_.pay_min} * us_per_ms;
  if (h->deadline < least && !h->grace_given) {
    h->grace_given = true;
    h->deadline = h->held_deadline = least;
  }
  return answer{.granted = log_time{h->deadline + shift_}};
}

answer model::refund(refund_reason why, const confirm_hold& c) {
  refunds_.push_back({why, c.amount, c.owner, c.hold, std::nullopt});
  return answer{.outcome = money_outcome::refund_due, .reason = why, .number = refund_no{static_cast<std::uint32_t>(refunds_.size())}};
}

answer model::confirm(const confirm_hold& c) {
  const auto identity = std::make_tuple(c.owner, c.hold, string_of(c.payment));
  if (const auto known = payments_.find(identity); known != payments_.end()) {
    if (known->second.amount != c.amount || known->second.kind != c.kind) return refuse(refusal::payment_differs);
    answer again = known->second.first;
    again.repeated = true;
    return again;
  }
  auto* h = find(c.owner, c.hold);
  if (h == nullptr) {
    std::uint32_t open = 0;
    for (const auto& r : refunds_)
      if (r.reason == refund_reason::unknown_hold && !r.settled_by) ++open;
    if (open >= rules_.unknown_refunds_max) return refuse(refusal::refunds_full);
    const answer a = refund(refund_reason::unknown_hold, c);
    payments_[identity] = {string_of(c.payment), c.amount, c.kind, a};
    return a;
  }
  if (h->payments.size() >= 4) return refuse(refusal::refunds_full);

  answer a;
  if (h->live()) {
    h->state = hold_state::sold;
    a.outcome = money_outcome::sold;
  } else if (h->state == hold_state::sold || h->state == hold_state::cancelled) {
    a = refund(refund_reason::already_paid, c);
  } else if (h->state == hold_state::released) {
    a = refund(refund_reason::released, c);
  } else {
    a = late(*h, c);
  }
  if (a.outcome == money_outcome::sold) h->paid = c.amount;
  h->for_ever = true;
  payments_[identity] = {string_of(c.payment), c.amount, c.kind, a};
  h->payments.push_back(payments_[identity]);
  return a;
}

answer model::late(model_hold& h, const confirm_hold& c) {
  if (clock() > h.deadline + std::uint64_t{rules_.late_confirm_max} * us_per_ms) return refund(refund_reason::too_late, c);

  // Tried on a copy in which the hold has its places again: first what each line finds in the allocations it had, no more of
  // each than it had; then, line by line, what is lacking from public and from the others.
  const hold_key key{c.owner, c.hold};
  model_hall trial = hall_;
  auto& t = trial.holds.at(key);
  const auto lines = t.lines;
  t.lines.clear();
  t.state = hold_state::sold;
  std::vector<line> wanted;
  for (const auto& l : lines) {
    model_line again{l.what, false, {}};
    if (l.what.kind == place_kind::seat) {
      if (trial.state_of(l.what.number) != seat_state::free) return refund(refund_reason::seats_gone, c);
      trial.seats[l.what.number].holder = key;
    }
    t.lines.push_back(again);
    wanted.push_back(l.what);
    for (const auto& d : l.draws) {
      const auto free = trial.count(l.what.number, d.allocation).free;
      t.lines.back().draws.push_back({d.allocation, static_cast<std::uint32_t>(std::min<std::uint64_t>(d.count, free))});
    }
  }
  for (std::size_t i = 0; i < lines.size(); ++i) {
    std::vector<model_draw> all;
    for (std::size_t k = 0; k < lines[i].draws.size(); ++k) {
      all.push_back(t.lines[i].draws[k]);
      const auto lacking = lines[i].draws[k].count - all.back().count;
      std::vector<std::uint8_t> order;
      for (std::uint8_t a = 0; a < plan_.allocations.size(); ++a) order.push_back(a);
      const auto more = trial.draw(lines[i].what.number, lacking, order);
      if (!more) return refund(refund_reason::seats_gone, c);
      all.insert(all.end(), more->begin(), more->end());
      // Taken at once, so that the next does not find them free.
      t.lines[i].draws.insert(t.lines[i].draws.end(), more->begin(), more->end());
    }
    std::erase_if(all, [](const model_draw& d) { return d.count == 0; });
    t.lines[i].draws = all;
  }
  if (judge_limits(hall_, h.keys, wanted, h.channel).refused != refusal::none) return refund(refund_reason::over_limit, c);
  hall_.seats = trial.seats;
  h.lines = t.lines;
  h.state = hold_state::sold;
  return answer{.outcome = money_outcome::sold};
}

answer model::cancel(const cancel_order& c) {
  auto* h = find(c.owner, c.order);
  if (h == nullptr) return refuse(refusal::unknown_hold);
  if (h->state == hold_state::cancelled) return refuse(refusal::hold_ended);
  if (h->state != hold_state::sold) return refuse(refusal::not_an_order);
  model_hold rest = *h;
  std::vector<model_line> back;
  if (c.lines.empty()) {
    for (const auto& l : rest.lines)
      if (!l.cancelled) back.push_back(l);
    std::erase_if(rest.lines, [](const model_line& l) { return !l.cancelled; });
  } else if (const auto a = model_cut(rest, c.lines, back); a.refused != refusal::none) {
    return a;
  }
  const std::int64_t left = h->paid - h->given_back;
  if (c.amount > left) return answer{.refused = refusal::amount_too_high, .left = static_cast<std::uint64_t>(left)};

  if (std::all_of(rest.lines.begin(), rest.lines.end(), [](const model_line& l) { return l.cancelled; })) h->state = hold_state::cancelled;
  h->lines = rest.lines;
  for (auto& l : back) {
    hall_.give_back(l, c.withdrawn);
    l.cancelled = true;
    h->lines.push_back(l);
  }
  if (c.amount == 0) return {};
  h->given_back += c.amount;
  refunds_.push_back({refund_reason::cancelled, c.amount, c.owner, c.order, std::nullopt});
  return answer{.number = refund_no{static_cast<std::uint32_t>(refunds_.size())}};
}

answer model::settle(const settle_refund& c) {
  if (c.number.value == 0 || c.number.value > refunds_.size()) return refuse(refusal::unknown_refund);
  auto& r = refunds_[c.number.value - 1];
  if (r.settled_by == string_of(c.reference)) return answer{.repeated = true};
  if (r.settled_by) return refuse(refusal::refund_settled);
  r.settled_by = string_of(c.reference);
  return {};
}

}  // namespace holdfast::simulation
