// What a connection goes through: handshake, order, credits, slow and silent peers, goodbye.
#include <set>

#include "tests/gateway/fixture.hpp"

namespace holdfast::tests {

TEST_CASE("a client says hello, asks and is answered; the welcome tells the limits") {
  counter c;
  client shop(c.port());
  const auto w = shop.greet(listener_kind::shop);
  CHECK(w.version == protocol::version_max);
  CHECK(w.who == core::role::shop);
  CHECK(w.now == core::log_time{noon});
  CHECK(w.request_bytes_max == 64 * 1024);
  CHECK(w.inflight_max == 1'024);
  CHECK(w.money_inflight_max == 64);
  CHECK(w.idle_max == 600'000);

  shop.send(say{}.hold(7, 1, 3));
  const auto a = shop.answer();
  CHECK(a.id == 7);
  CHECK(a.kind == protocol::kind_of(core::command_tag::hold_seats));
  CHECK(a.said.refused == refusal::none);
  CHECK(a.said.state == core::hold_state::held);
  CHECK(a.said.tells_of == core::sequence{7});
  shop.send(say{}.ping(8));
  CHECK(shop.answer().id == 8);
  CHECK(c.at(stage::passed) == 1);
  CHECK(c.at(stage::served) == 1);
}

TEST_CASE("refusals of the funnel carry the view's sequence and reach no actor") {
  counter c;
  c.gone(1, 2);
  c.sale(2, core::sale_state::paused);
  client shop(c.port());
  shop.greet(listener_kind::shop);
  shop.send(say{}.hold(1, 1, 2));
  auto a = shop.answer();
  CHECK(a.said.refused == refusal::sold_out);
  CHECK(a.said.lines == 1);
  CHECK(a.said.tells_of == c.views[0]->durable());
  shop.send(say{}.hold(2, 2, 2));
  CHECK(shop.answer().said.refused == refusal::paused);
  shop.send(say{}.hold(3, 9, 2));
  CHECK(shop.answer().said.refused == refusal::unknown_session);
  CHECK(c.by_hand.heard() == 0);
  shop.send(say{}.hold(1, 1, 2, true));  // the same again, as one whose answer was lost
  CHECK(shop.answer().said.refused == refusal::none);
  CHECK(c.by_hand.heard() == 1);
}

TEST_CASE("requests of one connection for one session arrive in the order sent, in few batches") {
  counter c;
  client shop(c.port());
  shop.greet(listener_kind::shop);
  base::bytes all;
  constexpr std::uint64_t n = 1'000;
  for (std::uint64_t r = 1; r <= n; ++r) {
    const auto b = say{}.hold(r, 1 + r % 2, static_cast<std::uint32_t>(r % 8));
    all.insert(all.end(), b.begin(), b.end());
  }
  REQUIRE(shop.send(all));
  std::set<std::uint64_t> answered;
  for (std::uint64_t r = 0; r < n; ++r) answered.insert(shop.answer().id);
  CHECK(answered.size() == n);
  std::uint64_t last[2] = {0, 0};
  for (const auto r : c.by_hand.order()) {
    CHECK(r > last[r % 2]);
    last[r % 2] = r;
  }
  const auto s = c.server->stats();
  CHECK(s.batches < n / 4);
  CHECK(s.writes < n / 4);
  CHECK(until([&] { return c.server->stats().in_flight == 0; }));
}

TEST_CASE("over its credit a connection gets busy at once, money goes on, and then it is not read from") {
  counter c([](options& o) {
    o.listeners[0].inflight_max = 4;
    o.listeners[0].money_inflight_max = 2;
  });
  c.by_hand.hold_back = true;
  client shop(c.port());
  shop.greet(listener_kind::shop);
  for (std::uint64_t r = 1; r <= 6; ++r) shop.send(say{}.hold(r, 1, 0));
  for (std::uint64_t r = 5; r <= 6; ++r) {
    const auto a = shop.answer();
    CHECK(a.id == r);
    CHECK(a.said.refused == refusal::busy);
    CHECK(a.said.retry_after > 0);
  }
  for (std::uint64_t r = 11; r <= 13; ++r) shop.send(say{}.confirm(r, 1, 1));
  shop.send(say{}.ping(14));
  CHECK(until([&] { return c.server->stats().credit_pauses == 1; }));
  CHECK(c.by_hand.kept() == 6);
  // Time passes while it is us who do not read: nobody is closed for that.
  c.pass(10s);
  c.by_hand.answer_all();
  std::set<std::uint64_t> ids;
  for (int i = 0; i < 7; ++i) ids.insert(shop.answer().id);  // six answers, and the ping behind the third confirm
  CHECK(ids == std::set<std::uint64_t>{1, 2, 3, 4, 11, 12, 14});
  CHECK(until([&] { return c.by_hand.kept() == 1; }));
  c.by_hand.answer_all();
  CHECK(shop.answer().id == 13);
  CHECK(c.at(stage::busy) == 2);
}

TEST_CASE("a session's credit is shared by all connections and all loops") {
  counter c([](options& o) {
    o.loops = 2;
    o.session_inflight_max = 3;
  });
  c.by_hand.hold_back = true;
  client one(c.port()), two(c.port());
  one.greet(listener_kind::shop);
  two.greet(listener_kind::shop);
  for (std::uint64_t r = 1; r <= 2; ++r) one.send(say{}.hold(r, 1, 0));
  CHECK(until([&] { return c.by_hand.kept() == 2; }));
  for (std::uint64_t r = 3; r <= 4; ++r) two.send(say{}.hold(r, 1, 0));
  CHECK(two.answer().said.refused == refusal::busy);
  two.send(say{}.hold(5, 2, 0));  // the other session has its own
  two.send(say{}.confirm(6, 1, 1));
  CHECK(until([&] { return c.by_hand.kept() == 5; }));
  c.by_hand.hold_back = false;
  c.by_hand.answer_all();
  for (int i = 0; i < 2; ++i) one.answer();
  for (int i = 0; i < 3; ++i) two.answer();
  one.send(say{}.hold(7, 1, 0));
  CHECK(one.answer().said.refused == refusal::none);
}

TEST_CASE("who never reads is not read from, and closed when he takes nothing for long") {
  counter c([](options& o) { o.listeners[0].output_bytes_max = 64 * 1024; });
  client deaf(c.port(), 4'096);
  REQUIRE(deaf.send(say{}.hello()));
  base::bytes pings;
  for (std::uint64_t r = 1; r <= 1'000; ++r) {
    const auto b = say{}.ping(r);
    pings.insert(pings.end(), b.begin(), b.end());
  }
  // Until the server reads no more and both sockets are full. Cut anywhere: nobody looks at what comes after the pause.
  REQUIRE(until([&] {
    if (deaf.offer(pings) > 0) return false;
    c.settle();
    return deaf.offer(pings) == 0 && c.server->stats().output_waiting == 1 && c.server->stats().output_pauses > 0;
  }));
  const auto read = c.server->stats().bytes_in;
  c.settle();
  CHECK(c.server->stats().bytes_in < read + 4'096);  // the other client's hello
  c.pass(4'999ms);
  c.settle();
  CHECK(c.closed(closing::stalled) == 0);
  c.pass(1ms);
  CHECK(until([&] { return c.closed(closing::stalled) == 1; }));
  CHECK(until([&] { return c.server->stats().output_waiting == 0; }));
}

TEST_CASE("a slow reader gets everything, only slower") {
  counter c([](options& o) { o.listeners[0].output_bytes_max = 4'096; });
  client slow(c.port(), 4'096);
  slow.greet(listener_kind::shop);
  constexpr std::uint64_t n = 20'000;
  std::thread asks([&] {
    for (std::uint64_t r = 1; r <= n; ++r) slow.send(say{}.ping(r));
  });
  for (std::uint64_t r = 1; r <= n; ++r) {
    if (slow.answer().id != r) {
      CHECK(false);
      break;
    }
  }
  asks.join();
}

TEST_CASE("who says nothing, or half a frame, or nothing more is closed in time and told why") {
  counter c;
  client silent(c.port());
  client dribbler(c.port());
  dribbler.greet(listener_kind::shop);
  client half(c.port());
  half.greet(listener_kind::shop);
  client idle(c.port(listener_kind::buyer));
  idle.greet(listener_kind::buyer);
  const auto frame = say{}.hold(1, 1, 1);
  half.send(base::byte_view(frame).first(10));
  c.settle();

  c.pass(2'999ms);
  c.settle();
  CHECK(c.closed(closing::handshake_late) == 0);
  c.pass(1ms);
  CHECK(silent.goodbye() == protocol::goodbye_code::handshake_too_slow);
  half.send(base::byte_view(frame).subspan(10, 1));  // a byte now and then is no frame
  c.settle();
  c.pass(2s);
  CHECK(half.goodbye() == protocol::goodbye_code::frame_too_slow);
  c.pass(55s);
  CHECK(idle.goodbye() == protocol::goodbye_code::idle);
  dribbler.send(say{}.ping(5));  // a shop may be silent for ten minutes
  CHECK(dribbler.answer().id == 5);
  CHECK(c.by_hand.heard() == 0);
  silent.hang_up();
  half.hang_up();
  idle.hang_up();
  CHECK(until([&] { return c.closed(closing::idle) == 1; }));
  CHECK(c.closed(closing::handshake_late) == 1);
  CHECK(c.closed(closing::frame_late) == 1);
}

TEST_CASE("after the last word the server lingers for the peer, but not for ever") {
  counter c;
  client silent(c.port());
  c.settle();
  c.pass(3s);
  CHECK(until([&] { return c.server->stats().bytes_out > 0; }));
  c.settle();
  const auto before = c.server->stats().connections;
  c.pass(1s);
  CHECK(until([&] { return c.closed(closing::handshake_late) == 1; }));
  CHECK(c.server->stats().connections < before + 1);
}

TEST_CASE("goodbye: all answers come first; ending one's side is enough") {
  counter c;
  c.by_hand.hold_back = true;
  client polite(c.port()), curt(c.port());
  for (auto* who : {&polite, &curt}) {
    who->greet(listener_kind::shop);
    who->send(say{}.hold(1, 1, 0));
  }
  polite.send(say{}.goodbye());
  curt.end_writing();
  CHECK(until([&] { return c.by_hand.kept() == 2; }));
  c.settle();
  c.by_hand.answer_all();
  CHECK(polite.answer().id == 1);
  CHECK(polite.goodbye() == protocol::goodbye_code::asked);
  CHECK(curt.answer().id == 1);
  CHECK(curt.closed());
}

TEST_CASE("an answer for who has gone is dropped, and its credit comes back") {
  counter c([](options& o) { o.session_inflight_max = 1; });
  c.by_hand.hold_back = true;
  {
    client gone(c.port());
    gone.greet(listener_kind::shop);
    gone.send(say{}.hold(1, 1, 0));
    CHECK(until([&] { return c.by_hand.kept() == 1; }));
    // Unread bytes make closing a reset, which the server sees even while it waits for answers.
  }
  client next(c.port());
  next.greet(listener_kind::shop);
  next.send(say{}.hold(2, 1, 0));
  CHECK(next.answer().said.refused == refusal::busy);
  c.by_hand.hold_back = false;
  c.by_hand.answer_all();
  CHECK(until([&] { return c.server->stats().in_flight == 0; }));
  next.send(say{}.hold(3, 1, 0));
  CHECK(next.answer().said.refused == refusal::none);
}

TEST_CASE("a late answer does not go to who sits where its client sat") {
  counter c;
  c.by_hand.hold_back = true;
  {
    client gone(c.port());
    gone.greet(listener_kind::shop);
    gone.send(say{}.hold(1, 1, 0));
    CHECK(until([&] { return c.by_hand.kept() == 1; }));
    gone.send(say{listener_kind::shop}.hello());
    CHECK(gone.problem() == protocol::protocol_error::second_hello);
  }
  CHECK(until([&] { return c.server->stats().connections == 0; }));
  client next(c.port());
  next.greet(listener_kind::shop);
  c.by_hand.hold_back = false;
  c.by_hand.answer_all();
  CHECK(until([&] { return c.server->stats().answers_lost == 1; }));
  next.send(say{}.ping(5));
  CHECK(next.answer().id == 5);
}

TEST_CASE("the stop: who asked is answered, everybody is told, nobody new is served") {
  counter c([](options& o) { o.loops = 2; });
  c.by_hand.hold_back = true;
  client busy(c.port()), quiet(c.port()), late(c.port(listener_kind::buyer));
  busy.greet(listener_kind::shop);
  quiet.greet(listener_kind::shop);
  late.greet(listener_kind::buyer);
  for (std::uint64_t r = 1; r <= 3; ++r) busy.send(say{}.hold(r, 1, 0));
  CHECK(until([&] { return c.by_hand.kept() == 3; }));
  std::thread stops([&] { c.server->stop(); });
  CHECK(quiet.goodbye() == protocol::goodbye_code::stopping);
  CHECK(late.goodbye() == protocol::goodbye_code::stopping);
  quiet.hang_up();
  late.hang_up();
  c.by_hand.answer_all();
  for (std::uint64_t r = 1; r <= 3; ++r) CHECK(busy.answer().id == r);
  CHECK(busy.goodbye() == protocol::goodbye_code::stopping);
  busy.hang_up();
  stops.join();
  CHECK(c.server->stats().connections == 0);
  CHECK(c.server->stats().in_flight == 0);
}

TEST_CASE("the stop does not wait for ever for answers that do not come") {
  counter c;
  c.by_hand.hold_back = true;
  client stuck(c.port());
  stuck.greet(listener_kind::shop);
  stuck.send(say{}.hold(1, 1, 0));
  CHECK(until([&] { return c.by_hand.kept() == 1; }));
  std::thread stops([&] { c.server->stop(); });
  CHECK(until([&] {
    // The drain began at some moment; five seconds later it ends.
    c.clock += std::chrono::nanoseconds(6s).count();
    return c.closed(closing::stopped) == 1;
  }));
  stops.join();
  CHECK(stuck.closed());
}

}  // namespace holdfast::tests
