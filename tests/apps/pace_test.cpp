#include "apps/holdfastd/pace.hpp"

#include <doctest/doctest.h>

using holdfast::server::pace;

namespace {

constexpr std::uint64_t mib = 1U << 20U;

/// A second of ten samples: the journal grows by `blocks` blocks and `bytes` bytes in each.
struct second_hand {
  pace& p;
  std::uint64_t ns = 1, block = 0, bytes = 0;
  void second(std::uint64_t blocks, std::uint64_t more) {
    for (int i = 0; i < 10; ++i) {
      ns += pace::sample_ns;
      block += blocks;
      bytes += more;
      p.look(ns, block, bytes);
    }
  }
};

}  // namespace

TEST_CASE("on a quiet day nothing rests") {
  pace p;
  CHECK_FALSE(p.rest(0, mib));
  second_hand clock{p};
  clock.second(5, mib / 10);
  CHECK_FALSE(p.busy());
  CHECK_FALSE(p.rest(0, 1000 * mib));
}

TEST_CASE("in a rush work behind the log rests until it is too far behind, and goes on when the rush is over") {
  pace p;
  second_hand clock{p};
  clock.second(5, mib / 10);
  const auto at = clock.block;
  clock.second(10, 2 * mib);
  CHECK(p.busy());
  CHECK(p.behind(at) == 20 * mib);
  CHECK(p.rest(at, 21 * mib));
  CHECK_FALSE(p.rest(at, 20 * mib));
  CHECK(p.behind(clock.block) == 0);
  clock.second(1, 0);
  CHECK_FALSE(p.busy());
  CHECK_FALSE(p.rest(at, 1000 * mib));
}

TEST_CASE("what lies between two samples counts from the sample before it") {
  pace p;
  second_hand clock{p};
  clock.second(10, 2 * mib);
  CHECK(p.behind(clock.block - 5) == 2 * mib);
  CHECK(p.behind(clock.block - 15) == 4 * mib);
}

TEST_CASE("looks in between two samples change nothing") {
  pace p;
  second_hand clock{p};
  clock.second(10, 2 * mib);
  p.look(clock.ns + 1, clock.block, clock.bytes);
  CHECK(p.busy());
}
