// The index: what it finds is what a naive one finds, and it can be built anew at any time.
#include <doctest/doctest.h>

#include <fstream>

#include "persistence/index.hpp"
#include "persistence/index_posting.hpp"
#include "tests/persistence_records/index_model.hpp"

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

std::vector<index_row> find(journal_index& index, const journal& j, const index_query& q) {
  auto f = good(index.find(j, q, 10'000));
  CHECK(!f.next);
  return std::move(f.rows);
}

bool same(const index_row& a, const index_row& b) {
  return a.session == b.session && a.number == b.number && a.at == b.at && a.event == b.event && a.from == b.from &&
         a.channel == b.channel && a.command == b.command && a.hold == b.hold && a.owner == b.owner &&
         a.hold_id == b.hold_id && a.basket == b.basket && a.amount == b.amount && a.refund == b.refund &&
         a.reason == b.reason && a.late == b.late && a.lines == b.lines && a.reference == b.reference &&
         a.note == b.note;
}

/// Asks for everything that ever had a name; says how many rows that were.
std::size_t compare(journal_index& index, const journal& j, const index_model& model) {
  std::size_t rows = 0;
  const auto ask = [&](const index_query& q) {
    const auto found = find(index, j, q), expected = model.find(q);
    REQUIRE(found.size() == expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) CHECK(same(found[i], expected[i]));
    rows += found.size();
  };
  for (const auto& o : model.owners) ask(by_owner{owner_id{o}});
  for (const auto& b : model.baskets) ask(by_basket{basket_id{b}});
  for (const auto& h : model.holds) ask(by_hold{hold_id{h}});
  for (const auto& r : model.references) ask(by_reference{r});
  return rows;
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
  b.commit();
  catch_up(*index, *b.journal, 1);

  const auto of_hold = find(*index, *b.journal, by_hold{name});
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

  CHECK(names(find(*index, *b.journal, by_owner{owner(1)})).size() == of_hold.size() + 2);
  CHECK(names(find(*index, *b.journal, by_hold{other})) == story_of{"hold_placed", "holds_expired"});
  const auto in_basket = find(*index, *b.journal, by_basket{basket});
  CHECK(in_basket.front().session == session_id{1});
  CHECK(in_basket.back().session == session_id{2});
  CHECK(names(find(*index, *b.journal, by_reference{payment})) == story_of{"hold_confirmed"});
  CHECK(names(find(*index, *b.journal, by_reference{attempt})) == story_of{"payment_begun"});
  CHECK(names(find(*index, *b.journal, by_reference{back})) == story_of{"refund_closed"});
  CHECK(find(*index, *b.journal, by_owner{owner(2)}).empty());

  // In pages.
  std::size_t seen = 0;
  std::size_t pages = 0;
  for (std::optional<record_position> from{record_position{}}; from;) {
    const auto page = good(index->find(*b.journal, by_owner{owner(1)}, 1, *from));
    REQUIRE(!page.rows.empty());
    seen += page.rows.size();
    ++pages;
    from = page.next;
  }
  CHECK(seen == of_hold.size() + 2);
  CHECK(pages == 2);
}

TEST_CASE("postings read back and lie in the order of their keys; another record with the same hash is not meant") {
  using namespace index_bytes;
  base::random random(5);
  posting before;
  for (int i = 0; i < 2'000; ++i) {
    posting p;
    p.of.in = static_cast<table>(1 + random.below(7));
    p.of.what = random.below(3) << random.below(60);
    if (p.of.in >= table::placed) p.of.number = static_cast<std::uint32_t>(random.below(3) << random.below(30));
    p.at = {random.below(3) << random.below(60), static_cast<std::uint32_t>(random.below(70'000))};
    const posting_key key(p);
    posting read;
    REQUIRE(decode(key.text(), read));
    CHECK(read == p);
    CHECK(!decode(key.text().substr(1), read));
    if (i > 0) CHECK((posting_key(before).text() <=> key.text()) == (before <=> p));
    before = p;
  }

  record placed;
  placed.head.id = named(1);
  placed.asked = hold_seats{owner(1), {}, {}, 600'000, 1, basket_id{id(2)}};
  placed.done = hold_placed{hold_no{1}, {}, {}};
  CHECK(names(by_owner{owner(1)}, placed));
  CHECK(!names(by_owner{owner(2)}, placed));
  CHECK(names(by_hold{named(1)}, placed));
  CHECK(!names(by_hold{named(2)}, placed));
  CHECK(names(by_basket{basket_id{id(2)}}, placed));
  CHECK(!names(by_basket{basket_id{id(1)}}, placed));
  CHECK(!names(by_reference{base::bytes(16, 4)}, placed));
}

TEST_CASE("the index finds what a naive one does, also built in pieces and over restarts") {
  box_office b(9);
  b.ended_holds_max = 10;
  b.open(1, small_hall(60));
  b.open(2, small_hall(60));
  const temporary_directory d;
  {
    auto index = good(journal_index::open(d.path() / "pieces", b.journal->id()));
    // So often that tables are merged meanwhile.
    for (int i = 0; i < 40; ++i) {
      b.rush(50);
      catch_up(*index, *b.journal, 3);
      // In the middle of it, too: a number that is another hold's later is still this one's. One part is written
      // then, and the other is not.
      if (i % 5 == 0) compare(*index, *b.journal, index_model(b));
      good(index->flush());
    }
    CHECK(index->rebuilt().empty());
  }
  b.rush(500);
  const index_model model(b);
  CHECK(model.numbers_given_again > 20);
  CHECK(model.unknown > 5);
  CHECK(model.settled > 5);
  auto pieces = good(journal_index::open(d.path() / "pieces", b.journal->id()));
  CHECK(pieces->rebuilt().empty());
  CHECK(pieces->position() > 1);
  catch_up(*pieces, *b.journal);
  auto whole = good(journal_index::open(d.path() / "whole", b.journal->id()));
  catch_up(*whole, *b.journal, 1'000'000);
  const auto rows = compare(*whole, *b.journal, model);
  CHECK(rows > model.rows * 2);
  CHECK(compare(*pieces, *b.journal, model) == rows);
}

TEST_CASE("an index as a crash leaves it never says more than it has") {
  box_office b(11);
  b.open(1, small_hall(60));
  const temporary_directory d;
  auto index = good(journal_index::open(d.path() / "index", b.journal->id()));
  std::uint64_t written = 0, lost = 0;
  for (int i = 0; i < 6; ++i) {
    b.rush(150);
    catch_up(*index, *b.journal, 5);
    if (i % 2 != 0) {
      good(index->flush());
      written = index->position();
    }
    const auto copy = d.path() / std::to_string(i);
    std::filesystem::copy(d.path() / "index", copy, std::filesystem::copy_options::recursive);
    // What may be left: a table that was never finished, or one that is linked already and not yet unlinked.
    std::filesystem::path table;
    for (const auto& e : std::filesystem::directory_iterator(copy))
      if (e.path().extension() == ".sst") table = e.path();
    if (table.empty()) std::ofstream(copy / "postings.new") << "half a table";
    else std::filesystem::create_hard_link(table, copy / "postings.new");
    auto found = good(journal_index::open(copy, b.journal->id()));
    CHECK(found->rebuilt().empty());
    CHECK(found->position() == written);
    lost += index->position() - found->position();
    catch_up(*found, *b.journal);
    const index_model model(b);
    CHECK(compare(*found, *b.journal, model) > model.rows);
  }
  CHECK(lost > 0);
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
    compare(*index, *b.journal, index_model(b));
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
