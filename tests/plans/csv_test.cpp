#include "plans/csv.hpp"

#include <doctest/doctest.h>

#include "base/random.hpp"
#include "plans/csv_reader.hpp"
#include "tests/plans/plans_support.hpp"

using namespace holdfast;
using plans_test::contains;
using plans_test::picture;
using plans_test::refusal;

namespace {

base::result<plans::import_report> import(const std::string& text) {
  plans::import_options how;
  how.source = "hall.csv";
  how.name = "Hall";
  return plans::import_csv(text, how);
}

const std::string head = "zone,row,seat,category,allocation,flags,capacity\n";

std::string drawn(const std::string& lines) {
  const auto r = import(head + lines);
  return r ? picture(r->plan) : refusal(r);
}

}  // namespace

TEST_CASE("a range is a run, and a gap between ranges is an aisle") {
  CHECK(drawn("Stalls,A,\"1-4,31-34\",Gold\n") == "Stalls/A: 1 2 3 4 | 31 32 33 34");
  CHECK(drawn("Stalls,A,1-4|31-34,Gold\n") == "Stalls/A: 1 2 3 4 | 31 32 33 34");
  CHECK(drawn("Stalls,A-C,\"1-2,3\",Gold\n") == "Stalls/A: 1 2 | 3; Stalls/B: 1 2 | 3; Stalls/C: 1 2 | 3");
}

TEST_CASE("two lines of ranges are two runs, unless the second joins the first") {
  CHECK(drawn("S,A,1-2,Gold\nS,A,3-4,Gold\n") == "S/A: 1 2 | 3 4");
  CHECK(drawn("S,A,1-2,Gold\nS,A,+3-4,Silver\n") == "S/A: 1 2 3 4");
  CHECK(drawn("S,A,1-2,Gold\nS,A,+3,Gold,,accessible\nS,A,+4-5,Gold\n") == "S/A: 1 2 3 4 5");
  CHECK(contains(drawn("S,A,1-2,Gold\nS,B,+3,Gold\n"),
                 "hall.csv:3: \"+\" goes on from the line before, but that is not row B"));
  CHECK(contains(drawn("S,A,+1,Gold\n"), "hall.csv:2: \"+\" goes on from the line before"));
}

TEST_CASE("lines of one seat each stand side by side in their order, whatever their numbers") {
  CHECK(drawn("S,A,1,Gold\nS,A,3,Gold\nS,A,2,Gold\nS,B,1,Gold\n") == "S/A: 1 3 2; S/B: 1");
  CHECK(drawn("S,A,1,Gold\nS,A,|2,Gold\nS,A,3,Gold\n") == "S/A: 1 | 2 3");
  CHECK(drawn("S,A,1,Gold\nS,B,1,Gold\nS,A,2,Gold\n") == "S/A: 1; S/B: 1; S/A: 2");
  CHECK(drawn("S,A,1-2,Gold\nS,A,3,Gold\nS,A,4,Gold\n") == "S/A: 1 2 | 3 4");
}

TEST_CASE("categories, allocations, flags and standing areas") {
  const auto r = import(head +
                        "Stalls,A,1-2,Gold\n"
                        "Stalls,A,+3,Gold,house,accessible\n"
                        "Stalls,A,+4,Gold,,companion|restricted\n"
                        "Pit,,,Standing,,,40\n"
                        "Pit,,,Standing,members,,10\n"
                        "Ramp,,,Gold,members,,5\n");
  REQUIRE_MESSAGE(r.ok(), refusal(r));
  const auto& p = r->plan;
  CHECK(r->format == "csv");
  CHECK(p.name == "Hall");
  REQUIRE(p.categories.size() == 2);
  CHECK(p.categories[1].name == "Standing");
  CHECK(p.allocations == std::vector<std::string>{"public", "house", "members"});
  REQUIRE(p.seats.size() == 4);
  CHECK(p.seats[2].identity == "Stalls/A/3");
  CHECK(p.seats[2].allocation == 1);
  CHECK(p.seats[2].flags == (core::seat_accessible | core::seat_next_adjacent));
  CHECK(p.seats[3].flags == (core::seat_companion | core::seat_restricted_view));
  REQUIRE(p.areas.size() == 2);
  CHECK(p.areas[0].capacity == std::vector<std::uint32_t>{40, 0, 10});
  CHECK(p.areas[1].capacity == std::vector<std::uint32_t>{0, 0, 5});
  CHECK(p.places() == 59);
  CHECK(r->warnings.empty());
}

TEST_CASE("made-up positions put rows below one another and leave room for aisles") {
  const auto r = import(head + "S,A,\"1-2,3\",Gold\nS,B,1,Gold\nT,A,1,Gold\nS,A,4,Gold\n");
  REQUIRE(r.ok());
  const auto at = [&](std::size_t i) { return std::pair{r->plan.seats[i].x, r->plan.seats[i].y}; };
  CHECK(at(0) == std::pair{0.0F, 0.0F});
  CHECK(at(1) == std::pair{1.0F, 0.0F});
  CHECK(at(2) == std::pair{3.0F, 0.0F});
  CHECK(at(3) == std::pair{0.0F, 1.0F});
  CHECK(at(4) == std::pair{0.0F, 3.0F});
  CHECK(at(5) == std::pair{5.0F, 0.0F});
  CHECK(r->rows_split == 1);
}

TEST_CASE("files as spreadsheets write them") {
  const auto semicolons = import("\xef\xbb\xbfZone;Row;Seat;Category\r\nStalls;A;1-2,3;Gold\r\n\r\n");
  REQUIRE_MESSAGE(semicolons.ok(), refusal(semicolons));
  CHECK(picture(semicolons->plan) == "Stalls/A: 1 2 | 3");

  const auto tabs = import("category\tseat\trow\tzone\rGold\t1-2\tA\tStalls");
  REQUIRE_MESSAGE(tabs.ok(), refusal(tabs));
  CHECK(picture(tabs->plan) == "Stalls/A: 1 2");

  const auto quotes = import("# our hall\nzone,row,seat,category\n\"The \"\"Gods\"\", left\" , A , 1 , \"Gold\"\n");
  REQUIRE_MESSAGE(quotes.ok(), refusal(quotes));
  CHECK(quotes->plan.zones[0] == "The \"Gods\", left");

  const auto more = import("zone,row,seat,category,price,price2\nStalls,A,1,Gold,50\n");
  REQUIRE(more.ok());
  CHECK(more->warnings == std::vector<std::string>{"column \"price\" is unknown and ignored",
                                                   "column \"price2\" is unknown and ignored"});
}

TEST_CASE("a faulty header is named") {
  CHECK(contains(refusal(import("")), "hall.csv: the file is empty"));
  CHECK(contains(refusal(import("# nothing\n\n")), "hall.csv: the file is empty"));
  CHECK(contains(refusal(import("zone,row,seat\n")), "hall.csv:1: column \"category\" is missing"));
  CHECK(contains(refusal(import("zone,row,seat,category,row\n")), "hall.csv:1: column \"row\" is there twice"));
  CHECK(contains(refusal(import(head)), "hall.csv: the plan has no seats and no standing areas"));
}

TEST_CASE("a faulty line is named, with the remedy") {
  CHECK(contains(drawn("S,A,1-4,31-34,Gold,,,\n"),
                 "hall.csv:2: the line has 8 fields, the header 7: put quotes around lists"));
  CHECK(contains(drawn(",A,1,Gold\n"), "hall.csv:2: the zone is empty"));
  CHECK(contains(drawn("S,,1,Gold\n"), "hall.csv:2: the row is empty"));
  CHECK(contains(drawn("S,A,,Gold\n"), "hall.csv:2: the seat is empty"));
  CHECK(contains(drawn("S,A,1\n"), "hall.csv:2: the category is empty"));
  CHECK(contains(drawn("S,A,1-,Gold\n"), "hall.csv:2: seat: \"1-\" is not a range"));
  CHECK(contains(drawn("S,A-3,1,Gold\n"), "hall.csv:2: row: \"A-3\" is not a range"));
  CHECK(contains(drawn("S,+A,1,Gold\n"), "hall.csv:2: row: \"+\" and \"|\" at the start are for seats only"));
  CHECK(contains(drawn("S,A-B,+1,Gold\n"),
                 "hall.csv:2: seats that begin with \"+\" or \"|\" go on from the line before"));
  CHECK(contains(drawn("S,A,1,Gold,,wheelchair\n"), "hall.csv:2: flag \"wheelchair\" is unknown: use accessible"));
  CHECK(contains(drawn("S,A,\"1\n\n\n"), "hall.csv:2: a quoted field is not closed"));
  CHECK(contains(drawn("\n\nS,A,\"1\"2,Gold\n"), "hall.csv:4: text follows a closing quote"));
  CHECK(contains(drawn("Caf\xe9,A,1,Gold\n"),
                 "hall.csv:2: the zone is not printable UTF-8 text: save the file as CSV in UTF-8"));
  CHECK(contains(drawn("S,A,\"1\n\",Gold\n"), "hall.csv:2: the seat is not printable UTF-8 text"));
  CHECK(contains(drawn(std::string(65, 'S') + ",A,1,Gold\n"), "hall.csv:2: the zone has 65 bytes, the most is 64"));
  CHECK(contains(drawn("S," + std::string(65, 'A') + ",1,Gold\n"), "hall.csv:2: the row has 65 bytes, the most is 64"));
  CHECK(contains(drawn("S,A," + std::string(33, '1') + ",Gold\n"),
                 "hall.csv:2: the seat has 33 bytes, the most is 32"));
  CHECK(contains(drawn(std::string(64, 'S') + "," + std::string(60, 'A') + ",12345,Gold\n"),
                 "hall.csv:2: zone, row and seat together have 131 bytes, the most is 128"));
  CHECK(contains(drawn("S,A,1," + std::string(65, 'G') + "\n"), "hall.csv:2: the category has 65 bytes"));
  CHECK(contains(drawn("S,A,1,Gold," + std::string(65, 'a') + "\n"), "hall.csv:2: the allocation has 65 bytes"));
}

TEST_CASE("a seat is there once") {
  CHECK(drawn("S,A,1-4,Gold\nS,B,1,Gold\nS,A,3,Silver\n") ==
        "hall.csv:4: seat S/A/3 is there already (hall.csv:2): remove one of the two");
  CHECK(drawn("S,A,\"1-4,4\",Gold\n") ==
        "hall.csv:2: seat S/A/4 is there already (on the same line): remove one of the two");
}

TEST_CASE("a faulty standing area is named") {
  CHECK(contains(drawn("Pit,,,Standing,,,0\n"), "hall.csv:2: capacity \"0\" is not a number of places from 1"));
  CHECK(contains(drawn("Pit,,,Standing,,,-5\n"), "hall.csv:2: capacity \"-5\" is not a number"));
  CHECK(contains(drawn("Pit,,,Standing,,,12x\n"), "hall.csv:2: capacity \"12x\" is not a number"));
  CHECK(contains(drawn("Pit,,,Standing,,,99999999999\n"), "hall.csv:2: capacity \"99999999999\" is not a number"));
  CHECK(contains(drawn("Pit,A,1,Standing,,,5\n"), "hall.csv:2: a line with a capacity is a standing area"));
  CHECK(contains(drawn("Pit,,,Standing,,accessible,5\n"), "hall.csv:2: flags belong to seats"));
  CHECK(contains(drawn("Pit,,,Standing,,,1000001\n"),
                 "hall.csv:2: area \"Pit\" has 1000001 places, the most is 1000000"));
  CHECK(contains(drawn("Pit,,,Standing,,,5\nPit,,,Gold,house,,5\n"),
                 "hall.csv:3: area \"Pit\" is in category \"Standing\" already"));
  CHECK(contains(drawn("Pit,,,Standing,,,5\nPit,,,Standing,public,,6\n"),
                 "hall.csv:3: area \"Pit\" has its places of allocation \"public\" already"));
}

TEST_CASE("a plan stays within its limits") {
  std::string lines;
  for (int i = 0; i < 65; ++i) lines += "S,A," + std::to_string(i) + ",Category " + std::to_string(i) + "\n";
  CHECK(contains(drawn(lines), "hall.csv:66: category \"Category 64\" is one too many, a plan has at most 64"));
  lines.clear();
  for (int i = 0; i < 16; ++i) lines += "S,A," + std::to_string(i) + ",Gold,allocation " + std::to_string(i) + "\n";
  CHECK(contains(drawn(lines), "hall.csv:17: allocation \"allocation 15\" is one too many, a plan has at most 16"));
  lines.clear();
  for (int i = 0; i < 101; ++i) lines += "Zone " + std::to_string(i) + ",1-100,1-100,Gold\n";
  CHECK(contains(drawn(lines), "hall.csv:102: the plan has more than 1000000 seats"));
}

TEST_CASE("category names can be mapped") {
  plans::import_options how;
  how.source = "hall.csv";
  how.category_names = {{"G", "Gold"}};
  const auto r = plans::import_csv("zone,row,seat,category\nS,A,1,G\nS,A,2,Gold\n", how);
  REQUIRE(r.ok());
  CHECK(r->plan.categories.size() == 1);
}

TEST_CASE("records know the line on which they begin") {
  plans::csv_reader reader("a,b\r\n\"x\ny\",2\n# no\n\nlast", "f.csv");
  plans::csv_record record;
  REQUIRE(*reader.next(record));
  CHECK(record.line == 1);
  REQUIRE(*reader.next(record));
  CHECK(record.line == 2);
  CHECK(record.fields == std::vector<std::string>{"x\ny", "2"});
  REQUIRE(*reader.next(record));
  CHECK(record.line == 6);
  CHECK(record.fields == std::vector<std::string>{"last"});
  CHECK_FALSE(*reader.next(record));
}

TEST_CASE("random damage gives a good plan or a one-line error") {
  const std::string good = head +
                           "# comment\n\"St,alls\",A-C,\"1-7,8-14:2\",Gold,house,accessible|companion\n"
                           "\"St,alls\",C,+15+16a,Silver\r\nPit,,,Standing,members,,15\n";
  base::random dice(3);
  for (int round = 0; round < 5'000; ++round) {
    auto text = good;
    for (auto n = 1 + dice.below(4); n > 0; --n) {
      // Mostly characters that mean something here, sometimes any byte.
      const char c = dice.chance(70) ? ",;|+-:/\"\n\r\t# 19Az"[dice.below(18)] : static_cast<char>(dice.below(256));
      text[dice.below(text.size())] = c;
    }
    const auto r = import(text);
    if (r) CHECK(core::check_plan(r->plan).ok());
    else CHECK_FALSE(contains(r.failure().text, "\n"));
  }
}
