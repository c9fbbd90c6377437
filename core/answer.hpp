// What goes back. A refusal is an answer, not an error: a defined "no" with what the asker needs to go on.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/types.hpp"

namespace holdfast::core {

/// Codes are fixed for ever (wire and journal tools). The order of *precedence* is docs/RULES.md's, not the number's.
enum class refusal : std::uint16_t {
  none = 0,
  // 1-29: the command itself is wrong; asking again does not help
  not_allowed = 1,          ///< this role may not ask this
  zero_id = 2,              ///< command, owner, hold or key id is zero where one is needed
  no_lines = 3,
  duplicate_line = 4,       ///< the same seat, or the same area at the same price, twice
  bad_count = 5,            ///< an area line with count 0, a seat line with another count than 1
  zero_interval = 6,
  bad_reference = 7,        ///< a payment, attempt or refund reference of 0 or more than 64 bytes
  negative_amount = 8,
  bad_keys = 9,             ///< more than 4 keys, or one kind twice
  deadline_not_wanted = 10, ///< confirm carries a client deadline or command id
  bad_range = 11,           ///< a range backwards, empty, or with fields of the other kind
  bad_content = 12,         ///< any other impossible content: unknown enum value, note too long
  no_such_channel = 13,
  no_such_place = 14,       ///< seat or area outside the plan; `lines` says which
  no_such_allocation = 15,
  too_many_lines = 16,
  plan_changed = 17,        ///< picked from a revision that is not the present one
  limit_key_missing = 18,   ///< `kind` says which
  // 30-39: the id or the client's deadline
  id_reused = 30,           ///< same id, other content
  deadline_missing = 31,
  deadline_passed = 32,
  deadline_too_far = 33,
  // 40-49: the sale
  not_open = 40,
  paused = 41,
  closed = 42,
  frozen = 43,
  already = 44,             ///< the sale is in that state already
  faulted = 45,             ///< the session is out of service; money: keep and retry
  name_taken = 46,
  unknown_session = 47,
  // 50-69: places
  not_in_your_channel = 50,
  blocked = 51,
  sold_out = 52,            ///< nothing free or held: asking again does not help
  none_free_now = 53,       ///< all held: some may come back
  not_enough = 54,          ///< `left` says how many there are
  // 70-89: holds and limits
  unknown_hold = 70,        ///< unknown, foreign and forgotten answer alike
  hold_ended = 71,          ///< released, expired, sold or cancelled; the state says which
  hold_paying = 72,
  not_paying = 73,
  not_this_attempt = 74,
  no_gain = 75,             ///< an extension that would not move the deadline
  too_many_changes = 76,
  too_many_extensions = 77,
  too_many_attempts = 78,
  too_many_holds = 79,
  over_limit = 80,          ///< `kind` and `left` say which limit and what it leaves
  pay_time_short = 81,      ///< less than pay_min could be granted
  not_in_hold = 82,         ///< a line to drop, release or cancel that is not there
  last_line = 83,           ///< a change that would leave a hold empty
  // 90-99: money
  payment_differs = 90,     ///< same payment reference, other amount or kind: nothing recorded anew
  refunds_full = 91,        ///< keep and retry; alarmed
  amount_too_high = 92,     ///< `left` is what may still be given back, in minor units
  not_an_order = 93,
  unknown_refund = 94,
  refund_settled = 95,
  // 100-109: the house
  busy = 100,
  table_full = 101,
  // 110-119: looks
  no_such_page = 110,
  gap = 111,                ///< changes: older than the ring keeps; `left` is the first sequence it has
};

/// The snake_case name, e.g. "sold_out"; "unknown" for a number outside the enum.
[[nodiscard]] std::string_view name_of(refusal r);
[[nodiscard]] std::string_view name_of(sale_state s);
[[nodiscard]] std::string_view name_of(hold_state s);
[[nodiscard]] std::string_view name_of(seat_state s);
[[nodiscard]] std::string_view name_of(refund_reason r);

/// What confirm came to.
enum class money_outcome : std::uint8_t { none = 0, sold = 1, refund_due = 2 };

/// The fixed part of every answer to a command. Body: what the first answer said and a repeat says again byte for byte
/// (refused, outcome, number, reason, granted). Around it: what is true now.
struct answer {
  refusal refused = refusal::none;
  // body of an acceptance
  money_outcome outcome = money_outcome::none;
  refund_reason reason = refund_reason::none;
  refund_no number;            ///< of the refund due that this command recorded
  log_time granted;            ///< the deadline that this command gave, in log time
  // body of a refusal
  std::uint64_t lines = 0;     ///< bitmap: which of the first 64 lines offend
  std::uint64_t left = 0;
  interval_ms retry_after = 0; ///< 0: never
  key_kind kind = key_kind::account;
  // around it
  bool repeated = false;
  sequence tells_of;           ///< the newest record this answer tells of; repeats: the original's
  sequence waits_for;          ///< durable up to here before the answer may leave; >= tells_of
  hold_state state = hold_state::none;
  log_time deadline;           ///< of the hold as it is now, in log time; 0 unless held or paying
};

}  // namespace holdfast::core
