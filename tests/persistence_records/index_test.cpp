// The index: what it finds is what the records say, and it can be built anew at any time.
#include <doctest/doctest.h>

#include <fstream>

#include "persistence/index.hpp"
#include "tests/persistence_records/story.hpp"

using namespace holdfast;
using namespace holdfast::core;
using namespace holdfast::tests;

namespace {

void catch_up(journal_index& index, const journal& j, std::uint64_t blocks = 16) {
  while (good(index.catch_up(j, j.last_block().number, blocks))) {}
  CHECK(index.position() == j.last_block().number);
}

std::vector<std::string> names(const std::vector<index_row>& rows) {
  std::vector<std::string> all;
  for (const auto& r : rows) all.emplace_back(name_of_event(r));
  return all;
}

std::vector<index_row> find(const journal_index& index, const index_query& q) {
  auto f = good(index.find(q, 1'000));
  CHECK(!f.more);
  return std::move(f.rows);
}

using story_of = std::vector<std::string>;

}  // namespace

TEST_CASE("the index finds the story of a hold from every side") {
  box_office b(1);
  b.open(1, small_hall(20));
  b.open(2, small_hall(20));
  const temporary_directory d;
  auto index = good(journal_index::open(d.path() / "index", b.journal->id()));

  const std::vector<limit_key> keys{{key_kind::account, id(1)}};
  const std::vector<line> lines{seat(3), standing(0, 2)};
  const std::vector<line> more{seat(4)};
  const auto basket = basket_id{id(77)};
  const auto name = b.fresh(), other = b.fresh();
  const base::bytes attempt(20, 3), payment(16, 4), second_payment(16, 5), back(16, 6);
  const auto accept = [&](std::uint64_t session, command c, command_id as) {
    REQUIRE(b.ask(session, role::shop, std::move(c), as).refused == refusal::none);
  };
  accept(1, hold_seats{owner(1), keys, lines, 600'000, 1, basket}, name);
  accept(2, hold_seats{owner(1), keys, more, 60'000, 1, basket}, other);
  accept(1, change_hold{owner(1), name, more, {}, 1}, b.fresh());
  accept(1, begin_payment{owner(1), name, attempt, 600'000, {}}, b.fresh());
  accept(1, confirm_hold{owner(1), name, payment, 9'900, payment_kind::card}, {});
  accept(1, confirm_hold{owner(1), name, second_payment, 9'900, payment_kind::card}, {});
  b.wait(5 * minute);
  accept(1, cancel_order{owner(1), name, more, 1'500, false}, b.fresh());
  accept(1, settle_refund{refund_no{1}, back}, b.fresh());
  const std::vector<place_range> range{{place_kind::seat, 2, 4, 0, 0}};
  REQUIRE(b.operate(1, block_places{range, 5}).refused == refusal::none);
  b.commit();
  catch_up(*index, *b.journal, 1);

  const auto of_hold = find(*index, by_hold{name});
  CHECK(names(of_hold) == story_of{"hold_placed", "hold_changed", "payment_begun", "hold_confirmed", "refund_recorded",
                                   "order_cancelled", "refund_closed"});
  for (const auto& r : of_hold) {
    CHECK(r.owner == owner(1));
    CHECK(r.hold_id == name);
    CHECK(r.session == session_id{1});
  }
  CHECK(of_hold[3].amount == 9'900);
  CHECK(of_hold[3].lines.size() == 3);
  CHECK(of_hold[4].refund == refund_no{1});
  CHECK(of_hold[4].reason == refund_reason::already_paid);
  CHECK(of_hold[5].refund == refund_no{2});
  CHECK(of_hold[5].lines == more);

  CHECK(names(find(*index, by_owner{owner(1)})).size() == of_hold.size() + 2);
  CHECK(names(find(*index, by_hold{other})) == story_of{"hold_placed", "holds_expired"});
  const auto in_basket = find(*index, by_basket{basket});
  CHECK(in_basket.front().session == session_id{1});
  CHECK(in_basket.back().session == session_id{2});
  CHECK(names(find(*index, by_reference{payment})) == story_of{"hold_confirmed"});
  CHECK(names(find(*index, by_reference{attempt})) == story_of{"payment_begun"});
  CHECK(names(find(*index, by_reference{back})) == story_of{"refund_closed"});
  CHECK(names(find(*index, by_place{session_id{1}, place_kind::seat, 4})) ==
        story_of{"hold_changed", "hold_confirmed", "order_cancelled", "places_blocked"});
  CHECK(names(find(*index, by_place{session_id{1}, place_kind::area, 0})) == story_of{"hold_placed", "hold_confirmed"});
  CHECK(find(*index, by_owner{owner(2)}).empty());

  // In pages.
  std::size_t seen = 0;
  std::pair<session_id, sequence> after;
  for (bool again = true; again;) {
    const auto page = good(index->find(by_owner{owner(1)}, 2, after));
    REQUIRE(!page.rows.empty());
    seen += page.rows.size();
    after = {page.rows.back().session, page.rows.back().number};
    again = page.more;
  }
  CHECK(seen == of_hold.size() + 2);
}

TEST_CASE("built in pieces, over restarts, or at once: the index says the same") {
  box_office b(9);
  b.open(1, small_hall(60));
  b.open(2, small_hall(60));
  const temporary_directory d;
  {
    auto index = good(journal_index::open(d.path() / "pieces", b.journal->id()));
    for (int i = 0; i < 4; ++i) {
      b.rush(300);
      catch_up(*index, *b.journal, 3);
      good(index->flush());
    }
    CHECK(index->rebuilt().empty());
  }
  b.rush(200);
  auto pieces = good(journal_index::open(d.path() / "pieces", b.journal->id()));
  CHECK(pieces->rebuilt().empty());
  CHECK(pieces->position() > 1);
  catch_up(*pieces, *b.journal);
  auto whole = good(journal_index::open(d.path() / "whole", b.journal->id()));
  catch_up(*whole, *b.journal, 1'000'000);

  std::size_t rows = 0;
  const auto same = [&](const index_query& q) {
    const auto a = find(*pieces, q), c = find(*whole, q);
    REQUIRE(a.size() == c.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
      CHECK(a[i].session == c[i].session);
      CHECK(a[i].number == c[i].number);
      CHECK(a[i].event == c[i].event);
      CHECK(a[i].hold == c[i].hold);
      CHECK(a[i].owner == c[i].owner);
      CHECK(a[i].lines == c[i].lines);
      CHECK(a[i].reference == c[i].reference);
    }
    rows += a.size();
  };
  for (std::uint64_t n = 0; n < 60; ++n) same(by_owner{owner(n)});
  for (std::uint32_t n = 0; n < 60; ++n) same(by_place{session_id{1}, place_kind::seat, n});
  for (std::uint64_t n = 900; n < 909; ++n) same(by_basket{basket_id{id(n)}});
  CHECK(rows > 500);
}

TEST_CASE("an index that does not fit is begun anew") {
  box_office b(9);
  b.open(1, small_hall(60));
  b.rush(300);
  const temporary_directory d;
  const auto path = d.path() / "index";
  {
    auto index = good(journal_index::open(path, b.journal->id()));
    catch_up(*index, *b.journal);
    good(index->flush());
  }
  SUBCASE("it belongs to another journal") {
    auto index = good(journal_index::open(path, base::id128{1, 2}));
    CHECK(says(index->rebuilt(), "another journal"));
    CHECK(index->position() == 0);
  }
  SUBCASE("it is damaged") {
    for (const auto& e : std::filesystem::directory_iterator(path))
      if (e.path().filename().string().starts_with("CURRENT")) std::ofstream(e.path()) << "rubbish";
    auto index = good(journal_index::open(path, b.journal->id()));
    CHECK(!index->rebuilt().empty());
    catch_up(*index, *b.journal);
    CHECK(!find(*index, by_place{session_id{1}, place_kind::seat, 1}).empty());
  }
  SUBCASE("it is of another history of the same journal") {
    box_office other(10);
    other.open(1, small_hall(60));
    other.rush(800);
    REQUIRE(other.journal->last_block().number > b.journal->last_block().number);
    auto index = good(journal_index::open(path, other.journal->id()));
    CHECK(index->rebuilt().empty());
    catch_up(*index, *other.journal);
    CHECK(says(index->rebuilt(), "does not continue"));
  }
  SUBCASE("it is ahead of the journal") {
    box_office other(9);
    other.open(1, small_hall(60));
    other.commit();
    auto index = good(journal_index::open(path, other.journal->id()));
    catch_up(*index, *other.journal);
    CHECK(says(index->rebuilt(), "ahead"));
  }
}
