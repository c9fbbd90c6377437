// The journal's actor: group commit, views before answers, and the end after a failed write.
#include <doctest/doctest.h>

#include <map>
#include <utility>

#include "tests/actors/fixture.hpp"

namespace holdfast::tests {

TEST_CASE("what came during one sync becomes one block, and each loop gets one message") {
  stage s;
  const auto one = s.opened("one", 10);
  const auto two = s.opened("two", 10);
  auto other = std::make_shared<mail>();
  const auto other_loop = s.another_loop(other);
  const auto blocks_before = s.journal.blocks.size();
  s.heard->deliveries.clear();

  for (std::uint32_t seat = 0; seat < 3; ++seat) {
    auto a = s.ask();
    a.hold(1 + seat, s.time.log, seat);
    s.send(one, std::move(a));
    auto b = s.ask();
    b.hold(11 + seat, s.time.log, seat);
    s.send(two, std::move(b));
    asking c(s.requests, other_loop);
    c.hold(21 + seat, s.time.log, 5 + seat);
    s.send(two, std::move(c));
  }
  s.settle_but_journal();
  CHECK(s.heard->deliveries.empty());
  s.settle();
  REQUIRE(s.journal.blocks.size() == blocks_before + 1);
  CHECK(s.journal.blocks.back().size() == 9);
  std::map<std::uint64_t, std::uint64_t> last;
  for (const auto& r : s.journal.blocks.back()) CHECK(r.sequence > std::exchange(last[r.session], r.sequence));
  CHECK(s.heard->deliveries == std::vector<std::size_t>{6});
  CHECK(other->deliveries == std::vector<std::size_t>{3});
  CHECK(other->answers.size() == 3);
}

TEST_CASE("a block takes no more than its bound, but always one batch") {
  stage s({}, {}, 1);
  const auto hall = s.opened("hall", 10);
  const auto before = s.journal.blocks.size();
  for (std::uint32_t seat = 0; seat < 3; ++seat) {
    auto a = s.ask();
    a.hold(1 + seat, s.time.log, seat);
    s.send(hall, std::move(a));
  }
  s.settle_but_journal();
  s.settle();
  CHECK(s.journal.blocks.size() == before + 3);
  CHECK(s.heard->to(3) != nullptr);
}

TEST_CASE("answers alone cost no block") {
  stage s;
  const auto hall = s.opened("hall", 1);
  const auto before = s.journal.blocks.size();
  auto a = s.ask();
  a.hold(1, s.time.log, 0);
  s.send(hall, std::move(a));
  auto b = s.ask();
  b.look(2, core::look_session{});
  s.send(hall, std::move(b));
  s.settle();
  CHECK(s.journal.blocks.size() == before + 1);
  CHECK(s.heard->to(2) != nullptr);
}

TEST_CASE("the view knows a block before any of its answers leaves, and never before it is durable") {
  stage s;
  const auto hall = s.opened("hall", 1);
  auto a = s.ask();
  a.hold(1, s.time.log, 0).confirm(2, 1);
  s.send(hall, std::move(a));
  s.journal.while_writing = [&] { CHECK_FALSE(s.sold_out(hall)); };
  // Run by hand, one job at a time: at no moment is the answer there and the view not.
  while (s.scheduler().try_run_once()) {
    if (s.heard->to(2) != nullptr) CHECK(s.sold_out(hall));
  }
  CHECK(s.heard->to(2) != nullptr);
  CHECK(s.sold_out(hall));
}

TEST_CASE("after a failed write no answer leaves, whatever it tells of") {
  stage s;
  const auto hall = s.opened("hall", 3);
  auto a = s.ask();
  a.hold(1, s.time.log, 0);
  s.send(hall, std::move(a));
  s.settle();
  s.heard->answers.clear();
  const auto blocks = s.journal.blocks.size();

  s.journal.fails_with = persistence::journal_failure{{base::trouble::io, "the disk is gone"}, {}};
  auto b = s.ask();
  b.hold(2, s.time.log, 1);
  s.send(hall, std::move(b));
  s.settle();
  REQUIRE(s.stops.size() == 1);
  CHECK(s.stops.front().text == "the disk is gone");
  CHECK(s.stops.front().exit_code() == 74);
  CHECK(s.heard->answers.empty());

  // Refusals and looks of what was durable long ago are silenced too, and so are further records.
  auto c = s.ask();
  c.hold(3, s.time.log, 0).look(4, core::look_seat{core::seat_no{2}}).hold(5, s.time.log, 2);
  s.send(hall, std::move(c));
  s.pass(5 * second);
  CHECK(s.heard->answers.empty());
  CHECK(s.journal.blocks.size() == blocks);
  CHECK(s.stops.size() == 1);
}

TEST_CASE("a record that the guard refuses stops the house and names the session") {
  stage s;
  const auto hall = s.opened("hall", 1);
  s.journal.fails_with = persistence::journal_failure{{base::trouble::corrupt, "seat 0 is sold already"}, hall};
  auto a = s.ask();
  a.hold(1, s.time.log, 0);
  s.send(hall, std::move(a));
  s.settle();
  REQUIRE(s.stops.size() == 1);
  CHECK(s.stops.front().session == core::session_id{hall});
  CHECK(s.stops.front().exit_code() == 70);
  CHECK(s.heard->to(1) == nullptr);
}

TEST_CASE("a failed witness stops the house as well") {
  stage s;
  s.journal.fails_with = persistence::journal_failure{{base::trouble::io, "witness"}, {}};
  s.pass(2 * second);
  REQUIRE(s.stops.size() == 1);
  CHECK(s.stops.front().exit_code() == 74);
}

TEST_CASE("the witness is refreshed while nothing happens, and soon after something did") {
  stage s;
  s.pass(second);
  const auto idle = s.journal.ticks;
  CHECK(idle >= 1);
  s.opened("hall", 1);
  s.pass(100 * ms);
  CHECK(s.journal.ticks > idle);
  const auto before = s.journal.ticks;
  for (int i = 0; i < 10; ++i) s.pass(second);
  CHECK(s.journal.ticks >= before + 9);
  CHECK(s.journal.ticks <= before + 11);
}

TEST_CASE("stopping writes what is under way, answers, and leaves the journal to its owner") {
  stage s;
  const auto hall = s.opened("hall", 2);
  auto a = s.ask();
  a.hold(1, s.time.log, 0);
  s.send(hall, std::move(a));
  caf::scoped_actor self{s.system};
  auto asked = self->request(s.actors().registry(), caf::infinite, stop_atom::value);
  s.settle();
  bool done = false;
  asked.receive([&](done_atom) { done = true; }, [](const caf::error&) {});
  CHECK(done);
  CHECK(s.heard->to(1) != nullptr);
  CHECK(s.journal.of(hall).size() == 4);  // plan, create, open, hold
  CHECK_FALSE(s.journal.closed);
}

}  // namespace holdfast::tests
