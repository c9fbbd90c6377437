// What restarts cost: replaying records into sessions, admitting them past the guard, auditing them, and a snapshot
// there and back; and the index of `find`, built behind the log. The journal is one sale of a 50,000-seat hall over a
// million owners: each seat is held and given back some times, then held again and paid for.
#include <benchmark/benchmark.h>
#include <stdlib.h>

#include <filesystem>

#include "bench/hall.hpp"
#include "persistence/audit.hpp"
#include "persistence/index.hpp"
#include "persistence/journal_log.hpp"
#include "persistence/memory_block_store.hpp"
#include "persistence/recovery.hpp"
#include "plans/generate.hpp"

namespace {

using namespace holdfast;
using namespace holdfast::persistence;

constexpr std::uint32_t seats = 50'000;
constexpr std::size_t per_block = 4'096;

struct sale {
  std::shared_ptr<memory_disk> disk = std::make_shared<memory_disk>();
  plan_library plans;
  std::uint64_t records = 0, bytes = 0;
};

/// Gathers records into blocks.
struct writer final : core::step_sink {
  explicit writer(sale& s) : out(s) {
    journal_options o;
    o.wall_clock = 1'000'000;
    o.new_journal = {1, 2};
    journal = std::move(journal_log::open(std::make_unique<memory_block_store>(s.disk), o)->journal);
  }
  void add(std::uint64_t sequence, std::uint64_t at, base::bytes bytes) {
    out.bytes += bytes.size();
    pending.push_back({sequence, at, std::move(bytes)});
    if (pending.size() == per_block) flush();
  }
  void on_record(const core::record& r) override {
    base::bytes b;
    encode_record(r, b);
    ++out.records;
    add(r.number.value, r.at.value, std::move(b));
  }
  void on_view_change(const core::view_change&) override {}
  void on_answer(std::uint64_t, const core::answer& said, std::shared_ptr<const core::seen>) override {
    HOLDFAST_CHECK(said.refused == core::refusal::none, "the sale goes as planned");
  }
  void flush() {
    std::vector<record_ref> refs;
    for (const auto& p : pending) refs.push_back({1, p.sequence, p.at, p.bytes});
    HOLDFAST_CHECK(journal->append(refs, pending.back().at).ok(), "a journal in memory takes all");
    pending.clear();
  }
  struct kept { std::uint64_t sequence, at; base::bytes bytes; };
  sale& out;
  std::unique_ptr<journal_log> journal;
  std::vector<kept> pending;
};

/// Two records for each seat and round.
std::unique_ptr<sale> make_sale(int rounds) {
  auto made = std::make_unique<sale>();
  sale& s = *made;
  writer w(s);
  auto plan = std::make_shared<const core::plan>(plans::generate_hall({.seats = seats}));
  const auto added = s.plans.add(plan);
  auto session = bench::make_session(plan);
  core::record created{core::sequence{1},
                       core::log_time{1'000'000},
                       core::rules_version,
                       {},
                       core::create_session{session.shared_terms()},
                       core::session_created{}};
  w.add(plan_sequence, 1'000'000, added.what->bytes);
  w.on_record(created);
  core::engine e(std::move(session));
  base::random random(1);
  core::log_time now{2'000'000};
  const auto step = [&](const core::request& r) {
    now.value += 3;
    e.step({&r, 1}, now, w);
    e.durable(e.state().last());
  };
  const auto ask = [&](core::role who, core::command c, core::command_id name) {
    core::request r;
    r.head.from.who = who;
    r.head.id = name;
    r.asked = std::move(c);
    step(r);
  };
  ask(core::role::op, core::open_sale{}, core::command_id{random.id()});

  bench::requests batch(1);
  for (int round = 0; round < rounds; ++round)
    for (std::uint32_t n = 0; n < seats; ++n) {
      const auto seat = static_cast<std::uint32_t>((std::uint64_t{n} * 7'919 + 13) % seats);
      const core::hold_id name{random.id()};
      batch.hold(0, seat, random.below(bench::owners), name.value, now);
      step(batch.at(0));
      const auto owner = std::get<core::hold_seats>(std::get<core::command>(batch.at(0).asked)).owner;
      if (round + 1 < rounds) {
        ask(core::role::shop, core::release_hold{owner, name, {}, false}, core::command_id{random.id()});
      } else {
        base::bytes payment;
        base::byte_writer(payment).id(random.id());
        ask(core::role::shop, core::confirm_hold{owner, name, payment, 4'200, core::payment_kind::card}, {});
      }
    }
  w.flush();
  HOLDFAST_CHECK(w.journal->close(now.value).ok(), "closed");
  return made;
}

const sale& the_sale() {
  static const auto s = make_sale(4);
  return *s;
}

/// Chain, decoding and session::apply: what a start does with each record.
void replay(benchmark::State& state) {
  const auto& s = the_sale();
  for (auto _ : state) {
    memory_block_store store(std::make_shared<memory_disk>(*s.disk));
    replica r({});
    chain c(0, {1, 2});
    const auto ok = scan_chain(store, c, 1, 0, [&](const block_view& b) -> base::result<bool> {
      if (auto done = r.apply(b); !done) return done.failure();
      return true;
    });
    HOLDFAST_CHECK(ok.ok() && r.records() == s.records, "all replayed");
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * s.records));
  state.counters["bytes_per_record"] = static_cast<double>(s.bytes) / static_cast<double>(s.records);
}
BENCHMARK(replay)->Unit(benchmark::kMillisecond);

void guard(benchmark::State& state) {
  const auto& s = the_sale();
  for (auto _ : state) {
    memory_block_store store(std::make_shared<memory_disk>(*s.disk));
    sold_guard g(s.plans);
    chain c(0, {1, 2});
    const auto ok = scan_chain(store, c, 1, 0, [&](const block_view& b) -> base::result<bool> {
      for (const auto& r : b)
        if (r.session != system_session)
          if (auto done = g.admit(r); !done) return done.failure();
      return true;
    });
    HOLDFAST_CHECK(ok.ok(), "all admitted");
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * s.records));
}
BENCHMARK(guard)->Unit(benchmark::kMillisecond);

void audit_all(benchmark::State& state) {
  const auto& s = the_sale();
  for (auto _ : state) {
    memory_block_store store(std::make_shared<memory_disk>(*s.disk));
    const auto report = audit(store, nullptr, {});
    HOLDFAST_CHECK(report.ok() && report->clean(), "the sale is clean");
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * s.records));
}
BENCHMARK(audit_all)->Unit(benchmark::kMillisecond);

void snapshot(benchmark::State& state) {
  const auto& s = the_sale();
  memory_block_store store(std::make_shared<memory_disk>(*s.disk));
  replica r({});
  chain c(0, {1, 2});
  const auto ok = scan_chain(store, c, 1, 0, [&](const block_view& b) -> base::result<bool> {
    if (auto done = r.apply(b); !done) return done.failure();
    return true;
  });
  HOLDFAST_CHECK(ok.ok(), "all replayed");
  const auto& session = r.sessions().at(1);
  std::size_t size = 0;
  for (auto _ : state) {
    base::bytes b;
    base::byte_writer w(b);
    session.save(w);
    const auto loaded = core::session::load(session.id(), b, session.terms().seating, {});
    HOLDFAST_CHECK(loaded.ok(), "it loads");
    size = b.size();
  }
  state.counters["bytes"] = static_cast<double>(size);
}
BENCHMARK(snapshot)->Unit(benchmark::kMillisecond);

std::uint64_t bytes_below(const std::filesystem::path& directory) {
  std::uint64_t all = 0;
  for (const auto& file : std::filesystem::recursive_directory_iterator(directory))
    if (file.is_regular_file()) all += file.file_size();
  return all;
}

/// A million records into an index on disk; processor time is that of all threads, RocksDB's too.
void index_catch_up(benchmark::State& state) {
  static const auto s = make_sale(10);
  std::uint64_t size = 0;
  for (auto _ : state) {
    state.PauseTiming();
    auto name = (std::filesystem::temp_directory_path() / "index_catch_up.XXXXXX").string();
    HOLDFAST_CHECK(::mkdtemp(name.data()) != nullptr, "a directory for the index");
    journal_options how;
    how.wall_clock = 2'000'000;
    auto opened = journal_log::open(std::make_unique<memory_block_store>(std::make_shared<memory_disk>(*s->disk)), how);
    const auto& journal = *opened->journal;
    state.ResumeTiming();
    {
      auto made = journal_index::open(name, journal.id());
      const auto index = std::move(*made);
      for (bool more = true; more;) {
        const auto done = index->catch_up(journal, journal.last_block().number, 16);
        HOLDFAST_CHECK(done.ok(), "the journal is whole");
        more = *done;
      }
      HOLDFAST_CHECK(index->flush().ok(), "the disk takes all");
    }
    state.PauseTiming();
    size = bytes_below(name);
    std::filesystem::remove_all(name);
    state.ResumeTiming();
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * s->records));
  state.counters["bytes_per_record"] = static_cast<double>(size) / static_cast<double>(s->records);
}
BENCHMARK(index_catch_up)->Unit(benchmark::kMillisecond)->MeasureProcessCPUTime()->UseRealTime();

}  // namespace

BENCHMARK_MAIN();
