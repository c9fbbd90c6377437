// What lies where in a data directory.
//
//   journal/     the blocks (rocksdb_block_store.hpp)
//   witness      the newest acknowledged block (witness.hpp)
//   snapshots/   checkpoints (checkpoint.hpp); derived, may be removed
//   index/       what `find` reads (index.hpp); derived, may be removed
//   faulted      sessions that the second line of defence took out of service; text, one a line:
//                session and the log time at which its hold clock stopped, microseconds UTC since 1970
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "base/result.hpp"
#include "core/types.hpp"

namespace holdfast::persistence {

struct data_directory {
  std::filesystem::path root;

  [[nodiscard]] std::filesystem::path journal() const { return root / "journal"; }
  [[nodiscard]] std::filesystem::path witness() const { return root / "witness"; }
  [[nodiscard]] std::filesystem::path snapshots() const { return root / "snapshots"; }
  [[nodiscard]] std::filesystem::path index() const { return root / "index"; }
  [[nodiscard]] std::filesystem::path faulted() const { return root / "faulted"; }
};

/// A session out of service: looks only, nothing is written, its hold clock stands at `since`.
struct faulted_session {
  core::session_id session;
  core::log_time since;
  friend bool operator==(const faulted_session&, const faulted_session&) = default;
};

/// No file: no such session. Errors: io; bad_input, names the line.
base::result<std::vector<faulted_session>> read_faulted(const data_directory& d);
/// Adds a session, durably; one that is there already keeps its time. Called on the way out after the guard's refusal.
base::result<void> note_faulted(const data_directory& d, const faulted_session& f);
/// Takes a session out, durably. Called once its `fault_cleared` record is durable.
base::result<void> forget_faulted(const data_directory& d, core::session_id session);

}  // namespace holdfast::persistence
