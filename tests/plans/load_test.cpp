#include "plans/load.hpp"

#include <cstdlib>
#include <fstream>

#include <doctest/doctest.h>
#include <unistd.h>

#include "tests/plans/plans_support.hpp"

using namespace holdfast;
namespace fs = std::filesystem;
using plans_test::contains;
using plans_test::refusal;

namespace {

const fs::path samples = fs::path(HOLDFAST_SOURCE_DIR) / "configs" / "plans";

class scratch {
 public:
  scratch() {
    auto name = (fs::temp_directory_path() / "holdfast-plans-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    dir_ = name;
  }
  scratch(const scratch&) = delete;
  scratch& operator=(const scratch&) = delete;
  ~scratch() { fs::remove_all(dir_); }

  fs::path file(const char* name, std::string_view text) const {
    std::ofstream(dir_ / name, std::ios::binary) << text;
    return dir_ / name;
  }
  [[nodiscard]] const fs::path& dir() const { return dir_; }

 private:
  fs::path dir_;
};

constexpr std::string_view tiny_drawing =
    R"({"name": "Drawn", "categories": [{"name": "x-1"}], "zones": [{"name": "Stalls", "position": {"x": 0, "y": 0}, "rows": [)"
    R"({"row_number": "A", "position": {"x": 0, "y": 0}, "seats": [{"seat_number": "1", "seat_guid": "g", "category": "x-1", )"
    R"("position": {"x": 0, "y": 0}}]}]}]})";

}  // namespace

TEST_CASE("the demo hall") {
  const auto r = plans::load_plan(samples / "demo.csv");
  REQUIRE_MESSAGE(r.ok(), refusal(r));
  const auto n = plans::count_places(r->plan);
  CHECK(r->plan.name == "demo");
  CHECK(n.seats == 120);
  CHECK(n.area_places == 60);
  CHECK(n.accessible == 1);
  CHECK(n.companion == 2);
  CHECK(n.restricted_view == 2);
  CHECK(r->plan.allocations == std::vector<std::string>{"public", "sponsor", "house", "members"});
  CHECK(n.allocations[1].seats == 16);
  CHECK(n.allocations[3].area_places == 15);
  CHECK(r->warnings.empty());
  CHECK(contains(plans_test::picture(r->plan), "Stalls/D: 1 2 3 4 5 6 7 | 8 9 10 11 12 13 14; "));
  CHECK(contains(plans_test::picture(r->plan), "Balcony/2: 11 9 7 5 3 1 | 2 4 6 8 10 12; "));

  const auto text = plans::describe(*r);
  CHECK(contains(text, "demo: 120 seats in 18 row segments of 3 zones, 60 standing places in 1 area (csv)\n"));
  CHECK(contains(text, "  flags       1 accessible, 2 companion, 2 restricted view\n"));
}

TEST_CASE("the arena has exactly fifty thousand seats") {
  const auto r = plans::load_plan(samples / "arena-50000.csv");
  REQUIRE_MESSAGE(r.ok(), refusal(r));
  const auto n = plans::count_places(r->plan);
  CHECK(n.seats == 50'000);
  CHECK(n.area_places == 0);
  CHECK(n.zones.size() == 73);
  CHECK(n.categories.size() == 6);
  CHECK(n.accessible == 48);
  CHECK(n.companion == 48);
  CHECK(r->plan.rows.size() == 24 * (30 + 12 + 34 * 2) + 34);
  base::bytes b;
  base::byte_writer w(b);
  core::encode_plan(r->plan, w);
  CHECK(b.size() < 200'000);
}

TEST_CASE("the stadium, with standing room and a wheelchair place from a side file") {
  const scratch tmp;
  plans::load_options how;
  how.side = tmp.file("stadium.toml",
                      "name = 'Cup final'\n"
                      "[[area]]\nname = 'Curve'\ncategory = 'Standing'\ncapacity = 500\n"
                      "[[mark]]\nseats = ['ccb6d8c1-b81e-491b-b2ae-e8a4644c6616']\nflags = ['accessible']\n");
  const auto r = plans::load_plan(samples / "stadium.pretix.json", how);
  REQUIRE_MESSAGE(r.ok(), refusal(r));
  CHECK(r->format == "pretix");
  CHECK(r->plan.name == "Cup final");
  CHECK(r->plan.places() == 1238);
  CHECK(r->plan.categories.size() == 6);
  CHECK(plans::count_places(r->plan).accessible == 1);
  CHECK((r->plan.seats[0].flags & core::seat_accessible) != 0);
  how.name = "Friendly";
  CHECK(plans::load_plan(samples / "stadium.pretix.json", how)->plan.name == "Friendly");
}

TEST_CASE("a side file maps the drawing's categories") {
  const scratch tmp;
  plans::load_options how;
  how.side = tmp.file("side.toml", "[categories]\n'x-1' = 'Gold'\n");
  const auto r = plans::load_plan(tmp.file("hall.json", tiny_drawing), how);
  REQUIRE_MESSAGE(r.ok(), refusal(r));
  CHECK(r->plan.categories[0].name == "Gold");
  CHECK(r->plan.name == "Drawn");
}

TEST_CASE("the kind of file is known by name or content") {
  const scratch tmp;
  CHECK(plans::load_plan(tmp.file("drawing", std::string("\xef\xbb\xbf \n") + std::string(tiny_drawing)))->format == "pretix");
  CHECK(plans::load_plan(tmp.file("table.txt", "zone,row,seat,category\nS,A,1,Gold\n"))->format == "csv");
  CHECK(contains(refusal(plans::load_plan(tmp.file("table.json", "zone,row,seat,category\n"))),
                 "table.json:1: is not JSON"));
}

TEST_CASE("files that cannot be used are named with the remedy") {
  const scratch tmp;
  const auto dir = tmp.dir().string();
  CHECK(refusal(plans::load_plan(tmp.dir() / "none.csv")) ==
        dir + "/none.csv: cannot be read (No such file or directory): check name and permissions");
  CHECK(refusal(plans::load_plan(tmp.dir())) == dir + ": is a directory: name the file of the seating plan");
  const auto plan = tmp.file("hall.csv", "zone,row,seat,category\nS,A,1,Gold\n");
  CHECK(contains(refusal(plans::load_plan(plan, {.side = tmp.dir() / "none.toml"})), "none.toml: cannot be read"));
  CHECK(refusal(plans::load_plan(plan, {.side = tmp.file("side.txt", "x")})) ==
        dir + "/side.txt: a side file is TOML or CSV: name it .toml or .csv");
  CHECK(refusal(plans::load_plan(plan, {.name = std::string(65, 'x')})) ==
        dir + "/hall.csv: the plan's name has 65 bytes, the most is 64");
  CHECK(refusal(plans::load_plan(tmp.file("none.json", R"({"name": "x", "categories": [], "zones": []})"))) ==
        dir + "/none.json: the plan has no seats: draw some, or give standing areas in a side file");
  CHECK(contains(refusal(plans::load_plan(plan, {.side = tmp.file("side.csv", "zone,row,seat,flags\nS,B,1,accessible\n")})),
                 "side.csv:2: there is no seat \"S/B/1\""));
}

TEST_CASE("a hall of standing room alone is a plan") {
  const scratch tmp;
  const auto r = plans::load_plan(tmp.file("none.json", R"({"name": "Club", "categories": [], "zones": []})"),
                                  {.side = tmp.file("club.csv", "zone,row,seat,category,capacity\nFloor,,,Standing,800\n")});
  REQUIRE_MESSAGE(r.ok(), refusal(r));
  CHECK(r->plan.places() == 800);
}

TEST_CASE("errors are one line") {
  const scratch tmp;
  for (const auto* text : {"", "zone\n", "zone,row,seat,category\nS,A,1-,x\n", "zone,row,seat,category\n\"\n"}) {
    const auto r = plans::load_plan(tmp.file("x.csv", text));
    REQUIRE_FALSE(r.ok());
    CHECK(r.failure().kind == base::trouble::bad_input);
    CHECK_FALSE(contains(r.failure().text, "\n"));
  }
}
