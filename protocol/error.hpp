// What can be wrong with bytes on a connection. Not an answer: the server says it once, in a `problem` frame, and closes.
// A frame whose bytes are right but whose content is impossible is another matter: it gets a core::refusal.
#pragma once

#include <cstdint>
#include <string_view>

namespace holdfast::protocol {

/// Numbers are fixed for ever (docs/PROTOCOL.md).
enum class protocol_error : std::uint16_t {
  none = 0,
  // the frame
  not_a_frame = 1,         ///< the header's mark is wrong: the peer does not speak this protocol, or is out of step
  frame_too_short = 2,     ///< a length smaller than the header
  frame_too_long = 3,      ///< a length beyond the connection's limit
  wrong_direction = 4,     ///< a server's frame sent by a client, or the other way round
  unknown_flags = 5,
  unknown_kind = 6,        ///< clients skip unknown kinds instead
  zero_request_id = 7,     ///< 0 is the server's own
  // its content
  malformed = 20,          ///< it ends early, a number in it is malformed, reserved bits are set, or it is not in its only form
  trailing_bytes = 21,     ///< the frame goes on after its content
  bad_options = 22,        ///< out of order, twice, or too many
  unknown_critical_option = 23,
  // the conversation
  hello_expected = 40,     ///< the first frame was no hello
  second_hello = 41,
  bad_magic = 42,
  no_common_version = 43,
  wrong_listener = 44,     ///< the hello asks for another kind of listener
  credential_too_long = 45,
  bad_credential = 46,
  bad_identity = 47,       ///< hello of a buyer: no owner, a zero key, more than 4 keys, or one kind twice
};

/// The snake_case name; "unknown" for a number outside the enum.
[[nodiscard]] std::string_view name_of(protocol_error e);
/// One line for people: what the peer did wrong. Goes into the text of a problem.
[[nodiscard]] std::string_view explain(protocol_error e);

/// Why the server ends a connection that did nothing wrong in its bytes. Fixed for ever.
enum class goodbye_code : std::uint16_t {
  asked = 0,                 ///< the client said goodbye; all its answers were sent before
  stopping = 1,              ///< the server stops; connect again in a while
  handshake_too_slow = 2,
  frame_too_slow = 3,
  idle = 4,
  not_reading = 5,           ///< answers waited too long for the peer
  too_many_connections = 6,
};

[[nodiscard]] std::string_view name_of(goodbye_code c);

}  // namespace holdfast::protocol
