// Every rule of check_plan, one story each: a good plan with one thing wrong.
#include "core/plan.hpp"

#include <cmath>
#include <functional>
#include <limits>

#include <doctest/doctest.h>

#include "tests/plans/plans_support.hpp"

using namespace holdfast;
using plans_test::refusal;

namespace {

core::plan small_hall() {
  core::plan p;
  p.name = "Hall";
  p.categories = {{"Gold", "#ffcc00"}, {"Standing", ""}};
  p.allocations = {"public", "house"};
  p.zones = {"Stalls"};
  p.rows = {{0, "A"}, {0, "B"}};
  p.seats = {{0, "1", "Stalls/A/1", 0, 0, core::seat_next_adjacent, 0, 0},
             {0, "2", "Stalls/A/2", 0, 1, core::seat_accessible, 1, 0},
             {1, "1", "Stalls/B/1", 0, 0, 0, 0, 1}};
  p.areas = {{"Pit", "Pit", 1, {40, 10}}};
  return p;
}

std::string after(const std::function<void(core::plan&)>& change) {
  auto p = small_hall();
  change(p);
  return refusal(core::check_plan(p));
}

}  // namespace

TEST_CASE("a small hall is a good plan of 53 places") {
  const auto p = small_hall();
  CHECK(core::check_plan(p).ok());
  CHECK(p.places() == 53);
  CHECK(core::check_plan(core::plan{}).ok());
  CHECK(core::plan{}.places() == 0);
}

TEST_CASE("names are printable, of bounded length and unique") {
  CHECK(after([](auto& p) { p.name = std::string(65, 'x'); }) == "the plan's name has 65 bytes, the most is 64");
  CHECK(after([](auto& p) { p.name = "a\nb"; }) == "the plan's name is not printable UTF-8 text");
  CHECK(after([](auto& p) { p.categories[0].name.clear(); }) == "the name of category 0 is empty");
  CHECK(after([](auto& p) { p.categories[1].name = "Gold"; }) == "category \"Gold\" is there twice");
  CHECK(after([](auto& p) { p.categories[0].color = "red"; }) == "category \"Gold\" has a colour that is not #RRGGBB");
  CHECK(after([](auto& p) { p.categories[0].color = "#12345g"; }) ==
        "category \"Gold\" has a colour that is not #RRGGBB");
  CHECK(after([](auto& p) { p.categories.assign(65, {"x", ""}); }) == "there are 65 categories, the most is 64");
  CHECK(after([](auto& p) { p.allocations.clear(); }) == "the first allocation is not \"public\"");
  CHECK(after([](auto& p) { p.allocations = {"house", "public"}; }) == "the first allocation is not \"public\"");
  CHECK(after([](auto& p) { p.allocations[1] = "public"; }) == "allocation \"public\" is there twice");
  CHECK(after([](auto& p) { p.allocations[1] = ""; }) == "the name of allocation 1 is empty");
  CHECK(after([](auto& p) { p.allocations.resize(17, "x"); }) == "there are 17 allocations, the most is 16");
  CHECK(after([](auto& p) { p.zones[0] = "\x1b[31m"; }) == "the name of zone 0 is not printable UTF-8 text");
  CHECK(after([](auto& p) { p.rows[1].label = std::string(65, 'B'); }) ==
        "the label of row 1 has 65 bytes, the most is 64");
  CHECK(after([](auto& p) { p.zones.resize(0x10001); }) == "there are more than 65536 zones");
}

TEST_CASE("text is well-formed UTF-8") {
  const auto zone = [](std::string_view s) { return after([&](auto& p) { p.zones[0] = s; }) == "no error"; };
  CHECK(zone("Parkett"));
  CHECK(zone("Зал"));
  CHECK(zone("包廂"));
  CHECK(zone("\U0001F3AD"));
  CHECK(zone("\xf4\x8f\xbf\xbf"));
  CHECK_FALSE(zone("Caf\xe9"));              // Latin-1
  CHECK_FALSE(zone("\xc0\xaf"));             // overlong
  CHECK_FALSE(zone("\xe0\x80\xaf"));         // overlong
  CHECK_FALSE(zone("\xf0\x80\x80\xaf"));     // overlong
  CHECK_FALSE(zone("\xed\xa0\x80"));         // surrogate
  CHECK_FALSE(zone("\xf4\x90\x80\x80"));     // beyond Unicode
  CHECK_FALSE(zone("\xe5\x8c"));             // cut
  CHECK_FALSE(zone("\xe5\x8c" "a"));         // cut in the middle
  CHECK_FALSE(zone("\xc2\x85"));             // a control character
  CHECK_FALSE(zone("\x7f"));
  CHECK_FALSE(zone(std::string_view("\0", 1)));
}

TEST_CASE("every index of a seat exists") {
  CHECK(after([](auto& p) { p.rows[0].zone = 1; }) == "row 0 names a zone that does not exist");
  CHECK(after([](auto& p) { p.seats[2].row = 2; }) == "seat 2 names a row that does not exist");
  CHECK(after([](auto& p) { p.seats[0].row = 1; }) ==
        "seat 0 (Stalls/B/1) is the last of its row, yet marked as having a "
                                                      "neighbour after it");
  CHECK(after([](auto& p) { p.seats[1].row = 1; p.seats[2].row = 0; p.seats[0].flags = 0; }) ==
        "seat 2 (Stalls/A/1) goes back to an earlier row");
  CHECK(after([](auto& p) { p.seats[1].category = 2; }) == "seat 1 (Stalls/A/2) names a category that does not exist");
  CHECK(after([](auto& p) { p.seats[1].allocation = 2; }) ==
        "seat 1 (Stalls/A/2) names an allocation that does not exist");
  CHECK(after([](auto& p) { p.seats[1].flags = 16; }) == "seat 1 (Stalls/A/2) has unknown flags");
  CHECK(after([](auto& p) { p.seats[1].flags |= core::seat_next_adjacent; }) ==
        "seat 1 (Stalls/A/2) is the last of its row, yet marked as having a neighbour after it");
  CHECK(after([](auto& p) { p.seats[2].flags |= core::seat_next_adjacent; }) ==
        "seat 2 (Stalls/B/1) is the last of its row, yet marked as having a neighbour after it");
}

TEST_CASE("a seat has a number, an identity of its own and a position") {
  CHECK(after([](auto& p) { p.seats[0].number.clear(); }) == "seat 0 (Stalls/A/) is refused: its number is empty");
  CHECK(after([](auto& p) { p.seats[0].number = "\n"; }) ==
        "seat 0 is refused: its number is not printable UTF-8 text");
  CHECK(after([](auto& p) { p.areas[0].name = "\n"; }) == "area 0 is refused: its name is not printable UTF-8 text");
  CHECK(after([](auto& p) { p.seats[0].number = std::string(33, '1'); }) ==
        "seat 0 (Stalls/A/" + std::string(33, '1') + ") is refused: its number has 33 bytes, the most is 32");
  CHECK(after([](auto& p) { p.seats[0].identity.clear(); }) == "seat 0 (Stalls/A/1) is refused: its identity is empty");
  CHECK(after([](auto& p) { p.seats[0].identity = std::string(129, 'x'); }) ==
        "seat 0 (Stalls/A/1) is refused: its identity has 129 bytes, the most is 128");
  CHECK(after([](auto& p) { p.seats[2].identity = "Stalls/A/1"; }) ==
        "seat 2 (Stalls/B/1) has the identity \"Stalls/A/1\" of another place");
  CHECK(after([](auto& p) { p.seats[0].x = std::nanf(""); }) == "seat 0 (Stalls/A/1) has no finite position");
  CHECK(after([](auto& p) { p.seats[0].y = std::numeric_limits<float>::infinity(); }) ==
        "seat 0 (Stalls/A/1) has no finite position");
}

TEST_CASE("an area has a name, a category and a bounded capacity") {
  CHECK(after([](auto& p) { p.areas[0].name.clear(); }) == "area 0 () is refused: its name is empty");
  CHECK(after([](auto& p) { p.areas[0].identity.clear(); }) == "area 0 (Pit) is refused: its identity is empty");
  CHECK(after([](auto& p) { p.areas[0].identity = "Stalls/A/1"; }) ==
        "area 0 (Pit) has the identity \"Stalls/A/1\" of another place");
  CHECK(after([](auto& p) { p.areas.push_back({"Pit", "other", 1, {1}}); }) ==
        "area 1 (Pit) has the name of another area");
  CHECK(after([](auto& p) { p.areas[0].category = 2; }) == "area 0 (Pit) names a category that does not exist");
  CHECK(after([](auto& p) { p.areas[0].capacity = {1, 2, 3}; }) ==
        "area 0 (Pit) has places in an allocation that does not exist");
  CHECK(after([](auto& p) { p.areas[0].capacity = {1'000'000, 1}; }) ==
        "area 0 (Pit) has 1000001 places, the most is 1000000");
  CHECK(after([](auto& p) { p.areas[0].capacity = {0xffffffff, 0xffffffff}; }) ==
        "area 0 (Pit) has 8589934590 places, the most is 1000000");
  CHECK(after([](auto& p) { p.areas.resize(1025); }) == "there are 1025 areas, the most is 1024");
}
