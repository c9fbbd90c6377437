// Makes checkpoints in the background, so that a start has little to replay. It reads durable blocks and applies them
// to a replica of its own: the session actors never stop for it, and each checkpoint is proof that the journal alone
// gives the state. Of the sessions it keeps those that were written to since the checkpoint before the last; the others
// sleep in their snapshots.
#pragma once

#include <cstdint>
#include <optional>

#include "persistence/journal.hpp"
#include "persistence/replica.hpp"

namespace holdfast::persistence {

/// When a checkpoint is due: whichever comes first. Together they bound what a start replays.
struct snapshot_policy {
  std::uint64_t records_max = 2'000'000;      ///< since the last checkpoint; about a second of replay
  std::uint64_t bytes_max = 256U << 20U;      ///< of blocks since the last checkpoint
  std::uint64_t blocks_per_step = 8;          ///< so that a step stays short and a stop is heard
};

/// One thread calls `step`; it may be another than the journal's.
class snapshotter {
 public:
  /// `j` must outlive the snapshotter; only its `scan` and facts fixed at its opening are used. Nothing is read yet.
  snapshotter(const journal& j, checkpoint_files files, const core::session_options& options,
              const snapshot_policy& policy);

  struct progress {
    std::uint64_t at = 0;                      ///< the newest block applied
    bool behind = false;                       ///< more durable blocks wait: step again
    std::optional<std::uint64_t> checkpoint;   ///< the block of a checkpoint written by this step
    std::vector<std::string> warnings;         ///< checkpoints that could not be read
  };
  /// Applies some of the blocks up to `durable` (the number of a durable block) and writes a checkpoint if one is due.
  /// Error: io or corrupt; no further step does anything then, and the server goes on without new checkpoints.
  base::result<progress> step(std::uint64_t durable);

  /// Writes a checkpoint of the present block unless there is one; for orderly stops and tests.
  base::result<void> checkpoint_now();

  /// Null before the first step.
  [[nodiscard]] const replica* state() const { return state_ ? &*state_ : nullptr; }

 private:
  base::result<void> begin(progress& p);
  void begin_without_last(progress& p, const base::error& why);

  const journal& journal_;
  const base::id128 id_;
  const std::uint64_t first_block_;
  checkpoint_files files_;
  core::session_options options_;
  snapshot_policy policy_;
  std::optional<replica> state_;
  std::optional<checkpoint> last_;
  std::vector<std::uint64_t> unreadable_;  ///< blocks of checkpoints with a snapshot that could not be read
  std::uint64_t records_then_ = 0;
  std::uint64_t bytes_since_ = 0;
  std::optional<base::error> failed_;
};

}  // namespace holdfast::persistence
