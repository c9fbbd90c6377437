// The auditor: passes what happened, and finds what was planted.
#include <doctest/doctest.h>

#include "persistence/audit.hpp"
#include "persistence/snapshotter.hpp"
#include "tests/persistence_records/story.hpp"

using namespace holdfast;
using namespace holdfast::core;
using namespace holdfast::tests;

namespace {

audit_report audited(const std::shared_ptr<memory_disk>& disk, const checkpoint_files* files = nullptr) {
  memory_block_store store(std::make_shared<memory_disk>(*disk));
  audit_options o;
  o.compare_every = 1;
  return good(audit(store, files, o));
}

/// A quiet evening: what each record is, is known.
///   1 create, 2 open, 3 hold seat 3, 4 hold seats 4 and 5, 5 confirm of seat 3, 6 expiry, 7 hold seat 4 again, 8
///   confirm late (seats gone)
struct evening {
  box_office b{1};
  command_id first, second, third;
  base::bytes card = base::bytes(16, 1), other = base::bytes(16, 2);
  std::vector<limit_key> keys{{key_kind::account, id(1)}};
  std::vector<line> seat3{seat(3)}, seats45{seat(4), seat(5)}, seat4{seat(4)};

  evening() {
    b.open(1, small_hall(20));
    first = b.fresh(), second = b.fresh(), third = b.fresh();
    accept(hold_seats{owner(1), keys, seat3, 15 * 60'000, 1, {}}, first);
    accept(hold_seats{owner(2), keys, seats45, 60'000, 1, {}}, second);
    b.now += 5 * second_;
    accept(confirm_hold{owner(1), first, card, 4'200, payment_kind::card}, {});
    b.wait(2 * minute);
    accept(hold_seats{owner(3), keys, seat4, 15 * 60'000, 1, {}}, third);
    b.now += second_;
    accept(confirm_hold{owner(2), second, other, 8'400, payment_kind::card}, {});
    b.commit();
  }
  static constexpr std::uint64_t second_ = 1'000'000;
  void accept(command c, command_id name) {
    REQUIRE(b.ask(1, role::shop, std::move(c), name).refused == refusal::none);
  }
  /// The records with a change in one of them.
  template <class Edit>
  std::vector<written> with(std::uint64_t sequence, Edit&& change) {
    auto records = b.records();
    for (auto& w : records)
      if (w.sequence == sequence) edit(w, b.plans, change);
    return records;
  }
};

violation found(const std::vector<written>& records) {
  const auto report = audited(rechained(records, 2));
  REQUIRE(report.wrong);
  INFO("block " << report.wrong->block << ", record " << report.wrong->record << ", session " << report.wrong->session
                << ", record " << report.wrong->sequence << ": " << report.wrong->what);
  CHECK(report.wrong->block > 0);
  return *report.wrong;
}

}  // namespace

TEST_CASE("an honest journal is clean, and its counts are those of the sale") {
  for (const std::uint64_t seed : {101U, 102U, 103U, 104U}) {
    box_office b(seed);
    b.open(1, small_hall(60));
    b.open(2, small_hall(30, "cellar"));
    b.rush(3'000);
    const auto report = audited(b.disk);
    REQUIRE_MESSAGE(report.clean(),
                    "seed " << seed << ": record " << report.wrong->sequence << ": " << report.wrong->what);
    CHECK(report.records == b.records().size() - 2);
    CHECK(report.starts == 1);
    REQUIRE(report.sessions.size() == 2);
    for (const auto& s : report.sessions) {
      const auto seen = b.state(s.id).brief(log_time{b.now});
      CHECK(s.state == session_digest(b.state(s.id)));
      CHECK(s.places.sold == seen.places.sold);
      CHECK(s.refunds_due == seen.refunds_total);
      CHECK(s.refunds_open.size() == seen.refunds_open);
      CHECK(s.amount_refunds_open == seen.amount_refunds_due);
      CHECK(s.amount_sold >= 0);
      CHECK(s.orders_confirmed > 0);
      CHECK(s.holds_expired > 0);
      std::uint64_t holds = 0, orders = 0;
      for (const auto& [channel, t] : s.by_channel) holds += t.holds, orders += t.orders;
      CHECK(holds == s.holds_placed);
      CHECK(orders == s.orders_confirmed);
    }
  }
}

TEST_CASE("a fault that was cleared is no violation") {
  evening e;
  auto records = e.b.records();
  replica r({});
  good(e.b.journal->scan(1, e.b.journal->last_block().number, [&](const block_view& block) -> base::result<bool> {
    good(r.apply(block));
    return true;
  }));
  engine out_of_service(std::move(r.sessions().at(1)), log_time{e.b.now});
  struct : step_sink {
    std::vector<written> out;
    answer last;
    void on_record(const record& x) override {
      out.push_back({1, x.number.value, x.at.value, {}});
      encode_record(x, out.back().bytes);
    }
    void on_view_change(const view_change&) override {}
    void on_answer(std::uint64_t, const answer& said, std::shared_ptr<const seen>) override { last = said; }
  } sink;
  request q;
  q.head.from = {role::op, 1000};
  q.head.channel = 1;
  q.head.id = e.b.fresh();
  q.asked = command(clear_fault{});
  out_of_service.step({&q, 1}, log_time{e.b.now + 7 * minute + 1}, sink);
  REQUIRE(sink.last.refused == refusal::none);
  // Hold 3 had its fifteen minutes from before; its time stood.
  out_of_service.step({}, log_time{e.b.now + 21 * minute}, sink);
  CHECK(sink.out.size() == 1);
  out_of_service.step({}, log_time{e.b.now + 23 * minute}, sink);
  CHECK(sink.out.size() == 2);
  records.insert(records.end(), sink.out.begin(), sink.out.end());
  const auto report = audited(rechained(records, 2));
  REQUIRE_MESSAGE(report.clean(), report.wrong->what);
  CHECK(report.sessions.at(0).state == session_digest(out_of_service.state()));
  CHECK(report.sessions.at(0).holds_expired == 2);
}

TEST_CASE("a checkpoint is compared with what its records lead to") {
  box_office b(111);
  b.open(1, small_hall(60));
  b.rush(500);
  const temporary_directory d;
  checkpoint_files files(d.path() / "snapshots");
  snapshotter snaps(*b.journal, files, {}, {});
  while (good(snaps.step(b.journal->last_block().number)).behind) {}
  good(snaps.checkpoint_now());
  const auto honest = audited(b.disk, &files);
  CHECK(honest.clean());
  CHECK(honest.checkpoints_compared == 1);

  // A whole and well-formed checkpoint of another history.
  box_office other(112);
  other.open(1, small_hall(60));
  other.rush(500);
  replica r({});
  good(other.journal->scan(1, other.journal->last_block().number, [&](const block_view& block) -> base::result<bool> {
    good(r.apply(block));
    return true;
  }));
  auto c = good(r.save(files, 0, b.journal->id(), nullptr));
  c.at.block = b.journal->last_block();
  for (auto& e : c.snapshots) {
    base::bytes payload;
    good(files.load(c, [&](const snapshot_entry& entry, base::byte_view p) -> base::result<void> {
      if (entry.session == e.session) payload.assign(p.begin(), p.end());
      return {};
    }));
    e = good(files.write_snapshot(0, c.at, e.session, e.session == 0 ? e.sequence : b.state(1).last().value, payload));
  }
  good(files.write_checkpoint(c));
  const auto report = audited(b.disk, &files);
  REQUIRE(!report.clean());
  CHECK(says(report.wrong->what, "checkpoint"));
}

TEST_CASE("the quiet evening itself is clean") {
  evening e;
  const auto report = audited(rechained(e.b.records(), 2));
  REQUIRE_MESSAGE(report.clean(), report.wrong->what);
  const auto& s = report.sessions.at(0);
  CHECK(s.holds_placed == 3);
  CHECK(s.holds_expired == 1);
  CHECK(s.orders_confirmed == 1);
  CHECK(s.amount_sold == 4'200);
  CHECK(s.places.sold == 1);
  CHECK(s.places.held == 1);
  REQUIRE(s.refunds_open.size() == 1);
  CHECK(s.refunds_open[0].amount == 8'400);
  CHECK(s.refunds_open[0].reason == refund_reason::seats_gone);
  CHECK(s.refunds_open[0].owner == owner(2));
  CHECK(s.refunds_open[0].hold == e.second);
}

TEST_CASE("planted: a seat given to two holds") {
  evening e;
  const auto v = found(e.with(4, [&](record& r) { std::get<hold_seats>(r.asked).lines = e.seat3; }));
  CHECK(v.sequence == 4);
  CHECK(v.session == 1);
  CHECK(says(v.what, "seat 3, which is held to hold 1 already"));
}

TEST_CASE("planted: a seat sold twice") {
  evening e;
  auto records = e.b.records();
  // After the last record, hold 3 is confirmed with seat 3, which hold 1 has bought.
  const std::vector<piece> sold{{place_kind::seat, 0, 3, 1}};
  record r;
  r.number = sequence{records.back().sequence + 1};
  r.at = log_time{records.back().at};
  r.rules_version = rules_version;
  r.head.from = {role::shop, 17};
  r.asked = confirm_hold{{}, {}, e.card, 4'200, payment_kind::card};
  r.done = hold_confirmed{hold_no{3}, false, sold};
  written w{1, r.number.value, r.at.value, {}};
  encode_record(r, w.bytes);
  records.push_back(w);
  const auto v = found(records);
  CHECK(v.sequence == r.number.value);
  CHECK(says(v.what, "other places than its lines"));

  // And taken by a hold.
  evening f;
  const auto u = found(f.with(7, [&](record& x) { std::get<hold_seats>(x.asked).lines = f.seat3; }));
  CHECK(u.sequence == 7);
  CHECK(says(u.what, "seat 3, which is sold"));
}

TEST_CASE("planted: an expiry before its time") {
  evening e;
  const auto early = e.b.records().at(4).at + minute - 5 * ms * 1'000 - 1;
  const auto v = found(e.with(6, [&](record& r) {
    REQUIRE(std::holds_alternative<holds_expired>(r.done));
    r.at = log_time{early};
  }));
  CHECK(v.sequence == 6);
  CHECK(says(v.what, "before its deadline"));
}

TEST_CASE("planted: a limit broken") {
  evening e;
  std::vector<line> seven;
  for (std::uint32_t n = 10; n < 17; ++n) seven.push_back(seat(n));
  const auto v = found(e.with(7, [&](record& r) { std::get<hold_seats>(r.asked).lines = seven; }));
  CHECK(v.sequence == 7);
  CHECK(says(v.what, "limit key"));
}

TEST_CASE("planted: a longer hold than was asked, or a shorter one than the rules give") {
  evening e;
  const auto longer = found(e.with(3, [](record& r) { std::get<hold_placed>(r.done).deadline.value += minute; }));
  CHECK(longer.sequence == 3);
  CHECK(says(longer.what, "longer than was asked"));
  const auto shorter = found(e.with(3, [](record& r) { std::get<hold_placed>(r.done).deadline.value -= second; }));
  CHECK(shorter.sequence == 3);
  CHECK(says(shorter.what, "not what the rules decide"));
}

TEST_CASE("planted: a missing record") {
  evening e;
  auto records = e.b.records();
  records.erase(records.begin() + 4);  // the plan is the first
  const auto v = found(records);
  CHECK(v.sequence == 5);
  CHECK(says(v.what, "record 4 is missing"));
}

TEST_CASE("planted: a wrong refund") {
  evening e;
  SUBCASE("another reason") {
    const auto v =
        found(e.with(8, [](record& r) { std::get<refund_recorded>(r.done).reason = refund_reason::too_late; }));
    CHECK(v.sequence == 8);
    CHECK(says(v.what, "not what the rules decide"));
  }
  SUBCASE("another number") {
    const auto v = found(e.with(8, [](record& r) { std::get<refund_recorded>(r.done).number = refund_no{2}; }));
    CHECK(says(v.what, "numbers a refund 2 after 0"));
  }
  SUBCASE("another hold") {
    const auto v = found(e.with(8, [](record& r) { std::get<refund_recorded>(r.done).hold = hold_no{3}; }));
    CHECK(says(v.what, "does not fit its state"));
  }
}

TEST_CASE("planted: a refusal that was recorded as an acceptance") {
  evening e;
  // The same payment again: the rules repeat the answer and record nothing.
  auto records = e.b.records();
  auto again = records.back();
  ++again.sequence;
  edit(again, e.b.plans, [](record& r) { std::get<refund_recorded>(r.done).number = refund_no{2}; });
  records.push_back(again);
  const auto v = found(records);
  CHECK(says(v.what, "accepted before"));
}

TEST_CASE("damage below the records is found too") {
  box_office b(121);
  b.open(1, small_hall(60));
  b.rush(300);
  auto disk = std::make_shared<memory_disk>(*b.disk);
  SUBCASE("a flipped bit") {
    auto at = std::next(disk->blocks.begin(), 5);
    at->second.bytes[at->second.bytes.size() / 2] ^= 0x10U;
    const auto r = audited(disk);
    REQUIRE(r.wrong);
    CHECK(r.wrong->block == at->first);
  }
  SUBCASE("a block cut out") {
    const auto at = std::next(disk->blocks.begin(), 5);
    const auto number = at->first;
    disk->blocks.erase(at);
    const auto r = audited(disk);
    REQUIRE(r.wrong);
    CHECK(r.wrong->block == number);
  }
  SUBCASE("the end cut off: the witness knows") {
    disk->blocks.erase(std::prev(disk->blocks.end()));
    const auto r = audited(disk);
    REQUIRE(r.wrong);
  }
  SUBCASE("no journal at all is no violation but an error") {
    memory_block_store empty(std::make_shared<memory_disk>());
    const auto r = audit(empty, nullptr, {});
    REQUIRE(!r.ok());
    CHECK(r.failure().kind == base::trouble::bad_input);
  }
}

TEST_CASE("an audit changes nothing") {
  box_office b(131);
  b.open(1, small_hall(60));
  b.rush(100);
  const auto steps = b.disk->steps();
  memory_block_store store(b.disk);
  CHECK(good(audit(store, nullptr, {})).clean());
  CHECK(b.disk->steps() == steps);
}
