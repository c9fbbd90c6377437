// The session's actor: its timer, its appointments, and what may leave when.
#include <doctest/doctest.h>

#include "tests/actors/fixture.hpp"

namespace holdfast::tests {

TEST_CASE("a hold expires by the timer's message though nobody asks") {
  stage s;
  const auto hall = s.opened("hall", 1);
  auto a = s.ask();
  a.hold(1, s.time.log, 0, 60'000);
  s.send(hall, std::move(a));
  s.settle();
  const auto records_before = s.journal.of(hall).size();

  s.pass(minute - ms);
  CHECK(s.journal.of(hall).size() == records_before);
  s.pass(ms);
  REQUIRE(s.journal.of(hall).size() == records_before + 1);
  CHECK(s.journal.of(hall).back().log_time == noon + minute);

  auto b = s.ask();
  b.hold(2, s.time.log, 0);
  s.send(hall, std::move(b));
  s.settle();
  CHECK(s.heard->to(2)->refused == core::refusal::none);
}

TEST_CASE("holds with different deadlines expire each in its time, with one timer armed") {
  stage s;
  const auto hall = s.opened("hall", 3);
  auto a = s.ask();
  a.hold(1, s.time.log, 0, 180'000).hold(2, s.time.log, 1, 90'000).hold(3, s.time.log, 2, 120'000);
  s.send(hall, std::move(a));
  s.settle();
  const auto before = s.journal.of(hall).size();
  std::vector<std::uint64_t> expired_at;
  for (int i = 0; i < 400; ++i) {
    s.pass(500 * ms);
    if (s.journal.of(hall).size() > before + expired_at.size()) expired_at.push_back((s.time.log - noon) / ms);
  }
  CHECK(expired_at == std::vector<std::uint64_t>{90'000, 120'000, 180'000});
}

TEST_CASE("early, late, stale and invented wake-ups do no harm") {
  stage s;
  const auto hall = s.opened("hall", 2);
  auto a = s.ask();
  a.hold(1, s.time.log, 0, 60'000);
  s.send(hall, std::move(a));
  s.settle();
  const auto before = s.journal.of(hall).size();
  const auto& actor = s.session(hall).actor;

  for (std::uint64_t generation = 0; generation < 20; ++generation) caf::anon_send(actor, wake_atom::value, generation);
  s.settle();
  CHECK(s.journal.of(hall).size() == before);

  // One of those was the real one, come early; the hold still expires, though the machine slept through the hour.
  s.time.log += 3'600 * second;
  s.pass(2 * minute);
  CHECK(s.journal.of(hall).size() == before + 1);
  for (std::uint64_t generation = 0; generation < 20; ++generation) caf::anon_send(actor, wake_atom::value, generation);
  s.pass(minute);
  CHECK(s.journal.of(hall).size() == before + 1);
}

TEST_CASE("a request finds the seat of an expired hold free before the timer came") {
  stage s;
  const auto hall = s.opened("hall", 1);
  auto a = s.ask();
  a.hold(1, s.time.log, 0, 60'000);
  s.send(hall, std::move(a));
  s.settle();
  s.time.log += minute;  // CAF's clock has not moved
  auto b = s.ask();
  b.hold(2, s.time.log, 0);
  s.send(hall, std::move(b));
  s.settle();
  CHECK(s.heard->to(2)->refused == core::refusal::none);
}

TEST_CASE("nothing leaves before it is durable: acceptances, refusals and looks that tell of it") {
  stage s;
  const auto hall = s.opened("hall", 2);
  s.heard->answers.clear();
  auto a = s.ask();
  a.hold(1, s.time.log, 0).hold(2, s.time.log, 0).look(3, core::look_seat{core::seat_no{0}}).look(4, core::look_session{});
  s.send(hall, std::move(a));
  s.settle_but_journal();
  CHECK(s.heard->answers.empty());

  // Also asked in a later message, while the disk is still busy.
  auto b = s.ask();
  b.look(5, core::look_seat{core::seat_no{0}}).hold(6, s.time.log, 0);
  s.send(hall, std::move(b));
  s.settle_but_journal();
  CHECK(s.heard->answers.empty());

  s.journal.while_writing = [&] { CHECK(s.heard->answers.empty()); };
  s.settle();
  REQUIRE(s.heard->answers.size() == 6);
  CHECK(s.heard->to(1)->refused == core::refusal::none);
  CHECK(s.heard->to(2)->refused == core::refusal::none_free_now);
  CHECK(std::get<core::seat_seen>(*s.heard->shown(3)).state == core::seat_state::held);
}

TEST_CASE("what is durable already leaves at once, whatever else waits") {
  stage s;
  const auto hall = s.opened("hall", 3);
  auto a = s.ask();
  a.hold(1, s.time.log, 0);
  s.send(hall, std::move(a));
  s.settle();
  s.heard->answers.clear();

  auto b = s.ask();
  b.hold(2, s.time.log, 1).hold(3, s.time.log, 0).look(4, core::look_seat{core::seat_no{0}}).look(5, core::look_seat{core::seat_no{2}});
  s.send(hall, std::move(b));
  s.settle_but_journal();
  CHECK(s.heard->to(2) == nullptr);
  REQUIRE(s.heard->to(3) != nullptr);
  CHECK(s.heard->to(3)->refused == core::refusal::none_free_now);
  CHECK(s.heard->to(4) != nullptr);
  CHECK(s.heard->to(5) != nullptr);
  s.settle();
  CHECK(s.heard->to(2) != nullptr);
}

TEST_CASE("a batch that nobody wants answers to is decided all the same") {
  stage s;
  const auto hall = s.opened("hall", 1);
  asking quiet(s.requests, caf::actor{});
  quiet.hold(1, s.time.log, 0);
  s.send(hall, std::move(quiet));
  s.settle();
  CHECK(s.heard->to(1) == nullptr);
  CHECK(s.journal.of(hall).size() == 4);  // plan, create, open, hold
}

TEST_CASE("an opening is kept to the instant, before the batch that came for it") {
  registry_options options;
  options.schedules = {{"hall", {{noon + minute, true}, {noon + 10 * minute, false}}}};
  stage s(options);
  const auto hall = s.created(terms_of("hall", 2));
  CHECK(s.session(hall).opens_at->load() == noon + minute);

  auto early = s.ask();
  early.hold(1, s.time.log, 0);
  s.send(hall, std::move(early));
  s.settle();
  CHECK(s.heard->to(1)->refused == core::refusal::not_open);

  SUBCASE("by a request that is quicker than the timer") {
    s.time.log += minute;
    s.time.wall += minute;
    auto a = s.ask();
    a.hold(2, s.time.log, 0);
    s.send(hall, std::move(a));
    s.settle();
    CHECK(s.heard->to(2)->refused == core::refusal::none);
  }
  SUBCASE("by the timer") {
    s.pass(minute);
    CHECK(s.journal.of(hall).size() == 3);
  }
  SUBCASE("when the wall clock is set forward") {
    s.time.wall += minute;
    s.pass(second);
    CHECK(s.journal.of(hall).size() == 3);
  }
  // Given once: a wall clock that steps back undoes nothing and repeats nothing.
  const auto before = s.journal.of(hall).size();
  s.time.wall -= 5 * minute;
  s.pass(second);
  CHECK(s.journal.of(hall).size() == before);
  // The hour of the closing counts by the wall clock.
  s.time.wall = noon + 10 * minute;
  s.pass(second);
  auto late = s.ask();
  late.hold(3, s.time.log, 1);
  s.send(hall, std::move(late));
  s.settle();
  CHECK(s.heard->to(3)->refused == core::refusal::closed);
  CHECK(s.session(hall).opens_at->load() == session_entry::none_due);
}

TEST_CASE("the funnel is told of the next opening only when the last one shows in the view") {
  registry_options options;
  options.schedules = {{"hall", {{noon + minute, true}}}};
  stage s(options);
  const auto hall = s.created(terms_of("hall", 2));
  s.time.log += minute;
  s.time.wall += minute;
  auto a = s.ask();
  a.hold(1, s.time.log, 0);
  s.send(hall, std::move(a));
  s.settle_but_journal();
  CHECK(s.session(hall).opens_at->load() == noon + minute);
  s.settle();
  auto b = s.ask();
  b.hold(2, s.time.log, 1);
  s.send(hall, std::move(b));
  s.settle();
  CHECK(s.session(hall).opens_at->load() == session_entry::none_due);
}

TEST_CASE("appointments that an earlier server has kept are not given again") {
  registry_options options;
  options.schedules = {{"hall", {{noon - minute, true}}}};
  options.kept_until = noon - second;
  stage s(options);
  const auto hall = s.created(terms_of("hall", 1));
  s.pass(2 * second);
  CHECK(s.journal.of(hall).size() == 2);
}

}  // namespace holdfast::tests
