// The kinds of frames. An answer carries the kind of its request with the direction bit set.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/command.hpp"

namespace holdfast::protocol {

/// Which door a connection came through, and so what may be asked on it.
enum class listener_kind : std::uint8_t {
  shop = 0,   ///< a backend that acts for many buyers; trusted with money
  buyer = 1,  ///< one buyer a connection; owner and limit keys are fixed by the handshake
  admin = 2,  ///< operators, over the Unix socket only
};

inline constexpr std::uint16_t direction_bit = 0x8000;  ///< set in frames from the server

/// Fixed for ever. 0x0100 + core::command_tag and 0x0200 + index in core::look stand for themselves.
namespace kinds {
inline constexpr std::uint16_t hello = 0x0001;    ///< answered by hello | direction_bit: the welcome
inline constexpr std::uint16_t goodbye = 0x0002;  ///< from either side
inline constexpr std::uint16_t problem = 0x0003;  ///< only from the server: a protocol error; the connection ends
inline constexpr std::uint16_t ping = 0x0004;

inline constexpr std::uint16_t command_base = 0x0100;
inline constexpr std::uint16_t create_session = command_base + static_cast<std::uint16_t>(core::command_tag::create_session);
inline constexpr std::uint16_t look_base = 0x0200;

inline constexpr std::uint16_t session_named = 0x0300;

inline constexpr std::uint16_t list_sessions = 0x0400;
inline constexpr std::uint16_t actors = 0x0401;
inline constexpr std::uint16_t actor_inside = 0x0402;
inline constexpr std::uint16_t stats = 0x0403;
inline constexpr std::uint16_t find = 0x0404;
}  // namespace kinds

constexpr std::uint16_t kind_of(core::command_tag t) { return kinds::command_base + static_cast<std::uint16_t>(t); }
inline std::uint16_t kind_of(const core::command& c) { return kind_of(core::tag_of(c)); }
inline std::uint16_t kind_of(const core::look& l) { return static_cast<std::uint16_t>(kinds::look_base + l.index()); }

/// How a frame from a client is to be decoded. Takes the kind without the direction bit.
enum class family : std::uint8_t {
  unknown,
  hello,    ///< decode_hello
  goodbye,  ///< no content
  session,  ///< decode_request: a command or a look, for one session
  house,    ///< decode_house_request: ping, session_named; on the admin listener also create_session and looks over all sessions
};
constexpr family family_of(std::uint16_t kind) {
  if (kind == kinds::hello) return family::hello;
  if (kind == kinds::goodbye) return family::goodbye;
  if (kind == kinds::ping || kind == kinds::session_named || kind == kinds::create_session) return family::house;
  if (kind >= kinds::list_sessions && kind <= kinds::find) return family::house;
  if (kind > kinds::create_session && kind < kind_of(core::command_tag::expire_due)) return family::session;
  if (kind >= kinds::look_base && kind < kinds::look_base + std::variant_size_v<core::look>) return family::session;
  return family::unknown;
}

/// Money is never refused by rate, credit or `busy`.
constexpr bool is_money(std::uint16_t kind) {
  return kind == kind_of(core::command_tag::begin_payment) || kind == kind_of(core::command_tag::payment_failed) ||
         kind == kind_of(core::command_tag::confirm_hold) || kind == kind_of(core::command_tag::cancel_order) ||
         kind == kind_of(core::command_tag::settle_refund);
}

/// A request whose answer may be long (owner, plan, seats, changes, holds and the operators' lists): limits on what waits
/// to be sent count these apart.
constexpr bool is_paged(std::uint16_t kind) {
  return kind == kinds::look_base + 3 || (kind >= kinds::look_base + 5 && kind < kinds::session_named) ||
         (kind >= kinds::list_sessions && kind <= kinds::find);
}

/// The snake_case name of a kind (direction bit ignored), e.g. "hold_seats", "look_plan", "ping"; "unknown".
[[nodiscard]] std::string_view name_of_kind(std::uint16_t kind);
[[nodiscard]] std::string_view name_of(listener_kind k);

}  // namespace holdfast::protocol
