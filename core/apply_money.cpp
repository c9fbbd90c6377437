// Records about payments, orders and refunds.
#include "base/modulo.hpp"
#include "base/planted.hpp"
#include "core/applier.hpp"

namespace holdfast::core {

void applier::operator()(const payment_begun& e) const {
  const auto& c = asked<begin_payment>();
  auto& h = live_hold(e.hold);
  const auto n = e.hold.value;
  if (h.extra_ref == 0) h.extra_ref = s.extras_.add();
  auto& extra = s.extras_.at(h.extra_ref);
  if (h.state == hold_state::held) {
    extra.former = h.deadline;
    restate(n, seat_state::held, seat_state::paying);
  }
  extra.attempt = base::stable_hash128(c.attempt);
  h.state = hold_state::paying;
  ++h.attempts;
  h.seq = seq;
  set_deadline(n, e.deadline);
  for (const auto& k : c.keys) {
    bool has = false;
    for (auto m = h.members; m != 0; m = s.members_.at(m).of_hold) {
      const auto target = s.members_.at(m).target;
      has |= (target & state::area_bit) == 0 && s.keys_.at(target).kind == k.kind;
    }
    if (!has) join_key(n, k);
  }
  remember_on(n, s.in_log_time(e.deadline).value);
}

void applier::operator()(const payment_rejected& e) const {
  auto& h = live_hold(e.hold);
  HOLDFAST_CHECK(h.state == hold_state::paying, "a payment fails that never began");
  restate(e.hold.value, seat_state::paying, seat_state::held);
  h.state = hold_state::held;
  if (e.deadline.value > s.extras_.at(h.extra_ref).former && !planted(bug::grace_every_time)) h.grace_used = 1;
  h.seq = seq;
  set_deadline(e.hold.value, e.deadline);
  remember_on(e.hold.value, s.in_log_time(e.deadline).value);
}

void applier::operator()(const hold_confirmed& e) const {
  const auto& c = asked<confirm_hold>();
  auto& h = known(e.hold);
  const auto n = e.hold.value;
  if (!e.late) {
    HOLDFAST_CHECK(live(h.state), "only a late confirm sells what has expired");
    restate(n, as_seat(h.state), seat_state::sold);
    end_live(n, hold_state::sold);
  } else {
    HOLDFAST_CHECK(h.state == hold_state::expired, "a late confirm of a hold that has not expired");
    retake(n, e.sold);
    h.state = hold_state::sold;
    --s.ended_count_;
    s.owners_.at(h.owner_ref).seq = seq;
    count_keys(h, s.parts_of(h), +1);
  }
  check_sold(h, e.sold);
  touch_keys(h);
  add_payment(n, payment_of(c));
  base::add_modulo(s.paid_, c.amount);
  ++s.orders_;
}

void applier::retake(std::uint32_t n, pieces sold) const {
  auto& h = s.holds_.at(n);
  std::vector<state::part> parts;
  std::size_t next = 0;
  for (const auto& old : s.parts_of(h)) {
    std::uint32_t wanted = old.count;
    while (wanted > 0) {
      HOLDFAST_CHECK(next < sold.size() && sold[next].number == old.number, "a late sale of other places than were held");
      state::part p = old;
      p.count = sold[next].count & 0x3f'ffffU;
      p.allocation = sold[next].allocation;
      HOLDFAST_CHECK(p.count <= wanted, "a late sale of more places than were held");
      wanted -= p.count;
      parts.push_back(p);
      ++next;
    }
  }
  set_parts(h, parts);
  for (const auto& p : parts) occupy(n, p, seat_state::sold);
}

void applier::check_sold(const state::hold& h, pieces sold) const {
  const auto parts = s.parts_of(h);
  HOLDFAST_CHECK(parts.size() == sold.size(), "a sale names other places than its hold has");
  for (std::size_t i = 0; i < parts.size(); ++i)
    HOLDFAST_CHECK(parts[i].number == sold[i].number && parts[i].count == sold[i].count, "a sale names other places than its hold has");
}

void applier::touch_keys(const state::hold& h) const {
  for (auto m = h.members; m != 0; m = s.members_.at(m).of_hold)
    if ((s.members_.at(m).target & state::area_bit) == 0) s.keys_.at(s.members_.at(m).target).seq = seq;
}

void applier::operator()(const refund_recorded& e) const {
  const auto& c = asked<confirm_hold>();
  auto p = payment_of(c);
  p.refund = e.number.value;
  p.reason = e.reason;
  base::add_modulo(s.paid_, c.amount);
  if (e.hold.value != 0) {
    const auto& h = known(e.hold);
    const auto& own = s.ids_.at(h.id_ref);
    record_refund(e.number, e.reason, c.amount, s.owners_.at(h.owner_ref).id, own.id);
    return add_payment(e.hold.value, p);
  }
  HOLDFAST_CHECK(e.reason == refund_reason::unknown_hold, "a refund for no hold has one reason only");
  record_refund(e.number, e.reason, c.amount, c.owner.value, c.hold.value);
  const auto ref = s.strays_.add();
  s.strays_.at(ref) = {c.owner.value, c.hold.value, p};
  s.stray_index_.insert(s.hash_stray(c.owner.value, c.hold.value, p.reference), ref);
  ++s.strays_open_;
}

void applier::operator()(const order_cancelled& e) const {
  const auto& c = asked<cancel_order>();
  auto& h = known(e.hold);
  HOLDFAST_CHECK(h.state == hold_state::sold, "only an order is cancelled");
  const auto n = e.hold.value;
  std::vector<state::part> parts(s.parts_of(h).begin(), s.parts_of(h).end());
  std::vector<state::part> gone_parts;
  const auto give = [&](state::part p) {
    give_back(n, p, c.withdrawn);
    p.cancelled = 1;
    gone_parts.push_back(p);
  };
  count_keys(h, parts, -1);
  if (c.lines.empty()) {
    for (auto& p : parts)
      if (!p.cancelled) {
        give(p);
        p.count = 0;
      }
    std::erase_if(parts, [](const state::part& p) { return p.count == 0; });
  } else {
    cut_out(parts, c.lines, give);
  }
  parts.insert(parts.end(), gone_parts.begin(), gone_parts.end());
  set_parts(h, parts);
  count_keys(h, parts, +1);
  const bool all = std::all_of(parts.begin(), parts.end(), [](const state::part& p) { return p.cancelled; });
  if (all) {
    h.state = hold_state::cancelled;
    --s.orders_;
  }
  h.seq = seq;
  s.owners_.at(h.owner_ref).seq = seq;
  if (e.number.value != 0) {
    record_refund(e.number, refund_reason::cancelled, c.amount, s.owners_.at(h.owner_ref).id, s.ids_.at(h.id_ref).id);
    for (auto p = h.payments; p != 0; p = s.payments_.at(p).next)
      if (s.payments_.at(p).refund == 0 && !planted(bug::order_paid_back_twice)) s.payments_.at(p).back += c.amount;
  }
  remember_on(n, e.number.value);
}

void applier::operator()(const refund_closed&) const {
  const auto& c = asked<settle_refund>();
  HOLDFAST_CHECK(c.number.value >= 1 && c.number.value <= s.refunds_.size(), "an unknown refund is settled");
  auto& due = s.refunds_[c.number.value - 1];
  HOLDFAST_CHECK(!due.settled, "a refund is settled twice");
  due.settled = true;
  due.settled_with = base::stable_hash128(c.reference);
  due.seq = seq;
  --s.refunds_open_;
  base::subtract_modulo(s.due_back_, due.amount);
  if (due.reason == refund_reason::unknown_hold) --s.strays_open_;
  remember_operator();
}

void applier::record_refund(refund_no number, refund_reason why, std::int64_t amount, const id128& owner, const id128& hold) const {
  HOLDFAST_CHECK(number.value == s.refunds_.size() + 1, "refund numbers are gapless");
  state::refund due;
  due.amount = amount;
  due.owner = owner;
  due.hold = hold;
  due.reason = why;
  due.seq = due.recorded = seq;
  // What no payment of a hold leads to is found through its owner.
  if (why == refund_reason::unknown_hold || why == refund_reason::cancelled) {
    auto& o = s.owners_.at(owner_ref(owner));
    ++o.uses;
    o.seq = seq;
    due.of_owner = o.refund_first;
    o.refund_first = number.value;
  }
  s.refunds_.push_back(due);
  ++s.refunds_open_;
  base::add_modulo(s.due_back_, amount);
}

state::payment applier::payment_of(const confirm_hold& c) const {
  state::payment p;
  p.reference = base::stable_hash128(c.payment);
  p.amount = c.amount;
  p.kind = c.kind;
  p.seq = seq;
  return p;
}

void applier::add_payment(std::uint32_t hold, state::payment p) const {
  auto& h = s.holds_.at(hold);
  const auto ref = s.payments_.add();
  p.next = h.payments;
  s.payments_.at(ref) = p;
  h.payments = ref;
  h.seq = seq;
}

}  // namespace holdfast::core
