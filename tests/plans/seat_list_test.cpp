#include "plans/seat_list.hpp"

#include <doctest/doctest.h>

#include "tests/plans/plans_support.hpp"

using namespace holdfast;
using plans::list_lead;
using plans::parse_seat_list;
using plans_test::contains;
using plans_test::refusal;

namespace {

/// "1 2 3 | 7 8"; the error if there is one.
std::string spelled(std::string_view cell) {
  const auto list = parse_seat_list(cell);
  if (!list) return refusal(list);
  std::string out;
  for (const auto& run : list->runs) {
    if (!out.empty()) out += " | ";
    for (std::size_t i = 0; i < run.size(); ++i) out += (i > 0 ? " " : "") + run[i];
  }
  return out;
}

}  // namespace

TEST_CASE("ranges, names and aisles") {
  CHECK(spelled("7") == "7");
  CHECK(spelled("1-4") == "1 2 3 4");
  CHECK(spelled("1-4,31-34") == "1 2 3 4 | 31 32 33 34");
  CHECK(spelled("1-2|31-32") == "1 2 | 31 32");
  CHECK(spelled(" 1 - 3 , 8 ") == "1 2 3 | 8");
  CHECK(spelled("4-1") == "4 3 2 1");
  CHECK(spelled("5-5") == "5");
  CHECK(spelled("A-D") == "A B C D");
  CHECK(spelled("d-b") == "d c b");
  CHECK(spelled("A9-A11") == "A9 A10 A11");
  CHECK(spelled("08-11") == "08 09 10 11");
  CHECK(spelled("8-11") == "8 9 10 11");
  CHECK(spelled("11-1:2,2-12:2") == "11 9 7 5 3 1 | 2 4 6 8 10 12");
  CHECK(spelled("1-3+3a+4-5") == "1 2 3 3a 4 5");
  CHECK(spelled("1+3+5") == "1 3 5");
  CHECK(spelled("Loge links") == "Loge links");
  CHECK(spelled("1\u20133") == "1 2 3");  // an en dash
}

TEST_CASE("a list says how it goes on from the line before") {
  CHECK(parse_seat_list("5")->lead == list_lead::none);
  CHECK(parse_seat_list("+5-6")->lead == list_lead::join);
  CHECK(parse_seat_list("|5")->lead == list_lead::gap);
  CHECK(spelled("+5-6") == "5 6");
  CHECK(parse_seat_list("5")->single());
  CHECK_FALSE(parse_seat_list("5-6")->single());
  CHECK_FALSE(parse_seat_list("5,6")->single());
  CHECK(parse_seat_list("1-4,31-34")->size() == 8);
}

TEST_CASE("what is no list is refused with a remedy") {
  CHECK(spelled("") == "the list is empty: give a name, or a range like 1-20");
  CHECK(contains(spelled("1-4,"), "a name is missing beside a separator"));
  CHECK(contains(spelled("1,,4"), "a name is missing beside a separator"));
  CHECK(contains(spelled("+"), "a name is missing beside a separator"));
  CHECK(contains(spelled("1-"), "\"1-\" is not a range: write it like 1-20"));
  CHECK(contains(spelled("-4"), "is not a range"));
  CHECK(contains(spelled("1-4-7"), "is not a range"));
  CHECK(contains(spelled("A1-B4"), "is not a range"));
  CHECK(contains(spelled("A-3"), "is not a range"));
  CHECK(contains(spelled("a-F"), "is not a range"));
  CHECK(contains(spelled("1-Apr"), "is not a range"));  // what spreadsheets make of 1-4
  CHECK(contains(spelled("1-99999999999"), "is not a range"));
  CHECK(contains(spelled("1/2"), "is neither a name nor a range"));
  CHECK(contains(spelled("3:2"), "is neither a name nor a range"));
  CHECK(contains(spelled("1-9:0"), "has no number as its step"));
  CHECK(contains(spelled("1-9:x"), "has no number as its step"));
  CHECK(contains(spelled("1-10:2"), "does not reach 10 from 1 in its steps"));
}

TEST_CASE("a slip of the pen does not make a million seats") {
  CHECK(parse_seat_list("1-10000").ok());
  CHECK(contains(spelled("1-10001"), "makes more than 10000 names in one cell"));
  CHECK(contains(spelled("1-999999999"), "makes more than 10000 names in one cell"));
  CHECK(contains(spelled("1-9999,20001-20002"), "makes more than 10000 names in one cell"));
  CHECK(contains(spelled("1-10000,7"), "more than 10000 names in one cell"));
}
