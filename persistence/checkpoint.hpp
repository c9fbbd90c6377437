// Snapshots and checkpoints: what spares a start the way from the first block. They are derived: the journal can do
// without, so a damaged one is left out with a reason and never trusted.
//
//   <data_dir>/snapshots/<block>-<session>.snap   the state of one session after that block
//   <data_dir>/snapshots/<block>.checkpoint       which snapshots together are the state after that block
//
// A checkpoint may name snapshots older than itself: a session without records since then needs no new one. Session 0
// is the journal's own stream; its snapshot is for what belongs to no session.
//
// Snapshot:                                          Checkpoint:
//   offset  size  field                                offset  size  field
//        0     4  magic "HFsn"                              0     4  magic "HFcp"
//        4     2  format version, 1                         4     2  format version, 1
//        6     2  partition                                 6     2  partition
//        8    16  journal id                                8    16  journal id
//       24     8  number of the block                      24     8  number of the block
//       32    32  hash of the block                        32    32  hash of the block
//       64     8  session                                  64     4  count of snapshots, n
//       72     8  session sequence                         68  56*n  each: session u64, session sequence u64, number
//       80     8  bytes of the payload, n                            of the block in the snapshot's name u64, the
//       88     n  payload, opaque here                               snapshot's SHA-256; sessions ascending
//     88+n    32  SHA-256 of everything above          68+56*n 32  SHA-256 of everything above
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "persistence/block.hpp"

namespace holdfast::persistence {

inline constexpr std::uint16_t snapshot_format_version = 1;
inline constexpr std::size_t checkpoints_kept = 2;
inline constexpr std::uint32_t checkpoint_sessions_max = 1U << 20U;

/// A block that a checkpoint vouches for.
struct checkpoint_mark {
  base::id128 journal;
  block_mark block;

  friend bool operator==(const checkpoint_mark&, const checkpoint_mark&) = default;
};

/// One line of a checkpoint.
struct snapshot_entry {
  std::uint64_t session = 0;
  std::uint64_t sequence = 0;  ///< of the session's last record in the snapshot
  std::uint64_t block = 0;     ///< after which the snapshot was taken; at most the checkpoint's
  digest hash{};               ///< of the snapshot file

  friend bool operator==(const snapshot_entry&, const snapshot_entry&) = default;
};

struct checkpoint {
  std::uint16_t partition = 0;
  checkpoint_mark at;
  std::vector<snapshot_entry> snapshots;  ///< ascending by session

  friend bool operator==(const checkpoint&, const checkpoint&) = default;
};

/// Gives the payload of one snapshot; it is valid during the call.
using snapshot_visitor = std::function<base::result<void>(const snapshot_entry&, base::byte_view payload)>;

/// The files of one `snapshots` directory. One writer at a time; readers may run beside it, but may then find that
/// a file they were about to read was replaced by newer ones.
class checkpoint_files {
 public:
  explicit checkpoint_files(std::filesystem::path directory) : directory_(std::move(directory)) {}

  struct listing {
    std::vector<checkpoint> checkpoints;  ///< newest first; their own bytes are whole, their snapshots not yet read
    std::vector<std::string> skipped;     ///< file and reason
  };
  /// A directory that is not there holds no checkpoints. Error: io.
  [[nodiscard]] base::result<listing> list() const;

  /// Reads and checks every snapshot of `c` and shows its payload. Error: bad_bytes or io, names the file; the caller
  /// forgets what it was shown and takes the next older checkpoint, in the end the journal's first block.
  base::result<void> load(const checkpoint& c, const snapshot_visitor& visit) const;
  /// The same for one of its snapshots, whose file is read into `buffer`. Several threads may, each with a buffer of its own.
  base::result<void> load_one(const checkpoint& c, const snapshot_entry& entry, base::bytes& buffer, const snapshot_visitor& visit) const;

  /// Writes one snapshot, durably. `payload` belongs to the state right after block `at`.
  base::result<snapshot_entry> write_snapshot(std::uint16_t partition, const checkpoint_mark& at, std::uint64_t session,
                                              std::uint64_t sequence, base::byte_view payload);
  /// Writes the checkpoint, durably, after all its snapshots; then removes checkpoints beyond the newest
  /// `checkpoints_kept` and snapshots that none of these names.
  base::result<void> write_checkpoint(const checkpoint& c);

 private:
  [[nodiscard]] std::filesystem::path snapshot_path(std::uint64_t block, std::uint64_t session) const;
  [[nodiscard]] std::filesystem::path checkpoint_path(std::uint64_t block) const;
  base::result<void> remove_superseded() const;

  std::filesystem::path directory_;
};

/// Replaces the content of `out`. Needs ascending sessions.
void encode_checkpoint(const checkpoint& c, base::bytes& out);
/// Error: bad_bytes.
base::result<checkpoint> decode_checkpoint(base::byte_view bytes);

}  // namespace holdfast::persistence
