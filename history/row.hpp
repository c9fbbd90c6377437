// A history: every operation that the clients of one sale made, as they saw it from outside. All numbers little-endian.
//
//   file    16 bytes "holdfast history"; u32 version, 1; u32 seats of the plan; u64 session; u64 rows, all bits set until the
//           history is finished; u32 areas of the plan, u32 0; u64 places of each area; then the rows
//   row     64 bytes, then `items` times 8 bytes
//
//   offset  size  field
//        0     8  invoked     CLOCK_MONOTONIC in ns, taken before the request was handed over
//        8     8  answered    the same, taken after the answer was read; 0: no answer, the outcome is unknown
//       16     8  server      log time of the answer, us; 0 without an answer
//       24     8  deadline    that the operation gave the hold, or that it has, log time in us; 0: none. Of a refusal with `resent`:
//                             the client deadline of what was asked, 0: it had none
//       32     8  hold        names the hold: 64 bits of the id that its client made up
//       40     8  account     whom a limit counts it for
//       48     8  record      the newest record of the session that the answer tells of
//       56     1  operation
//       57     1  outcome
//       58     1  refusal     core/answer.hpp
//       59     1  offending   of a refused hold: bit n: its line n was in the way
//       60     2  items
//       62     1  bit 0 again: the operation on this hold before this one, sent once more with the same id after its answer
//                bit 1 resent: its connection was lost before the answer, and it was sent again over another. A refusal is not the last
//                word then: refusals are not remembered, and the first copy may come late and be accepted, until its client deadline
//       63     1  reason      of a refund that a confirm came to: core/answer.hpp
//
// The items of a hold are its lines: u32 number * 2 + is_area, u32 places. Those of a look are states of seats, a byte each: of
// `account` seats from number `hold` on; its `deadline` is by how much the session has moved all deadlines so far, us.
#pragma once

#include <cstdint>

namespace holdfast::history {

enum class operation : std::uint8_t { hold, extend, begin_payment, payment_failed, confirm, release, look };
inline constexpr std::uint8_t operations = 7;

enum class outcome : std::uint8_t {
  unknown,  ///< no answer came: it may have happened, then or later, or never
  yes,
  no,       ///< refused; of a confirm also: the money is due back
};

struct row {
  std::uint64_t invoked = 0, answered = 0;
  std::uint64_t server = 0, deadline = 0;
  std::uint64_t hold = 0, account = 0, record = 0;
  operation what = operation::hold;
  outcome came = outcome::unknown;
  std::uint8_t refusal = 0;
  std::uint8_t offending = 0;
  std::uint16_t items = 0;
  std::uint8_t again : 1 = 0, resent : 1 = 0, zero : 6 = 0;
  std::uint8_t reason = 0;
};
static_assert(sizeof(row) == 64);

/// Refused, and yet it may have happened, after the refusal.
[[nodiscard]] inline bool may_come_late(const row& r) { return r.resent != 0 && r.came == outcome::no && r.refusal != 0; }

struct line_item {
  std::uint32_t place = 0;   ///< number * 2 + is_area
  std::uint32_t places = 1;
  [[nodiscard]] bool is_area() const { return (place & 1U) != 0; }
  [[nodiscard]] std::uint32_t number() const { return place / 2; }
};
static_assert(sizeof(line_item) == 8);

inline constexpr char magic[] = "holdfast history";  // and no zero
inline constexpr std::uint32_t format_version = 1;
inline constexpr std::uint32_t seats_max = 1'000'000;  ///< of a session; a header that says more is none
inline constexpr std::uint64_t unfinished = ~std::uint64_t{0};
struct header {
  char name[16] = {};
  std::uint32_t version = format_version;
  std::uint32_t seats = 0;
  std::uint64_t session = 0;
  std::uint64_t rows = unfinished;
  std::uint32_t areas = 0;
  std::uint32_t zero = 0;
};
static_assert(sizeof(header) == 48);

/// What answers say by number: core::refusal and core::seat_state, as the file has them.
namespace said {
inline constexpr std::uint8_t faulted = 45, busy = 100;
inline constexpr std::uint8_t blocked = 51, sold_out = 52, none_free_now = 53;
inline constexpr std::uint8_t unknown_hold = 70, hold_ended = 71, hold_paying = 72, not_paying = 73, not_this_attempt = 74, over_limit = 80;
}  // namespace said
namespace seen {
inline constexpr unsigned free = 0, held = 1, paying = 2, sold = 3;
}  // namespace seen

}  // namespace holdfast::history
