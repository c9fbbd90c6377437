#include <doctest/doctest.h>

#include "client/blocking.hpp"
#include "client/ids.hpp"
#include "tests/client/small_server.hpp"

using namespace holdfast;
using namespace std::chrono_literals;
using core::command_tag;
using tests::gala;
using tests::manners;
using tests::small_server;

namespace {

client::options to(const small_server& s) {
  client::options o;
  o.to = s.where();
  o.connect_patience = 2'000ms;
  o.answer_patience = 2'000ms;
  o.backoff = {1ms, 5ms};
  return o;
}

core::command_id some_id() { return core::command_id{client::random_id()}; }

struct wish {
  std::vector<core::line> lines{{core::place_kind::seat, 12, 1, 0}};
  core::hold_seats hold{core::owner_id{client::random_id()}, {}, lines, 60'000, 1, {}};
};

}  // namespace

TEST_CASE("ask, wait, have the answer") {
  const small_server server;
  auto c = client::blocking::connect(to(server));
  REQUIRE(c);
  CHECK(c->greeting().server == "small");
  const auto s = c->session_named("gala");
  REQUIRE(s);
  REQUIRE(s->seen);
  CHECK(s->seen->id == gala);

  const wish w;
  const auto id = some_id();
  const auto h = c->hold_seats(gala, c->envelope(id, 0, 30s), w.hold);
  REQUIRE(h);
  CHECK(h->said.refused == core::refusal::none);
  CHECK(h->said.state == core::hold_state::held);
  CHECK(!h->said.repeated);
  CHECK(h->now == tests::small_server_time);

  const auto seen = c->session_state(gala);
  REQUIRE(seen);
  CHECK(seen->seen->name == "gala");
  CHECK(c->ping());
  CHECK(server.all().size() == 4);
  CHECK(server.all()[1].command == id.value);
}

TEST_CASE("client deadlines are in the server's time") {
  const small_server server;
  auto c = client::blocking::connect(to(server));
  REQUIRE(c);
  const auto e = c->envelope(some_id(), 0, 30s);
  CHECK(e.client_deadline.value >= tests::small_server_time.value + 30 * core::us_per_s);
  CHECK(e.client_deadline.value < tests::small_server_time.value + 40 * core::us_per_s);
}

TEST_CASE("a refusal is an answer") {
  const small_server server;
  auto c = client::blocking::connect(to(server));
  REQUIRE(c);
  const auto s = c->session_named("opera");
  REQUIRE(s);
  CHECK(!s->seen);
  CHECK(s->said.refused == core::refusal::unknown_session);
}

TEST_CASE("a request whose connection is lost is sent again with the same id, marked, and taken once") {
  manners m;
  m.cut_after[1] = 2;
  m.cut_after[2] = 1;
  const small_server server(m);
  auto c = client::blocking::connect(to(server));
  REQUIRE(c);
  REQUIRE(c->ping());
  const wish w;
  const auto id = some_id();
  const auto h = c->hold_seats(gala, c->envelope(id), w.hold);
  REQUIRE(h);
  CHECK(h->said.repeated);
  const auto all = server.all();
  REQUIRE(all.size() == 4);
  CHECK(!all[1].retry);
  CHECK(all[2].retry);
  CHECK(all[3].retry);
  CHECK(all[3].connection == 3);
  for (std::size_t i = 1; i < 4; ++i) CHECK(all[i].command == id.value);
  CHECK(all[1].deadline == all[3].deadline);
  CHECK(server.accepted() == 1);
}

TEST_CASE("after so many attempts a request is given up, and that is an error") {
  manners m;
  for (unsigned i = 1; i <= 10; ++i) m.cut_after[i] = 1;
  const small_server server(m);
  auto o = to(server);
  o.attempts = 3;
  auto c = client::blocking::connect(o);
  REQUIRE(c);
  const auto p = c->ping();
  REQUIRE(!p);
  CHECK(p.failure().kind == base::trouble::unavailable);
  CHECK(server.all().size() == 3);
}

TEST_CASE("a server that does not answer in time counts as lost") {
  manners m;
  m.silent[1] = true;
  const small_server server(m);
  auto o = to(server);
  o.answer_patience = 30ms;
  auto c = client::blocking::connect(o);
  REQUIRE(c);
  CHECK(c->ping());
  CHECK(server.all().back().retry);
}

TEST_CASE("a server that is there and loses the first greeting is asked again") {
  manners m;
  m.turn_away[1] = m.turn_away[2] = protocol::goodbye_code::too_many_connections;
  const small_server server(m);
  auto c = client::blocking::connect(to(server));
  REQUIRE(c);
  CHECK(c->ping());
}

TEST_CASE("who turns us away says why") {
  manners m;
  m.turn_away[1] = m.turn_away[2] = protocol::goodbye_code::too_many_connections;
  const small_server server(m);
  auto o = to(server);
  o.attempts = 2;
  const auto c = client::blocking::connect(o);
  REQUIRE(!c);
  CHECK(c.failure().kind == base::trouble::unavailable);
  CHECK(c.failure().text.find("too_many_connections") != std::string::npos);

  o.credential = "wrong";
  const auto d = client::blocking::connect(o);
  REQUIRE(!d);
  CHECK(d.failure().kind == base::trouble::bad_input);
  CHECK(d.failure().text.find("bad_credential") != std::string::npos);
}

TEST_CASE("nobody there, or somebody who speaks another language") {
  client::address nobody;
  {
    const small_server gone;
    nobody = gone.where();
  }
  client::options o;
  o.to = nobody;
  const auto c = client::blocking::connect(o);
  REQUIRE(!c);
  CHECK(c.failure().kind == base::trouble::unavailable);
  CHECK(c.failure().text.find(client::to_text(nobody)) != std::string::npos);

  manners m;
  m.babbles[1] = true;
  const small_server server(m);
  auto d = client::blocking::connect(to(server));
  REQUIRE(d);
  const auto p = d->ping();
  REQUIRE(!p);
  CHECK(p.failure().kind == base::trouble::bad_bytes);
}

TEST_CASE("money takes a connection of its own when told so") {
  const small_server server;
  auto o = to(server);
  o.money_apart = true;
  auto c = client::blocking::connect(o);
  REQUIRE(c);
  const wish w;
  const auto id = some_id();
  REQUIRE(c->hold_seats(gala, c->envelope(id), w.hold));
  REQUIRE(c->begin_payment(gala, c->envelope(some_id()), {w.hold.owner, id, base::as_bytes("try 1"), 60'000, {}}));
  REQUIRE(c->confirm_hold(gala, c->money_envelope(), {w.hold.owner, id, base::as_bytes("paid"), 4'200}));
  REQUIRE(c->release_hold(gala, c->envelope(some_id()), {w.hold.owner, id, {}, false}));
  const auto all = server.all();
  REQUIRE(all.size() == 4);
  CHECK(all[0].connection == 1);
  CHECK(all[1].connection == 2);
  CHECK(all[2].connection == 2);
  CHECK(all[3].connection == 1);
  CHECK(all[2].deadline == core::log_time{});
}

TEST_CASE("a buyer's connection speaks for one owner") {
  const small_server server;
  auto o = to(server);
  o.listener = protocol::listener_kind::buyer;
  o.owner = core::owner_id{client::random_id()};
  o.keys = {{core::key_kind::account, client::random_id()}};
  auto c = client::blocking::connect(o);
  REQUIRE(c);
  const wish w;
  const auto h = c->hold_seats(gala, c->envelope(some_id()), w.hold);
  REQUIRE(h);
  CHECK(h->said.refused == core::refusal::none);
}
