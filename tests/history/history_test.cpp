// True histories pass all checks, files come back as they were written, and the famous mistakes are found.
#include <doctest/doctest.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "history/check.hpp"
#include "tests/history/true_history.hpp"
#include "tests/support/instrumented.hpp"

namespace holdfast::tests {

using namespace holdfast::history;
using history_t = holdfast::history::history;

namespace {

struct verdict {
  findings intervals, holds, seats, order;
  [[nodiscard]] std::uint64_t found() const { return intervals.found + holds.found + seats.found + order.found; }
  [[nodiscard]] std::string text() const {
    std::string all;
    for (const auto* f : {&intervals, &holds, &seats, &order})
      for (const auto& v : f->violations) all += v + "\n";
    return all;
  }
};

verdict check(const history_t& h, const check_options& o = {}) {
  const auto s = tell(h);
  const clock_map clock(h);
  return {check_intervals(h, s, clock, o), check_holds(h, s, clock, o), check_seats(h, s, clock, o), check_order(h, s, o)};
}

/// Rows by hand: a hall of four seats, times in milliseconds.
struct by_hand {
  history_t h;
  std::uint64_t records = 0;
  by_hand() { h.seats = 4; }
  row& add(operation what, outcome came, std::uint64_t from, std::uint64_t to, std::uint64_t hold, std::vector<line_item> items = {}) {
    row r;
    r.what = what;
    r.came = came;
    r.invoked = from * 1'000'000;
    r.answered = came == outcome::unknown ? 0 : to * 1'000'000;
    r.server = came == outcome::unknown ? 0 : (from + to) * 500;
    r.hold = r.account = hold;
    if (came == outcome::yes) r.record = ++records;
    if (what == operation::hold && came == outcome::yes) r.deadline = 1'000'000;
    h.add(r, items);
    return h.rows.back();
  }
};
const std::vector<line_item> seat_0{{0, 1}}, seats_0_and_1{{0, 1}, {2, 1}};

}  // namespace

/// HOLDFAST_SEEDS: how many true histories are made.
TEST_CASE("true histories are found true") {
  const char* seeds = std::getenv("HOLDFAST_SEEDS");
  const auto last = seeds == nullptr ? (instrumented ? 10 : 30) : std::strtoull(seeds, nullptr, 10);
  std::uint64_t operations = 0;
  for (std::uint64_t seed = 1; seed <= last; ++seed) {
    crowd_options o;
    o.seed = seed;
    o.seats = 20 + static_cast<std::uint32_t>(seed % 5) * 60;
    o.operations = 4'000;
    o.unheard_per_mille = seed % 3 == 0 ? 40 : 5;
    o.again_percent = seed % 2 == 0 ? 10 : 0;
    o.resent_percent = seed % 5 == 0 ? 10 : 0;
    if (seed % 4 >= 2) o.accounts = 12, o.limit = 5, o.standing = 30;
    const auto h = true_history(o);
    check_options how;
    how.limit = o.limit;
    const auto v = check(h, how);
    REQUIRE_MESSAGE(v.found() == 0, "seed ", seed, ":\n", v.text());
    CHECK(v.seats.left_out <= o.seats / 10);
    CHECK(v.seats.looked_at > 2'000);
    CHECK(v.order.looked_at > 200);
    operations += h.rows.size();
  }
  std::printf("%llu operations of true histories, no alarm\n", static_cast<unsigned long long>(operations));
}

TEST_CASE("a seat that two had at once") {
  by_hand b;
  b.add(operation::hold, outcome::yes, 10, 20, 1, seat_0);
  b.add(operation::hold, outcome::yes, 30, 40, 2, seats_0_and_1);
  b.add(operation::hold, outcome::yes, 60, 70, 3, {{6, 1}});  // by then neither was over
  const auto v = check(b.h);
  CHECK(v.intervals.found == 1);
  CHECK(v.seats.found == 1);
  CHECK(v.order.found == 1);
}

TEST_CASE("a refusal because of a hold that is over, or of none at all") {
  by_hand b;
  auto& hold = b.add(operation::hold, outcome::yes, 10, 20, 1, seat_0);
  hold.deadline = 100'000;  // at 100 ms
  b.add(operation::hold, outcome::yes, 200, 210, 9, {{6, 1}});  // the clock goes on
  auto& late = b.add(operation::hold, outcome::no, 300, 310, 2, seat_0);
  late.refusal = 53;
  late.offending = 1;
  CHECK(check(b.h).seats.found == 1);
  b.h.rows.back().invoked = 50'000'000;
  CHECK(check(b.h).found() == 0);
}

TEST_CASE("an outage moves deadlines: who is served after the first one tells no lie") {
  by_hand b;
  auto& hold = b.add(operation::hold, outcome::yes, 10, 20, 1, seat_0);
  hold.deadline = 100'000;  // at 100 ms
  b.add(operation::hold, outcome::yes, 200, 210, 9, {{6, 1}});  // the clock goes on
  b.add(operation::extend, outcome::yes, 50'000, 50'010, 1).deadline = 200'000'000;
  CHECK(check(b.h).holds.found == 1);
  check_options away;
  away.shift_us = 60'000'000;
  const auto v = check(b.h, away);
  CHECK_MESSAGE(v.found() == 0, v.text());
}

TEST_CASE("a confirm after its hold was given back, one record for two, a record out of order") {
  {
    by_hand b;
    b.add(operation::hold, outcome::yes, 10, 20, 1, seat_0);
    b.add(operation::release, outcome::yes, 30, 40, 1);
    CHECK(check(b.h).found() == 0);
    b.add(operation::confirm, outcome::yes, 50, 60, 1);
    CHECK(check(b.h).order.found > 0);
  }
  by_hand b;
  b.add(operation::hold, outcome::yes, 10, 20, 1, seat_0);
  b.add(operation::hold, outcome::yes, 30, 40, 2, {{2, 1}});
  std::swap(b.h.rows[0].record, b.h.rows[1].record);
  CHECK(check(b.h).intervals.found > 0);
  b.h.rows[0].record = b.h.rows[1].record;
  CHECK(check(b.h).order.found > 0);
}

TEST_CASE("more than the limit") {
  by_hand b;
  for (std::uint32_t i = 0; i < 3; ++i) b.add(operation::hold, outcome::yes, 10 + 20 * i, 20 + 20 * i, i + 1, {{i * 2, 1}}).account = 7;
  b.add(operation::hold, outcome::yes, 90, 95, 9, {{6, 1}});
  check_options o;
  CHECK(check(b.h, o).found() == 0);
  o.limit = 3;
  CHECK(check(b.h, o).found() == 0);
  o.limit = 2;
  CHECK(check(b.h, o).intervals.found == 1);
  CHECK(check(b.h, o).order.found == 1);
}

TEST_CASE("what was not answered may have happened or not") {
  for (const bool happened : {false, true}) {
    by_hand b;
    b.add(operation::hold, outcome::unknown, 10, 0, 1, seat_0);
    auto& second = b.add(operation::hold, happened ? outcome::no : outcome::yes, 30, 40, 2, seat_0);
    if (happened) second.refusal = 53, second.offending = 1;
    CHECK(check(b.h).found() == 0);
  }
}

TEST_CASE("what was refused may be accepted as a late copy, if it was sent twice") {
  for (const bool resent : {true, false}) {
    by_hand b;
    b.add(operation::hold, outcome::yes, 10, 20, 1, seat_0);
    auto& refused = b.add(operation::hold, outcome::no, 30, 40, 2, seat_0);
    refused.refusal = said::none_free_now;
    refused.offending = 1;
    refused.resent = resent;
    refused.deadline = resent ? 100'000 : 0;
    b.add(operation::release, outcome::yes, 50, 60, 1);
    auto& next = b.add(operation::hold, outcome::no, 70, 80, 3, seat_0);
    next.refusal = said::none_free_now;
    next.offending = 1;
    CHECK(check(b.h).seats.found == (resent ? 0 : 1));
  }
}

TEST_CASE("a late copy explains nothing before its refusal, after its client deadline, or of a seat that is sold") {
  const auto refuse = [](row& r) { r.refusal = said::none_free_now, r.offending = 1; };
  const auto twice = [&](row& r, std::uint64_t until) { refuse(r), r.resent = 1, r.deadline = until; };
  {
    by_hand b;  // nobody had the seat when it was refused
    twice(b.add(operation::hold, outcome::no, 30, 40, 2, seat_0), 100'000);
    b.add(operation::hold, outcome::yes, 150, 160, 9, {{6, 1}});  // the clock goes on
    CHECK(check(b.h).seats.found == 1);
  }
  for (const std::uint64_t until : {100'000, 300'000}) {
    by_hand b;
    b.add(operation::hold, outcome::yes, 10, 20, 1, seat_0);
    twice(b.add(operation::hold, outcome::no, 30, 40, 2, seat_0), until);
    b.add(operation::release, outcome::yes, 50, 60, 1);
    b.add(operation::hold, outcome::yes, 150, 160, 4, seats_0_and_1);  // it was free
    b.add(operation::release, outcome::yes, 170, 180, 4);
    refuse(b.add(operation::hold, outcome::no, 200, 210, 3, seat_0));
    b.add(operation::hold, outcome::yes, 400, 410, 9, {{6, 1}});
    CHECK(check(b.h).seats.found == (until == 100'000 ? 1 : 0));
  }
  by_hand b;
  b.add(operation::hold, outcome::yes, 10, 20, 1, seat_0);
  b.add(operation::confirm, outcome::yes, 22, 25, 1);
  b.add(operation::hold, outcome::no, 30, 40, 2, seats_0_and_1).refusal = said::sold_out;
  b.h.rows.back().offending = b.h.rows.back().resent = 1;
  b.h.rows.back().deadline = 300'000;
  refuse(b.add(operation::hold, outcome::no, 60, 70, 3, {{2, 1}}));
  CHECK(check(b.h).seats.found == 1);
}

TEST_CASE("a file comes back as it was written; a damaged one is refused") {
  const auto path = std::filesystem::temp_directory_path() /
                    ("holdfast-history-" + std::to_string(std::chrono::steady_clock::now().time_since_epoch().count()));
  const auto h = true_history({.seed = 3, .operations = 500});
  {
    auto r = recorder::create(path, h.session, h.seats, h.area_places);
    REQUIRE(r.ok());
    for (std::size_t i = 0; i < h.rows.size(); ++i) r->add(h.rows[i], h.lines_of(i));
    REQUIRE(r->close().ok());
  }
  const auto again = read(path);
  REQUIRE(again.ok());
  CHECK(again->rows.size() == h.rows.size());
  CHECK(again->items.size() == h.items.size());
  CHECK(check(*again).found() == 0);
  std::filesystem::resize_file(path, std::filesystem::file_size(path) - sizeof(row));  // a whole row is missing
  CHECK(!read(path).ok());
  {
    const auto r = recorder::create(path, h.session, h.seats, h.area_places);  // whose writer is gone
    REQUIRE(r.ok());
  }
  const auto unfinished = read(path);
  REQUIRE(!unfinished.ok());
  CHECK(unfinished.failure().text.find("was not finished") != std::string::npos);
  std::ofstream(path) << "no history";
  CHECK(!read(path).ok());
  std::filesystem::remove(path);
}

TEST_CASE("speed, printed") {
  const auto h = true_history({.seed = 5, .seats = 5'000, .operations = 300'000, .at_once = 500});
  const auto timed = [&](const char* what, auto&& f) {
    const auto begun = std::chrono::steady_clock::now();
    f();
    const auto s = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
    std::printf("%-28s %8.2f M operations/s\n", what, static_cast<double>(h.rows.size()) / s / 1e6);
  };
  stories s;
  timed("stories and clock", [&] { s = tell(h); });
  const clock_map clock(h);
  timed("intervals", [&] { CHECK(check_intervals(h, s, clock, {}).found == 0); });
  timed("each hold", [&] { CHECK(check_holds(h, s, clock, {}).found == 0); });
  timed("order", [&] { CHECK(check_order(h, s, {}).found == 0); });
  timed("seats, exact", [&] { CHECK(check_seats(h, s, clock, {}).found == 0); });
  timed("all", [&] { CHECK(check(h).found() == 0); });
}

}  // namespace holdfast::tests
