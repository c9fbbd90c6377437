#include "plans/generate.hpp"

#include <doctest/doctest.h>

#include "plans/import.hpp"
#include "tests/plans/plans_support.hpp"
#include "tests/support/dies.hpp"

using namespace holdfast;

TEST_CASE("a generated hall has exactly the seats asked for and is a good plan") {
  for (const std::uint32_t seats : {1U, 7U, 999U, 50'000U}) {
    const plans::hall_shape shape{.seats = seats, .zones = std::min(seats, 7U), .standing_places = seats == 7 ? 30U : 0U};
    const auto p = plans::generate_hall(shape);
    CHECK(core::check_plan(p).ok());
    CHECK(p.seats.size() == seats);
    CHECK(p.places() == seats + shape.standing_places);
    CHECK(p.zones.size() == shape.zones);
  }
}

TEST_CASE("rows are cut by aisles, and the last row of a zone may be short") {
  const auto p = plans::generate_hall({.seats = 14, .zones = 2, .seats_per_row = 5, .seats_per_block = 3, .categories = 2});
  CHECK(plans_test::picture(p) == "Zone 1/1: 1 2 3 | 4 5; Zone 1/2: 1 2; Zone 2/1: 1 2 3 | 4 5; Zone 2/2: 1 2");
  CHECK(p.seats[0].category == 0);
  CHECK(p.seats[5].category == 1);
  CHECK(p.seats[3].x == 4);
}

TEST_CASE("accessible places come with a companion's") {
  const auto n = plans::count_places(plans::generate_hall({.seats = 1000, .accessible_every = 100}));
  CHECK(n.accessible == 10);
  CHECK(n.companion == 10);
}

TEST_CASE("a shape that cannot be built stops the program") {
  CHECK(tests::dies([] { (void)plans::generate_hall({.seats = 1'000'001}); }).has_value());
  CHECK(tests::dies([] { (void)plans::generate_hall({.seats = 3, .zones = 4}); }).has_value());
  CHECK(tests::dies([] { (void)plans::generate_hall({.categories = 64, .standing_places = 1}); }).has_value());
}
