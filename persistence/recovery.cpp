#include "persistence/recovery.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

#include <fmt/format.h>

#include "base/planted.hpp"
#include "persistence/replay.hpp"
#include "persistence/rocksdb_block_store.hpp"

namespace holdfast::persistence {

namespace {

constexpr std::uint64_t progress_every = 256;  // blocks
/// Each passes over the frames of all records and applies some; one thread reads and hashes for all of them.
constexpr unsigned replay_threads_max = 8;

/// The newest checkpoint of `j` that can be read, else the state before the first block.
replica newest_state(const journal& j, const checkpoint_files* files, const checkpoint_files::listing& listing,
                     const core::session_options& options, recovery_report& report) {
  for (const auto& skipped : listing.skipped) report.warnings.push_back("left out " + skipped);
  for (const auto& c : listing.checkpoints) {
    if (files == nullptr || c.at.journal != j.id() || c.at.block.number > j.last_block().number) continue;
    auto loaded = replica::load(*files, c, options);
    if (loaded) {
      report.from_checkpoint = c.at.block.number;
      return std::move(loaded).value();
    }
    report.warnings.push_back(
        fmt::format("left out the checkpoint of block {}: {}", c.at.block.number, loaded.failure().text));
  }
  return replica(options);
}

}  // namespace

base::result<recovered> recover(const journal& j, const checkpoint_files* files,
                                const checkpoint_files::listing& listing, const std::vector<faulted_session>& faulted,
                                std::uint64_t downtime_us, const core::session_options& options,
                                const replay_progress& progress) {
  const auto began = std::chrono::steady_clock::now();
  recovered r;
  r.downtime_us = downtime_us;
  auto state = newest_state(j, files, listing, options, r.report);
  const auto vouched = state.at();
  replay rest(std::move(state), std::clamp(std::thread::hardware_concurrency(), 1U, replay_threads_max));
  const auto last = j.last_block().number;
  // The checkpoint's own block is read again: its hash must be the one that the checkpoint vouches for.
  const auto from = r.report.from_checkpoint != 0 ? r.report.from_checkpoint : j.first_block();
  auto done = j.scan(from, last, [&](const block_view& block) -> base::result<bool> {
    if (block.header.number == r.report.from_checkpoint) {
      if (block.mark() == vouched) return true;
      return base::error{base::trouble::corrupt,
                         fmt::format("block {} is not the one that a checkpoint was made of", block.header.number)};
    }
    // The very last one is this start's own.
    if (planted(bug::recovery_without_the_last_block) && block.header.number + 1 == last) return true;
    if (auto ok = rest.add(block); !ok) return ok.failure();
    ++r.report.blocks;
    r.report.records += block.header.record_count;
    if (progress && (r.report.blocks % progress_every == 0 || block.header.number == last))
      progress(block.header.number, last, r.report.records);
    return true;
  });
  if (!done) return done.failure();
  auto all = rest.finish();
  if (!all) return all.failure();

  r.report.records = all->records();
  r.plans = all->plans();
  r.sessions = std::move(all->sessions());
  r.report.sessions = r.sessions.size();
  if (!r.sessions.empty()) r.highest_session = r.sessions.rbegin()->first;
  for (const auto& f : faulted) {
    const auto at = r.sessions.find(f.session.value);
    if (at != r.sessions.end() && at->second.last_time() <= f.since) r.faulted.push_back(f);
  }
  r.report.took_us = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - began).count());
  return r;
}

core::interval_ms downtime_shift(const core::session& s, std::uint64_t downtime_us) {
  if (s.clock_stands() || planted(bug::outage_not_given_back)) return 0;
  if (planted(bug::deadlines_begin_anew_at_start)) downtime_us = core::downtime_shift_per_start_max_us;
  const auto had = s.brief(s.last_time()).downtime_shift_us;
  const auto left = core::downtime_shift_total_max_us - std::min(had, core::downtime_shift_total_max_us);
  return static_cast<core::interval_ms>(std::min({downtime_us, left, core::downtime_shift_per_start_max_us}) /
                                        core::us_per_ms);
}

base::result<started> start(std::unique_ptr<block_store> store, const checkpoint_files* files,
                            const std::vector<faulted_session>& faulted, const start_options& options) {
  checkpoint_files::listing listing;
  if (files != nullptr) {
    auto listed = files->list();
    if (!listed) return listed.failure();
    listing = std::move(*listed);
  }
  journal_options jo;
  jo.wall_clock = options.wall_clock;
  jo.clock = options.clock;
  jo.program = options.program;
  jo.new_journal = options.new_journal;
  for (const auto& c : listing.checkpoints) jo.checkpoints.push_back(c.at);
  auto opened = journal_log::open(std::move(store), jo);
  if (!opened) return opened.failure();
  auto state = recover(*opened->journal, files, listing, faulted, opened->report.time.downtime, options.sessions,
                       options.progress);
  if (!state) return state.failure();

  started s{std::move(*state), nullptr, std::move(opened->journal), std::move(opened->report)};
  s.guard = std::make_unique<sold_guard>(*s.state.plans);
  for (const auto& [id, session] : s.state.sessions) s.guard->watch(session);
  s.journal->guard_with(*s.guard);
  return s;
}

base::result<started> start(const data_directory& d, const start_options& options) {
  rocksdb_store_options so;
  so.data_dir = d.root;
  so.write_buffer_bytes = options.write_buffer_bytes;
  so.log_room_bytes = options.logs_in_place ? options.write_buffer_bytes + options.write_buffer_bytes / 16 : 0;
  so.sync = options.sync;
  auto store = rocksdb_block_store::open(so);
  if (!store) return store.failure();
  auto faulted = read_faulted(d);
  if (!faulted) return faulted.failure();
  const checkpoint_files files(d.snapshots());
  return start(std::move(*store), &files, *faulted, options);
}

}  // namespace holdfast::persistence
