// What has happened to a session: past tense, decided, never refused. A record is one accepted command with its
// events; an event holds only what was *decided* (numbers, deadlines, draws), what was *asked* stands in the command
// beside it, so nothing is written twice.
#pragma once

#include <cstdint>
#include <span>
#include <variant>

#include "core/command.hpp"
#include "core/types.hpp"

namespace holdfast::core {

/// Of an area line: `count` places taken from one allocation. Lines in the command's order, each line's draws in the
/// order they were taken (the channel's own allocations ascending, public last).
struct draw {
  std::uint16_t line = 0;       ///< index into the command's (added) lines
  std::uint8_t allocation = 0;
  std::uint32_t count = 0;
  friend bool operator==(const draw&, const draw&) = default;
};
using draws = std::span<const draw>;

/// Places that a record sells or gives back, written out so that the journal's own guard, the index and a reader need
/// not know the hold.
struct piece {
  place_kind kind = place_kind::seat;
  std::uint8_t allocation = 0;  ///< areas: of which allocation; seats: 0
  std::uint32_t number = 0;
  std::uint32_t count = 1;
  friend bool operator==(const piece&, const piece&) = default;
};
using pieces = std::span<const piece>;

struct session_created {};
struct sale_opened {};
struct sale_paused {};
struct sale_resumed { std::uint64_t shift_us = 0; };  ///< lifting a freeze: how long the hold clock stood
struct sale_closed {};
struct sale_frozen {};
struct hold_placed { hold_no hold; hold_time deadline; core::draws draws; };
struct hold_changed { hold_no hold; core::draws draws; };
struct hold_extended { hold_no hold; hold_time deadline; };
struct payment_begun { hold_no hold; hold_time deadline; };
struct payment_rejected { hold_no hold; hold_time deadline; };  ///< back to held
struct hold_confirmed { hold_no hold; bool late = false; pieces sold; };  ///< late: the places were taken anew
struct refund_recorded { refund_no number; refund_reason reason = refund_reason::none; hold_no hold; };  ///< hold none if unknown
struct hold_released { hold_no hold; };
struct order_cancelled { hold_no hold; refund_no number; pieces back; };  ///< number none if nothing is to be paid back
struct refund_closed {};
struct places_blocked {};
struct places_unblocked {};
struct places_allocated {};
struct deadlines_shifted { std::uint64_t shift_us = 0; };
struct fault_cleared { std::uint64_t shift_us = 0; };
struct holds_expired { std::span<const hold_no> holds; };       ///< in the order (deadline, hold number)

using event = std::variant<session_created, sale_opened, sale_paused, sale_resumed, sale_closed, sale_frozen, hold_placed, hold_changed,
                           hold_extended, payment_begun, payment_rejected, hold_confirmed, refund_recorded, hold_released,
                           order_cancelled, refund_closed, places_blocked, places_unblocked, places_allocated, deadlines_shifted,
                           fault_cleared, holds_expired>;

/// The hold that an event is about; none for operators' events and expiries.
[[nodiscard]] inline hold_no subject_of(const event& e) {
  if (const auto* placed = std::get_if<hold_placed>(&e)) return placed->hold;
  if (const auto* confirmed = std::get_if<hold_confirmed>(&e)) return confirmed->hold;
  return std::visit(
      [](const auto& x) -> hold_no {
        if constexpr (requires { x.hold; }) return x.hold;
        else return {};
      },
      e);
}

/// One accepted command with what it did. Borrows like command and event do. In the journal a command on a hold that the
/// session knows names it by number alone (in `done`); then owner and hold are zero in a decoded `asked` until
/// session::complete fills them in.
struct record {
  sequence number;
  log_time at;
  std::uint16_t rules_version = 0;
  envelope head;
  command asked;
  event done;  ///< one today; the format has room for several, applied all or nothing and in order
};

/// Version of the rules that made a record; raised whenever `decide` would answer differently.
inline constexpr std::uint16_t rules_version = 1;

}  // namespace holdfast::core
