// Messages to bytes and back. Encoders append whole frames to a caller's buffer; decoders take one frame and say what is wrong
// with it, if anything is. Nothing here allocates on the way of a request or of an answer to a command, but for lists, which go
// into the caller's arena.
#pragma once

#include <memory_resource>

#include "protocol/frame.hpp"
#include "protocol/messages.hpp"

namespace holdfast::protocol {

// ---- the server's side ----------------------------------------------------------------------------------------

/// Judges a connection's first frame: kind, magic, versions, listener, credential length, a buyer's identity.
/// Unknown owners, keys or credentials are not its business.
[[nodiscard]] protocol_error decode_hello(const frame& f, listener_kind here, hello& out);

/// A frame of family::session. Lists and references are copied into `arena`; on a buyer's connection owner, keys and channel come
/// from `by`. `out` is meaningful only if none is returned.
[[nodiscard]] protocol_error decode_request(const frame& f, const connection_context& by, std::pmr::memory_resource& arena, request& out);

/// A frame of family::house.
[[nodiscard]] protocol_error decode_house_request(const frame& f, const connection_context& by, std::pmr::memory_resource& arena,
                                                  house_request& out);

/// Which request is answered, and when.
struct answer_to {
  std::uint64_t id = 0;
  std::uint16_t kind = 0;
  core::log_time now;  ///< log time of sending
};

/// An answer to a command or a look. `seen` for looks that were not refused, else null. Returns the frame's length.
std::size_t encode_answer(const answer_to& to, const core::answer& said, const core::seen* seen, base::bytes& out);
/// A refusal by funnel or gateway, and any answer without content (ping).
std::size_t encode_answer(const answer_to& to, const core::answer& said, base::bytes& out);
/// An answer to a house request that was not refused.
std::size_t encode_house_answer(const answer_to& to, const core::answer& said, const house_seen& seen, base::bytes& out);

void encode_welcome(std::uint64_t request_id, const welcome& w, base::bytes& out);
/// `request_id` of the offending frame, 0 if it is not known.
void encode_problem(std::uint64_t request_id, const problem& p, base::bytes& out);
/// Either side's. A client's code is `asked`.
void encode_goodbye(direction from, const goodbye& g, base::bytes& out);

// ---- the client's side ----------------------------------------------------------------------------------------

void encode_hello(std::uint64_t request_id, const hello& h, base::bytes& out);

/// A command: session, envelope (channel and note; `from` does not travel), content. On a buyers' connection owner, keys and channel
/// are left out. `retry`: sent before with the same command id.
void encode_request(std::uint64_t request_id, listener_kind on, core::session_id session, const core::envelope& head,
                    const core::command& c, bool retry, base::bytes& out);
void encode_request(std::uint64_t request_id, listener_kind on, core::session_id session, const core::look& l, bool retry,
                    base::bytes& out);
void encode_house_request(std::uint64_t request_id, const house_asked& h, bool retry, base::bytes& out);

/// What a frame from the server is: an answer, or one of those that answer nothing.
using from_server_message = std::variant<answer_message, welcome, problem, goodbye>;
/// unknown_kind: skip the frame.
[[nodiscard]] protocol_error decode_from_server(const frame& f, from_server_message& out);

}  // namespace holdfast::protocol
