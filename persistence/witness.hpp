// The witness: a small file that remembers how far the journal was acknowledged, because the store's own recovery
// cannot tell a torn tail from a lost one. Two slots, each in a sector of its own, are written in turn, so a write
// that tears leaves the one before it whole.
//
// The file has 8,192 bytes; slot i begins at 4,096 * i; what follows a slot's 120 bytes is zero.
//
//   offset  size  field
//        0     4  magic "HFwt"
//        4     2  format version, 1
//        6     2  partition
//        8     8  writes: how often the witness was written before, which also picks the slot (writes mod 2)
//       16    16  journal id
//       32     8  epoch of the block
//       40     8  number of the highest acknowledged block; 0: none yet
//       48    32  hash of that block; of none: the SHA-256 of the journal id's 16 bytes
//       80     8  log time of the write, microseconds UTC since 1970
//       88    32  SHA-256 of everything above
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "persistence/block.hpp"

namespace holdfast::persistence {

inline constexpr std::uint16_t witness_format_version = 1;
inline constexpr std::size_t witness_bytes = 120;
inline constexpr std::size_t witness_slots = 2;
inline constexpr std::size_t witness_slot_stride = 4096;
/// After a power cut the witness may be this old, microseconds.
inline constexpr std::uint64_t witness_sync_every = 100'000;
/// An idle journal renews its witness this often, microseconds, so that the length of an outage is known.
inline constexpr std::uint64_t witness_refresh_every = 1'000'000;

struct witness {
  std::uint16_t partition = 0;
  std::uint64_t writes = 0;
  base::id128 journal;
  std::uint64_t epoch = 0;
  block_mark block;
  std::uint64_t log_time = 0;

  friend bool operator==(const witness&, const witness&) = default;
};

/// Replaces the content of `out`.
void encode_witness(const witness& w, sha256& hasher, base::bytes& out);
/// Error: bad_bytes.
base::result<witness> decode_witness(base::byte_view bytes, sha256& hasher);

/// What two slots say together.
struct witness_reading {
  witness newest;
  unsigned slots_bad = 0;  ///< 1: the other slot is damaged or torn; the newest write may have been in it
};
/// Error: corrupt, if no slot is whole or the slots speak of two journals.
base::result<witness_reading> read_witness(const std::array<base::bytes, witness_slots>& slots, sha256& hasher);

/// Decides when the witness is written and when it is synced. Time is an argument; it does no input or output.
///
/// Invariant: a write stays unsynced for at most witness_sync_every, if `tick` is called when `next_due` says so.
class witness_keeper {
 public:
  struct task {
    bool write = false;
    bool sync = false;
  };
  /// The witness is as it was when written and synced at `now`.
  explicit witness_keeper(std::uint64_t now) : written_(now) {}

  /// A block became durable: its witness must be written before anybody hears of it.
  [[nodiscard]] task block_durable(std::uint64_t now) const { return {true, sync_due(now)}; }
  /// Nothing happened but time.
  [[nodiscard]] task tick(std::uint64_t now) const {
    const bool refresh = now >= written_ + witness_refresh_every;
    return {refresh, refresh || sync_due(now)};
  }
  void wrote(std::uint64_t now) {
    written_ = now;
    if (!unsynced_since_) unsynced_since_ = now;
  }
  void synced() { unsynced_since_.reset(); }
  /// When `tick` will next have something to do.
  [[nodiscard]] std::uint64_t next_due() const {
    return unsynced_since_ ? *unsynced_since_ + witness_sync_every : written_ + witness_refresh_every;
  }

 private:
  [[nodiscard]] bool sync_due(std::uint64_t now) const {
    return unsynced_since_ && now >= *unsynced_since_ + witness_sync_every;
  }
  std::uint64_t written_;
  std::optional<std::uint64_t> unsynced_since_;
};

}  // namespace holdfast::persistence
