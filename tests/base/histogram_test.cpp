#include "base/histogram.hpp"

#include <doctest/doctest.h>

#include "base/random.hpp"

namespace holdfast::base {

TEST_CASE("the histogram keeps every value within four per cent, in order, over its whole range") {
  random r(11);
  std::uint64_t last_upper = 0;
  for (std::size_t i = 1; i < buckets::count; ++i) {
    REQUIRE(buckets::upper_of(i) > last_upper);
    last_upper = buckets::upper_of(i);
    REQUIRE(buckets::index_of(last_upper) == i);
  }
  for (int i = 0; i < 100'000; ++i) {
    const auto v = r.next() >> (24 + r.below(40));
    const auto upper = buckets::upper_of(buckets::index_of(v));
    REQUIRE(upper >= v);
    REQUIRE(static_cast<double>(upper - v) <= 0.04 * static_cast<double>(v) + 0.01);
  }
  CHECK(buckets::index_of(~std::uint64_t{0}) == buckets::count - 1);
}

TEST_CASE("percentiles come from the bucket in which they fall, and loops add up") {
  histogram a, b;
  for (std::uint64_t v = 1; v <= 1000; ++v) (v % 2 == 0 ? a : b).add(v);
  auto sum = a.read();
  sum += b.read();
  CHECK(sum.total == 1000);
  CHECK(sum.sum == 500'500);
  CHECK(sum.percentile(500'000) == doctest::Approx(500).epsilon(0.04));
  CHECK(sum.percentile(990'000) == doctest::Approx(990).epsilon(0.04));
  CHECK(sum.percentile(1'000'000) >= 1000);
  CHECK(sum.percentile(0) >= 1);
  CHECK(histogram_seen{}.percentile(990'000) == 0);
}

}  // namespace holdfast::base
