// Where to look: by owner, by payment or attempt reference, by basket, by hold or order, by seat or area. A projection
// of the journal in a RocksDB of its own, behind the log and never in its way; it may be deleted at any time and is
// built anew. It answers nobody who buys: what it says is as old as `position`.
//
// Keys, all numbers big-endian so that rows lie in order; ROW is session u64, sequence u64, hold u32:
//   0                         format version u16, journal id, number and hash of the last block in here
//   1 session u64, hold u32   what later records name by number only: owner, hold id, basket, lines
//   2 session u64, refund u32 whose refund it is: hold u32, owner, hold id
//   3 owner 16 ROW            the rows, each with everything that a reader of it wants
//   4 length u8, reference ROW
//   5 basket 16 ROW
//   6 hold id 16 ROW
//   7 session u64, kind u8, number u32, ROW
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

/// What happened to whom: one record, seen from one hold. Records on a session as a whole are not in here, but for
/// blocks and allocations of seats.
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
struct by_place { core::session_id session; core::place_kind kind = core::place_kind::seat; std::uint32_t number = 0; };
using index_query = std::variant<by_owner, by_reference, by_basket, by_hold, by_place>;

/// One thread adds; any thread may ask at the same time.
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

  /// Rows in ascending order of (session, sequence), about `most` (>= 1; the rows of one record stay together), from
  /// the first record after `after`.
  struct found {
    std::vector<index_row> rows;
    bool more = false;
  };
  [[nodiscard]] base::result<found> find(const index_query& q, std::size_t most,
                                         std::pair<core::session_id, core::sequence> after = {}) const;

  /// Makes durable what was added; without it a crash costs only the work since the last time.
  base::result<void> flush();

 private:
  struct state;
  explicit journal_index(std::unique_ptr<state> s);
  std::unique_ptr<state> state_;
};

}  // namespace holdfast::persistence
