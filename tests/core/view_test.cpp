// The view of durable state from which new holds are refused early: what it says, and that it never says "no" where the
// session would have said "yes". That it keeps up with every record is part of every story and of the property test.
#include <doctest/doctest.h>

#include "tests/core/storyteller.hpp"

namespace holdfast::tests {

using namespace core;

namespace {

struct stand {
  storyteller t;
  explicit stand(const std::vector<std::string>& story) {
    const auto said = t.tell_all(story);
    REQUIRE_MESSAGE(said.rfind("TROUBLE", 0) != 0, said);
  }
  view_says judge(channel_no channel, std::vector<line> lines) { return t.the_duel().view().judge(channel, lines); }
};

line seat(std::uint32_t n) { return {place_kind::seat, n, 1, 0}; }
line area(std::uint32_t n, std::uint32_t count) { return {place_kind::area, n, count, 0}; }

}  // namespace

TEST_CASE("the gate of the view is the gate of the session") {
  stand s({"seats A1-A2", "picture"});
  CHECK(s.judge(0, {seat(0)}).refused == refusal::not_open);
  s.t.tell("open public");
  CHECK(s.judge(0, {seat(0)}).refused == refusal::none);
  CHECK(s.judge(1, {seat(0)}).refused == refusal::not_open);
  s.t.tell("pause");
  CHECK(s.judge(0, {seat(0)}).refused == refusal::paused);
  s.t.tell("freeze");
  CHECK(s.judge(0, {seat(0)}).refused == refusal::frozen);
  s.t.tell("close");
  CHECK(s.judge(0, {seat(0)}).refused == refusal::frozen);
  s.t.tell("resume");
  CHECK(s.judge(0, {seat(0)}).refused == refusal::closed);
  CHECK(s.judge(9, {seat(0)}).refused == refusal::none);  // the session says what is wrong with that channel
}

TEST_CASE("a held place is not gone, a sold or blocked one is") {
  stand s({"seats A1-A4", "area floor 2", "open", "ann holds A1 A2 floor*2 for 10m", "block A4"});
  CHECK(s.judge(0, {seat(0), seat(1), area(0, 1)}).refused == refusal::none);
  s.t.tell("confirm ann cart 100");
  const auto said = s.judge(0, {seat(2), seat(0), area(0, 1), seat(3)});
  CHECK(said.refused == refusal::sold_out);
  CHECK(said.lines == 0b1110);
  CHECK(s.judge(0, {seat(2)}).refused == refusal::none);
  s.t.tell("cancel ann cart A2");
  CHECK(s.judge(0, {seat(1)}).refused == refusal::none);
  CHECK(s.judge(0, {seat(0)}).refused == refusal::sold_out);
}

TEST_CASE("sold out as a whole is said without lines, and only of the channel's own places") {
  stand s({"seats A1", "seats G1 allocation guests", "open", "ann holds A1 for 10m"});
  CHECK(s.judge(0, {seat(0)}).refused == refusal::none);
  s.t.tell("confirm ann cart 100");
  const auto said = s.judge(0, {seat(1)});
  CHECK(said.refused == refusal::sold_out);
  CHECK(said.lines == 0);
  CHECK(s.judge(1, {seat(1)}).refused == refusal::none);
  s.t.tell("allocate G1 to public");
  CHECK(s.judge(0, {seat(1)}).refused == refusal::none);
}

TEST_CASE("what only the session may say is passed on") {
  stand s({"seats A1-A2", "seats G1 allocation guests", "open", "ann holds A1 for 10m", "confirm ann cart 100"});
  CHECK(s.judge(0, {seat(0), seat(77)}).refused == refusal::none);  // no_such_place goes before
  CHECK(s.judge(0, {seat(0), seat(2)}).refused == refusal::none);   // so does not_in_your_channel
  CHECK(s.judge(0, {}).refused == refusal::none);
}

TEST_CASE("what the view tells of is durable") {
  stand s({"seats A1-A2", "open", "ann holds A1 for 10m", "confirm ann cart 100"});
  const auto said = s.judge(0, {seat(0)});
  CHECK(said.tells_of == s.t.the_duel().view().durable());
}

}  // namespace holdfast::tests
