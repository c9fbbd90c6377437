// Messages with random content, impossible content included, from a seed.
#pragma once

#include <memory_resource>
#include <string>

#include "base/random.hpp"
#include "core/command.hpp"
#include "core/look.hpp"
#include "core/policy.hpp"
#include "protocol/messages.hpp"

namespace holdfast::tests {

class random_messages {
 public:
  explicit random_messages(std::uint64_t seed) : r_(seed) {}

  base::random& dice() { return r_; }

  /// Small numbers often, large ones and the largest now and then.
  std::uint64_t u64() { return r_.next() >> r_.below(65) % 64; }
  std::uint32_t u32() { return r_.chance(3) ? ~0U : static_cast<std::uint32_t>(r_.next() >> (32 + r_.below(32))); }
  std::int64_t i64() { return static_cast<std::int64_t>(r_.next()) >> r_.below(64); }
  std::uint8_t u8(unsigned below) { return static_cast<std::uint8_t>(r_.below(below)); }
  bool coin() { return r_.chance(50); }
  core::id128 id() { return r_.chance(10) ? core::id128{} : r_.id(); }
  std::string text(std::size_t bytes_max) {
    std::string s(r_.below(bytes_max + 1), ' ');
    for (auto& c : s) c = static_cast<char>(r_.next());
    return s;
  }
  base::byte_view bytes(std::size_t bytes_max) {
    const auto n = r_.below(bytes_max + 1);
    auto* p = static_cast<std::uint8_t*>(arena_.allocate(n + 1, 1));
    for (std::size_t i = 0; i < n; ++i) p[i] = static_cast<std::uint8_t>(r_.next());
    return {p, n};
  }
  template <class T, class Make>
  std::span<const T> list(std::size_t items_max, Make make) {
    const auto n = r_.chance(80) ? r_.below(std::min<std::size_t>(items_max, 4) + 1) : r_.below(items_max + 1);
    auto* p = static_cast<T*>(arena_.allocate((n + 1) * sizeof(T), alignof(T)));
    for (std::size_t i = 0; i < n; ++i) std::construct_at(p + i, make());
    return {p, n};
  }

  core::line line() {
    core::line l;
    l.kind = static_cast<core::place_kind>(u8(2));
    l.number = u32();
    l.count = l.kind == core::place_kind::area ? u32() : r_.chance(5) ? u32() : 1;
    l.price = u32();
    return l;
  }
  core::lines lines() {
    return list<core::line>(core::limits::lines_max, [this] { return line(); });
  }
  core::limit_key key() { return {static_cast<core::key_kind>(u8(core::key_kinds)), id()}; }
  core::keys keys() {
    return list<core::limit_key>(core::limits::keys_max, [this] { return key(); });
  }
  core::ranges ranges() {
    return list<core::place_range>(core::limits::ranges_max, [this] {
      core::place_range r{static_cast<core::place_kind>(u8(2)), u32(), u32(), 0, 0};
      if (coin()) {
        r.count = u32();
        r.allocation = static_cast<std::uint8_t>(r_.next());
        if (r.kind == core::place_kind::area && coin()) r.last = r.first;
      }
      return r;
    });
  }
  core::policy policy() {
    auto p = core::default_policy();
    for (auto& c : p.channels) {
      c.lines_max = static_cast<std::uint32_t>(r_.between(1, core::limits::lines_max));
      c.holds_per_owner_max = static_cast<std::uint32_t>(r_.between(1, 100));
      for (auto& rule : c.rules) rule.places_max = static_cast<std::uint32_t>(r_.between(1, 100));
    }
    return p;
  }
  std::shared_ptr<const core::session_terms> terms() {
    auto t = std::make_shared<core::session_terms>();
    t->name = text(64);
    t->kind = static_cast<core::session_class>(u8(2));
    t->currency = text(64);
    t->organiser_ref = text(64);
    t->starts_at = i64();
    t->zone = text(64);
    t->plan_revision = u32();
    t->rules = policy();
    return t;
  }
  core::channel_set channels() { return coin() ? core::all_channels : u32(); }
  std::uint32_t revision() { return coin() ? 1 : u32(); }

  core::command command(core::command_tag tag) {
    using namespace core;
    using enum command_tag;
    const owner_id owner{id()};
    const hold_id hold{id()};
    switch (tag) {
      case create_session: return core::create_session{terms()};
      case open_sale: return core::open_sale{channels()};
      case pause_sale: return core::pause_sale{};
      case resume_sale: return core::resume_sale{};
      case close_sale: return core::close_sale{channels()};
      case freeze_sale: return core::freeze_sale{};
      case hold_seats: return core::hold_seats{owner, keys(), lines(), u32(), revision(), basket_id{id()}};
      case change_hold: return core::change_hold{owner, hold, lines(), lines(), revision()};
      case extend_hold: return core::extend_hold{owner, hold, u32()};
      case begin_payment: return core::begin_payment{owner, hold, bytes(64), u32(), keys()};
      case payment_failed: return core::payment_failed{owner, hold, bytes(64)};
      case confirm_hold:
        return core::confirm_hold{owner, hold, bytes(64), i64(), static_cast<payment_kind>(u8(payment_kinds))};
      case release_hold: return core::release_hold{owner, hold, lines(), coin()};
      case cancel_order: return core::cancel_order{owner, hold, lines(), i64(), coin()};
      case settle_refund: return core::settle_refund{refund_no{u32()}, bytes(64)};
      case block_places: return core::block_places{ranges(), static_cast<reason_code>(r_.next())};
      case unblock_places: return core::unblock_places{ranges()};
      case allocate_places: return core::allocate_places{ranges(), u8(256)};
      case shift_deadlines: return core::shift_deadlines{u32(), static_cast<reason_code>(r_.next())};
      case clear_fault: return core::clear_fault{u32()};
      case expire_due: break;
    }
    return core::expire_due{};
  }

  core::look look(std::size_t index) {
    using namespace core;
    switch (index) {
      case 0: return look_session{};
      case 1: return look_hold{owner_id{id()}, hold_id{id()}};
      case 2: return look_seat{seat_no{u32()}};
      case 3: return look_owner{owner_id{id()}};
      case 4: return look_fate{owner_id{id()}, command_id{id()}, log_time{u64()}};
      case 5: return look_plan{u32(), u32()};
      case 6: return look_seats{u32()};
      case 7: return look_changes{sequence{u64()}};
      default: return look_holds{u32()};
    }
  }

  core::envelope envelope() {
    core::envelope e;
    e.channel = u8(256);
    e.id = core::command_id{id()};
    e.client_deadline = core::log_time{u64()};
    e.note = bytes(coin() ? 0 : 64);
    return e;
  }

  protocol::house_asked house(std::size_t index) {
    switch (index) {
      case 0: return protocol::ping{};
      case 1: return protocol::session_named{text(64)};
      case 2: {
        protocol::create_session c{{}, terms(), bytes(2000)};
        c.head.note = bytes(64);
        return c;
      }
      case 3: return protocol::list_sessions{core::session_id{u64()}};
      case 4: return protocol::look_actors{u64()};
      case 5: return protocol::look_actor_inside{u64()};
      case 6: return protocol::look_stats{};
      default: return protocol::find{static_cast<protocol::find_by>(u8(4)), id(), text(64), u64()};
    }
  }

  // ---- answers ----

  core::answer acceptance() {
    core::answer a;
    around(a);
    a.outcome = static_cast<core::money_outcome>(u8(3));
    a.reason = static_cast<core::refund_reason>(u8(8));
    a.number = core::refund_no{u32()};
    a.granted = core::log_time{u64()};
    return a;
  }
  core::answer refused(core::refusal why) {
    core::answer a;
    around(a);
    a.refused = why;
    a.lines = u64();
    a.left = u64();
    a.retry_after = u32();
    a.kind = static_cast<core::key_kind>(u8(core::key_kinds));
    return a;
  }
  void around(core::answer& a) {
    a.repeated = coin();
    a.tells_of = core::sequence{u64()};
    a.state = static_cast<core::hold_state>(u8(7));
    a.deadline = core::log_time{u64()};
  }

  core::hold_seen hold_seen() {
    core::hold_seen h;
    h.number = core::hold_no{u32()};
    h.owner = core::owner_id{id()};
    h.id = core::hold_id{id()};
    h.state = static_cast<core::hold_state>(u8(7));
    h.channel = u8(16);
    h.deadline.value = u64();
    h.lifetime_end.value = u64();
    h.extensions = u32();
    h.attempts = u32();
    h.basket = core::basket_id{id()};
    for (auto n = r_.below(4); n > 0; --n) h.lines.push_back({line(), coin()});
    for (auto n = r_.below(3); n > 0; --n)
      h.payments.push_back({u64(), i64(), static_cast<core::payment_kind>(u8(5)),
                            static_cast<core::money_outcome>(u8(3)), static_cast<core::refund_reason>(u8(8)),
                            core::refund_no{u32()}});
    return h;
  }
  core::place_counts counts() { return {u64(), u64(), u64(), u64(), u64(), u64()}; }

  std::shared_ptr<const core::plan> plan(std::size_t seats) {
    auto p = std::make_shared<core::plan>();
    p->name = text(20);
    p->categories.push_back({text(10), "#112233"});
    p->allocations.push_back(text(10));
    p->zones = {text(5), text(5)};
    for (std::size_t i = 0; i < seats; ++i) {
      if (p->rows.empty() || r_.chance(10)) p->rows.push_back({static_cast<std::uint16_t>(u8(2)), text(4)});
      core::plan_seat s;
      s.row = static_cast<std::uint32_t>(p->rows.size() - 1);
      s.number = text(4);
      s.identity = text(36);
      s.category = u8(64);
      s.allocation = u8(16);
      s.flags = u8(16);
      s.x = static_cast<float>(u32());
      s.y = static_cast<float>(u32());
      p->seats.push_back(std::move(s));
    }
    p->areas.push_back({text(9), text(36), 0, {u32(), u32()}});
    return p;
  }

  core::seen seen(std::size_t index) {
    using namespace core;
    switch (index) {
      case 0: {
        session_seen s;
        s.name = text(64);
        s.currency = text(3);
        s.organiser_ref = text(64);
        s.zone = text(64);
        s.kind = static_cast<session_class>(u8(2));
        s.starts_at = i64();
        s.sale = static_cast<sale_state>(u8(4));
        s.open_channels = u32();
        s.frozen = coin();
        s.faulted = coin();
        s.expiries_pending = coin();
        s.places = counts();
        for (auto* v : {&s.seats, &s.areas, &s.live_holds, &s.orders, &s.ended_holds, &s.forgotten_early,
                        &s.refunds_open, &s.refunds_total, &s.shift_us, &s.downtime_shift_us})
          *v = u64();
        s.amount_paid = i64();
        s.amount_refunds_due = i64();
        s.plan_revision = u32();
        s.last.value = u64();
        s.next_deadline.value = u64();
        return s;
      }
      case 1: return hold_seen();
      case 2: {
        seat_seen s;
        s.state = static_cast<seat_state>(u8(5));
        s.withdrawn = coin();
        s.reason = static_cast<reason_code>(r_.next());
        s.allocation = u8(16);
        s.category = u8(64);
        s.owner = owner_id{id()};
        s.hold = hold_id{id()};
        s.deadline.value = u64();
        s.changed.value = u64();
        return s;
      }
      case 3: {
        owner_seen o;
        for (auto n = r_.below(4); n > 0; --n) o.holds.push_back(hold_seen());
        for (auto n = r_.below(4); n > 0; --n)
          o.refunds.push_back(
              {refund_no{u32()}, static_cast<refund_reason>(u8(8)), i64(), coin(), owner_id{id()}, hold_id{id()}});
        o.more = coin();
        return o;
      }
      case 4: {
        fate_seen f;
        f.what = static_cast<fate>(u8(3));
        f.command = static_cast<command_tag>(u8(21));
        f.first = acceptance();
        return f;
      }
      case 5: {
        plan_page_seen p;
        p.whole = plan(r_.below(3000));
        p.pages = static_cast<std::uint32_t>((p.whole->seats.size() + plan_seats_per_page - 1) / plan_seats_per_page);
        p.page = p.pages == 0 ? 0 : static_cast<std::uint32_t>(r_.below(p.pages));
        return p;
      }
      case 6: {
        seats_seen s;
        s.page = u32();
        s.pages = u32();
        s.first = u32();
        s.states.resize(r_.below(300));
        for (auto& b : s.states) b = u8(256);
        for (auto n = r_.below(3); n > 0; --n) {
          auto& a = s.areas.emplace_back();
          for (auto k = r_.below(3); k > 0; --k) a.allocations.push_back(counts());
        }
        s.expiries_pending = coin();
        return s;
      }
      case 7: {
        changes_seen c;
        for (auto n = r_.below(6); n > 0; --n)
          c.items.push_back({sequence{u64()}, log_time{u64()}, static_cast<command_tag>(u8(21)),
                             static_cast<hold_state>(u8(7)), owner_id{id()}, hold_id{id()}, refund_no{u32()}});
        c.next_since.value = u64();
        c.more = coin();
        return c;
      }
      default: {
        holds_seen h;
        for (auto n = r_.below(4); n > 0; --n) h.items.push_back(hold_seen());
        h.next_from = u32();
        return h;
      }
    }
  }

  protocol::session_brief brief() {
    protocol::session_brief s;
    s.id.value = u64();
    s.name = text(64);
    s.kind = static_cast<core::session_class>(u8(2));
    s.sale = static_cast<core::sale_state>(u8(4));
    s.frozen = coin();
    s.faulted = coin();
    s.open_channels = u32();
    s.currency = text(3);
    s.organiser_ref = text(64);
    s.zone = text(64);
    s.starts_at = i64();
    s.plan_revision = u32();
    s.seats = u32();
    s.areas = u32();
    s.places = u64();
    return s;
  }
  protocol::actor_row actor() { return {u64(), text(10), text(20), u64(), u64(), u64(), u32(), u64()}; }

  /// With the kind of the request it answers.
  std::pair<std::uint16_t, protocol::house_seen> house_seen(std::size_t index) {
    namespace p = protocol;
    switch (index) {
      case 0: return {p::kinds::ping, std::monostate{}};
      case 1: return {coin() ? p::kinds::session_named : p::kinds::create_session, brief()};
      case 2: {
        p::sessions_listed s;
        for (auto n = r_.below(4); n > 0; --n) s.items.push_back(brief());
        s.next_from.value = u64();
        return {p::kinds::list_sessions, s};
      }
      case 3: {
        p::actors_seen s;
        for (auto n = r_.below(4); n > 0; --n) s.rows.push_back(actor());
        s.next_from = u64();
        return {p::kinds::actors, s};
      }
      case 4: {
        p::actor_inside_seen s;
        s.row = actor();
        for (auto n = r_.below(4); n > 0; --n) s.facts.emplace_back(text(10), text(30));
        for (auto n = r_.below(3); n > 0; --n)
          s.tables.push_back({text(10), {text(5), text(5)}, {{text(5), text(5)}, {text(5), text(5)}}});
        return {p::kinds::actor_inside, s};
      }
      case 5: {
        p::stats_seen s;
        for (auto n = r_.below(4); n > 0; --n) s.values.push_back({text(10), coin(), i64()});
        for (auto n = r_.below(4); n > 0; --n)
          s.latencies.push_back({text(10), u64(), u64(), u64(), u64(), u64(), u64()});
        return {p::kinds::stats, s};
      }
      default: {
        p::found f;
        for (auto n = r_.below(4); n > 0; --n) {
          p::found_row r{core::session_id{u64()},
                         text(20),
                         core::sequence{u64()},
                         core::log_time{u64()},
                         static_cast<core::command_tag>(u8(21)),
                         core::owner_id{id()},
                         core::hold_id{id()},
                         core::basket_id{id()},
                         static_cast<core::hold_state>(u8(7)),
                         i64(),
                         text(64),
                         core::refund_no{u32()},
                         static_cast<core::refund_reason>(u8(8)),
                         coin(),
                         {}};
          for (auto k = r_.below(3); k > 0; --k) r.lines.push_back(line());
          f.rows.push_back(std::move(r));
        }
        f.next_from = u64();
        return {p::kinds::find, f};
      }
    }
  }

 private:
  base::random r_;
  std::pmr::monotonic_buffer_resource arena_;
};

inline constexpr std::size_t house_requests = std::variant_size_v<protocol::house_asked>;
inline constexpr std::size_t house_answers = std::variant_size_v<protocol::house_seen>;
inline constexpr std::size_t looks = std::variant_size_v<core::look>;

}  // namespace holdfast::tests
