#include <doctest/doctest.h>

#include <set>

#include "client/ids.hpp"
#include "client/pipelined.hpp"
#include "tests/client/small_server.hpp"
#include "tests/protocol/counting_new.hpp"

using namespace holdfast;
using namespace std::chrono_literals;
using core::command_tag;
using tests::gala;
using tests::manners;
using tests::small_server;

namespace {

/// Counts what comes back, and asks for more as long as it is told to.
class crowd : public client::receiver {
 public:
  void answered(const client::arrival& a) override {
    seen_.insert(a.ticket);
    ++answers;
    if (a.retried) ++retried;
    if (a.message.said.repeated) ++repeated;
    if (a.waited_ns < 0) ++impossible;
    last_connection = a.connection;
    if (more > 0) hold(a.connection);
  }
  void given_up(std::uint32_t, std::uint64_t, const base::error& why) override {
    ++lost;
    last_error = why;
  }

  void hold(std::uint32_t connection) {
    if (more > 0) --more;
    core::envelope e;
    e.id = core::command_id{ids.id()};
    e.client_deadline = client->deadline(30s);
    const core::line lines[] = {{core::place_kind::seat, static_cast<std::uint32_t>(next), 1, 0}};
    const core::limit_key keys[] = {{core::key_kind::account, ids.id()}};
    client->send(connection, next++, gala, e, core::hold_seats{core::owner_id{ids.id()}, keys, lines, 60'000, 1, {}});
  }
  void run() {
    while (client->in_flight() > 0) client->turn(20ms);
  }

  std::unique_ptr<client::pipelined> client;
  base::random ids{4711};
  std::uint64_t next = 0, more = 0;
  std::size_t answers = 0, retried = 0, repeated = 0, lost = 0, impossible = 0;
  std::uint32_t last_connection = 0;
  base::error last_error;
  [[nodiscard]] std::size_t different() const { return seen_.size(); }

 private:
  std::set<std::uint64_t> seen_;
};

client::pipelined_options to(const small_server& s, std::uint32_t connections, std::uint32_t depth) {
  client::pipelined_options o;
  o.link.to = s.where();
  o.link.backoff = {1ms, 5ms};
  o.link.answer_patience = 5'000ms;
  o.connections = connections;
  o.depth = depth;
  return o;
}

void open(crowd& c, const client::pipelined_options& o) {
  auto p = client::pipelined::open(o, c);
  REQUIRE_MESSAGE(p, (p ? "" : p.failure().text));
  c.client = std::move(*p);
}

/// Counts nothing but how many are left: it must not allocate itself.
class quiet : public client::receiver {
 public:
  void answered(const client::arrival& a) override {
    if (left > 0) {
      --left;
      ask(a.connection);
    }
  }
  void given_up(std::uint32_t, std::uint64_t, const base::error&) override { left = 0; }
  void ask(std::uint32_t connection) {
    core::envelope e;
    e.id = core::command_id{ids.id()};
    e.client_deadline = client->deadline(30s);
    const core::line lines[] = {{core::place_kind::seat, 1, 1, 0}, {core::place_kind::seat, 2, 1, 0}};
    client->send(connection, 1, gala, e, core::hold_seats{core::owner_id{ids.id()}, {}, lines, 60'000, 1, {}});
  }
  client::pipelined* client = nullptr;
  base::random ids{1};
  std::size_t left = 0;
};

}  // namespace

TEST_CASE("every request gets its own answer, whatever their order") {
  manners m;
  m.answers_backwards = true;
  const small_server server(m);
  crowd c;
  open(c, to(server, 10, 32));
  c.more = 10'000;
  for (std::uint32_t i = 0; i < 10; ++i)
    while (c.client->room(i)) c.hold(i);
  CHECK(c.client->in_flight() == 320);
  c.run();
  CHECK(c.answers == 10'000);
  CHECK(c.different() == 10'000);
  CHECK(c.impossible == 0);
  CHECK(c.retried == 0);
  CHECK(server.accepted() == 10'000);
  // Many frames went out with one write.
  CHECK(c.client->counted().writes < c.client->counted().sent);
}

TEST_CASE("the depth is at most what the server allows") {
  manners m;
  m.inflight_max = 5;
  const small_server server(m);
  crowd c;
  open(c, to(server, 1, 32));
  CHECK(c.client->depth() == 5);
  while (c.client->room(0)) c.hold(0);
  CHECK(c.client->in_flight() == 5);
  c.run();
  CHECK(c.answers == 5);
}

TEST_CASE("what was in flight on a lost connection is sent again in its order, with the same ids, marked") {
  manners m;
  m.cut_after[1] = 500;
  m.cut_after[2] = 700;
  m.cut_after[4] = 1;
  const small_server server(m);
  crowd c;
  open(c, to(server, 2, 64));
  c.more = 5'000;
  for (std::uint32_t i = 0; i < 2; ++i)
    while (c.client->room(i)) c.hold(i);
  c.run();
  CHECK(c.answers == 5'000);
  CHECK(c.different() == 5'000);
  CHECK(c.lost == 0);
  CHECK(c.retried >= 2);
  CHECK(c.repeated >= 2);  // the last one that each cut connection had heard was taken
  CHECK(server.accepted() == 5'000);
  CHECK(c.client->counted().lost_connections == 3);
  CHECK(c.client->counted().retried == c.retried);
  for (const auto& h : server.all())
    if (h.connection <= 2) CHECK(!h.retry);
}

TEST_CASE("a connection that cannot be had again is given up with what waits on it") {
  crowd c;
  {
    manners m;
    m.silent[1] = true;
    const small_server server(m);
    auto o = to(server, 1, 8);
    o.link.attempts = 3;
    open(c, o);
    for (int i = 0; i < 8; ++i) c.hold(0);
    c.client->turn(10ms);
  }
  c.run();
  CHECK(c.answers == 0);
  CHECK(c.lost == 8);
  CHECK(c.last_error.kind == base::trouble::unavailable);
  CHECK(!c.client->room(0));
  c.hold(0);
  c.run();
  CHECK(c.lost == 9);
}

TEST_CASE("a server that is there and loses the first greeting is asked again; one that is not there is not") {
  manners m;
  m.turn_away[1] = m.turn_away[2] = protocol::goodbye_code::too_many_connections;
  crowd c;
  auto o = [&] {
    const small_server server(m);
    open(c, to(server, 4, 8));
    c.hold(0);
    c.run();
    return to(server, 4, 8);
  }();
  CHECK(c.answers == 1);
  o.link.backoff = {60'000ms, 60'000ms};
  const auto nobody = client::pipelined::open(o, c);
  REQUIRE(!nobody);
  CHECK(nobody.failure().kind == base::trouble::unavailable);
}

TEST_CASE("late answers lose the connection; the same requests go over the next one") {
  manners m;
  m.silent[1] = true;
  const small_server server(m);
  crowd c;
  auto o = to(server, 1, 8);
  o.link.answer_patience = 20ms;
  open(c, o);
  for (int i = 0; i < 8; ++i) c.hold(0);
  c.run();
  CHECK(c.answers == 8);
  CHECK(c.retried == 8);
  CHECK(server.accepted() == 8);
}

TEST_CASE("a stream that is no protocol is not tried again") {
  manners m;
  m.babbles[1] = true;
  const small_server server(m);
  crowd c;
  open(c, to(server, 1, 8));
  c.hold(0);
  c.run();
  CHECK(c.lost == 1);
  CHECK(c.last_error.kind == base::trouble::bad_bytes);
}

TEST_CASE("nobody there is told at once") {
  crowd c;
  client::pipelined_options o;
  {
    const small_server gone;
    o = to(gone, 4, 4);
  }
  const auto p = client::pipelined::open(o, c);
  REQUIRE(!p);
  CHECK(p.failure().kind == base::trouble::unavailable);
}

TEST_CASE("money takes connections of its own when told so") {
  const small_server server;
  crowd c;
  auto o = to(server, 2, 4);
  o.link.money_apart = true;
  open(c, o);
  const core::hold_id hold{client::random_id()};
  c.client->send(1, 9, gala, {}, core::confirm_hold{core::owner_id{client::random_id()}, hold, base::as_bytes("paid"), 100});
  c.run();
  CHECK(c.last_connection == 1);
  c.hold(1);
  c.run();
  const auto all = server.all();
  REQUIRE(all.size() == 2);
  CHECK(all[0].connection == 3);
  CHECK(all[0].command == hold.value);
  CHECK(all[1].connection <= 2);
}

TEST_CASE("in a steady state nothing is allocated") {
  const small_server server;
  quiet q;
  auto p = client::pipelined::open(to(server, 4, 16), q);
  REQUIRE(p);
  q.client = p->get();
  const auto rush = [&](std::size_t n) {
    q.left = n;
    for (std::uint32_t i = 0; i < 4; ++i)
      for (int k = 0; k < 16; ++k) q.ask(i);
    while (q.client->in_flight() > 0) q.client->turn(20ms);
  };
  rush(5'000);
  const auto before = tests::allocated();
  rush(5'000);
  CHECK(tests::allocated().count == before.count);
}
