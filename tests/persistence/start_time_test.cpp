#include "persistence/start_time.hpp"

#include "tests/persistence/fixture.hpp"

namespace holdfast::tests {

TEST_CASE("log time starts at the newest of what is known") {
  const clock_rule rule;
  const auto day = clock_gap_max_default;
  struct row { std::uint64_t last_known, wall, log_time, downtime, behind; };
  for (const auto& r : {row{0, noon, noon, 0, 0},                                 // a new journal
                        row{noon, noon + 5 * second, noon + 5 * second, 5 * second, 0},
                        row{noon, noon, noon, 0, 0},
                        row{noon, noon - 3 * second, noon, 0, 3 * second},        // the clock is behind: a warning
                        row{noon, 0, noon, 0, noon},
                        row{noon, noon + day, noon + day, day, 0}}) {
    const auto t = good(decide_start_time(r.last_known, r.wall, rule));
    CHECK(t.log_time == r.log_time);
    CHECK(t.downtime == r.downtime);
    CHECK(t.clock_behind == r.behind);
  }
}

TEST_CASE("a clock more than a day ahead is refused until somebody vouches for it") {
  const auto wall = noon + clock_gap_max_default + 1;
  const auto r = decide_start_time(noon, wall, {});
  REQUIRE(!r.ok());
  CHECK(r.failure().kind == base::trouble::clock);
  CHECK(says(r.failure().text, "--accept-clock"));
  CHECK(good(decide_start_time(noon, wall, {clock_gap_max_default, true})).log_time == wall);
  CHECK(decide_start_time(0, wall, {}).ok());
}

}  // namespace holdfast::tests
