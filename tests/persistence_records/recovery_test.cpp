// Live equals replayed: by all records, and by a snapshot and the records after it.
#include <doctest/doctest.h>

#include <fstream>

#include "persistence/snapshotter.hpp"
#include "tests/persistence_records/story.hpp"

using namespace holdfast;
using namespace holdfast::core;
using namespace holdfast::tests;

namespace {

std::map<std::uint64_t, digest> digests(const replica::sessions_map& sessions) {
  std::map<std::uint64_t, digest> all;
  for (const auto& [id, s] : sessions) all[id] = session_digest(s);
  return all;
}

start_options at(std::uint64_t wall_clock) {
  start_options o;
  o.wall_clock = wall_clock;
  o.program = "test";
  o.clock.accept_gap = true;
  return o;
}

started restart(const std::shared_ptr<memory_disk>& disk, const checkpoint_files* files, std::uint64_t wall_clock,
                const std::vector<faulted_session>& faulted = {}) {
  return good(start(std::make_unique<memory_block_store>(disk), files, faulted, at(wall_clock)));
}

}  // namespace

TEST_CASE("all records, replayed, give the sessions that were live") {
  for (const std::uint64_t seed : {11U, 12U, 13U}) {
    box_office b(seed);
    b.open(1, small_hall(60));
    b.open(2, small_hall(60));
    b.open(9, small_hall(30, "cellar"));
    b.rush(3'000);
    REQUIRE(b.accepted > 500);
    const auto live = b.digests();
    const auto outage = 3 * minute;
    const auto s = restart(b.disk, nullptr, b.now + outage);
    CHECK(digests(s.state.sessions) == live);
    CHECK(s.state.highest_session == 9);
    CHECK(s.state.plans->hashes().size() == 2);
    CHECK(s.state.report.records == b.records().size() - 2);  // two plans
    CHECK(s.state.report.from_checkpoint == 0);
    CHECK(s.state.downtime_us == outage);
    CHECK(s.guard->sessions() == 3);
    for (const auto& [id, session] : s.state.sessions) {
      session.verify();
      CHECK(s.guard->sold(session_id{id}) == session.brief(log_time{b.now}).places.sold);
    }
  }
}

TEST_CASE("a snapshot and the records after it give the same") {
  box_office b(21);
  b.open(1, small_hall(60));
  b.open(2, small_hall(60));
  const temporary_directory d;
  checkpoint_files files(d.path() / "snapshots");
  b.rush(600);

  snapshot_policy often;
  often.records_max = 200;
  snapshotter snaps(*b.journal, files, {}, often);
  std::size_t checkpoints = 0;
  const auto catch_up = [&] {
    for (bool behind = true; behind;) {
      const auto p = good(snaps.step(b.journal->last_block().number));
      behind = p.behind;
      checkpoints += p.checkpoint ? 1 : 0;
    }
  };
  catch_up();
  CHECK(digests(snaps.state()->sessions()) == b.digests());
  b.create(3, small_hall(20, "annex"));
  for (int i = 0; i < 8; ++i) {
    b.rush(300);
    catch_up();
  }
  REQUIRE(checkpoints >= 3);
  b.rush(50);
  const auto live = b.digests();
  const auto all = restart(std::make_shared<memory_disk>(*b.disk), nullptr, b.now);
  CHECK(digests(all.state.sessions) == live);

  const auto disk = std::make_shared<memory_disk>(*b.disk);
  const auto tail = restart(disk, &files, b.now);
  CHECK(tail.state.report.from_checkpoint > 0);
  CHECK(tail.state.report.records < all.state.report.records / 2);
  CHECK(digests(tail.state.sessions) == live);
  CHECK(tail.state.report.warnings.empty());
  CHECK(tail.guard->sold(session_id{1}) == all.guard->sold(session_id{1}));

  SUBCASE("a snapshotter goes on from the checkpoint") {
    snapshotter later(*tail.journal, files, {}, often);
    while (good(later.step(tail.journal->last_block().number)).behind) {}
    CHECK(digests(later.state()->sessions()) == live);
    CHECK(later.state()->records() == tail.state.report.records);
    good(later.checkpoint_now());
    const auto none = restart(disk, &files, b.now);
    CHECK(digests(none.state.sessions) == live);
    CHECK(none.state.report.records == 0);
  }
  SUBCASE("a damaged snapshot is left out, with a reason, and an older one or none is taken") {
    std::size_t damaged = 0;
    const auto newest = good(files.list()).checkpoints.front();
    const auto spoil = [&](const std::filesystem::path& path) {
      std::fstream f(path, std::ios::in | std::ios::out | std::ios::binary);
      f.seekp(200);
      f.put('\x55');
      f.put('\xaa');
      ++damaged;
    };
    for (const auto& e : std::filesystem::directory_iterator(d.path() / "snapshots"))
      if (e.path().extension() == ".snap" &&
          e.path().filename().string().starts_with(std::to_string(newest.at.block.number) + "-"))
        spoil(e.path());
    if (damaged == 0)  // names may be padded
      for (const auto& e : std::filesystem::directory_iterator(d.path() / "snapshots"))
        if (e.path().extension() == ".snap" &&
            std::stoull(e.path().filename().string()) == newest.at.block.number)
          spoil(e.path());
    REQUIRE(damaged > 0);
    const auto s = restart(std::make_shared<memory_disk>(*b.disk), &files, b.now);
    CHECK(digests(s.state.sessions) == live);
    CHECK(s.state.report.from_checkpoint != newest.at.block.number);
    REQUIRE(!s.state.report.warnings.empty());
    CHECK(says(s.state.report.warnings[0], "left out the checkpoint of block"));
  }
}

TEST_CASE("many sessions are loaded by several threads, and come back as they were; of damaged ones the first is named") {
  constexpr std::uint64_t halls = 24;
  box_office b(25);
  for (std::uint64_t id = 1; id <= halls; ++id) b.open(id, small_hall(12));
  b.rush(2'000);
  const temporary_directory d;
  checkpoint_files files(d.path() / "snapshots");
  snapshotter snaps(*b.journal, files, {}, {});
  while (good(snaps.step(b.journal->last_block().number)).behind) {}
  good(snaps.checkpoint_now());
  b.rush(50);
  const auto live = b.digests();
  REQUIRE(live.size() == halls);
  const auto s = restart(std::make_shared<memory_disk>(*b.disk), &files, b.now);
  CHECK(s.state.report.from_checkpoint > 0);
  CHECK(s.state.report.warnings.empty());
  CHECK(digests(s.state.sessions) == live);

  const auto listing = good(files.list());
  const auto& newest = listing.checkpoints.front();
  for (const auto& e : std::filesystem::directory_iterator(d.path() / "snapshots"))
    for (const auto* session : {"-17.snap", "-5.snap"})
      if (e.path().filename().string().ends_with(session)) std::filesystem::resize_file(e.path(), 100);
  const auto bad = replica::load(files, newest, {});
  REQUIRE(!bad);
  CHECK(says(bad.failure().text, "-5.snap"));
}

TEST_CASE("a restart goes on: what is sold after it is replayed by the next one") {
  box_office b(31);
  b.open(1, small_hall(60));
  b.rush(500);
  auto s = restart(b.disk, nullptr, b.now + minute);
  auto& session = s.state.sessions.at(1);

  // The shift for the outage, as the registry writes it.
  const auto shift = downtime_shift(session, s.state.downtime_us);
  CHECK(shift == minute / ms);
  engine e(std::move(session));
  request r;
  r.head.from = {role::recovery, 0};
  r.head.id = b.fresh();
  r.asked = command(shift_deadlines{shift, 0});
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
  e.step({&r, 1}, log_time{b.now + minute}, sink);
  REQUIRE(sink.last.refused == refusal::none);
  std::vector<record_ref> refs;
  for (const auto& w : sink.out) refs.push_back(w.ref());
  good(s.journal->append(refs, b.now + minute));
  const auto live = session_digest(e.state());
  CHECK(downtime_shift(e.state(), 25 * minute) == 10 * minute / ms);

  const auto again = restart(b.disk, nullptr, b.now + minute);
  CHECK(session_digest(again.state.sessions.at(1)) == live);
}

TEST_CASE("a faulted session comes back faulted, until it has written again") {
  box_office b(41);
  b.open(1, small_hall(60));
  b.open(2, small_hall(60));
  b.rush(200);
  const std::vector<faulted_session> faulted{
      {session_id{1}, log_time{b.now}}, {session_id{2}, log_time{noon - 1}}, {session_id{77}, log_time{b.now}}};
  const auto s = restart(b.disk, nullptr, b.now, faulted);
  // Session 2 has written since, so it was cleared; session 77 does not exist.
  CHECK(s.state.faulted == std::vector<faulted_session>{faulted[0]});
}

TEST_CASE("a journal whose records do not follow each other is refused, and the place named") {
  box_office b(51);
  b.open(1, small_hall(60));
  b.rush(300);
  auto records = b.records();
  const auto refuse = [&] {
    const auto s = start(std::make_unique<memory_block_store>(rechained(records)), nullptr, {}, at(b.now));
    REQUIRE(!s.ok());
    CHECK(s.failure().kind == base::trouble::corrupt);
    CHECK(says(s.failure().text, "session 1"));
    CHECK(says(s.failure().text, "block "));
    return s.failure().text;
  };
  SUBCASE("one is missing") {
    records.erase(records.begin() + 50);
    CHECK(says(refuse(), "comes where record"));
  }
  SUBCASE("one does not decode") {
    records[50].bytes.resize(4);
    refuse();
  }
  SUBCASE("the plan is missing") {
    records.erase(records.begin());
    CHECK(says(refuse(), "needs plan"));
  }
}
