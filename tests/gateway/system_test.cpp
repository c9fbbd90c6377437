// The whole road in one process: sockets, gateway, CAF, sessions, and the journal's logic over a disk in memory.
#include <set>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include "actors/house.hpp"
#include "actors/log_clock.hpp"
#include "gateway/bridge.hpp"
#include "persistence/guard.hpp"
#include "persistence/journal_log.hpp"
#include "persistence/memory_block_store.hpp"
#include "persistence/record_codec.hpp"
#include "tests/gateway/fixture.hpp"

namespace holdfast::tests {

namespace {

class records final : public actors::record_encoder {
 public:
  void encode(const core::record& r, base::bytes& out) const override { persistence::encode_record(r, out); }
  bool encode_plan(const std::shared_ptr<const core::plan>& seating, base::bytes& out) override {
    const auto added = plans.add(seating);
    if (added.fresh) out.insert(out.end(), added.what->bytes.begin(), added.what->bytes.end());
    return added.fresh;
  }
  persistence::plan_library plans;
};

persistence::journal_log::opened open_journal() {
  persistence::journal_options how;
  how.wall_clock = actors::wall_clock_now();
  auto opened = persistence::journal_log::open(
      std::make_unique<persistence::memory_block_store>(std::make_shared<persistence::memory_disk>()), how);
  REQUIRE(opened.ok());
  return std::move(*opened);
}

struct two_threads : caf::actor_system_config {
  two_threads() { actors::configure(*this, {2, "stealing"}); }
};

/// A server as its main would build it, but for the disk.
class server {
 public:
  explicit server(std::uint32_t loops = 1) : time(core::log_time{journal.report.time.log_time}) {
    journal.journal->guard_with(guard);
    house = std::make_unique<actors::house>(system, *journal.journal, std::vector<actors::recovered_session>{}, time, codec, failure,
                                            actors::house_options{});
    options o;
    o.loops = loops;
    o.listeners = {defaults_of(listener_kind::shop), defaults_of(listener_kind::buyer), defaults_of(listener_kind::admin)};
    o.listeners[2].address = path = socket_path();
    surroundings a;
    a.time = &time;
    a.board = house->board();
    a.attach = [this](inbox& in) { return std::make_unique<bridge>(system, house->registry(), house->inspector(), in); };
    auto opened = gateway::gateway::open(std::move(o), std::move(a));
    REQUIRE_MESSAGE(opened.ok(), opened.failure().text);
    front = std::move(*opened);
    front->start();
  }
  ~server() {
    front->stop();
    CHECK(front->stats().adds_up());
    CHECK(front->stats().in_flight == 0);
    front.reset();
    house->stop();
    CHECK(stops == 0);
  }

  /// Created and opened by an operator; its number.
  std::uint64_t opened_hall(const std::string& name, std::uint32_t seats) {
    client op(path);
    op.greet(listener_kind::admin);
    const say s{listener_kind::admin};
    base::bytes plan;
    base::byte_writer w(plan);
    core::encode_plan(*hall_of(seats), w);
    auto terms = std::make_shared<core::session_terms>();
    terms->name = name;
    terms->currency = "EUR";
    terms->zone = "Europe/Berlin";
    terms->rules = core::default_policy();
    protocol::create_session create;
    create.terms = terms;
    create.plan = plan;
    op.send(s.house(1, create));
    const auto made = op.answer();
    REQUIRE(made.said.refused == refusal::none);
    const auto number = std::get<protocol::session_brief>(made.shown).id.value;
    op.send(s.command(2, number, core::open_sale{}));
    REQUIRE(op.answer().said.refused == refusal::none);
    return number;
  }
  [[nodiscard]] std::uint64_t log_now() const { return time.now().value; }

  persistence::journal_log::opened journal = open_journal();
  records codec;
  persistence::sold_guard guard{codec.plans};
  actors::log_clock time;
  std::atomic<int> stops{0};
  actors::fail_stop failure{[this](const actors::stop_reason&) { ++stops; }};
  two_threads config;
  caf::actor_system system{config};
  std::unique_ptr<actors::house> house;
  std::string path;
  std::unique_ptr<gateway::gateway> front;
};

/// A hold whose client deadline lies ahead of the server's clock.
base::bytes hold(const server& s, std::uint64_t request, std::uint64_t session, std::uint32_t seat, bool retry = false,
                 listener_kind on = listener_kind::shop) {
  const core::line l{core::place_kind::seat, seat, 1, 7};
  core::hold_seats h;
  h.owner = owner(request);
  h.lines = {&l, 1};
  h.interval = 60'000;
  core::envelope e;
  e.channel = 1;  // box office: no purchase limit
  e.id = id(request);
  e.client_deadline = core::log_time{s.log_now() + 60 * core::us_per_s};
  base::bytes b;
  protocol::encode_request(request, on, core::session_id{session}, e, h, retry, b);
  return b;
}

}  // namespace

TEST_CASE("a seat is held, paid and gone; its winner asks again and hears the same") {
  server s;
  const auto hall = s.opened_hall("premiere", 2);
  client shop(s.front->port_of(listener_kind::shop));
  shop.greet(listener_kind::shop);
  shop.send(hold(s, 1, hall, 0));
  auto a = shop.answer();
  CHECK(a.said.refused == refusal::none);
  CHECK(a.said.state == core::hold_state::held);
  CHECK(a.said.deadline > a.now);
  const auto held_at = a.said.tells_of;

  shop.send(say{}.confirm(2, hall, 1));
  a = shop.answer();
  CHECK(a.said.outcome == core::money_outcome::sold);

  // Somebody else is told by the funnel: the view had the sale before the answer left.
  shop.send(hold(s, 3, hall, 0));
  a = shop.answer();
  CHECK(a.said.refused == refusal::sold_out);
  CHECK(a.said.lines == 1);
  CHECK(s.front->stats().by_stage[static_cast<std::size_t>(stage::gone)] == 1);

  // The winner, whose answers were lost.
  shop.send(hold(s, 1, hall, 0, true));
  a = shop.answer();
  CHECK(a.said.refused == refusal::none);
  CHECK(a.said.repeated);
  CHECK(a.said.state == core::hold_state::sold);
  CHECK(a.said.tells_of == held_at);
  shop.send(say{}.confirm(2, hall, 1));
  a = shop.answer();
  CHECK(a.said.outcome == core::money_outcome::sold);
  CHECK(a.said.repeated);
}

TEST_CASE("a buyer holds with the owner and keys of the handshake, and finds what is theirs") {
  server s;
  const auto hall = s.opened_hall("matinee", 5);
  client buyer(s.front->port_of(listener_kind::buyer));
  buyer.greet(listener_kind::buyer);
  const say b{listener_kind::buyer};
  buyer.send(b.house(1, protocol::session_named{"matinee"}));
  auto a = buyer.answer();
  REQUIRE(std::holds_alternative<protocol::session_brief>(a.shown));
  CHECK(std::get<protocol::session_brief>(a.shown).id.value == hall);
  CHECK(std::get<protocol::session_brief>(a.shown).sale == core::sale_state::open);

  buyer.send(hold(s, 2, hall, 3, false, listener_kind::buyer));
  CHECK(buyer.answer().said.refused == refusal::none);
  buyer.send(b.look(3, hall, core::look_owner{}));
  a = buyer.answer();
  REQUIRE(std::holds_alternative<core::owner_seen>(a.shown));
  const auto& mine = std::get<core::owner_seen>(a.shown);
  REQUIRE(mine.holds.size() == 1);
  CHECK(mine.holds[0].owner == owner(1));
  buyer.send(b.look(4, hall, core::look_plan{1, 0}));
  a = buyer.answer();
  REQUIRE(std::holds_alternative<protocol::plan_page>(a.shown));
  CHECK(std::get<protocol::plan_page>(a.shown).seats.size() == 5);
}

TEST_CASE("many clients over two loops fight for a hall: every seat is sold once, every request is answered and counted") {
  constexpr std::uint32_t seats = 500;
  constexpr std::uint64_t clients = 8;
  server s(2);
  const auto hall = s.opened_hall("rush", seats);
  std::atomic<std::uint64_t> held{0}, sold{0}, refused{0};
  std::vector<std::thread> crowd;
  for (std::uint64_t n = 0; n < clients; ++n) {
    crowd.emplace_back([&, n] {
      client shop(s.front->port_of(listener_kind::shop));
      shop.greet(listener_kind::shop);
      base::bytes all;
      for (std::uint32_t seat = 0; seat < seats; ++seat) {
        const auto b = hold(s, (n + 1) * 1'000 + seat, hall, (seat + static_cast<std::uint32_t>(n) * 61) % seats);
        all.insert(all.end(), b.begin(), b.end());
      }
      shop.send(all);
      std::vector<std::uint64_t> won;
      for (std::uint32_t i = 0; i < seats; ++i) {
        const auto a = shop.answer();
        if (a.said.refused == refusal::none) {
          won.push_back(a.id);
        } else {
          ++refused;
        }
      }
      held += won.size();
      all.clear();
      for (const auto r : won) {
        const auto b = say{}.confirm(100'000 + r, hall, r);
        all.insert(all.end(), b.begin(), b.end());
      }
      shop.send(all);
      for (std::size_t i = 0; i < won.size(); ++i)
        if (shop.answer().said.outcome == core::money_outcome::sold) ++sold;
    });
  }
  for (auto& t : crowd) t.join();
  CHECK(held == seats);
  CHECK(sold == seats);
  CHECK(refused == (clients - 1) * seats);
  CHECK(s.guard.sold(core::session_id{hall}) == seats);
  const auto seen = s.front->stats();
  CHECK(seen.adds_up());
  CHECK(seen.received == clients * seats + seats + 2);
  CHECK(seen.answers == seen.received);
  CHECK(seen.request_ns.total > 0);

  client late(s.front->port_of(listener_kind::shop));
  late.greet(listener_kind::shop);
  late.send(hold(s, 999'999, hall, 1));
  CHECK(late.answer().said.refused == refusal::sold_out);
}

TEST_CASE("operators see every actor and look inside") {
  server s;
  const auto hall = s.opened_hall("gala", 3);
  client shop(s.front->port_of(listener_kind::shop));
  shop.greet(listener_kind::shop);
  shop.send(hold(s, 1, hall, 0));
  CHECK(shop.answer().said.refused == refusal::none);

  client op(s.path);
  op.greet(listener_kind::admin);
  const say say_op{listener_kind::admin};
  op.send(say_op.house(1, protocol::look_actors{}));
  auto a = op.answer();
  REQUIRE(std::holds_alternative<protocol::actors_seen>(a.shown));
  std::map<std::string, std::uint64_t> rows;
  for (const auto& r : std::get<protocol::actors_seen>(a.shown).rows) rows[r.kind] = r.id;
  REQUIRE(rows.contains("session"));
  REQUIRE(rows.contains("journal"));
  REQUIRE(rows.contains("registry"));
  REQUIRE(rows.contains("gateway"));

  op.send(say_op.house(2, protocol::look_actor_inside{rows["session"]}));
  a = op.answer();
  REQUIRE(std::holds_alternative<protocol::actor_inside_seen>(a.shown));
  const auto& inside = std::get<protocol::actor_inside_seen>(a.shown);
  CHECK(inside.facts.size() > 5);
  REQUIRE(inside.tables.size() == 2);
  CHECK(inside.tables[0].rows[0][1] == "1");  // held
  CHECK(inside.tables[1].rows.size() == 1);
  op.send(say_op.house(3, protocol::look_actor_inside{rows["gateway"]}));
  a = op.answer();
  REQUIRE(std::holds_alternative<protocol::actor_inside_seen>(a.shown));
  CHECK(std::get<protocol::actor_inside_seen>(a.shown).tables.size() == 1);

  // The same session once more, and another one of that name.
  auto terms = std::make_shared<core::session_terms>();
  terms->name = "gala";
  terms->currency = "USD";
  terms->zone = "Europe/Berlin";
  terms->rules = core::default_policy();
  base::bytes plan;
  base::byte_writer w(plan);
  core::encode_plan(*hall_of(3), w);
  protocol::create_session create;
  create.plan = plan;
  create.terms = terms;
  op.send(say_op.house(4, create));
  CHECK(op.answer().said.refused == refusal::name_taken);
  terms->currency = "EUR";
  op.send(say_op.house(5, create));
  a = op.answer();
  CHECK(a.said.refused == refusal::none);
  REQUIRE(std::holds_alternative<protocol::session_brief>(a.shown));
  CHECK(std::get<protocol::session_brief>(a.shown).id.value == hall);
  CHECK(std::get<protocol::session_brief>(a.shown).sale == core::sale_state::open);
}

TEST_CASE("the stop under load: what was acknowledged is kept, what was read is answered") {
  std::atomic<std::uint64_t> accepted{0};
  std::vector<std::thread> crowd;
  {
    server s(2);
    const auto hall = s.opened_hall("last-night", 4'000);
    std::atomic<bool> running{false};
    for (std::uint64_t n = 0; n < 4; ++n) {
      crowd.emplace_back([&, n, port = s.front->port_of(listener_kind::shop)] {
        client shop(port);
        shop.greet(listener_kind::shop);
        std::uint64_t next = 0;
        for (bool open = true; open && next < 1'000;) {
          base::bytes some;
          for (int i = 0; i < 20; ++i, ++next) {
            const auto b = hold(s, (n + 1) * 10'000 + next, hall, static_cast<std::uint32_t>(n * 1'000 + next));
            some.insert(some.end(), b.begin(), b.end());
          }
          open = shop.send(some);
          for (int i = 0; i < 20 && open; ++i) {
            const auto m = shop.next();
            open = m && std::holds_alternative<protocol::answer_message>(*m);
            if (open && std::get<protocol::answer_message>(*m).said.refused == refusal::none) ++accepted;
            if (accepted > 200) running = true;
          }
        }
      });
    }
    CHECK(until([&] { return running.load(); }));
    s.front->stop();
    for (auto& t : crowd) t.join();
    // Holds that the session has are at least those that clients know of.
    CHECK(s.front->stats().in_flight == 0);
    CHECK(s.front->stats().answers >= accepted);
  }
}

}  // namespace holdfast::tests
