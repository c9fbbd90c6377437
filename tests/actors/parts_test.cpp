// The small parts: pools, the clock, fail-stop.
#include <chrono>
#include <set>

#include <doctest/doctest.h>

#include "actors/log_clock.hpp"
#include "actors/session_actor.hpp"
#include "tests/actors/fixture.hpp"

namespace holdfast::tests {

namespace {
struct thing {
  std::vector<int> content;
  void reset() { content.clear(); }
};
}  // namespace

TEST_CASE("a pool gives back what was returned, empty and with its memory") {
  pool<thing> p(1);
  auto first = p.take();
  first->content.assign(100, 7);
  const auto* address = first.get();
  auto other = p.take();
  CHECK(other.get() != address);
  first.reset();
  other.reset();  // beyond the one that is kept
  auto again = p.take();
  CHECK(again.get() == address);
  CHECK(again->content.empty());
  CHECK(again->content.capacity() >= 100);
}

TEST_CASE("what was taken from a pool may outlive it") {
  std::shared_ptr<thing> kept;
  {
    pool<thing> p;
    kept = p.take();
  }
  kept->content.push_back(1);
  kept.reset();
}

TEST_CASE("a request batch is empty when it is used again, arena included") {
  pool<request_batch> p;
  auto b = p.take();
  void* first = b->arena().allocate(16, 8);
  b->requests.emplace_back();
  b.reset();
  b = p.take();
  CHECK(b->requests.empty());
  CHECK(b->arena().allocate(16, 8) == first);
}

TEST_CASE("log time starts where it is told to and never decreases") {
  const log_clock c(core::log_time{noon});
  auto before = c.now();
  CHECK(before.value >= noon);
  CHECK(before.value < noon + 10 * second);
  const auto first = before;
  for (const auto end = steady::now() + std::chrono::milliseconds(2); steady::now() < end;) {
    const auto now = c.now();
    REQUIRE(now >= before);
    before = now;
  }
  CHECK(c.now().value >= first.value + 2 * ms);
}

TEST_CASE("wall minus log shows what was done to the wall clock") {
  manual_time t;
  CHECK(wall_minus_log(t) == 0);
  t.wall -= 3 * second;
  CHECK(wall_minus_log(t) == -static_cast<std::int64_t>(3 * second));
}

TEST_CASE("fail-stop is tripped once") {
  int times = 0;
  fail_stop f([&](const stop_reason&) { ++times; });
  CHECK_FALSE(f.tripped());
  f.trip({"a", {}});
  f.trip({"b", {}});
  CHECK(f.tripped());
  CHECK(times == 1);
}

TEST_CASE("each appointment has an id of its own") {
  const std::vector<appointment> all{{noon, true}, {noon, false}, {noon + 1, true}, {noon, true, 1}, {noon, false, 1}, {noon, true, 3}};
  std::set<core::command_id> ids;
  for (const auto& a : all) {
    CHECK_FALSE(id_of(a).value.zero());
    ids.insert(id_of(a));
  }
  CHECK(ids.size() == all.size());
}

}  // namespace holdfast::tests
