// The auditor: reads a journal from its first block to its last, on a copy or beside a stopped server, and changes
// nothing. Of each record it asks three things: do the rules of today decide the same from the state before it; may it
// be at all, by a second bookkeeping that knows nothing of the rules (hall_book.hpp); and does the state after it agree
// with that book.
//
// Two steps: `audit` over any block store, `audit_directory` over a data directory.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "persistence/block_store.hpp"
#include "persistence/checkpoint.hpp"
#include "persistence/data_directory.hpp"
#include "persistence/hall_book.hpp"
#include "persistence/replica.hpp"

namespace holdfast::persistence {

struct audit_options {
  std::uint16_t partition = 0;
  /// A session's counts are compared with the book's after so many of its records, and at the end.
  std::uint64_t compare_every = 1'024;
  /// Called after a block, at most about once in a thousand records.
  std::function<void(std::uint64_t block, std::uint64_t last_block, std::uint64_t records)> progress;
};

/// The first thing that is wrong. Records of a block are counted from 1; 0: the block as a whole, or what is around it.
struct violation {
  std::uint64_t block = 0;
  std::uint64_t record = 0;
  std::uint64_t session = 0;   ///< 0: none
  std::uint64_t sequence = 0;
  std::string what;            ///< one line
};

struct channel_tally {
  std::uint64_t holds = 0;     ///< placed through this channel
  std::uint64_t orders = 0;    ///< confirmed, by the channel that placed the hold
  std::uint64_t places = 0;    ///< sold with them
};

struct session_audit {
  std::uint64_t id = 0;
  std::string name;
  core::session_class kind = core::session_class::real;
  std::string currency;
  std::uint64_t records = 0;
  core::log_time last;
  core::place_counts places;          ///< at the end
  std::uint64_t capacity = 0;
  std::uint64_t holds_placed = 0, holds_released = 0, holds_expired = 0;
  std::uint64_t orders_confirmed = 0; ///< of them late:
  std::uint64_t late = 0;
  std::uint64_t orders_standing = 0;  ///< not wholly cancelled
  std::uint64_t cancellations = 0;
  std::uint64_t refunds_due = 0, refunds_settled = 0;
  std::int64_t amount_sold = 0;       ///< confirmed, minor units
  std::int64_t amount_refunds_open = 0;
  std::vector<open_refund> refunds_open;
  std::map<core::channel_no, channel_tally> by_channel;
  digest state{};                     ///< session_digest at the end
};

struct audit_report {
  base::id128 journal;
  std::uint64_t first_block = 0, last_block = 0;
  std::uint64_t blocks = 0, records = 0, starts = 0, bytes = 0;
  std::uint64_t checkpoints_compared = 0;
  std::vector<session_audit> sessions;  ///< ascending by id; up to the violation, if there is one
  std::optional<violation> wrong;
  std::vector<std::string> warnings;

  [[nodiscard]] bool clean() const { return !wrong; }
};

/// Checks everything that `store` holds, and that `files` (may be null) tell the same. What is wrong with the journal
/// stands in the report; an error means that it could not be read: io, busy, or bad_input if there is no journal.
base::result<audit_report> audit(block_store& store, const checkpoint_files* files, const audit_options& options);

/// Opens the RocksDB of a data directory read-only. Not one byte of it changes.
base::result<audit_report> audit_directory(const data_directory& d, const audit_options& options);

}  // namespace holdfast::persistence
