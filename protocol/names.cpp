#include "protocol/error.hpp"
#include "protocol/kinds.hpp"

namespace holdfast::protocol {

std::string_view name_of(protocol_error e) {
  switch (e) {
    case protocol_error::none: return "none";
    case protocol_error::not_a_frame: return "not_a_frame";
    case protocol_error::frame_too_short: return "frame_too_short";
    case protocol_error::frame_too_long: return "frame_too_long";
    case protocol_error::wrong_direction: return "wrong_direction";
    case protocol_error::unknown_flags: return "unknown_flags";
    case protocol_error::unknown_kind: return "unknown_kind";
    case protocol_error::zero_request_id: return "zero_request_id";
    case protocol_error::malformed: return "malformed";
    case protocol_error::trailing_bytes: return "trailing_bytes";
    case protocol_error::bad_options: return "bad_options";
    case protocol_error::unknown_critical_option: return "unknown_critical_option";
    case protocol_error::hello_expected: return "hello_expected";
    case protocol_error::second_hello: return "second_hello";
    case protocol_error::bad_magic: return "bad_magic";
    case protocol_error::no_common_version: return "no_common_version";
    case protocol_error::wrong_listener: return "wrong_listener";
    case protocol_error::credential_too_long: return "credential_too_long";
    case protocol_error::bad_credential: return "bad_credential";
    case protocol_error::bad_identity: return "bad_identity";
  }
  return "unknown";
}

std::string_view explain(protocol_error e) {
  switch (e) {
    case protocol_error::none: return "nothing is wrong";
    case protocol_error::not_a_frame: return "these bytes are no frame of this protocol";
    case protocol_error::frame_too_short: return "a frame is shorter than its header";
    case protocol_error::frame_too_long: return "a frame is longer than this connection allows";
    case protocol_error::wrong_direction: return "a frame goes the wrong way";
    case protocol_error::unknown_flags: return "a frame has flags that this version does not know";
    case protocol_error::unknown_kind: return "this version knows no frame of this kind";
    case protocol_error::zero_request_id: return "request id 0 belongs to the server";
    case protocol_error::malformed:
      return "the content ends early, has a malformed number or a reserved bit, or is not in its only form";
    case protocol_error::trailing_bytes: return "the frame goes on after its content";
    case protocol_error::bad_options: return "the options are not in ascending order or too many";
    case protocol_error::unknown_critical_option: return "the message needs an option that this version does not know";
    case protocol_error::hello_expected: return "the first frame must be a hello";
    case protocol_error::second_hello: return "the hello was said already";
    case protocol_error::bad_magic: return "the hello is not for this protocol";
    case protocol_error::no_common_version:
      return "there is no version that both sides speak; this server speaks version 1";
    case protocol_error::wrong_listener: return "this is another kind of listener than the hello says";
    case protocol_error::credential_too_long: return "a credential has at most 1024 bytes";
    case protocol_error::bad_credential: return "the credential is not accepted here";
    case protocol_error::bad_identity:
      return "a buyer's hello needs an owner and 0 to 4 limit keys of different kinds; other hellos have neither";
  }
  return "unknown";
}

std::string_view name_of(goodbye_code c) {
  switch (c) {
    case goodbye_code::asked: return "asked";
    case goodbye_code::stopping: return "stopping";
    case goodbye_code::handshake_too_slow: return "handshake_too_slow";
    case goodbye_code::frame_too_slow: return "frame_too_slow";
    case goodbye_code::idle: return "idle";
    case goodbye_code::not_reading: return "not_reading";
    case goodbye_code::too_many_connections: return "too_many_connections";
  }
  return "unknown";
}

std::string_view name_of_kind(std::uint16_t kind) {
  using std::string_view_literals::operator""sv;
  static constexpr std::string_view commands[] = {
      "create_session"sv, "open_sale"sv,      "pause_sale"sv,      "resume_sale"sv,     "close_sale"sv,
      "freeze_sale"sv,    "hold_seats"sv,     "change_hold"sv,     "extend_hold"sv,     "begin_payment"sv,
      "payment_failed"sv, "confirm_hold"sv,   "release_hold"sv,    "cancel_order"sv,    "settle_refund"sv,
      "block_places"sv,   "unblock_places"sv, "allocate_places"sv, "shift_deadlines"sv, "clear_fault"sv};
  static_assert(std::size(commands) == core::command_tags - 1);  // expire_due is asked by nobody
  static constexpr std::string_view looks[] = {"look_session"sv, "look_hold"sv,    "look_seat"sv,
                                               "look_owner"sv,   "look_fate"sv,    "look_plan"sv,
                                               "look_seats"sv,   "look_changes"sv, "look_holds"sv};
  static_assert(std::size(looks) == std::variant_size_v<core::look>);

  kind = static_cast<std::uint16_t>(kind & ~direction_bit);
  if (kind >= kinds::command_base && kind < kinds::command_base + std::size(commands))
    return commands[kind - kinds::command_base];
  if (kind >= kinds::look_base && kind < kinds::look_base + std::size(looks)) return looks[kind - kinds::look_base];
  switch (kind) {
    case kinds::hello: return "hello";
    case kinds::goodbye: return "goodbye";
    case kinds::problem: return "problem";
    case kinds::ping: return "ping";
    case kinds::session_named: return "session_named";
    case kinds::list_sessions: return "list_sessions";
    case kinds::actors: return "actors";
    case kinds::actor_inside: return "actor_inside";
    case kinds::stats: return "stats";
    case kinds::find: return "find";
    default: return "unknown";
  }
}

std::string_view name_of(listener_kind k) {
  switch (k) {
    case listener_kind::shop: return "shop";
    case listener_kind::buyer: return "buyer";
    case listener_kind::admin: return "admin";
  }
  return "unknown";
}

}  // namespace holdfast::protocol
