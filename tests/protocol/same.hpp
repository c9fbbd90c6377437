// Whether two messages say the same, field by field. Spans are compared by what they hold.
#pragma once

#include <algorithm>
#include <ranges>
#include <tuple>
#include <type_traits>
#include <variant>

#include "core/command.hpp"
#include "protocol/messages.hpp"

namespace holdfast::tests {

template <class T>
bool same(const T& a, const T& b);

namespace fields {

using namespace holdfast::core;

inline auto of(const open_sale& c) { return std::tie(c.channels); }
inline auto of(const close_sale& c) { return std::tie(c.channels); }
inline auto of(const pause_sale&) { return std::tie(); }
inline auto of(const resume_sale&) { return std::tie(); }
inline auto of(const freeze_sale&) { return std::tie(); }
inline auto of(const expire_due&) { return std::tie(); }
inline auto of(const core::create_session& c) {
  const auto& t = *c.terms;
  return std::tie(t.name, t.kind, t.currency, t.organiser_ref, t.starts_at, t.zone, t.plan_revision, t.rules);
}
inline auto of(const hold_seats& c) {
  return std::tie(c.owner, c.keys, c.lines, c.interval, c.plan_revision, c.basket);
}
inline auto of(const change_hold& c) { return std::tie(c.owner, c.hold, c.add, c.drop, c.plan_revision); }
inline auto of(const extend_hold& c) { return std::tie(c.owner, c.hold, c.interval); }
inline auto of(const begin_payment& c) { return std::tie(c.owner, c.hold, c.attempt, c.interval, c.keys); }
inline auto of(const payment_failed& c) { return std::tie(c.owner, c.hold, c.attempt); }
inline auto of(const confirm_hold& c) { return std::tie(c.owner, c.hold, c.payment, c.amount, c.kind); }
inline auto of(const release_hold& c) { return std::tie(c.owner, c.hold, c.lines, c.withdrawn); }
inline auto of(const cancel_order& c) { return std::tie(c.owner, c.order, c.lines, c.amount, c.withdrawn); }
inline auto of(const settle_refund& c) { return std::tie(c.number, c.reference); }
inline auto of(const block_places& c) { return std::tie(c.ranges, c.reason); }
inline auto of(const unblock_places& c) { return std::tie(c.ranges); }
inline auto of(const allocate_places& c) { return std::tie(c.ranges, c.allocation); }
inline auto of(const shift_deadlines& c) { return std::tie(c.by, c.reason); }
inline auto of(const clear_fault& c) { return std::tie(c.shift); }

inline auto of(const look_session&) { return std::tie(); }
inline auto of(const look_hold& l) { return std::tie(l.owner, l.hold); }
inline auto of(const look_seat& l) { return std::tie(l.seat); }
inline auto of(const look_owner& l) { return std::tie(l.owner); }
inline auto of(const look_fate& l) { return std::tie(l.owner, l.id, l.client_deadline); }
inline auto of(const look_plan& l) { return std::tie(l.revision, l.page); }
inline auto of(const look_seats& l) { return std::tie(l.page); }
inline auto of(const look_changes& l) { return std::tie(l.since); }
inline auto of(const look_holds& l) { return std::tie(l.from); }

inline auto of(const envelope& e) { return std::tie(e.from, e.channel, e.id, e.client_deadline, e.note); }

inline auto of(const place_counts& c) { return std::tie(c.free, c.held, c.paying, c.sold, c.blocked, c.withdrawn); }
inline auto of(const session_seen& s) {
  return std::tie(s.name, s.currency, s.organiser_ref, s.zone, s.kind, s.starts_at, s.sale, s.open_channels, s.frozen,
                  s.faulted, s.expiries_pending, s.places, s.seats, s.areas, s.live_holds, s.orders, s.ended_holds,
                  s.forgotten_early, s.refunds_open, s.refunds_total, s.amount_paid, s.amount_refunds_due, s.shift_us,
                  s.downtime_shift_us, s.plan_revision, s.last, s.next_deadline);
}
inline auto of(const line_seen& l) { return std::tie(l.what, l.cancelled); }
inline auto of(const payment_seen& p) {
  return std::tie(p.reference_hash, p.amount, p.kind, p.outcome, p.reason, p.number);
}
inline auto of(const hold_seen& h) {
  return std::tie(h.number, h.owner, h.id, h.state, h.channel, h.deadline, h.lifetime_end, h.extensions,
                  h.attempts, h.basket, h.lines, h.payments);
}
inline auto of(const seat_seen& s) {
  return std::tie(s.state, s.withdrawn, s.reason, s.allocation, s.category, s.owner, s.hold, s.deadline, s.changed);
}
inline auto of(const refund_seen& r) { return std::tie(r.number, r.reason, r.amount, r.settled, r.owner, r.hold); }
inline auto of(const owner_seen& o) { return std::tie(o.holds, o.refunds, o.more); }
inline auto of(const fate_seen& f) {
  return std::tie(f.what, f.command, f.first.refused, f.first.outcome, f.first.reason, f.first.number, f.first.granted,
                  f.first.repeated, f.first.tells_of, f.first.state, f.first.deadline);
}
inline auto of(const area_seen& a) { return std::tie(a.allocations); }
inline auto of(const seats_seen& s) {
  return std::tie(s.page, s.pages, s.first, s.states, s.areas, s.expiries_pending);
}
inline auto of(const change& c) { return std::tie(c.number, c.at, c.command, c.state, c.owner, c.hold, c.refund); }
inline auto of(const changes_seen& c) { return std::tie(c.items, c.next_since, c.more); }
inline auto of(const holds_seen& h) { return std::tie(h.items, h.next_from); }

}  // namespace fields

template <class T>
bool same(const T& a, const T& b) {
  if constexpr (requires { fields::of(a); }) {
    return std::apply(
        [&b](const auto&... x) {
          return std::apply([&](const auto&... y) { return (same(x, y) && ...); }, fields::of(b));
        },
        fields::of(a));
  } else if constexpr (requires { std::visit([](const auto&) {}, a); }) {
    return a.index() == b.index() &&
           std::visit([&b](const auto& x) { return same(x, std::get<std::remove_cvref_t<decltype(x)>>(b)); }, a);
  } else if constexpr (std::ranges::range<T>) {
    return std::ranges::equal(a, b, [](const auto& x, const auto& y) { return same(x, y); });
  } else {
    return a == b;
  }
}

}  // namespace holdfast::tests
