#include "plans/side_file.hpp"

#include <doctest/doctest.h>

#include "plans/csv.hpp"
#include "tests/plans/plans_support.hpp"

using namespace holdfast;
using plans_test::contains;
using plans_test::refusal;

namespace {

plans::import_report hall() {
  return *plans::import_csv("zone,row,seat,category\nWest/East,A,\"1-4,5-8\",Gold\nWest/East,B,1-8,Silver\n",
                            {.source = "hall.csv", .name = "Hall"});
}

base::result<plans::import_report> with_toml(std::string_view text) {
  auto side = plans::read_side_toml(text, "hall.toml");
  if (!side) return side.failure();
  auto report = hall();
  if (auto r = plans::apply_side_file(*side, report); !r) return r.failure();
  CHECK(core::check_plan(report.plan).ok());
  return report;
}

base::result<plans::import_report> with_csv(std::string_view text) {
  auto side = plans::read_side_csv(text, "side.csv");
  if (!side) return side.failure();
  auto report = hall();
  if (auto r = plans::apply_side_file(*side, report); !r) return r.failure();
  CHECK(core::check_plan(report.plan).ok());
  return report;
}

/// The seats with this property, as "A1 A2".
template <class F>
std::string seats(const plans::import_report& r, F has) {
  std::string out;
  for (const auto& s : r.plan.seats)
    if (has(s)) out += (out.empty() ? "" : " ") + r.plan.rows[s.row].label + s.number;
  return out;
}

std::string in_allocation(const plans::import_report& r, std::uint8_t a) {
  return seats(r, [&](const auto& s) { return s.allocation == a; });
}

}  // namespace

TEST_CASE("TOML: areas, allocations, flags and names") {
  const auto side = plans::read_side_toml("name = 'Gala'\n[categories]\n'x-1' = 'Gold'\n", "hall.toml");
  REQUIRE(side.ok());
  CHECK(side->name == "Gala");
  CHECK(side->category_names.at("x-1") == "Gold");

  const auto r = with_toml(R"(
[[area]]
name = "Pit"
category = "Standing"
capacity = { public = 300, partner = 100 }

[[area]]
name = "Ramp"
category = "Gold"
capacity = 20

[[mark]]
seats = ["West/East/A/1-2", "West/East/B/8"]
allocation = "partner"

[[mark]]
seats = ["West/East/B/1,3"]
flags = ["accessible", "restricted"]

[[mark]]
seats = ["West/East/A/8"]
category = "Silver"
)");
  REQUIRE_MESSAGE(r.ok(), refusal(r));
  const auto& p = r->plan;
  CHECK(p.allocations == std::vector<std::string>{"public", "partner"});
  REQUIRE(p.areas.size() == 2);
  CHECK(p.areas[0].capacity == std::vector<std::uint32_t>{300, 100});
  CHECK(p.categories[p.areas[0].category].name == "Standing");
  CHECK(p.areas[1].capacity == std::vector<std::uint32_t>{20});
  CHECK(in_allocation(*r, 1) == "A1 A2 B8");
  CHECK(seats(*r, [](const auto& s) { return (s.flags & core::seat_accessible) != 0; }) == "B1 B3");
  CHECK(seats(*r, [](const auto& s) { return (s.flags & core::seat_restricted_view) != 0; }) == "B1 B3");
  CHECK(seats(*r, [](const auto& s) { return s.category == 1; }) == "A8 B1 B2 B3 B4 B5 B6 B7 B8");
  CHECK(plans_test::picture(p) == "West/East/A: 1 2 3 4 | 5 6 7 8; West/East/B: 1 2 3 4 5 6 7 8");
}

TEST_CASE("CSV: the same columns as a plan, the category only where it changes") {
  const auto r = with_csv("zone,row,seat,category,allocation,flags,capacity\n"
                          "West/East,A,1-2,,partner\n"
                          "West/East,A-B,4,,,accessible\n"
                          "West/East,B,8,Gold\n"
                          "Pit,,,Standing,,,300\n"
                          "Pit,,,Standing,partner,,100\n");
  REQUIRE_MESSAGE(r.ok(), refusal(r));
  CHECK(in_allocation(*r, 1) == "A1 A2");
  CHECK(seats(*r, [](const auto& s) { return (s.flags & core::seat_accessible) != 0; }) == "A4 B4");
  CHECK(seats(*r, [](const auto& s) { return s.category == 0; }) == "A1 A2 A3 A4 A5 A6 A7 A8 B8");
  CHECK(r->plan.areas[0].capacity == std::vector<std::uint32_t>{300, 100});
}

TEST_CASE("a mark must fit exactly one seat for each name") {
  const auto mark = [](const std::string& seats) {
    return refusal(with_toml("[[mark]]\nseats = [\"" + seats + "\"]\nallocation = \"house\"\n"));
  };
  CHECK(mark("West/East/A/9") ==
        "hall.toml:1: there is no seat \"West/East/A/9\" in the plan: name it as zone/row/number or by "
                                 "its uuid");
  CHECK(contains(mark("West/East/A/7-9"), "there is no seat \"West/East/A/9\""));
  CHECK(contains(mark("nonsense"), "there is no seat \"nonsense\""));
  CHECK(contains(mark("/"), "there is no seat \"/\""));
  CHECK(contains(mark("West/East/A/1-"), "hall.toml:1: \"West/East/A/1-\": \"1-\" is not a range"));

  auto report = hall();
  for (std::size_t i : {0U, 1U}) {
    report.plan.seats[i].number = "1";
    report.plan.seats[i].identity = "u" + std::to_string(i);
  }
  auto side = *plans::read_side_toml("[[mark]]\nseats = ['West/East/A/1']\nallocation = 'house'\n", "hall.toml");
  CHECK(refusal(plans::apply_side_file(side, report)) ==
        "hall.toml:1: \"West/East/A/1\" fits 2 seats of the plan: name the one that is meant by its uuid");
  side = *plans::read_side_toml("[[mark]]\nseats = ['u1']\nallocation = 'house'\n", "hall.toml");
  REQUIRE(plans::apply_side_file(side, report).ok());
  CHECK(report.plan.seats[1].allocation == 1);
  CHECK(report.plan.seats[0].allocation == 0);
}

TEST_CASE("two marks that disagree are an error") {
  CHECK(refusal(with_csv("zone,row,seat,allocation\nWest/East,A,1-4,house\nWest/East,A,4,partner\n")) ==
        "side.csv:3: seat \"West/East/A/4\" has its allocation from side.csv:2 already: keep one of the two");
  CHECK(refusal(with_csv("zone,row,seat,category\nWest/East,A,1-4,Gold\nWest/East,A,4,Gold\n")) ==
        "side.csv:3: seat \"West/East/A/4\" has its category from side.csv:2 already: keep one of the two");
  CHECK(with_csv("zone,row,seat,allocation,flags\nWest/East,A,1-4,house\nWest/East,A,4,,accessible\n").ok());
}

TEST_CASE("a faulty side file is named by line") {
  const auto toml = [](const std::string& text) { return refusal(with_toml(text)); };
  CHECK(contains(toml("\nname = \n"), "hall.toml:2: "));
  CHECK(toml("\nseat = 1\n") == "hall.toml:2: key \"seat\" is unknown: the file may have name, categories, area, mark");
  CHECK(toml("name = 5\n") == "hall.toml:1: \"name\" must be a text in quotes");
  CHECK(toml("area = 5\n") == "hall.toml:1: \"area\" must be written as [[area]]");
  CHECK(toml("area = [5]\n") == "hall.toml:1: \"area\" must be written as [[area]]");
  CHECK(toml("categories = 5\n") == "hall.toml:1: \"categories\" must be written as [categories]");
  CHECK(toml("[categories]\nx = 5\n") == "hall.toml:2: category \"x\" must be given a name in quotes");
  CHECK(toml("[[area]]\nname = 'Pit'\n") == "hall.toml:1: an area needs a name and a category");
  CHECK(contains(toml("[[area]]\nname = 'Pit'\ncategory = 'S'\n"),
                 "hall.toml:1: the capacity of area \"Pit\" must be a number"));
  CHECK(contains(toml("[[area]]\nname = 'Pit'\ncategory = 'S'\ncapacity = 0\n"),
                 "hall.toml:4: the capacity of area \"Pit\""));
  CHECK(contains(toml("[[area]]\nname = 'Pit'\ncategory = 'S'\ncapacity = '5'\n"), "hall.toml:4: the capacity"));
  CHECK(contains(toml("[[area]]\nname = 'Pit'\ncategory = 'S'\ncapacity = {}\n"), "hall.toml:4: the capacity"));
  CHECK(contains(toml("[[area]]\nname = 'Pit'\ncategory = 'S'\ncapacity = { a = -1 }\n"), "hall.toml:4: the capacity"));
  CHECK(contains(toml("[[area]]\nname = 'Pit'\ncategory = 'S'\nplaces = 5\n"),
                 "hall.toml:4: key \"places\" is unknown"));
  CHECK(contains(toml("[[mark]]\nflags = ['accessible']\n"), "hall.toml:1: a mark needs seats"));
  CHECK(contains(toml("[[mark]]\nseats = 'West/East/A/1'\n"), "hall.toml:2: \"seats\" must be a list of texts"));
  CHECK(contains(toml("[[mark]]\nseats = [1]\n"), "hall.toml:2: \"seats\" must be a list of texts"));
  CHECK(toml("[[mark]]\nseats = ['West/East/A/1']\n") ==
        "hall.toml:1: says nothing about its seats: give a category, an allocation or flags");
  CHECK(contains(toml("[[mark]]\nseats = ['West/East/A/1']\nflags = ['vip']\n"),
                 "hall.toml:1: flag \"vip\" is unknown"));

  CHECK(contains(refusal(with_csv("zone,row\n")),
                 "side.csv:1: column \"seat\" is missing: the first line names the columns, zone,"
                                                  "row,seat at least"));
  CHECK(contains(refusal(with_csv("zone,row,seat,capacity\nPit,,,5\n")), "side.csv:2: the category is empty"));
  CHECK(contains(refusal(with_csv("zone,row,seat\nWest/East,A,1\n")), "side.csv:2: says nothing about its seats"));
}
