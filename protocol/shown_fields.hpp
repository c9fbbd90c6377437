// The fields of everything that an answer shows, in the order of their bytes: written once, walked by the encoder and by the
// decoder. docs/PROTOCOL.md has the same lists with sizes.
#pragma once

#include <bit>
#include <string>
#include <type_traits>
#include <vector>

#include "base/bytes.hpp"
#include "protocol/messages.hpp"

namespace holdfast::protocol {

/// Appends what it walks over.
class field_writer {
 public:
  explicit field_writer(base::byte_writer& out) : out_(out) {}

  void u8(const auto& x) { out_.u8(static_cast<std::uint8_t>(plain(x))); }
  void u16(const auto& x) { out_.fixed(static_cast<std::uint16_t>(plain(x))); }
  void u32(const auto& x) { out_.fixed(static_cast<std::uint32_t>(plain(x))); }
  void u64(const auto& x) { out_.fixed(static_cast<std::uint64_t>(plain(x))); }
  void i64(const std::int64_t& x) { out_.fixed(x); }
  void f32(const float& x) { out_.fixed(std::bit_cast<std::uint32_t>(x)); }
  void id(const base::id128& x) { out_.id(x); }
  template <class Tag>
  void id(const base::strong<Tag, base::id128>& x) { out_.id(x.value); }
  void text(const std::string& x) { out_.sized(x); }
  /// One byte, the first in bit 0.
  void flags(const std::same_as<bool> auto&... x) {
    unsigned bits = 0, at = 0;
    ((bits |= (x ? 1U : 0U) << at++), ...);
    out_.u8(static_cast<std::uint8_t>(bits));
  }
  template <class T, class Each>
  void list(const std::vector<T>& items, Each each) {
    out_.varint(items.size());
    for (const auto& i : items) each(i);
  }

 private:
  template <class T>
  static auto plain(const T& x) {
    if constexpr (requires { x.value; }) return x.value;
    else return x;
  }
  base::byte_writer& out_;
};

/// Fills what it walks over. A list grows with the bytes that are there, whatever its count says.
class field_reader {
 public:
  explicit field_reader(base::byte_reader& in) : in_(in) {}

  void u8(auto& x) { set(x, in_.u8()); }
  void u16(auto& x) { set(x, in_.fixed<std::uint16_t>()); }
  void u32(auto& x) { set(x, in_.fixed<std::uint32_t>()); }
  void u64(auto& x) { set(x, in_.fixed<std::uint64_t>()); }
  void i64(std::int64_t& x) { x = in_.fixed<std::int64_t>(); }
  void f32(float& x) { x = std::bit_cast<float>(in_.fixed<std::uint32_t>()); }
  void id(base::id128& x) { x = in_.id(); }
  template <class Tag>
  void id(base::strong<Tag, base::id128>& x) { x.value = in_.id(); }
  void text(std::string& x) { x = in_.text(in_.left()); }
  void flags(std::same_as<bool> auto&... x) {
    const unsigned bits = in_.u8();
    unsigned at = 0;
    ((x = (bits >> at++ & 1U) != 0), ...);
  }
  template <class T, class Each>
  void list(std::vector<T>& items, Each each) {
    items.clear();
    for (auto n = in_.varint(); n > 0 && in_.ok(); --n) each(items.emplace_back());
  }

 private:
  template <class T, class Wire>
  static void set(T& x, Wire v) {
    if constexpr (requires { x.value; }) x.value = static_cast<decltype(x.value)>(v);
    else x = static_cast<T>(v);
  }
  base::byte_reader& in_;
};

/// T or const T: the decoder's and the encoder's view of the same fields.
template <class X, class T>
concept maybe_const = std::same_as<std::remove_const_t<X>, T>;

void walk(auto& a, maybe_const<core::line> auto& x) {
  a.u8(x.kind);
  a.u32(x.number);
  a.u32(x.count);
  a.u32(x.price);
}

void walk(auto& a, maybe_const<core::place_counts> auto& x) {
  a.u64(x.free);
  a.u64(x.held);
  a.u64(x.paying);
  a.u64(x.sold);
  a.u64(x.blocked);
  a.u64(x.withdrawn);
}

void walk(auto& a, maybe_const<core::session_seen> auto& x) {
  a.text(x.name);
  a.text(x.currency);
  a.text(x.organiser_ref);
  a.text(x.zone);
  a.u8(x.kind);
  a.i64(x.starts_at);
  a.u8(x.sale);
  a.u32(x.open_channels);
  a.flags(x.frozen, x.faulted, x.expiries_pending);
  walk(a, x.places);
  a.u64(x.seats);
  a.u64(x.areas);
  a.u64(x.live_holds);
  a.u64(x.orders);
  a.u64(x.ended_holds);
  a.u64(x.forgotten_early);
  a.u64(x.refunds_open);
  a.u64(x.refunds_total);
  a.i64(x.amount_paid);
  a.i64(x.amount_refunds_due);
  a.u64(x.shift_us);
  a.u64(x.downtime_shift_us);
  a.u32(x.plan_revision);
  a.u64(x.last);
  a.u64(x.next_deadline);
}

void walk(auto& a, maybe_const<core::hold_seen> auto& x) {
  a.u32(x.number);
  a.id(x.owner);
  a.id(x.id);
  a.u8(x.state);
  a.u8(x.channel);
  a.u64(x.deadline);
  a.u64(x.lifetime_end);
  a.u32(x.extensions);
  a.u32(x.attempts);
  a.id(x.basket);
  a.list(x.lines, [&a](auto& l) {
    walk(a, l.what);
    a.flags(l.cancelled);
  });
  a.list(x.payments, [&a](auto& p) {
    a.u64(p.reference_hash);
    a.i64(p.amount);
    a.u8(p.kind);
    a.u8(p.outcome);
    a.u8(p.reason);
    a.u32(p.number);
  });
}

void walk(auto& a, maybe_const<core::seat_seen> auto& x) {
  a.u8(x.state);
  a.flags(x.withdrawn);
  a.u16(x.reason);
  a.u8(x.allocation);
  a.u8(x.category);
  a.id(x.owner);
  a.id(x.hold);
  a.u64(x.deadline);
  a.u64(x.changed);
}

void walk(auto& a, maybe_const<core::owner_seen> auto& x) {
  a.flags(x.more);
  a.list(x.holds, [&a](auto& h) { walk(a, h); });
  a.list(x.refunds, [&a](auto& r) {
    a.u32(r.number);
    a.u8(r.reason);
    a.i64(r.amount);
    a.flags(r.settled);
    a.id(r.owner);
    a.id(r.hold);
  });
}

void walk(auto& a, maybe_const<core::fate_seen> auto& x) {
  a.u8(x.what);
  a.u8(x.command);
  a.u64(x.first.tells_of);
  a.u64(x.first.deadline);
  a.u8(x.first.state);
  a.flags(x.first.repeated);
  a.u16(x.first.refused);
  a.u8(x.first.outcome);
  a.u8(x.first.reason);
  a.u32(x.first.number);
  a.u64(x.first.granted);
}

void walk(auto& a, maybe_const<plan_page> auto& x) {
  a.u32(x.page);
  a.u32(x.pages);
  a.u32(x.first_seat);
  a.list(x.rows, [&a](auto& r) {
    a.u32(r.number);
    a.u16(r.what.zone);
    a.text(r.what.label);
  });
  a.list(x.seats, [&a](auto& s) {
    a.u32(s.row);
    a.text(s.number);
    a.text(s.identity);
    a.u8(s.category);
    a.u8(s.allocation);
    a.u8(s.flags);
    a.f32(s.x);
    a.f32(s.y);
  });
  if (x.page != 0) return;
  a.text(x.name);
  a.u32(x.seats_total);
  a.u32(x.rows_total);
  a.list(x.categories, [&a](auto& c) {
    a.text(c.name);
    a.text(c.color);
  });
  a.list(x.allocations, [&a](auto& n) { a.text(n); });
  a.list(x.zones, [&a](auto& n) { a.text(n); });
  a.list(x.areas, [&a](auto& r) {
    a.text(r.name);
    a.text(r.identity);
    a.u8(r.category);
    a.list(r.capacity, [&a](auto& n) { a.u32(n); });
  });
}

void walk(auto& a, maybe_const<core::seats_seen> auto& x) {
  a.u32(x.page);
  a.u32(x.pages);
  a.u32(x.first);
  a.flags(x.expiries_pending);
  a.list(x.states, [&a](auto& s) { a.u8(s); });
  a.list(x.areas, [&a](auto& r) { a.list(r.allocations, [&a](auto& c) { walk(a, c); }); });
}

void walk(auto& a, maybe_const<core::changes_seen> auto& x) {
  a.flags(x.more);
  a.u64(x.next_since);
  a.list(x.items, [&a](auto& c) {
    a.u64(c.number);
    a.u64(c.at);
    a.u8(c.command);
    a.u8(c.state);
    a.id(c.owner);
    a.id(c.hold);
    a.u32(c.refund);
  });
}

void walk(auto& a, maybe_const<core::holds_seen> auto& x) {
  a.u32(x.next_from);
  a.list(x.items, [&a](auto& h) { walk(a, h); });
}

void walk(auto& a, maybe_const<session_brief> auto& x) {
  a.u64(x.id);
  a.text(x.name);
  a.u8(x.kind);
  a.u8(x.sale);
  a.flags(x.frozen, x.faulted);
  a.u32(x.open_channels);
  a.text(x.currency);
  a.text(x.organiser_ref);
  a.text(x.zone);
  a.i64(x.starts_at);
  a.u32(x.plan_revision);
  a.u32(x.seats);
  a.u32(x.areas);
  a.u64(x.places);
}

void walk(auto& a, maybe_const<sessions_listed> auto& x) {
  a.u64(x.next_from);
  a.list(x.items, [&a](auto& s) { walk(a, s); });
}

void walk(auto& a, maybe_const<actor_row> auto& x) {
  a.u64(x.id);
  a.text(x.kind);
  a.text(x.name);
  a.u64(x.waiting);
  a.u64(x.handled);
  a.u64(x.handled_per_s);
  a.u32(x.busy_ppm);
  a.u64(x.oldest_waiting_us);
}

void walk(auto& a, maybe_const<actors_seen> auto& x) {
  a.u64(x.next_from);
  a.list(x.rows, [&a](auto& r) { walk(a, r); });
}

void walk(auto& a, maybe_const<actor_inside_seen> auto& x) {
  walk(a, x.row);
  a.list(x.facts, [&a](auto& f) {
    a.text(f.first);
    a.text(f.second);
  });
  a.list(x.tables, [&a](auto& t) {
    a.text(t.title);
    a.list(t.columns, [&a](auto& c) { a.text(c); });
    a.list(t.rows, [&a](auto& r) { a.list(r, [&a](auto& c) { a.text(c); }); });
  });
}

void walk(auto& a, maybe_const<stats_seen> auto& x) {
  a.list(x.values, [&a](auto& v) {
    a.text(v.name);
    a.flags(v.gauge);
    a.i64(v.value);
  });
  a.list(x.latencies, [&a](auto& l) {
    a.text(l.name);
    a.u64(l.count);
    a.u64(l.p50_us);
    a.u64(l.p90_us);
    a.u64(l.p99_us);
    a.u64(l.p999_us);
    a.u64(l.max_us);
  });
}

void walk(auto& a, maybe_const<found> auto& x) {
  a.u64(x.next_from);
  a.list(x.rows, [&a](auto& r) {
    a.u64(r.session);
    a.text(r.session_name);
    a.u64(r.number);
    a.u64(r.at);
    a.u8(r.command);
    a.id(r.owner);
    a.id(r.hold);
    a.id(r.basket);
    a.u8(r.state);
    a.i64(r.amount);
    a.text(r.payment);
    a.u32(r.refund);
    a.u8(r.reason);
    a.flags(r.settled);
    a.list(r.lines, [&a](auto& l) { walk(a, l); });
  });
}

}  // namespace holdfast::protocol
