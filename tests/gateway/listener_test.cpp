// The door: too many guests, no descriptors left, paths and ports that are taken, the operators' socket.
#include <sys/resource.h>
#include <sys/stat.h>

#include "tests/gateway/fixture.hpp"

namespace holdfast::tests {

TEST_CASE("who is too many is told so; when somebody leaves there is room again") {
  counter c([](options& o) { o.listeners[0].connections_max = 2; });
  client one(c.port());
  one.greet(listener_kind::shop);
  {
    client two(c.port());
    two.greet(listener_kind::shop);
    client three(c.port());
    CHECK(three.goodbye() == protocol::goodbye_code::too_many_connections);
    CHECK(until([&] { return c.closed(closing::refused) == 1; }));
  }
  CHECK(until([&] { return c.server->stats().connections == 1; }));
  client four(c.port());
  four.greet(listener_kind::shop);
}

TEST_CASE("a taken port is named; a second server does not take over the operators' socket") {
  counter c;
  const auto open = [&](listener_options l) {
    options o;
    o.listeners = {std::move(l)};
    surroundings a;
    a.time = &c.time;
    a.attach = [&](inbox& in) { return c.by_hand.attach(in); };
    return gateway::gateway::open(std::move(o), std::move(a));
  };
  auto l = defaults_of(listener_kind::shop);
  l.port = c.port();
  auto second = open(l);
  REQUIRE_FALSE(second.ok());
  CHECK(second.failure().kind == base::trouble::busy);
  CHECK(second.failure().text.find(std::to_string(c.port())) != std::string::npos);

  l = defaults_of(listener_kind::admin);
  l.address = c.path;
  second = open(l);
  REQUIRE_FALSE(second.ok());
  CHECK(second.failure().kind == base::trouble::busy);
  client still(c.path);
  still.greet(listener_kind::admin);

  l.address = "/tmp";
  second = open(l);
  REQUIRE_FALSE(second.ok());
  CHECK(second.failure().kind == base::trouble::bad_input);
}

TEST_CASE("a socket that a dead server left is replaced, and has rights for owner and group alone") {
  const auto path = socket_path();
  sockaddr_un at{};
  at.sun_family = AF_UNIX;
  path.copy(at.sun_path, sizeof at.sun_path - 1);
  const int dead = ::socket(AF_UNIX, SOCK_STREAM, 0);
  REQUIRE(::bind(dead, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0);
  ::close(dead);
  {
    counter c([&](options& o) { o.listeners[2].address = path; });
    client op(path);
    const auto w = op.greet(listener_kind::admin);
    CHECK(w.who == core::role::op);
    CHECK(w.principal == ::getuid());
    struct stat st {};
    REQUIRE(::stat(path.c_str(), &st) == 0);
    CHECK((st.st_mode & 0007) == 0);
  }
  struct stat st {};
  CHECK(::stat(path.c_str(), &st) != 0);
}

TEST_CASE("without descriptors the server turns people away, stays up, and serves again afterwards") {
  counter c;
  client before(c.port());
  before.greet(listener_kind::shop);
  // The client's own sockets come first: they are of the same process.
  std::vector<int> guests;
  for (int i = 0; i < 20; ++i) guests.push_back(::socket(AF_INET, SOCK_STREAM, 0));
  rlimit was{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &was) == 0);
  rlimit few = was;
  few.rlim_cur = static_cast<rlim_t>(guests.back()) + 3;
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &few) == 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(c.port());
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  for (const int fd : guests) CHECK(::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0);
  CHECK(until([&] { return c.server->stats().accept_errors > 0; }));
  before.send(say{}.ping(1));
  CHECK(before.answer().id == 1);
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &was) == 0);
  for (const int fd : guests) ::close(fd);
  client after(c.port());
  after.greet(listener_kind::shop);
}

TEST_CASE("what is found in the index gets its session's name at the gateway") {
  counter c;
  c.find = [](const protocol::find& asked) {
    protocol::found f;
    for (const std::uint64_t session : {2, 1, 9}) {
      auto& row = f.rows.emplace_back();
      row.session = core::session_id{session};
      row.owner = core::owner_id{asked.id};
    }
    return f;
  };
  client op(c.path);
  op.greet(listener_kind::admin);
  op.send(say{listener_kind::admin}.house(1, protocol::find{protocol::find_by::owner, owner(3).value, {}}));
  const auto a = op.answer();
  REQUIRE(std::holds_alternative<protocol::found>(a.shown));
  const auto& rows = std::get<protocol::found>(a.shown).rows;
  REQUIRE(rows.size() == 3);
  CHECK(rows[0].session_name == "session-2");
  CHECK(rows[1].session_name == "session-1");
  CHECK(rows[2].session_name.empty());  // of a session that this server does not have
  CHECK(rows[2].owner == owner(3));
}

TEST_CASE("operators: lists, stats, looks inside, and the registry's commands have their own loop") {
  counter c;
  client op(c.path);
  op.greet(listener_kind::admin);
  const say s{listener_kind::admin};
  op.send(s.house(1, protocol::list_sessions{}));
  auto a = op.answer();
  REQUIRE(std::holds_alternative<protocol::sessions_listed>(a.shown));
  const auto& listed = std::get<protocol::sessions_listed>(a.shown);
  REQUIRE(listed.items.size() == 2);
  CHECK(listed.items[0].name == "session-1");
  CHECK(listed.items[1].id == core::session_id{2});
  CHECK(listed.next_from.value == 0);

  op.send(s.house(2, protocol::session_named{"session-2"}));
  a = op.answer();
  REQUIRE(std::holds_alternative<protocol::session_brief>(a.shown));
  CHECK(std::get<protocol::session_brief>(a.shown).id == core::session_id{2});
  op.send(s.house(3, protocol::session_named{"nobody"}));
  CHECK(op.answer().said.refused == refusal::unknown_session);

  op.send(s.house(4, protocol::look_stats{}));
  a = op.answer();
  REQUIRE(std::holds_alternative<protocol::stats_seen>(a.shown));
  std::int64_t received = -1, sum = 0;
  for (const auto& v : std::get<protocol::stats_seen>(a.shown).values) {
    if (v.name == "funnel.received") received = v.value;
    else if (v.name.starts_with("funnel.") && v.name != "funnel.retries") sum += v.value;
  }
  CHECK(received == 4);
  CHECK(sum == received);

  op.send(s.house(5, protocol::look_actors{}));
  CHECK(std::holds_alternative<protocol::actors_seen>(op.answer().shown));
  op.send(s.house(6, protocol::look_actor_inside{42}));
  CHECK(op.answer().said.refused == refusal::no_such_page);
  op.send(s.house(7, protocol::find{}));
  CHECK(op.answer().said.refused == refusal::busy);  // nobody here has an index
  op.send(s.command(8, 1, core::clear_fault{}));
  CHECK(op.answer().said.refused == refusal::already);
  op.send(s.command(9, 1, core::pause_sale{}));
  CHECK(op.answer().said.refused == refusal::none);
  CHECK(c.by_hand.heard() == 4);  // three looks at sessions, one command

  base::bytes plan;
  base::byte_writer w(plan);
  core::encode_plan(*hall_of(3), w);
  auto terms = std::make_shared<core::session_terms>();
  terms->name = "new";
  terms->currency = "EUR";
  terms->rules = core::default_policy();
  protocol::create_session create;
  create.terms = terms;
  create.plan = plan;
  op.send(s.house(10, create));
  a = op.answer();
  CHECK(a.said.refused == refusal::none);
  REQUIRE(std::holds_alternative<protocol::session_brief>(a.shown));
  CHECK(std::get<protocol::session_brief>(a.shown).id == core::session_id{77});
  CHECK(std::get<protocol::session_brief>(a.shown).places == 3);
  create.plan = base::byte_view(plan).first(plan.size() - 1);
  op.send(s.house(11, create));
  CHECK(op.answer().said.refused == refusal::bad_content);
}

}  // namespace holdfast::tests
