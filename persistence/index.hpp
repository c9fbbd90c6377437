// Where to look: by owner, by payment or attempt reference, by basket, by hold or order. The index says only in which
// blocks of the journal records stand; what they say is read there. It lies in a RocksDB of its own, behind the log and
// never in its way; it may be deleted at any time and is built anew. It answers nobody who buys: what it says is as old
// as `position`.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/event.hpp"
#include "persistence/journal.hpp"

namespace holdfast::persistence {

/// What happened to whom: one record, seen from one hold. Records on a session as a whole are not in here.
struct index_row {
  core::session_id session;
  core::sequence number;
  core::log_time at;
  std::uint8_t event = 0;         ///< index in core::event; name_of_event says its name
  core::origin from;
  core::channel_no channel = 0;
  core::command_id command;
  core::hold_no hold;             ///< 0: none, or unknown
  core::owner_id owner;
  core::hold_id hold_id;          ///< also of an order
  core::basket_id basket;
  std::int64_t amount = 0;        ///< confirmed, or to be given back; minor units
  core::refund_no refund;
  core::refund_reason reason = core::refund_reason::none;
  bool late = false;
  std::vector<core::line> lines;  ///< those that the record moved
  base::bytes reference;          ///< payment, attempt or settlement
  base::bytes note;
};
/// E.g. "hold_confirmed".
[[nodiscard]] std::string_view name_of_event(const index_row& r);

struct by_owner { core::owner_id owner; };
struct by_reference { base::bytes reference; };
struct by_basket { core::basket_id basket; };
struct by_hold { core::hold_id hold; };  ///< or order
using index_query = std::variant<by_owner, by_reference, by_basket, by_hold>;

/// Where a record is in the journal.
struct record_position {
  std::uint64_t block = 0;
  std::uint32_t record = 0;  ///< counted in its block from 0
  friend auto operator<=>(const record_position&, const record_position&) = default;
};

/// One caller at a time; only `position` may be asked by others meanwhile.
class journal_index {
 public:
  /// Opens the index in `directory` (made if it is missing). One of another journal or format, or a damaged one, is
  /// removed and begun anew; `rebuilt` says why. Error: io, busy.
  static base::result<std::unique_ptr<journal_index>> open(const std::filesystem::path& directory,
                                                           const base::id128& journal);
  ~journal_index();

  /// Why the index begins empty; empty text if it goes on.
  [[nodiscard]] const std::string& rebuilt() const;
  /// The newest block in here; 0: none.
  [[nodiscard]] std::uint64_t position() const;

  /// Takes the next block. Error: corrupt, if it does not continue `position` (then remove the index) or does not
  /// decode; io.
  base::result<void> add(const block_view& block);
  /// Adds durable blocks up to `durable`, at most `blocks_max` of them; says whether more are waiting. An index that
  /// does not fit the journal is begun anew. Only `scan` of the journal is used.
  base::result<bool> catch_up(const journal& j, std::uint64_t durable, std::uint64_t blocks_max);

  /// Rows in ascending order of (session, sequence), read from `j`, to which the index must have caught up. By owner,
  /// basket or hold: all that happened to the holds in question, those first that were placed first, until there are
  /// about `most` rows (>= 1; what belongs to one hold stays together). By reference: the records with it, in the
  /// journal's order. `from` goes on where an earlier answer ended.
  struct found {
    std::vector<index_row> rows;
    std::optional<record_position> next;  ///< none: that was all
  };
  [[nodiscard]] base::result<found> find(const journal& j, const index_query& q, std::size_t most,
                                         record_position from = {});

  /// Makes durable what was added; without it a crash costs only the work since the last time.
  base::result<void> flush();

 private:
  struct state;
  explicit journal_index(std::unique_ptr<state> s);
  std::unique_ptr<state> state_;
};

}  // namespace holdfast::persistence
