// One shop's connection of the generator: welcomed, never blocking, and without buffers of its own in the common case. What is read and
// what is to be written stands in the thread's buffers; only halves of frames are kept here.
#pragma once

#include <cstdint>
#include <span>

#include "client/options.hpp"
#include "client/socket.hpp"
#include "protocol/messages.hpp"

namespace holdfast::cli::load {

class connection {
 public:
  /// Connects and says hello; waits. Errors: as client::link::open.
  [[nodiscard]] static base::result<connection> open(const client::options& o, std::span<const client::endpoint> to);

  [[nodiscard]] int fd() const { return socket_.fd(); }
  [[nodiscard]] const protocol::welcome& greeting() const { return greeting_; }

  /// False: the server does not take all of it; the rest waits here and goes with the next `write` or `push`.
  [[nodiscard]] bool write(base::byte_view what);
  /// What waits, once the socket takes bytes again. True: nothing waits any more.
  [[nodiscard]] bool push();
  [[nodiscard]] bool waits() const { return !unsent_.empty(); }
  [[nodiscard]] bool lost() const { return lost_; }

  /// Reads into `room` behind the half of a frame that was left by the last one; what is there then. Empty: nothing, or lost.
  [[nodiscard]] base::byte_view read(std::span<std::uint8_t> room);
  /// The end of what `read` gave that is no whole frame. At most half_max bytes, or the connection counts as lost.
  void keep(base::byte_view half);

  /// Segments that the kernel sent again on this connection.
  [[nodiscard]] std::uint64_t retransmitted() const;

  static constexpr std::size_t half_max = 4'096;

 private:
  explicit connection(client::socket s) : socket_(std::move(s)) {}
  client::socket socket_;
  protocol::welcome greeting_;
  base::bytes unsent_, half_;
  bool lost_ = false;
};

/// Room for so many descriptors beside those that the program has anyway, as far as the system lets us.
void raise_descriptor_limit(std::uint64_t connections);

}  // namespace holdfast::cli::load
