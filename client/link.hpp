// One welcomed connection that is used by asking and waiting.
#pragma once

#include <span>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "client/options.hpp"
#include "client/socket.hpp"
#include "protocol/codec.hpp"

namespace holdfast::client {

class link {
 public:
  /// Connects and says hello. Errors: unavailable; bad_bytes (the server speaks another protocol); bad_input (it will not have us,
  /// and says why).
  [[nodiscard]] static base::result<link> open(const options& o, std::span<const endpoint> to);
  /// The two halves of open. The first fails when nobody is there; the second may fail although somebody is.
  [[nodiscard]] static base::result<socket> reach(const options& o, std::span<const endpoint> to);
  [[nodiscard]] static base::result<link> greet(const options& o, socket to);

  /// Sends the frame and waits for the answer to `request_id`; what comes before it is skipped. unavailable: the connection is of no use
  /// any more, and whether the request was taken is unknown; ask again on a new one. bad_bytes, bad_input: asking again would not help.
  [[nodiscard]] base::result<protocol::answer_message> ask(base::byte_view frame, std::uint64_t request_id, milliseconds patience);

  [[nodiscard]] const protocol::welcome& greeting() const { return greeting_; }
  [[nodiscard]] core::log_time now() const { return clock_.now(); }

 private:
  link(socket s) : socket_(std::move(s)), in_(protocol::direction::from_server, protocol::limits::answer_bytes_max) {}
  base::result<void> send(base::byte_view what, milliseconds patience);
  /// The next message that is no answer to something unknown.
  base::result<void> receive(protocol::from_server_message& out, std::chrono::steady_clock::time_point until);

  socket socket_;
  protocol::frame_buffer in_;
  protocol::welcome greeting_;
  server_clock clock_;
};

/// What a message that ends a connection means to who asked.
[[nodiscard]] base::error error_of(const protocol::problem& p);
[[nodiscard]] base::error error_of(const protocol::goodbye& g);

}  // namespace holdfast::client
