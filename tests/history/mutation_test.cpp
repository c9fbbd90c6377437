// The checks are themselves checked: one thing of a true history is made untrue, and they must notice.
#include <doctest/doctest.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>

#include "tests/history/lies.hpp"
#include "tests/support/instrumented.hpp"

namespace holdfast::tests {

using namespace holdfast::history;

namespace {

/// Violations by check.
using noticed = std::array<std::uint64_t, 4>;
constexpr const char* checks[] = {"intervals", "holds", "order", "seats"};

noticed look_into(const victim& v) {
  const auto& h = v.h;
  const auto s = tell(h);
  const clock_map clock(h);
  check_options o;
  o.limit = v.limit;
  o.threads = 1;
  const auto seats = check_seats(h, s, clock, o);
  o.threads = 7;
  const auto shared = check_seats(h, s, clock, o);  // the same, however many look
  REQUIRE(shared.found == seats.found);
  REQUIRE(shared.violations == seats.violations);
  REQUIRE(shared.left_out == seats.left_out);
  return {check_intervals(h, s, clock, o).found, check_holds(h, s, clock, o).found, check_order(h, s, o).found, seats.found};
}

/// HOLDFAST_SEEDS: how many true histories are lied about.
std::uint64_t histories() {
  const char* said = std::getenv("HOLDFAST_SEEDS");
  return said == nullptr ? (instrumented ? 20 : 60) : std::strtoull(said, nullptr, 10);
}

}  // namespace

TEST_CASE("one lie in a true history is noticed") {
  struct count {
    unsigned made = 0, noticed = 0;
    std::array<unsigned, 4> by{};
  };
  std::map<std::string, count> tally;
  std::size_t kinds = 0;
  for (std::uint64_t seed = 1; seed <= histories(); ++seed) {
    crowd_options o;
    o.seed = seed + 1'000;
    o.seats = 60;
    o.operations = 2'000;
    o.unheard_per_mille = seed % 2 == 0 ? 0 : 5;
    o.again_percent = 10;
    o.resent_percent = seed % 3 == 0 ? 10 : 0;
    o.accounts = 40;
    o.limit = 5;
    o.standing = 30;
    const auto h = true_history(o);
    REQUIRE(look_into({h, o.limit, 0}) == noticed{});
    kinds = 0;
    for (const auto lies : {lies_about_seats(), lies_about_holds(), lies_about_limits(), lies_about_time()})
      for (const auto& m : lies) {
        victim v(h, o.limit, seed * 100 + kinds++);
        if (!m.make(v)) continue;
        auto& n = tally[m.name];
        ++n.made;
        const auto found = look_into(v);
        if (found != noticed{}) ++n.noticed;
        for (std::size_t c = 0; c < found.size(); ++c) n.by[c] += found[c] != 0 ? 1 : 0;
      }
  }
  unsigned made = 0, all = 0;
  std::printf("%-68s %6s %8s", "lie", "made", "noticed");
  for (const auto* c : checks) std::printf(" %9s", c);
  std::printf("\n");
  for (const auto& [name, n] : tally) {
    std::printf("%-68s %6u %8u", name.c_str(), n.made, n.noticed);
    for (const auto by : n.by) std::printf(" %9u", by);
    std::printf("\n");
    made += n.made;
    all += n.noticed;
    CHECK_MESSAGE(n.noticed == n.made, name);
  }
  CHECK(tally.size() == kinds);
  std::printf("%u of %u lies of %zu kinds noticed\n", all, made, tally.size());
}

}  // namespace holdfast::tests
