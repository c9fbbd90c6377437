// The start of a server: opens the journal, makes the sessions again from the newest good checkpoint and the records
// after it, and puts the second line of defence in place. Nothing is written but the journal's own `started` block; the
// shift for the downtime is the sessions' to write (`downtime_shift`).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "persistence/data_directory.hpp"
#include "persistence/guard.hpp"
#include "persistence/journal_log.hpp"
#include "persistence/replica.hpp"

namespace holdfast::persistence {

/// Told now and then while blocks are replayed.
using replay_progress = std::function<void(std::uint64_t block, std::uint64_t last_block, std::uint64_t records)>;

struct recovery_report {
  std::uint64_t from_checkpoint = 0;  ///< its block; 0: replayed from the first block
  std::uint64_t sessions = 0;         ///< after recovery
  std::uint64_t blocks = 0;           ///< replayed
  std::uint64_t records = 0;          ///< replayed
  std::uint64_t took_us = 0;
  std::vector<std::string> warnings;  ///< checkpoints that were left out, and why
};

struct recovered {
  replica::sessions_map sessions;
  std::shared_ptr<plan_library> plans;
  std::uint64_t highest_session = 0;     ///< the next session gets the number after it
  std::uint64_t downtime_us = 0;         ///< how long the server was away
  std::vector<faulted_session> faulted;  ///< their sessions open faulted, with their hold clocks standing at `since`
  recovery_report report;
};

/// Replays `j` up to its last block. `listing` is what checkpoint_files::list gave, `faulted` what read_faulted gave;
/// entries of sessions that have written since are left out: they were cleared. Error: corrupt or io.
base::result<recovered> recover(const journal& j, const checkpoint_files* files,
                                const checkpoint_files::listing& listing, const std::vector<faulted_session>& faulted,
                                std::uint64_t downtime_us, const core::session_options& options,
                                const replay_progress& progress = {});

/// By how much recovery shifts the deadlines of `s`: the downtime, as far as the rules allow, ms; 0: not at all (also
/// for a session that is frozen or faulted). To be given to shift_deadlines with role `recovery`, before the session's
/// first step.
[[nodiscard]] core::interval_ms downtime_shift(const core::session& s, std::uint64_t downtime_us);

struct start_options {
  std::uint64_t wall_clock = 0;  ///< microseconds UTC since 1970
  clock_rule clock;
  std::string program;           ///< name and version, for the started record
  core::session_options sessions;
  replay_progress progress;
  base::id128 new_journal;       ///< id for a new journal; zero: drawn from the operating system
  // From a data directory only:
  std::size_t write_buffer_bytes = 64U << 20U;
  bool logs_in_place = true;     ///< rocksdb_store_options::log_room_bytes: as much as write_buffer_bytes needs
  bool sync = true;              ///< rocksdb_store_options::sync
};

/// A journal ready for appends, guarded, and what came out of it.
struct started {
  // In this order: the journal must go before the guard, the guard before the plans.
  recovered state;
  std::unique_ptr<sold_guard> guard;
  std::unique_ptr<journal_log> journal;
  start_report report;
};

/// From any store. `files` may be null: no checkpoints.
base::result<started> start(std::unique_ptr<block_store> store, const checkpoint_files* files,
                            const std::vector<faulted_session>& faulted, const start_options& options);
/// From a data directory, which is made if it is missing. Errors: those of rocksdb_block_store::open and
/// journal_log::open.
base::result<started> start(const data_directory& d, const start_options& options);

}  // namespace holdfast::persistence
