// What may be asked of a session. Commands are imperative; docs/RULES.md says what each does and how it may be
// refused. A command borrows its lists and references (spans): whoever made it keeps them alive for the call.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <variant>

#include "base/bytes.hpp"
#include "core/plan.hpp"
#include "core/policy.hpp"
#include "core/types.hpp"

namespace holdfast::core {

using lines = std::span<const line>;
using keys = std::span<const limit_key>;

/// Consecutive seats of the plan [first, last], or `count` places of an area in one allocation.
struct place_range {
  place_kind kind = place_kind::seat;
  std::uint32_t first = 0;      ///< seat_no or area_no
  std::uint32_t last = 0;       ///< seats: inclusive; areas: equal to first
  std::uint32_t count = 0;      ///< areas: how many places; seats: 0
  std::uint8_t allocation = 0;  ///< areas: of which allocation; seats: 0
  friend bool operator==(const place_range&, const place_range&) = default;
};
using ranges = std::span<const place_range>;

// ---- the session's life -------------------------------------------------------------------------------------

/// What a session is from its first record on. Everything but plan and policy is for display: no rule reads it.
struct session_terms {
  std::string name;           ///< unique for ever in a journal, 1-64 bytes of [A-Za-z0-9._-]
  session_class kind = session_class::real;
  std::string currency;       ///< three capital letters
  std::string organiser_ref;  ///< opaque, at most 64 bytes
  std::int64_t starts_at = 0; ///< seconds UTC
  std::string zone;           ///< IANA time zone name, at most 64 bytes
  std::uint32_t plan_revision = 1;
  policy rules;
  std::shared_ptr<const plan> seating;  ///< travels apart: by bytes on the wire, by hash in the journal
};

/// The first record of every session.
struct create_session { std::shared_ptr<const session_terms> terms; };

struct open_sale { channel_set channels = all_channels; };
struct pause_sale {};
struct resume_sale {};                                     ///< lifts pause, or freeze (then only that)
struct close_sale { channel_set channels = all_channels; };
struct freeze_sale {};

// ---- holds --------------------------------------------------------------------------------------------------

struct hold_seats {
  owner_id owner;
  core::keys keys;
  core::lines lines;
  interval_ms interval = 0;         ///< clamped to the channel's hold_max
  std::uint32_t plan_revision = 1;  ///< from which the lines were picked
  basket_id basket;
};

/// Keeps id, deadline and lifetime; drops first, then adds, all or nothing.
struct change_hold {
  owner_id owner;
  hold_id hold;
  core::lines add;
  core::lines drop;
  std::uint32_t plan_revision = 1;
};

struct extend_hold {
  owner_id owner;
  hold_id hold;
  interval_ms interval = 0;
};

struct begin_payment {
  owner_id owner;
  hold_id hold;
  base::byte_view attempt;  ///< 1-64 opaque bytes
  interval_ms interval = 0;
  core::keys keys;          ///< added to the hold's: the last place where a limit refuses
};

struct payment_failed {
  owner_id owner;
  hold_id hold;
  base::byte_view attempt;
};

/// The money event. No command id: its identity is (session, owner, hold, payment).
struct confirm_hold {
  owner_id owner;
  hold_id hold;
  base::byte_view payment;  ///< 1-64 opaque bytes
  std::int64_t amount = 0;  ///< minor units of the session's currency, >= 0
  payment_kind kind = payment_kind::card;
};

struct release_hold {
  owner_id owner;
  hold_id hold;
  core::lines lines;         ///< empty: all
  bool withdrawn = false;    ///< operators only: seats come back blocked
};

struct cancel_order {
  owner_id owner;
  hold_id order;
  core::lines lines;         ///< empty: all that is left
  std::int64_t amount = 0;   ///< to give back, 0 .. paid minus already due
  bool withdrawn = false;
};

struct settle_refund {
  refund_no number;
  base::byte_view reference;  ///< 1-64 opaque bytes
};

// ---- operators ----------------------------------------------------------------------------------------------

struct block_places { core::ranges ranges; reason_code reason = 0; };
struct unblock_places { core::ranges ranges; };
struct allocate_places {
  core::ranges ranges;         ///< areas: `allocation` is where the places come from
  std::uint8_t allocation = 0; ///< where free places go
};
struct shift_deadlines {
  interval_ms by = 0;
  reason_code reason = 0;      ///< 0 is "downtime" and belongs to recovery
};
struct clear_fault { interval_ms shift = 0; };  ///< shift since the fault; computed by the registry, not counted in the maximum

// ---- time ---------------------------------------------------------------------------------------------------

/// Not asked by anybody: the engine records with it what time has done.
struct expire_due {};

using command = std::variant<create_session, open_sale, pause_sale, resume_sale, close_sale, freeze_sale, hold_seats, change_hold,
                             extend_hold, begin_payment, payment_failed, confirm_hold, release_hold, cancel_order, settle_refund,
                             block_places, unblock_places, allocate_places, shift_deadlines, clear_fault, expire_due>;

/// The variant's index, fixed for ever: it is the command's tag in the journal and (plus an offset) on the wire.
enum class command_tag : std::uint8_t {
  create_session, open_sale, pause_sale, resume_sale, close_sale, freeze_sale, hold_seats, change_hold, extend_hold, begin_payment,
  payment_failed, confirm_hold, release_hold, cancel_order, settle_refund, block_places, unblock_places, allocate_places,
  shift_deadlines, clear_fault, expire_due,
};
/// The tag of a command by its type.
template <class Command>
inline constexpr command_tag tag_of_type = []<class... All>(const std::variant<All...>*) {
  std::uint8_t n = 0;
  static_cast<void>(((std::is_same_v<All, Command> ? true : (++n, false)) || ...));
  return static_cast<command_tag>(n);
}(static_cast<const command*>(nullptr));
inline command_tag tag_of(const command& c) { return static_cast<command_tag>(c.index()); }
inline constexpr std::size_t command_tags = std::variant_size_v<command>;
static_assert(command_tags == static_cast<std::size_t>(command_tag::expire_due) + 1);

/// The owner a command speaks for: zero for operators' commands on the session.
[[nodiscard]] owner_id owner_of(const command& c);

/// What comes with every command, whatever it asks.
struct envelope {
  origin from;
  channel_no channel = 0;
  command_id id;             ///< zero for confirm, create and what time does; else required
  log_time client_deadline;  ///< 0: none. Required for hold_seats. Not content.
  base::byte_view note;      ///< at most 64 opaque bytes; content, kept in journal and index only
};

// ---- looks: asked like commands, change nothing, may wait for the disk ------------------------------------------

struct look_session {};
struct look_hold { owner_id owner; hold_id hold; };           ///< also orders
struct look_seat { seat_no seat; };                           ///< with the owner only for shop and operator
struct look_owner { owner_id owner; };                        ///< holds, orders and refunds due
struct look_fate { owner_id owner; command_id id; log_time client_deadline; };
struct look_plan { std::uint32_t revision = 1; std::uint32_t page = 0; };
struct look_seats { std::uint32_t page = 0; };                ///< states of seats_per_page seats, all areas on page 0
struct look_changes { sequence since; };
struct look_holds { std::uint32_t from = 0; };                ///< operators: live holds, paged by hold number

using look = std::variant<look_session, look_hold, look_seat, look_owner, look_fate, look_plan, look_seats, look_changes, look_holds>;

}  // namespace holdfast::core
