#include <doctest/doctest.h>

#include "apps/holdfast/arguments.hpp"
#include "base/bytes.hpp"

using namespace holdfast;
using namespace holdfast::cli;
using namespace std::chrono_literals;

namespace {

core::plan little_hall() {
  core::plan p;
  p.zones = {"Stalls", "Box"};
  p.rows = {{0, "A"}, {0, "A"}, {1, "L"}};
  for (const auto* n : {"1", "2"}) p.seats.push_back({0, n, std::string("A") + n});
  for (const auto* n : {"3", "4"}) p.seats.push_back({1, n, std::string("A") + n});
  p.seats.push_back({2, "1", "L1"});
  p.areas = {{"Pit", "pit", 0, {40}}, {"Front=Left", "fl", 0, {5}}};
  return p;
}

std::vector<place_meant> places(std::initializer_list<const char*> texts) {
  std::vector<place_meant> all;
  for (const auto* t : texts) {
    auto p = read_place(t);
    REQUIRE_MESSAGE(p, t);
    all.push_back(*p);
  }
  return all;
}

}  // namespace

TEST_CASE("intervals") {
  CHECK(*read_interval("90s") == 90s);
  CHECK(*read_interval("90") == 90s);
  CHECK(*read_interval("15m") == 15min);
  CHECK(*read_interval("2h") == 2h);
  CHECK(*read_interval("1d") == 24h);
  CHECK(*read_interval("500ms") == 500ms);
  for (const auto* t : {"", "0", "0s", "s", "1.5s", "-1s", "10 s", "10x", "50d", "99999999999s"}) {
    const auto r = read_interval(t);
    REQUIRE_MESSAGE(!r, t);
    CHECK(r.failure().kind == base::trouble::bad_input);
  }
}

TEST_CASE("times are UTC") {
  CHECK(*read_time("1970-01-02") == 86'400);
  CHECK(*read_time("2026-06-01T19:30") == 1'780'342'200);
  CHECK(*read_time("2026-06-01T19:30:05Z") == 1'780'342'205);
  CHECK(!read_time("tomorrow"));
  CHECK(!read_time("2026-06-01 19:30"));
  CHECK(!read_time("2026-06-01T19:30+02"));
}

TEST_CASE("ids, keys and kinds") {
  const std::string id(31, '0');
  CHECK(read_id("an owner", id + "1"));
  const auto zero = read_id("an owner", id + "0");
  REQUIRE(!zero);
  CHECK(zero.failure().text == "the id of an owner must not be zero");
  CHECK(read_id("a hold", "12").failure().text == "'12' is no id of a hold: write its 32 hexadecimal digits");
  CHECK(read_key("card=" + id + "f")->kind == core::key_kind::card);
  CHECK(!read_key("card"));
  CHECK(!read_key("name=" + id + "f"));
  CHECK(*read_payment_kind("invoice") == core::payment_kind::invoice);
  CHECK(!read_payment_kind("gold"));
}

TEST_CASE("places become lines") {
  const auto p = little_hall();
  const auto lines = as_lines(places({"0", "2-3", "Box/L/1", "Pit=7", "Stalls/A/4", "Front=Left=2"}), &p, 9);
  REQUIRE(lines);
  using core::place_kind;
  const std::vector<core::line> expected{{place_kind::seat, 0, 1, 9}, {place_kind::seat, 2, 1, 9}, {place_kind::seat, 3, 1, 9},
                                         {place_kind::seat, 4, 1, 9}, {place_kind::area, 0, 7, 9}, {place_kind::seat, 3, 1, 9},
                                         {place_kind::area, 1, 2, 9}};
  CHECK(*lines == expected);
  CHECK(!needs_plan(places({"2-3"})[0]));
  CHECK(needs_plan(places({"a/b/c"})[0]));
}

TEST_CASE("places become ranges") {
  const auto p = little_hall();
  const auto ranges = as_ranges(places({"1-3", "Box/L/1", "Pit=7"}), &p, 2);
  REQUIRE(ranges);
  using core::place_kind;
  const std::vector<core::place_range> expected{{place_kind::seat, 1, 3, 0, 0}, {place_kind::seat, 4, 4, 0, 0}, {place_kind::area, 0, 0, 7, 2}};
  CHECK(*ranges == expected);
}

TEST_CASE("what is no place says so") {
  const auto p = little_hall();
  for (const auto* t : {"", "-", "3-", "-3", "3-2", "a", "a/b", "a/b/", "=3", "Pit=", "Pit=0", "Pit=x", "4294967296"})
    CHECK_MESSAGE(!read_place(t), t);
  CHECK(as_lines(places({"Stalls/B/1"}), &p, 0).failure().text == "the plan has no seat Stalls/B/1: `holdfast plan show` lists zones, rows and numbers");
  CHECK(as_lines(places({"Yard=1"}), &p, 0).failure().text == "the plan has no area 'Yard': it has Pit, Front=Left");
  CHECK(!as_lines(places({"0-499", "500"}), nullptr, 0));
  CHECK(as_lines(places({"0-499"}), nullptr, 0));
  CHECK(!as_lines(places({"0-4294967295"}), nullptr, 0));
}

TEST_CASE("places have names") {
  const auto p = little_hall();
  CHECK(name_of_seat(3, &p) == "Stalls/A/4");
  CHECK(name_of_seat(99, &p) == "99");
  CHECK(name_of_line({core::place_kind::seat, 3, 1, 0}, nullptr) == "seat 3");
  CHECK(name_of_line({core::place_kind::area, 0, 3, 0}, &p) == "3 in Pit");
  CHECK(name_of_line({core::place_kind::area, 0, 3, 0}, nullptr) == "3 in area 0");
}
