// The bytes of one connection, in and out. Plain today; this is where TLS goes: a wire that holds an SSL object beside the
// socket needs the same operations (a read and a write that do not block, waiting until one may succeed, ends), and nothing
// above it knows what is below.
//
// Reading waits first and reads then: a connection that waits needs no memory to read into, and a read that asks a socket without
// bytes is not made.
#pragma once

#include <cerrno>
#include <cstdint>
#include <span>
#include <utility>

#include <sys/socket.h>

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>

#include "base/bytes.hpp"

namespace holdfast::gateway {

class wire {
 public:
  /// Owns the connected, non-blocking descriptor. `local`: a Unix socket.
  wire(boost::asio::io_context& io, int fd, bool local)
      : socket_(io, boost::asio::generic::stream_protocol(local ? AF_UNIX : AF_INET, local ? 0 : IPPROTO_TCP), fd) {
    // The descriptor is non-blocking already; this tells Asio, so that it does not ask the kernel again.
    boost::system::error_code ignored;
    socket_.native_non_blocking(true, ignored);
  }

  /// done(error); an end of the stream counts as readable.
  template <class Done>
  void async_wait_readable(Done&& done) {
    socket_.async_wait(socket_type::wait_read, std::forward<Done>(done));
  }
  template <class Done>
  void async_wait_writable(Done&& done) {
    socket_.async_wait(socket_type::wait_write, std::forward<Done>(done));
  }

  enum class moved : std::uint8_t { some, would_block, broken };
  /// Never blocks. `n` is how many bytes came; broken at the end of the stream, too.
  moved try_read(std::span<std::uint8_t> into, std::size_t& n) {
    n = 0;
    for (;;) {
      const auto got = ::recv(socket_.native_handle(), into.data(), into.size(), MSG_DONTWAIT);
      if (got > 0) {
        n = static_cast<std::size_t>(got);
        return moved::some;
      }
      if (got < 0 && errno == EINTR) continue;
      return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? moved::would_block : moved::broken;
    }
  }
  /// Never blocks. `taken` is how many bytes the kernel took.
  moved try_write(base::byte_view bytes, std::size_t& taken) {
    taken = 0;
    for (;;) {
      const auto n = ::send(socket_.native_handle(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (n >= 0) {
        taken = static_cast<std::size_t>(n);
        return moved::some;
      }
      if (errno == EINTR) continue;
      return errno == EAGAIN || errno == EWOULDBLOCK ? moved::would_block : moved::broken;
    }
  }
  /// No more bytes will be written.
  void shut_down() {
    boost::system::error_code ignored;
    socket_.shutdown(socket_type::shutdown_send, ignored);
  }
  /// Handlers of what is under way are called with an error, later.
  void close() {
    boost::system::error_code ignored;
    socket_.close(ignored);
  }
  [[nodiscard]] int descriptor() { return socket_.native_handle(); }

 private:
  using socket_type = boost::asio::basic_stream_socket<boost::asio::generic::stream_protocol, boost::asio::io_context::executor_type>;
  socket_type socket_;
};

}  // namespace holdfast::gateway
