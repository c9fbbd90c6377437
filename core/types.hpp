// The words of the box office as types. One meaning each; docs/RULES.md has the glossary.
#pragma once

#include <cstdint>

#include "base/strong.hpp"

namespace holdfast::core {

using base::id128;
using base::strong;

using session_id = strong<struct session_id_tag, std::uint64_t>;  ///< from the server, never reused; 0 is none
using sequence = strong<struct sequence_tag, std::uint64_t>;      ///< of a record in its session, gapless from 1; 0 is none
using seat_no = strong<struct seat_no_tag, std::uint32_t>;        ///< index into the plan, append-only, from 0
using area_no = strong<struct area_no_tag, std::uint32_t>;        ///< index into the plan's areas, from 0
using hold_no = strong<struct hold_no_tag, std::uint32_t>;        ///< names a remembered hold in its session, from 1; reused once forgotten
using refund_no = strong<struct refund_no_tag, std::uint32_t>;    ///< gapless per session from 1; 0 is none
using price_ref = std::uint32_t;                                  ///< opaque: ticket type and price version, the shop's
using reason_code = std::uint16_t;                                ///< named in the configuration, never free text

/// Microseconds UTC since 1970, never decreasing in a journal.
using log_time = strong<struct log_time_tag, std::uint64_t>;
/// Log time minus the session's shift: the clock that holds live on. Microseconds.
using hold_time = strong<struct hold_time_tag, std::uint64_t>;
/// An interval a client or a limit gives, in milliseconds.
using interval_ms = std::uint32_t;

inline constexpr std::uint64_t us_per_ms = 1'000;
inline constexpr std::uint64_t us_per_s = 1'000'000;

using owner_id = strong<struct owner_tag, id128>;      ///< random, mapped to a person only in the shop's database
using command_id = strong<struct command_id_tag, id128>;  ///< chosen by the client, scoped to (session, owner)
using hold_id = command_id;                            ///< a hold, and the order it becomes, is named by the id that asked for it
using basket_id = strong<struct basket_tag, id128>;    ///< ties holds of several sessions together; opaque; zero is none

/// Who speaks. Buyers act for themselves; shops and operators for others, and only they move money.
enum class role : std::uint8_t { buyer = 0, shop = 1, op = 2, auditor = 3, timer = 4, schedule = 5, recovery = 6 };

struct origin {
  role who = role::buyer;
  std::uint32_t principal = 0;  ///< the connection's principal; for operators the uid
  friend bool operator==(const origin&, const origin&) = default;
};

/// Through whom a command comes; an index into the policy's rows.
using channel_no = std::uint8_t;
using channel_set = std::uint32_t;  ///< bit n: channel n
inline constexpr channel_set all_channels = ~channel_set{0};

/// What a limit counts by.
enum class key_kind : std::uint8_t { account = 0, email = 1, card = 2, device = 3, code = 4 };
inline constexpr std::uint8_t key_kinds = 5;

/// An HMAC under a key of the shop; never a plain hash of something personal.
struct limit_key {
  key_kind kind = key_kind::account;
  id128 value;
  friend auto operator<=>(const limit_key&, const limit_key&) = default;
};

/// Where a line stands: one numbered seat, or an area of the plan.
enum class place_kind : std::uint8_t { seat = 0, area = 1 };

/// What a buyer asks for or has: a seat (count 1), or `count` places in an area, at one price.
struct line {
  place_kind kind = place_kind::seat;
  std::uint32_t number = 0;  ///< seat_no or area_no
  std::uint32_t count = 1;   ///< 1 for a seat
  price_ref price = 0;
  friend bool operator==(const line&, const line&) = default;
};

enum class sale_state : std::uint8_t { announced = 0, open = 1, paused = 2, closed = 3 };
enum class hold_state : std::uint8_t {
  none = 0,      ///< unknown, foreign or forgotten
  held = 1,
  paying = 2,
  sold = 3,      ///< an order
  released = 4,
  expired = 5,
  cancelled = 6, ///< an order of which every line was cancelled
};
enum class seat_state : std::uint8_t { free = 0, held = 1, paying = 2, sold = 3, blocked = 4 };

enum class session_class : std::uint8_t { real = 0, rehearsal = 1 };
enum class payment_kind : std::uint8_t { card = 0, cash = 1, invoice = 2, comp = 3, other = 4 };
inline constexpr std::uint8_t payment_kinds = 5;

/// Why money that came bought nothing, in the order in which they are tested.
enum class refund_reason : std::uint8_t {
  none = 0,
  unknown_hold = 1,
  already_paid = 2,
  released = 3,
  too_late = 4,
  seats_gone = 5,
  over_limit = 6,
  cancelled = 7,  ///< an order was undone
};

/// Limits that hold for every session whatever its policy. The rest are in policy.hpp.
namespace limits {
inline constexpr std::uint32_t seats_max = 1'000'000;       ///< a session
inline constexpr std::uint32_t areas_max = 1'024;           ///< a session
inline constexpr std::uint32_t area_places_max = 1'000'000; ///< an area, all allocations
inline constexpr std::uint32_t categories_max = 64;         ///< a plan; masks are 64 bits
inline constexpr std::uint32_t allocations_max = 16;        ///< a plan, public included
inline constexpr std::uint32_t channels_max = 16;           ///< a policy
inline constexpr std::uint32_t rules_per_channel_max = 8;
inline constexpr std::uint32_t masks_per_kind_max = 4;      ///< distinct category masks a key kind may have in one policy
inline constexpr std::uint32_t keys_max = 4;                ///< limit keys a hold
inline constexpr std::uint32_t lines_max = 500;             ///< lines a command; a channel may allow fewer
inline constexpr std::uint32_t ranges_max = 1'024;          ///< ranges an operator command
inline constexpr std::uint32_t ref_bytes_max = 64;          ///< payment and attempt references
inline constexpr std::uint32_t note_bytes_max = 64;
inline constexpr std::uint32_t changes_per_hold_max = 32;   ///< accepted commands on one hold, beside its own
inline constexpr std::uint32_t payments_per_hold_max = 4;   ///< payment references remembered for one hold
inline constexpr std::uint32_t operator_ids_max = 65'536;   ///< ids of commands without an owner
inline constexpr std::uint32_t name_bytes_max = 64;         ///< names of sessions, channels, categories, allocations
}  // namespace limits

}  // namespace holdfast::core
