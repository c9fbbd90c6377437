// The registry: sessions come to be on the disk first, and have one name for ever.
#include <doctest/doctest.h>

#include "tests/actors/fixture.hpp"

namespace holdfast::tests {

TEST_CASE("a session exists for nobody before its first record is durable") {
  stage s;
  s.create(7, terms_of("hall", 2));
  s.settle_but_journal();
  CHECK(s.heard->sessions.empty());
  REQUIRE(s.heard->directories.size() == 1);
  CHECK(s.heard->directories.back()->by_id.empty());
  s.settle();
  REQUIRE(s.heard->sessions.size() == 1);
  CHECK(s.heard->sessions.front().ticket == 7);
  CHECK(s.heard->sessions.front().session == core::session_id{1});
  REQUIRE(s.heard->directories.size() == 2);
  CHECK(s.heard->directories.back()->by_name.at("hall") == core::session_id{1});
}

TEST_CASE("a loop hears of every session once: of all there are when it joins, then of each that comes") {
  stage s;
  s.created(terms_of("hall", 2));
  s.created(terms_of("studio", 2));
  s.settle();
  REQUIRE(s.heard->directories.size() == 3);
  CHECK(s.heard->directories[1]->by_id.size() == 1);
  CHECK(s.heard->directories[2]->by_id.size() == 1);
  CHECK(s.heard->known.by_name.size() == 2);
}

TEST_CASE("same name and content: the same session; other content: name_taken") {
  stage s;
  const auto hall = s.created(terms_of("hall", 2));
  s.create(2, terms_of("hall", 2));
  s.create(3, terms_of("hall", 3));
  auto other_policy = std::make_shared<core::session_terms>(*terms_of("hall", 2));
  other_policy->rules.pay_min = 30'000;
  s.create(4, other_policy);
  s.settle();
  REQUIRE(s.heard->sessions.size() == 4);
  CHECK(s.heard->sessions[1].said.repeated);
  CHECK(s.heard->sessions[1].session.value == hall);
  CHECK(s.heard->sessions[2].said.refused == core::refusal::name_taken);
  CHECK(s.heard->sessions[3].said.refused == core::refusal::name_taken);
  CHECK(s.heard->directories.back()->by_id.size() == 1);
}

TEST_CASE("two who create the same name at once hear of one session, after the disk") {
  stage s;
  s.create(1, terms_of("hall", 2));
  s.create(2, terms_of("hall", 2));
  s.create(3, terms_of("hall", 9));
  s.settle_but_journal();
  CHECK(s.heard->sessions.empty());
  s.settle();
  REQUIRE(s.heard->sessions.size() == 3);
  CHECK(s.heard->sessions[0].session == core::session_id{1});
  CHECK_FALSE(s.heard->sessions[0].said.repeated);
  CHECK(s.heard->sessions[1].session == core::session_id{1});
  CHECK(s.heard->sessions[1].said.repeated);
  CHECK(s.heard->sessions[2].said.refused == core::refusal::name_taken);
}

TEST_CASE("a plan goes to the journal once, in front of the first session that has it") {
  stage s;
  const auto one = s.created(terms_of("one", 4));
  const auto two = s.created(terms_of("two", 4));
  REQUIRE(s.journal.of(one).size() == 2);
  CHECK(s.journal.of(one)[0].sequence == persistence::plan_sequence);
  CHECK(s.journal.of(one)[1].sequence == 1);
  REQUIRE(s.journal.of(two).size() == 1);
  CHECK(s.journal.of(two)[0].sequence == 1);
}

TEST_CASE("terms that no session can have are refused and leave nothing behind") {
  stage s;
  const auto refused = [&](auto&& spoil) {
    auto t = std::make_shared<core::session_terms>(*terms_of("hall", 2));
    spoil(*t);
    s.create(1, t);
    s.settle();
    return s.heard->sessions.back().said.refused == core::refusal::bad_content;
  };
  CHECK(refused([](core::session_terms& t) { t.name = ""; }));
  CHECK(refused([](core::session_terms& t) { t.name = "two words"; }));
  CHECK(refused([](core::session_terms& t) { t.name = std::string(65, 'x'); }));
  CHECK(refused([](core::session_terms& t) { t.currency = "eur"; }));
  CHECK(refused([](core::session_terms& t) { t.seating = nullptr; }));
  CHECK(refused([](core::session_terms& t) { t.plan_revision = 2; }));
  CHECK(refused([](core::session_terms& t) { t.rules.channels.clear(); }));
  CHECK(s.journal.blocks.empty());
}

TEST_CASE("beyond the limit of sessions: table_full") {
  registry_options options;
  options.sessions_max = 1;
  stage s(options);
  s.created(terms_of("one", 1));
  s.create(2, terms_of("two", 1));
  s.settle();
  CHECK(s.heard->sessions.back().said.refused == core::refusal::table_full);
}

TEST_CASE("a faulted session only shows itself until it is cleared; its holds get their time back") {
  std::vector<recovered_session> found;
  std::vector<core::session_id> cleared;
  registry_options options;
  options.on_fault_cleared = [&](core::session_id which) { cleared.push_back(which); };
  core::record first;
  first.number = core::sequence{1};
  first.at = core::log_time{noon - minute};
  first.rules_version = core::rules_version;
  first.head = by(core::role::op);
  first.asked = core::create_session{terms_of("hall", 1)};
  first.done = core::session_created{};
  found.push_back({core::session::create(core::session_id{3}, first, {}), core::log_time{noon - 30 * second}});

  stage s(options, std::move(found));
  auto a = s.ask();
  a.open(1).look(2, core::look_session{});
  s.send(3, std::move(a));
  s.settle();
  CHECK(s.heard->to(1)->refused == core::refusal::faulted);
  CHECK(std::get<core::session_seen>(*s.heard->shown(2)).faulted);
  CHECK(s.journal.blocks.empty());

  auto ask = std::make_shared<clear_fault_request>();
  ask->ticket = 5;
  ask->sink = s.loop;
  ask->head = by(core::role::op, id(77));
  ask->session = core::session_id{3};
  caf::anon_send(s.actors().registry(), clear_fault_ptr(ask));
  s.settle_but_journal();
  CHECK(s.heard->sessions.empty());
  CHECK(cleared.empty());
  s.settle();
  REQUIRE(s.heard->sessions.size() == 1);
  CHECK(s.heard->sessions[0].said.refused == core::refusal::none);
  CHECK(cleared == std::vector{core::session_id{3}});

  auto b = s.ask();
  b.open(6).look(7, core::look_session{});
  s.send(3, std::move(b));
  s.settle();
  CHECK(s.heard->to(6)->refused == core::refusal::none);
  const auto& seen = std::get<core::session_seen>(*s.heard->shown(7));
  CHECK_FALSE(seen.faulted);
  CHECK(seen.shift_us == 30 * second);
}

TEST_CASE("clearing a session that is not there") {
  stage s;
  auto ask = std::make_shared<clear_fault_request>();
  ask->ticket = 5;
  ask->sink = s.loop;
  ask->session = core::session_id{3};
  caf::anon_send(s.actors().registry(), clear_fault_ptr(ask));
  s.settle();
  REQUIRE(s.heard->sessions.size() == 1);
  CHECK(s.heard->sessions[0].said.refused == core::refusal::unknown_session);
}

TEST_CASE("a loop that left hears of no more sessions") {
  stage s;
  caf::anon_send(s.actors().registry(), leave_atom::value, s.loop);
  s.create(1, terms_of("hall", 1));
  s.settle();
  CHECK(s.heard->sessions.size() == 1);
  CHECK(s.heard->directories.size() == 1);
}

}  // namespace holdfast::tests
