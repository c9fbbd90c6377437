// A short sweep of simulated worlds, and the proof that the simulation would notice.
//
//   HOLDFAST_SEEDS   seeds to play (default 150; with the address sanitizer 60)
#include <doctest/doctest.h>

#include <cstdlib>

#include "simulation/simulate.hpp"
#include "tests/support/instrumented.hpp"

namespace holdfast::tests {

using namespace simulation;

namespace {

simulation_result play(std::uint64_t seed, std::uint64_t steps = 300) {
  simulation_options o;
  o.seed = seed;
  o.steps = steps;
  return simulate(o);
}

}  // namespace

TEST_CASE("every invariant holds in world after world, and everything that can go wrong does") {
  const char* wanted = std::getenv("HOLDFAST_SEEDS");
  const std::uint64_t seeds = wanted == nullptr ? (instrumented ? 60 : 150) : std::strtoull(wanted, nullptr, 10);
  simulation_counts n;
  for (std::uint64_t seed = 0; seed < seeds; ++seed) {
    const auto r = play(seed);
    REQUIRE_MESSAGE(r.violation.empty(), "seed ", seed, ", turn ", r.at_turn, ": ", r.violation);
    n += r.counts;
  }
  if (seeds < 150) return;
  for (const auto count :
       {n.crashes, n.power_cuts, n.broken_writes, n.failed_starts, n.damaged_copies, n.refused_copies, n.clock_refusals,
        n.faults, n.steps_lost, n.answers_of_lost_steps, n.requests_lost, n.requests_late, n.requests_twice,
        n.answers_lost, n.answers_late, n.comparisons})
    CHECK(count > 0);
  CHECK(n.audits == seeds);
}

TEST_CASE("worlds that have shown something once") {
  // A refusal left before the forgetting of its id was on the disk (265, 8593), or before the extension by which a hold outlived its
  // deadline: it stood in the way of a limit key (2991), of its owner and of its area (3395). Or before the release that let it pass
  // the limit of one key and come to that of another (109419). And of the judge: damage on top of a power cut, at the second start (404923).
  // A cleared fault left a hold that was due, and an order of its area was withdrawn before it ended (409202). An operator was told that a
  // seat is not free before the extension was durable by which its hold lived on (3004595). A buyer who asked again was told of a due hold
  // in an area as if it lived (4008731).
  for (const std::uint64_t seed : {265, 2991, 3395, 8593, 109419, 404923, 409202, 3004595, 4008731}) {
    const auto r = play(seed);
    CHECK_MESSAGE(r.violation.empty(), "seed ", seed, ", turn ", r.at_turn, ": ", r.violation);
  }
}

TEST_CASE("the same seed is the same world; another one is another") {
  const auto once = play(7), twice = play(7), other = play(8);
  CHECK(once.digest == twice.digest);
  CHECK(once.counts.records == twice.counts.records);
  CHECK(once.digest != other.digest);
}

TEST_CASE("comparing more often changes nothing in a world") {
  simulation_options o;
  o.seed = 10;
  const auto seldom = simulate(o);
  o.compare_every = 1;
  const auto often = simulate(o);
  CHECK(seldom.digest == often.digest);
  CHECK(often.counts.comparisons > 10 * seldom.counts.comparisons);
}

TEST_CASE("a disk that says that it synced and did not is found out") {
  unsigned found = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    simulation_options o;
    o.seed = seed;
    o.lying_disk = true;
    const auto r = simulate(o);
    if (r.violation.empty()) continue;
    ++found;
    const auto shortest = shortest_failing(o, r);
    CHECK(!shortest.violation.empty());
    CHECK(shortest.at_turn <= r.at_turn);
  }
  CHECK(found > 25);
}

}  // namespace holdfast::tests
