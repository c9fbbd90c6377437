// Live equals replayed: by all records, and by a snapshot and the records after it.
#include <doctest/doctest.h>

#include <fstream>

#include "persistence/replay.hpp"
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

/// Every session that is awake in the snapshotter is as it is live.
bool agrees(const snapshotter& s, const box_office& b) {
  const auto live = b.digests();
  return std::ranges::all_of(digests(s.state()->sessions()), [&](const auto& one) { return live.at(one.first) == one.second; });
}

std::vector<std::uint64_t> awake(const snapshotter& s) {
  std::vector<std::uint64_t> ids;
  for (const auto& [id, session] : s.state()->sessions()) ids.push_back(id);
  return ids;
}

void catch_up(snapshotter& s, const box_office& b, std::vector<std::string>* warnings = nullptr) {
  for (bool behind = true; behind;) {
    auto p = good(s.step(b.journal->last_block().number));
    behind = p.behind;
    if (warnings != nullptr) warnings->insert(warnings->end(), p.warnings.begin(), p.warnings.end());
  }
}

/// The snapshot of `session` that the newest checkpoint names loses its end.
void cut_snapshot(const std::filesystem::path& snapshots, std::uint64_t session) {
  std::filesystem::path newest;
  for (const auto& e : std::filesystem::directory_iterator(snapshots))
    if (e.path().filename().string().ends_with("-" + std::to_string(session) + ".snap") && e.path() > newest) newest = e.path();
  REQUIRE(!newest.empty());
  std::filesystem::resize_file(newest, 100);
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
  CHECK(agrees(snaps, b));
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
    CHECK(agrees(later, b));
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

TEST_CASE("replayed by several threads, sessions are as by one; of bad records the first is named") {
  box_office b(61);
  for (std::uint64_t id = 1; id <= 7; ++id) b.open(id, small_hall(id % 2 == 0 ? 60 : 30, id % 3 == 0 ? "cellar" : "small hall"));
  b.rush(4'000);
  const auto live = b.digests();
  const auto replayed = [&](const std::shared_ptr<memory_disk>& disk, std::size_t threads) -> base::result<replica> {
    memory_block_store store(disk);
    chain c(0, b.journal->id());
    replay all(replica({}), threads, 4U << 10U);
    auto done = scan_chain(store, c, 1, 0, [&](const block_view& block) -> base::result<bool> {
      if (auto ok = all.add(block); !ok) return ok.failure();
      return true;
    });
    if (!done) return done.failure();
    return all.finish();
  };
  for (const std::size_t threads : {1U, 2U, 3U, 8U}) {
    const auto all = good(replayed(b.disk, threads));
    CHECK(digests(all.sessions()) == live);
    CHECK(all.records() == b.records().size() - 4);  // plans
    CHECK(all.at() == b.journal->last_block());
  }

  // Two sessions lose a record each: whoever of the threads comes to his gap first, the one that is first in the journal is told.
  auto records = b.records();
  std::vector<std::string> said;
  for (const std::uint64_t session : {2U, 3U}) {
    const auto from = records.begin() + static_cast<std::ptrdiff_t>(records.size() * session / 4);
    records.erase(std::ranges::find(from, records.end(), session, &written::session));
  }
  for (const std::size_t threads : {1U, 2U, 3U, 8U}) {
    auto all = replayed(rechained(records), threads);
    REQUIRE(!all);
    CHECK(all.failure().kind == base::trouble::corrupt);
    CHECK(says(all.failure().text, "session 2: record "));
    said.push_back(all.failure().text);
  }
  CHECK(std::ranges::count(said, said.front()) == 4);
}

TEST_CASE("sessions that nothing happens to sleep in their snapshots, and wake as they were") {
  box_office b(71);
  for (const std::uint64_t id : {1U, 2U, 3U}) b.open(id, small_hall(60));
  b.rush(900);
  const temporary_directory d;
  const auto folder = d.path() / "snapshots";
  snapshotter snaps(*b.journal, checkpoint_files(folder), {}, {});
  catch_up(snaps, b);
  good(snaps.checkpoint_now());
  CHECK(awake(snaps) == std::vector<std::uint64_t>{1, 2, 3});
  const auto pause = [&](std::uint64_t session) {
    REQUIRE(b.operate(session, pause_sale{}).refused == refusal::none);
    b.commit();
    catch_up(snaps, b);
  };
  pause(2);
  good(snaps.checkpoint_now());
  CHECK(awake(snaps) == std::vector<std::uint64_t>{2});

  SUBCASE("one wakes when a record comes for it") {
    pause(3);
    CHECK(awake(snaps) == std::vector<std::uint64_t>{2, 3});
    CHECK(agrees(snaps, b));
    good(snaps.checkpoint_now());
    CHECK(awake(snaps) == std::vector<std::uint64_t>{3});
    const checkpoint_files files(folder);
    const auto s = restart(b.disk, &files, b.now);
    CHECK(s.state.report.records == 0);
    CHECK(digests(s.state.sessions) == b.digests());
  }
  SUBCASE("after a start all sleep") {
    snapshotter later(*b.journal, checkpoint_files(folder), {}, {});
    catch_up(later, b);
    CHECK(awake(later).empty());
    b.rush(300);
    catch_up(later, b);
    CHECK(awake(later).size() == 3);
    CHECK(agrees(later, b));
  }
  SUBCASE("one whose snapshot went bad is made from an older checkpoint, or from the first block") {
    cut_snapshot(folder, 3);
    std::vector<std::string> warnings;
    b.rush(300);
    catch_up(snaps, b, &warnings);
    CHECK(warnings.size() == 2);  // both checkpoints name that file
    CHECK(says(warnings.front(), "left out the checkpoint of block"));
    CHECK(says(warnings.front(), "-3.snap"));
    CHECK(awake(snaps).size() == 3);
    CHECK(agrees(snaps, b));
    good(snaps.checkpoint_now());
    const checkpoint_files files(folder);
    const auto s = restart(b.disk, &files, b.now);
    CHECK(s.state.report.records == 0);
    CHECK(digests(s.state.sessions) == b.digests());
  }
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
