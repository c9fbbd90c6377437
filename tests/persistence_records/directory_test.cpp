// A data directory from its first start to its audit, over RocksDB.
#include <doctest/doctest.h>

#include <fstream>
#include <iterator>

#include "persistence/audit.hpp"
#include "persistence/snapshotter.hpp"
#include "tests/persistence_records/story.hpp"

using namespace holdfast;
using namespace holdfast::core;
using namespace holdfast::tests;

namespace {

start_options at(std::uint64_t wall_clock) {
  start_options o;
  o.wall_clock = wall_clock;
  o.program = "test";
  return o;
}

void write(journal_log& journal, std::span<const written> records) {
  std::vector<record_ref> refs;
  for (const auto& w : records) {
    refs.push_back(w.ref());
    if (refs.size() < 50) continue;
    good(journal.append(refs, w.at));
    refs.clear();
  }
  if (!refs.empty()) good(journal.append(refs, refs.back().log_time));
}

std::map<std::string, std::string> contents(const std::filesystem::path& root) {
  std::map<std::string, std::string> all;
  for (const auto& e : std::filesystem::recursive_directory_iterator(root)) {
    if (!e.is_regular_file()) continue;
    std::ifstream f(e.path(), std::ios::binary);
    all[e.path().string()] = std::string(std::istreambuf_iterator<char>(f), {});
  }
  return all;
}

}  // namespace

TEST_CASE("a server's directory: started, filled, checkpointed, started again, audited") {
  box_office b(61);
  b.open(1, small_hall(60));
  b.open(2, small_hall(60));
  b.rush(1'500);
  const auto& records = b.records();
  const auto half = records.size() / 2;
  const temporary_directory t;
  const data_directory d{t.path() / "data"};
  {
    auto s = good(start(d, at(noon)));
    CHECK(s.report.created);
    CHECK(s.state.sessions.empty());
    for (const auto& w : records)  // the registry files a plan before the first record that names it
      if (w.sequence == plan_sequence) good(s.state.plans->add(w.bytes));
    write(*s.journal, std::span(records).first(half));
    snapshotter snaps(*s.journal, checkpoint_files(d.snapshots()), {}, {});
    while (good(snaps.step(s.journal->last_block().number)).behind) {}
    good(snaps.checkpoint_now());
    good(s.journal->close(records[half - 1].at));
  }
  {
    auto s = good(start(d, at(records[half - 1].at)));
    CHECK(s.state.report.from_checkpoint > 0);
    CHECK(s.state.report.records == 0);
    CHECK(s.state.sessions.size() == 2);
    write(*s.journal, std::span(records).subspan(half));
    good(s.journal->close(records.back().at));
  }
  const auto before = contents(d.root);
  const auto report = good(audit_directory(d, {}));
  REQUIRE_MESSAGE(report.clean(), report.wrong->what);
  CHECK(contents(d.root) == before);
  CHECK(report.starts == 2);
  CHECK(report.checkpoints_compared == 1);
  for (const auto& s : report.sessions) CHECK(s.state == session_digest(b.state(s.id)));

  const auto s = good(start(d, at(b.now)));
  CHECK(s.state.report.from_checkpoint > 0);
  for (const auto& [id, session] : s.state.sessions) CHECK(session_digest(session) == session_digest(b.state(id)));
}

TEST_CASE("a directory without a journal is no audit") {
  const temporary_directory t;
  const auto r = audit_directory({t.path() / "nothing"}, {});
  REQUIRE(!r.ok());
  CHECK(r.failure().kind == base::trouble::bad_input);
}
