#include "plans/pretix.hpp"

#include <fstream>
#include <set>
#include <sstream>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "base/random.hpp"
#include "tests/plans/plans_support.hpp"

using namespace holdfast;
using nlohmann::json;
using plans_test::contains;
using plans_test::picture;
using plans_test::refusal;

namespace {

json seat(const char* number, double x, const char* category = "Gold") {
  static int made = 0;
  return {{"seat_number", number}, {"seat_guid", "guid-" + std::to_string(++made)}, {"uuid", "uuid-" + std::to_string(made)},
          {"category", category}, {"position", {{"x", x}, {"y", 0}}}};
}

json row(const char* number, std::vector<json> seats) {
  return {{"row_number", number}, {"seats", std::move(seats)}, {"position", {{"x", 100}, {"y", 10}}}};
}

json drawing(std::vector<json> rows) {
  return {{"name", "Hall"},
          {"categories", {{{"name", "Gold"}, {"color", "#FFCC00"}}, {{"name", "Silver"}, {"color", "#ccc"}}}},
          {"size", {{"width", 1000}, {"height", 1000}}},
          {"zones", {{{"name", "Stalls"}, {"position", {{"x", 1000}, {"y", 500}}}, {"rows", std::move(rows)}}}}};
}

json one_row() { return drawing({row("A", {seat("1", 0), seat("2", 25), seat("3", 50)})}); }
json& seat_at(json& d, std::size_t i) { return d["zones"][0]["rows"][0]["seats"][i]; }

base::result<plans::import_report> import(const json& d, plans::import_options how = {}) {
  how.source = "hall.json";
  return plans::import_pretix(d.dump(), how);
}

std::string read_sample() {
  std::ifstream in(HOLDFAST_SOURCE_DIR "/configs/plans/stadium.pretix.json", std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

}  // namespace

TEST_CASE("the stadium has 738 seats, each its own, although only 318 guids are different") {
  const auto r = plans::import_pretix(read_sample(), {.source = "stadium.pretix.json"});
  REQUIRE_MESSAGE(r.ok(), refusal(r));
  const auto& p = r->plan;
  CHECK(p.seats.size() == 738);
  CHECK(p.places() == 738);
  CHECK(p.rows.size() == 90);
  CHECK(p.zones == std::vector<std::string>{"Ground floor", p.zones[1]});
  CHECK(p.categories.size() == 5);
  CHECK(p.categories[0].color == "#F44336");
  CHECK(p.areas.empty());
  CHECK(r->decorations == 1);
  CHECK(r->rows_split == 0);

  std::set<std::string> identities;
  for (const auto& s : p.seats) {
    identities.insert(s.identity);
    CHECK(s.identity.size() == 36);
  }
  CHECK(identities.size() == 738);
  REQUIRE(r->warnings.size() == 2);
  CHECK(contains(r->warnings[0], "seat_guid is not unique: 318 different ones for 738 seats"));
  CHECK(contains(r->warnings[0], "seats are identified by uuid"));
  CHECK(contains(r->warnings[1], "zone, row and number are the same for"));

  // The first seat of the first row stands where that row stands, as its zone stands at 0 0.
  CHECK(p.seats[0].x == doctest::Approx(1261.05673));
  CHECK(p.seats[0].y == doctest::Approx(478.852137));
  CHECK(p.seats[1].x == doctest::Approx(1286.05673));

  const auto counts = plans::count_places(p);
  CHECK(counts.seats == 738);
  CHECK(counts.zones[0].seats + counts.zones[1].seats == 738);
  CHECK(counts.zones[0].segments + counts.zones[1].segments == 90);
}

TEST_CASE("the stadium cannot be identified by guid or path, and says so") {
  plans::import_options how;
  how.source = "stadium.pretix.json";
  how.identity = plans::identity_rule::guid;
  const auto by_guid = plans::import_pretix(read_sample(), how);
  CHECK(contains(refusal(by_guid), "are two seats with one seat_guid \"Groundfloor-"));
  CHECK(contains(refusal(by_guid), "stadium.pretix.json: /zones/0/rows/0/seats/"));
  how.identity = plans::identity_rule::path;
  CHECK(contains(refusal(plans::import_pretix(read_sample(), how)),
                 "are two seats with one zone, row and number \"Ground floor/"));
}

TEST_CASE("positions nest: a seat stands at zone plus row plus seat") {
  const auto r = import(one_row());
  REQUIRE_MESSAGE(r.ok(), refusal(r));
  CHECK(r->plan.seats[1].x == 1000 + 100 + 25);
  CHECK(r->plan.seats[1].y == 500 + 10);
  CHECK(r->plan.name == "Hall");
  CHECK(r->plan.categories[1].color == "#cccccc");
  CHECK(picture(r->plan) == "Stalls/A: 1 2 3");
  CHECK(r->warnings.empty());
}

TEST_CASE("neighbours follow from order and distance, never from printed numbers") {
  const auto drawn = [](std::vector<json> seats) {
    const auto r = import(drawing({row("A", std::move(seats))}));
    return r ? picture(r->plan) : refusal(r);
  };
  CHECK(drawn({seat("1", 0), seat("9", 25), seat("x", 50)}) == "Stalls/A: 1 9 x");
  CHECK(drawn({seat("3", 50), seat("2", 25), seat("1", 0)}) == "Stalls/A: 3 2 1");
  CHECK(drawn({seat("1", 0), seat("2", 25), seat("3", 75), seat("4", 100)}) == "Stalls/A: 1 2 | 3 4");
  CHECK(drawn({seat("1", 0), seat("2", 25), seat("3", 100)}) == "Stalls/A: 1 2 | 3");
  // 40 is just what 1.6 times 25 allows, 41 is more.
  CHECK(drawn({seat("1", 0), seat("2", 25), seat("3", 65), seat("4", 90)}) == "Stalls/A: 1 2 3 4");
  CHECK(drawn({seat("1", 0), seat("2", 25), seat("3", 66), seat("4", 91)}) == "Stalls/A: 1 2 | 3 4");
  // In the order of the file 1 3 2, the steps are 50 and 25: 3 is further from 1 than the row's usual step.
  CHECK(drawn({seat("1", 0), seat("3", 50), seat("2", 25)}) == "Stalls/A: 1 | 3 2");
  CHECK(drawn({seat("1", 0), seat("2", 90)}) == "Stalls/A: 1 2");
  CHECK(drawn({seat("1", 0)}) == "Stalls/A: 1");
}

TEST_CASE("two rows of one label are two segments, and so are the parts of a row with an aisle") {
  const auto r = import(drawing({row("A", {seat("1", 0), seat("2", 25), seat("3", 50), seat("4", 125), seat("5", 150)}),
                                 row("A", {seat("6", 0), seat("7", 25)})}));
  REQUIRE(r.ok());
  CHECK(picture(r->plan) == "Stalls/A: 1 2 3 | 4 5 | 6 7");
  CHECK(r->plan.rows.size() == 3);
  CHECK(r->rows_split == 1);
}

TEST_CASE("seats in one spot are kept, and warned about") {
  const auto r = import(drawing({row("A", {seat("1", 0), seat("2", 0), seat("3", 0)})}));
  REQUIRE(r.ok());
  CHECK(r->plan.seats.size() == 3);
  CHECK(r->warnings == std::vector<std::string>{"2 seats drawn exactly where another of the row stands"});
}

TEST_CASE("identity: uuid, else guid, else path") {
  auto d = one_row();
  seat_at(d, 0)["uuid"] = "u0";
  seat_at(d, 1).erase("uuid");
  seat_at(d, 1)["seat_guid"] = "g1";
  seat_at(d, 2).erase("uuid");
  seat_at(d, 2).erase("seat_guid");
  auto r = import(d);
  REQUIRE_MESSAGE(r.ok(), refusal(r));
  CHECK(r->plan.seats[0].identity == "u0");
  CHECK(r->plan.seats[1].identity == "g1");
  CHECK(r->plan.seats[2].identity == "Stalls/A/3");
  REQUIRE(r->warnings.size() == 2);
  CHECK(r->warnings[0] == "1 seat without uuid identified by seat_guid");
  CHECK(r->warnings[1] == "1 seat with neither uuid nor seat_guid identified by zone/row/number");

  plans::import_options how;
  how.identity = plans::identity_rule::path;
  r = import(d, how);
  REQUIRE(r.ok());
  CHECK(r->plan.seats[0].identity == "Stalls/A/1");
  how.identity = plans::identity_rule::uuid;
  CHECK(refusal(import(d, how)) ==
        "hall.json: /zones/0/rows/0/seats/1: the seat has no uuid: add one, or identify seats by something else");
}

TEST_CASE("two seats of one identity are an error that names both") {
  auto d = one_row();
  seat_at(d, 2)["uuid"] = seat_at(d, 0)["uuid"] = "same";
  CHECK(refusal(import(d)) ==
        "hall.json: /zones/0/rows/0/seats/0 and /zones/0/rows/0/seats/2: are two seats with one uuid "
                              "\"same\": give each its own uuid, or identify seats by guid");
  for (std::size_t i = 0; i < 3; ++i) {
    seat_at(d, i).erase("uuid");
    seat_at(d, i)["seat_guid"] = "same";
  }
  CHECK(refusal(import(d)) == "hall.json: /zones/0/rows/0/seats/0 and /zones/0/rows/0/seats/1: are two seats with one "
                              "seat_guid \"same\": give each its own seat_guid, or identify seats by path");
  plans::import_options how;
  how.identity = plans::identity_rule::path;
  const auto r = import(d, how);
  REQUIRE(r.ok());
  REQUIRE(r->warnings.size() == 1);
  CHECK(contains(r->warnings[0], "seat_guid is not unique: 1 different ones for 3 seats (first repeated: \"same\"); seats are "
                                 "identified by path"));
  for (std::size_t i = 0; i < 3; ++i) {
    seat_at(d, i).erase("seat_guid");
    seat_at(d, i)["seat_number"] = "1";
  }
  CHECK(contains(refusal(import(d)), "are two seats with one zone, row and number \"Stalls/A/1\": give each its own"));
}

TEST_CASE("unknown fields are ignored with a warning and a count") {
  auto d = one_row();
  for (std::size_t i = 0; i < 3; ++i) seat_at(d, i)["status"] = "free";
  seat_at(d, 0)["wheelchair"] = true;
  d["nodes"] = json::array();
  d["categories"][0]["price"] = 5;
  d["zones"][0]["areas"] = {{{"shape", "text"}, {"text", {{"text", "Stage"}}}, {"glow", 1}}};
  const auto r = import(d);
  REQUIRE(r.ok());
  CHECK(r->warnings == std::vector<std::string>{"unknown field \"glow\" of areas ignored, 1 time",
                                                "unknown field \"nodes\" of the plan ignored, 1 time",
                                                "unknown field \"price\" of categories ignored, 1 time",
                                                "unknown field \"status\" of seats ignored, 3 times",
                                                "unknown field \"wheelchair\" of seats ignored, 1 time"});
  CHECK(r->decorations == 1);
}

TEST_CASE("labels follow their templates, and zones without a name get one") {
  auto d = one_row();
  d["zones"][0]["rows"][0]["row_label"] = "Table %s";
  d["zones"][0]["rows"][0]["seat_label"] = "%s left";
  d["zones"][0].erase("name");
  auto r = import(d);
  REQUIRE(r.ok());
  CHECK(picture(r->plan) == "Zone 1/Table A: 1 left 2 left 3 left");
  d["zones"][0]["zone_id"] = "stalls";
  d["zones"][0]["rows"][0]["row_label"] = nullptr;
  d["zones"][0]["rows"][0]["seat_label"] = nullptr;
  r = import(d);
  REQUIRE(r.ok());
  CHECK(picture(r->plan) == "stalls/A: 1 2 3");
}

TEST_CASE("what is missing or of a wrong type is named by its place") {
  const auto without = [](const char* pointer) {
    auto d = one_row();
    const json::json_pointer at(pointer);
    d.at(at.parent_pointer()).erase(at.back());
    return refusal(import(d));
  };
  CHECK(without("/name") == "hall.json: the required field \"name\" is missing: add it");
  CHECK(without("/categories") == "hall.json: the required field \"categories\" is missing: add it");
  CHECK(without("/zones") == "hall.json: the required field \"zones\" is missing: add it");
  CHECK(without("/categories/0/name") == "hall.json: /categories/0: the required field \"name\" is missing: add it");
  CHECK(without("/zones/0/rows") == "hall.json: /zones/0: the required field \"rows\" is missing: add it");
  CHECK(without("/zones/0/position") == "hall.json: /zones/0: the required field \"position\" is missing: add it");
  const std::string in_row = "hall.json: /zones/0/rows/0: the required field ";
  CHECK(without("/zones/0/rows/0/row_number") == in_row + "\"row_number\" is missing: add it");
  CHECK(without("/zones/0/rows/0/seats") == in_row + "\"seats\" is missing: add it");
  CHECK(without("/zones/0/rows/0/position") == in_row + "\"position\" is missing: add it");
  const std::string in_seat = "hall.json: /zones/0/rows/0/seats/1: the required field ";
  CHECK(without("/zones/0/rows/0/seats/1/seat_number") == in_seat + "\"seat_number\" is missing: add it");
  CHECK(without("/zones/0/rows/0/seats/1/category") == in_seat + "\"category\" is missing: add it");
  CHECK(without("/zones/0/rows/0/seats/1/position") == in_seat + "\"position\" is missing: add it");
  CHECK(without("/zones/0/rows/0/seats/1/position/y") ==
        "hall.json: /zones/0/rows/0/seats/1/position: the required field \"y\" is missing: add it");

  const auto with = [](const char* pointer, json value) {
    auto d = one_row();
    d[json::json_pointer(pointer)] = std::move(value);
    return refusal(import(d));
  };
  CHECK(with("/name", 5) == "hall.json: /name: is a number, it must be a text in quotes");
  CHECK(with("/zones", "x") == "hall.json: /zones: is a text, it must be a list");
  CHECK(with("/zones/0", 5) == "hall.json: /zones/0: is a number, it must be an object");
  CHECK(with("/zones/0/name", 5) == "hall.json: /zones/0/name: is a number, it must be a text in quotes");
  CHECK(with("/zones/0/areas", 5) == "hall.json: /zones/0/areas: is a number, it must be a list");
  CHECK(with("/zones/0/rows/0", nullptr) == "hall.json: /zones/0/rows/0: is null, it must be an object");
  CHECK(with("/zones/0/rows/0/seats/1", true) ==
        "hall.json: /zones/0/rows/0/seats/1: is true or false, it must be an object");
  CHECK(with("/zones/0/rows/0/seats/1/seat_number", 2) ==
        "hall.json: /zones/0/rows/0/seats/1/seat_number: is a number, it must be a text in quotes");
  CHECK(with("/zones/0/rows/0/seats/1/uuid", 2) ==
        "hall.json: /zones/0/rows/0/seats/1/uuid: is a number, it must be a text in quotes");
  CHECK(with("/zones/0/rows/0/seats/1/position", json::array()) ==
        "hall.json: /zones/0/rows/0/seats/1/position: is a list, it must be an object with x and y");
  CHECK(with("/zones/0/rows/0/seats/1/position/x", "1") ==
        "hall.json: /zones/0/rows/0/seats/1/position/x: is a text, it must be a number");
  CHECK(with("/zones/0/rows/0/seats/1/position/x", 1e300) ==
        "hall.json: /zones/0/rows/0/seats/1/position/x: is beyond 10000000: move it into the drawing");
  CHECK(with("/zones/0/rows/0/seats/1/seat_number", "") ==
        "hall.json: /zones/0/rows/0/seats/1: the seat's number is empty");
  CHECK(with("/zones/0/rows/0/seats/1/uuid", std::string(129, 'u')) ==
        "hall.json: /zones/0/rows/0/seats/1/uuid: the text has 129 bytes, the most is 128");
  CHECK(with("/zones/0/rows/0/row_number", std::string(65, 'A')) ==
        "hall.json: /zones/0/rows/0: the row's label has 65 bytes, the most is 64");
}

TEST_CASE("a category that the plan does not list is named with its seat") {
  auto d = one_row();
  seat_at(d, 1)["category"] = "Platinum";
  CHECK(refusal(import(d)) ==
        "hall.json: /zones/0/rows/0/seats/1/category: seat Stalls/A/2 is in category \"Platinum\", which "
                              "the plan does not list: add it to \"categories\" or correct the seat");
  d = one_row();
  d["categories"][1]["name"] = "Gold";
  CHECK(refusal(import(d)) == "hall.json: /categories/1/name: category \"Gold\" is there twice: rename or remove one");
}

TEST_CASE("categories of the drawing can be named and merged by the box office") {
  plans::import_options how;
  how.category_names = {{"Gold", "First"}, {"Silver", "First"}};
  const auto r = import(one_row(), how);
  REQUIRE(r.ok());
  REQUIRE(r->plan.categories.size() == 1);
  CHECK(r->plan.categories[0].name == "First");
  CHECK(r->plan.categories[0].color == "#FFCC00");
}

TEST_CASE("colours and rows that mean nothing are left out with a warning") {
  auto d = drawing({row("A", {seat("1", 0)}), row("B", {})});
  d["categories"][0]["color"] = "red";
  const auto r = import(d);
  REQUIRE(r.ok());
  CHECK(r->plan.categories[0].color.empty());
  CHECK(r->plan.rows.size() == 1);
  CHECK(r->warnings == std::vector<std::string>{"colour \"red\" of category \"Gold\" is not #RRGGBB and is left out",
                                                "1 row without seats left out"});
}

TEST_CASE("what is not JSON says in which line, and what is no plan says so") {
  const auto text = [](std::string_view t) { return refusal(plans::import_pretix(t, {.source = "hall.json"})); };
  CHECK(text("") == "hall.json:1: is not JSON from here on: export the plan again");
  CHECK(text("{\n\"name\": \"x\",\n}") == "hall.json:3: is not JSON from here on: export the plan again");
  CHECK(text("{\"name\": \"Caf\xe9\"}") == "hall.json:1: is not JSON from here on: export the plan again");
  CHECK(text("[1e999]") == "hall.json: holds a number that no computer can: correct it");
  CHECK(text("[]") == "hall.json: is a list, not a seating plan: it must be an object");
  CHECK(contains(text(std::string(100'000, '[')), "is not JSON"));
}

TEST_CASE("messages stay one harmless line, whatever they quote") {
  auto d = one_row();
  seat_at(d, 1)["category"] = "Plat\ninum\x1b[31m";
  CHECK(contains(refusal(import(d)), "is in category \"Plat?inum?[31m\""));
  d = one_row();
  d["no\nte"] = 1;
  d["categories"][0]["color"] = "r\ned";
  CHECK(import(d)->warnings == std::vector<std::string>{"colour \"r?ed\" of category \"Gold\" is not #RRGGBB and is left out",
                                                        "unknown field \"no?te\" of the plan ignored, 1 time"});
}

TEST_CASE("every cut of a drawing is refused") {
  const auto whole = one_row().dump();
  for (std::size_t n = 0; n < whole.size(); ++n)
    CHECK_FALSE(plans::import_pretix(std::string_view(whole).substr(0, n), {.source = "hall.json"}).ok());
}

TEST_CASE("random damage gives a good plan or a one-line error") {
  const auto good = one_row().dump();
  base::random dice(5);
  for (int round = 0; round < 5'000; ++round) {
    auto text = good;
    for (auto n = 1 + dice.below(3); n > 0; --n) {
      const char c = dice.chance(70) ? "{}[]:,\"\\0e-xn"[dice.below(13)] : static_cast<char>(dice.below(256));
      text[dice.below(text.size())] = c;
    }
    const auto r = plans::import_pretix(text, {.source = "hall.json"});
    if (r) CHECK(core::check_plan(r->plan).ok());
    else CHECK_FALSE(contains(r.failure().text, "\n"));
  }
}
