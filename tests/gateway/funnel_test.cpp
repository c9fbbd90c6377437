// What the funnel refuses, in which order, and that it counts everything once.
#include <array>
#include <memory>
#include <vector>

#include <doctest/doctest.h>

#include "base/random.hpp"
#include "core/policy.hpp"
#include "gateway/funnel.hpp"

namespace holdfast::gateway {

using core::command_tag;
using core::refusal;
using protocol::listener_kind;

namespace {

constexpr std::uint64_t noon = 1'700'000'000'000'000;

std::shared_ptr<const core::plan> hall(std::uint32_t seats) {
  auto p = std::make_shared<core::plan>();
  p->name = "hall";
  p->categories = {{"all", ""}};
  p->zones = {"main"};
  p->rows = {{0, "A"}};
  for (std::uint32_t i = 0; i < seats; ++i) {
    core::plan_seat s;
    s.number = s.identity = std::to_string(i + 1);
    p->seats.push_back(s);
  }
  return p;
}

/// A hall with a box before it.
struct box {
  explicit box(std::uint32_t seats = 4) : view(hall(seats), core::default_policy()) { where.view = &view, where.credits = &credits; }

  void sale(core::sale_state s, bool frozen = false, bool faulted = false) {
    const core::view_change c{core::view_change::kind::control, static_cast<std::uint8_t>(s),
                              static_cast<std::uint8_t>((frozen ? 1 : 0) | (faulted ? 2 : 0)), core::all_channels, 0};
    view.apply({&c, 1}, core::sequence{++last});
  }
  void gone(std::uint32_t seat) {
    const core::view_change c{core::view_change::kind::seat_gone, 0, 0, seat, 0};
    view.apply({&c, 1}, core::sequence{++last});
  }
  verdict ask(const protocol::request& r, listener_kind on = listener_kind::shop, std::uint64_t now = noon) {
    return judge(r, on, &where, now, connection, 50);
  }

  core::sale_view view;
  session_credits credits{100};
  connection_credits connection{10, 2, 1};
  stall where;
  std::uint64_t last = 0;
};

template <class Command>
protocol::request command(Command c) {
  protocol::request r;
  r.id = 1;
  r.asked = core::command{std::move(c)};
  r.kind = protocol::kind_of(std::get<core::command>(r.asked));
  return r;
}
protocol::request look(core::look l) {
  protocol::request r;
  r.id = 1;
  r.kind = protocol::kind_of(l);
  r.asked = std::move(l);
  return r;
}

const std::array<core::line, 3> seats{core::line{core::place_kind::seat, 0, 1, 7}, core::line{core::place_kind::seat, 1, 1, 7},
                                      core::line{core::place_kind::seat, 2, 1, 7}};

protocol::request hold(core::lines lines = seats) {
  core::hold_seats h;
  h.lines = lines;
  return command(h);
}
protocol::request change(core::lines add) {
  core::change_hold c;
  c.add = add;
  return command(c);
}

refusal why(const verdict& v) { return v.said.refused; }

}  // namespace

TEST_CASE("new holds and added lines are refused while the sale is not open; nothing else is") {
  box b;
  const std::pair<core::sale_state, refusal> rows[] = {{core::sale_state::announced, refusal::not_open},
                                                       {core::sale_state::paused, refusal::paused},
                                                       {core::sale_state::closed, refusal::closed}};
  for (const auto& [state, expected] : rows) {
    b.sale(state);
    CHECK(b.ask(hold()).at == stage::not_open);
    CHECK(why(b.ask(hold())) == expected);
    CHECK(why(b.ask(change(seats))) == expected);
    for (const auto& passes : {change({}), command(core::extend_hold{}), command(core::release_hold{}), look(core::look_session{})}) {
      CHECK(b.ask(passes).at == stage::passed);
      b.connection.give_back(weight_of(passes.kind));
    }
  }
  b.sale(core::sale_state::open, true);
  CHECK(why(b.ask(hold())) == refusal::frozen);
  b.sale(core::sale_state::open, false, true);
  CHECK(why(b.ask(hold())) == refusal::faulted);
  b.sale(core::sale_state::open);
  CHECK(b.ask(hold()).at == stage::passed);
}

TEST_CASE("money goes on to the session in every state of sale and seats, also over credit") {
  box b(3);
  for (std::uint32_t s = 0; s < 3; ++s) b.gone(s);
  for (int i = 0; i < 10; ++i) CHECK(b.ask(look(core::look_session{})).at == stage::passed);
  CHECK(b.ask(look(core::look_session{})).at == stage::busy);
  b.sale(core::sale_state::closed, true);
  CHECK(b.ask(command(core::confirm_hold{})).at == stage::passed);
  CHECK(b.ask(command(core::begin_payment{})).at == stage::passed);
  CHECK_FALSE(b.connection.money_left());
  CHECK(b.credits.in_flight() == 12);
}

TEST_CASE("the seats that are gone are named; when all are gone the hall is sold out") {
  box b(3);
  b.sale(core::sale_state::open);
  b.gone(1);
  const auto v = b.ask(hold());
  CHECK(v.at == stage::gone);
  CHECK(v.said.refused == refusal::sold_out);
  CHECK(v.said.lines == 0b010);
  CHECK(v.said.tells_of == core::sequence{2});
  b.gone(0);
  b.gone(2);
  CHECK(b.ask(hold()).at == stage::gone);
  CHECK(b.ask(hold()).said.tells_of == core::sequence{4});
}

TEST_CASE("a winner who asks again is never told that his own seat is gone") {
  box b(1);
  b.sale(core::sale_state::open);
  b.gone(0);
  auto again = hold(core::lines(seats).first(1));
  CHECK(b.ask(again).at == stage::gone);
  again.retry = true;
  CHECK(b.ask(again).at == stage::passed);
  b.sale(core::sale_state::closed);
  CHECK(b.ask(again).at == stage::passed);
}

TEST_CASE("past the scheduled opening holds pass, though the view does not show it yet") {
  box b;
  b.where.opens_at = noon + 10;
  CHECK(b.ask(hold(), listener_kind::shop, noon + 9).at == stage::not_open);
  CHECK(b.ask(hold(), listener_kind::shop, noon + 10).at == stage::passed);
  b.sale(core::sale_state::announced, false, true);
  CHECK(why(b.ask(hold(), listener_kind::shop, noon + 10)) == refusal::faulted);
}

TEST_CASE("roles: buyers move no money, operators alone command sessions") {
  const auto k = [](command_tag t) { return protocol::kind_of(t); };
  for (std::size_t t = 1; t + 1 < core::command_tags; ++t) {
    const auto kind = k(static_cast<command_tag>(t));
    const bool buyer = kind == k(command_tag::hold_seats) || kind == k(command_tag::change_hold) || kind == k(command_tag::extend_hold) ||
                       kind == k(command_tag::release_hold);
    CHECK(may_ask(listener_kind::buyer, kind) == buyer);
    CHECK(may_ask(listener_kind::shop, kind) == (buyer || protocol::is_money(kind)));
    CHECK(may_ask(listener_kind::admin, kind));
  }
  for (const auto kind : {protocol::kinds::create_session, protocol::kinds::list_sessions, protocol::kinds::actors,
                          protocol::kinds::actor_inside, protocol::kinds::stats, protocol::kinds::find}) {
    CHECK_FALSE(may_ask(listener_kind::buyer, kind));
    CHECK_FALSE(may_ask(listener_kind::shop, kind));
    CHECK(may_ask(listener_kind::admin, kind));
  }
  const auto changes = look(core::look_changes{}).kind, holds = look(core::look_holds{}).kind;
  CHECK_FALSE(may_ask(listener_kind::buyer, changes));
  CHECK(may_ask(listener_kind::shop, changes));
  CHECK_FALSE(may_ask(listener_kind::buyer, holds));
  CHECK_FALSE(may_ask(listener_kind::shop, holds));
  for (const auto& l : {look(core::look_session{}), look(core::look_hold{}), look(core::look_seat{}), look(core::look_owner{}),
                        look(core::look_fate{}), look(core::look_plan{}), look(core::look_seats{})})
    CHECK(may_ask(listener_kind::buyer, l.kind));
}

TEST_CASE("the order: role, content, session, sale, seats, credit") {
  box b(1);
  // Everything is wrong at once; then one after another is put right.
  b.gone(0);
  while (b.connection.take(weight::plain)) {}
  auto r = hold(core::lines(seats).first(1));
  r.impossible = refusal::bad_content;
  auto money = command(core::confirm_hold{});
  money.impossible = refusal::bad_reference;
  CHECK(judge(money, listener_kind::buyer, nullptr, noon, b.connection, 50).at == stage::not_allowed);
  CHECK(judge(r, listener_kind::buyer, nullptr, noon, b.connection, 50).at == stage::impossible);
  r.impossible = refusal::none;
  const auto unknown = judge(r, listener_kind::buyer, nullptr, noon, b.connection, 50);
  CHECK(unknown.at == stage::unknown_session);
  CHECK(why(unknown) == refusal::unknown_session);
  CHECK(b.ask(r).at == stage::not_open);
  b.sale(core::sale_state::open);
  CHECK(b.ask(r).at == stage::gone);
  r.retry = true;
  const auto busy = b.ask(r);
  CHECK(busy.at == stage::busy);
  CHECK(why(busy) == refusal::busy);
  CHECK(busy.said.retry_after == 50);
  CHECK(b.credits.in_flight() == 0);
  b.connection.give_back(weight::plain);
  CHECK(b.ask(r).at == stage::passed);
}

TEST_CASE("a full session is busy for everybody but money, and gives the connection its credit back") {
  box b;
  session_credits full(1);
  b.where.credits = &full;
  b.sale(core::sale_state::open);
  CHECK(b.ask(hold()).at == stage::passed);
  CHECK(b.ask(hold()).at == stage::busy);
  CHECK(b.connection.in_flight() == 1);
  CHECK(b.ask(command(core::confirm_hold{})).at == stage::passed);
  CHECK(b.connection.in_flight() == 2);
}

TEST_CASE("a channel that the policy does not know is the session's to refuse") {
  box b;
  auto r = hold();
  r.head.channel = 15;
  CHECK(b.ask(r).at == stage::passed);
}

TEST_CASE("random requests: each ends at one stage, the counters add up, credits equal what passed") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    base::random any(seed);
    box b(8);
    loop_stats counted;
    std::uint64_t in_flight = 0;
    for (int i = 0; i < 5'000; ++i) {
      if (any.chance(2)) b.sale(static_cast<core::sale_state>(any.below(4)), any.chance(10), any.chance(5));
      if (any.chance(1)) b.gone(static_cast<std::uint32_t>(any.below(8)));
      if (any.chance(50) && in_flight > 0) {
        // Pages come back with the rest; there is at most one.
        while (in_flight > 0) {
          b.connection = connection_credits(10, 2, 1);
          b.credits.give_back(static_cast<std::uint32_t>(in_flight));
          in_flight = 0;
        }
      }
      if (!b.connection.money_left()) continue;
      protocol::request r;
      switch (any.below(6)) {
        case 0: r = hold(core::lines(seats).first(1 + any.below(3))); break;
        case 1: r = change(core::lines(seats).first(any.below(3))); break;
        case 2: r = command(core::confirm_hold{}); break;
        case 3: r = look(core::look_plan{}); break;
        case 4: r = command(core::block_places{}); break;
        default: r = command(core::release_hold{}); break;
      }
      r.retry = any.chance(10);
      if (any.chance(3)) r.impossible = refusal::bad_content;
      const auto on = static_cast<listener_kind>(any.below(3));
      const bool known = !any.chance(3);
      counted.received.add();
      const auto v = judge(r, on, known ? &b.where : nullptr, noon, b.connection, 50);
      counted.ended_at(v.at);
      CHECK((v.at == stage::passed) == (v.said.refused == refusal::none));
      if (v.at == stage::passed) ++in_flight;
      if (v.at == stage::busy) CHECK_FALSE(protocol::is_money(r.kind));
      CHECK(b.credits.in_flight() == in_flight);
      CHECK(b.connection.in_flight() == in_flight);
    }
    const auto seen = counted.read();
    CHECK(seen.adds_up());
    for (const auto s : {stage::not_allowed, stage::impossible, stage::unknown_session, stage::not_open, stage::gone, stage::busy, stage::passed})
      CHECK(seen.by_stage[static_cast<std::size_t>(s)] > 0);
  }
}

}  // namespace holdfast::gateway
