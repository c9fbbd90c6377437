// The second line of defence: what the rules would never write does not reach the disk either.
#include <doctest/doctest.h>

#include "persistence/guard.hpp"
#include "tests/persistence_records/story.hpp"

using namespace holdfast;
using namespace holdfast::core;
using namespace holdfast::tests;

namespace {

/// Shows all records to a fresh guard; the text of its refusal, or nothing.
std::string refused(const std::vector<written>& records, const plan_library& plans) {
  sold_guard g(plans);
  for (const auto& w : records)
    if (auto ok = g.admit(w.ref()); !ok) return ok.failure().text;
  return {};
}

std::size_t find(const std::vector<written>& records, record_peek::kind what, std::size_t nth = 1) {
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (records[i].sequence == plan_sequence) continue;
    if (good(peek_record(records[i].bytes)).what == what && --nth == 0) return i;
  }
  FAIL("the story has no such record");
  return 0;
}

}  // namespace

TEST_CASE("the guard lets a sale pass, and knows then what is sold") {
  box_office b(3);
  b.open(1, small_hall(60));
  b.open(2, small_hall(90, "other hall"));
  b.rush(4'000);
  sold_guard g(b.plans);
  for (const auto& w : b.records()) good(g.admit(w.ref()));
  CHECK(g.sessions() == 2);
  for (const std::uint64_t s : {1U, 2U}) {
    CHECK(g.sold(session_id{s}) == b.state(s).brief(log_time{b.now}).places.sold);
    CHECK(g.sold(session_id{s}) > 0);
  }
  // One that is made from recovered sessions knows the same and goes on.
  sold_guard later(b.plans);
  later.watch(b.state(1));
  CHECK(later.sold(session_id{1}) == g.sold(session_id{1}));
  auto next = b.records().back();
  next.session = 1;
  next.sequence = b.state(1).last().value;  // a number that is taken
  CHECK(says(later.admit(next.ref()).failure().text, "follows record"));
}

TEST_CASE("the guard refuses what is sold twice, comes from nowhere or goes nowhere") {
  box_office b(5);
  b.open(1, small_hall(60));
  b.rush(3'000);
  auto records = b.records();
  REQUIRE(refused(records, b.plans).empty());

  SUBCASE("a seat sold twice") {
    const auto first = find(records, record_peek::kind::sold, 1);
    const auto second = find(records, record_peek::kind::sold, 2);
    std::vector<piece> sold;
    edit(records[first], b.plans, [&](record& r) {
      const auto& s = std::get<hold_confirmed>(r.done).sold;
      sold.assign(s.begin(), s.end());
      sold.push_back({place_kind::seat, 0, 59, 1});
      std::get<hold_confirmed>(r.done).sold = sold;
    });
    const std::vector<piece> again{{place_kind::seat, 0, 59, 1}};
    edit(records[second], b.plans, [&](record& r) { std::get<hold_confirmed>(r.done).sold = again; });
    CHECK(says(refused(records, b.plans), "sold already (seat 59)"));
  }
  SUBCASE("more of an area than it has") {
    const std::vector<piece> all{{place_kind::area, 0, 0, 41}};
    edit(records[find(records, record_peek::kind::sold)], b.plans,
         [&](record& r) { std::get<hold_confirmed>(r.done).sold = all; });
    CHECK(says(refused(records, b.plans), "more places than the area has (area 0)"));
  }
  SUBCASE("a seat outside the plan") {
    const std::vector<piece> out{{place_kind::seat, 0, 60, 1}};
    edit(records[find(records, record_peek::kind::sold)], b.plans,
         [&](record& r) { std::get<hold_confirmed>(r.done).sold = out; });
    CHECK(says(refused(records, b.plans), "outside the plan"));
  }
  SUBCASE("back what is not sold") {
    const auto at = find(records, record_peek::kind::back);
    sold_guard g(b.plans);
    for (std::size_t i = 0; i < at; ++i) good(g.admit(records[i].ref()));
    const std::vector<piece> out{{place_kind::area, 0, 1, 13}};
    edit(records[at], b.plans, [&](record& r) { std::get<order_cancelled>(r.done).back = out; });
    CHECK(says(g.admit(records[at].ref()).failure().text, "more places than the area has sold"));
  }
  SUBCASE("a gap") {
    records.erase(records.begin() + 10);
    CHECK(says(refused(records, b.plans), "follows record"));
  }
  SUBCASE("a session that was not created") {
    records.erase(records.begin(), records.begin() + 2);
    CHECK(says(refused(records, b.plans), "never created"));
  }
  SUBCASE("a plan that nobody knows") {
    const plan_library empty;
    CHECK(says(refused(records, empty), "plan is unknown"));
  }
  SUBCASE("bytes that are no record") {
    records[20].bytes = {0xff, 0xff, 0xff};
    CHECK(!refused(records, b.plans).empty());
  }
}

TEST_CASE("a guarded journal stops before the block is written, and names the session") {
  box_office b(7);
  b.open(1, small_hall(20));
  const auto command = b.fresh();
  const std::vector<line> lines{seat(3)};
  const std::vector<limit_key> keys{{key_kind::account, id(1)}};
  REQUIRE(b.ask(1, role::shop, hold_seats{owner(1), keys, lines, 60'000, 1, {}}, command).refused == refusal::none);
  const base::bytes payment(16, 1);
  REQUIRE(b.ask(1, role::shop, confirm_hold{owner(1), command, payment, 100, payment_kind::card}).refused ==
          refusal::none);
  b.commit();

  sold_guard g(b.plans);
  for (const auto& w : b.records()) good(g.admit(w.ref()));
  b.journal->guard_with(g);
  const auto last = b.journal->last_block().number;
  auto again = b.records().back();
  ++again.sequence;
  const record_ref refs[] = {again.ref()};
  const auto refused_append = b.journal->append(refs, b.now);
  REQUIRE(!refused_append.ok());
  CHECK(says(refused_append.failure().text, "sold already"));
  REQUIRE(b.journal->failure());
  CHECK(b.journal->failure()->session == 1);
  CHECK(b.disk->blocks.rbegin()->first == last);
}
