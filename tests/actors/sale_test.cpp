// A hall is sold through the actors.
#include <doctest/doctest.h>

#include "core/session.hpp"
#include "tests/actors/fixture.hpp"

namespace holdfast::tests {

namespace {

/// What the journal says of a session, decided by nobody: scan and apply.
core::session replayed(const held_journal& journal, std::uint64_t sid, const records& codec) {
  std::optional<core::session> state;
  for (const auto& r : journal.of(sid)) {
    if (r.sequence == persistence::plan_sequence) continue;
    std::pmr::monotonic_buffer_resource arena;
    auto decoded = persistence::decode_record({r.session, r.sequence, r.log_time, r.bytes}, &codec.plans, arena);
    REQUIRE(decoded.ok());
    if (!state) {
      state = core::session::create(core::session_id{sid}, decoded.value(), {});
    } else {
      state->complete(decoded.value());
      state->apply(decoded.value());
    }
  }
  REQUIRE(state.has_value());
  return std::move(*state);
}

}  // namespace

TEST_CASE("a hall is sold through the actors, and the journal knows all of it") {
  constexpr std::uint32_t seats = 50;
  stage s;
  const auto hall = s.opened("hall", seats);

  // Three ask for each seat; all confirm what they have or have not.
  for (std::uint64_t round = 0; round < 3; ++round) {
    auto a = s.ask();
    for (std::uint32_t seat = 0; seat < seats; ++seat) a.hold(1 + round * 1'000 + seat, s.time.log, seat);
    s.send(hall, std::move(a));
  }
  s.settle();
  std::size_t held = 0;
  for (std::uint64_t round = 0; round < 3; ++round) {
    for (std::uint32_t seat = 0; seat < seats; ++seat) {
      const auto* said = s.heard->to(1 + round * 1'000 + seat);
      REQUIRE(said != nullptr);
      held += said->refused == core::refusal::none ? 1 : 0;
      if (said->refused != core::refusal::none) CHECK(said->refused == core::refusal::none_free_now);
    }
  }
  CHECK(held == seats);
  CHECK_FALSE(s.sold_out(hall));

  auto pay = s.ask();
  for (std::uint32_t seat = 0; seat < seats; ++seat) pay.confirm(10'000 + seat, 1 + seat);
  s.send(hall, std::move(pay));
  s.settle();
  for (std::uint32_t seat = 0; seat < seats; ++seat) {
    const auto* said = s.heard->to(10'000 + seat);
    REQUIRE(said != nullptr);
    CHECK(said->outcome == core::money_outcome::sold);
  }
  CHECK(s.sold_out(hall));

  const auto state = replayed(s.journal, hall, s.codec);
  state.verify();
  const auto seen = state.brief(core::log_time{s.time.log});
  CHECK(seen.orders == seats);
  CHECK(seen.places.sold == seats);
  CHECK(seen.amount_paid == std::int64_t{seats} * 2'500);
  CHECK(s.session(hall).view->durable() == state.last());
}

TEST_CASE("restarted over recovered sessions, the house goes on where the journal ends") {
  auto codec = records{};
  std::vector<recovered_session> found;
  std::uint64_t sold_before = 0;
  {
    stage s;
    const auto hall = s.opened("hall", 3);
    auto a = s.ask();
    a.hold(1, s.time.log, 0).confirm(2, 1).hold(3, s.time.log, 1, 600'000);
    s.send(hall, std::move(a));
    s.settle();
    found.push_back({replayed(s.journal, hall, s.codec), std::nullopt});
    sold_before = hall;
  }
  stage s({}, std::move(found));
  CHECK(s.session(sold_before).name == "hall");
  CHECK(s.session(sold_before).view->durable().value == 5);
  auto a = s.ask();
  a.hold(4, s.time.log, 0).confirm(5, 1).confirm(6, 3).hold(7, s.time.log, 2);
  s.send(sold_before, std::move(a));
  s.settle();
  REQUIRE(s.heard->answers.size() == 4);
  CHECK(s.heard->to(4)->refused == core::refusal::sold_out);
  CHECK(s.heard->to(5)->repeated);
  CHECK(s.heard->to(6)->outcome == core::money_outcome::sold);
  CHECK(s.heard->to(7)->refused == core::refusal::none);
  CHECK(s.journal.of(sold_before).front().sequence == 6);
  // Ids are never given twice.
  CHECK(s.created(terms_of("next", 1)) == sold_before + 1);
}

}  // namespace holdfast::tests
