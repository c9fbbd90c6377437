// A connected stream socket that never blocks; TCP or Unix.
#pragma once

#include <chrono>
#include <cstddef>
#include <span>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "client/address.hpp"

namespace holdfast::client {

using std::chrono::milliseconds;

class socket {
 public:
  socket() = default;
  explicit socket(int fd) : fd_(fd) {}
  ~socket() { close(); }
  socket(socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  socket& operator=(socket&& other) noexcept {
    if (this != &other) {
      close();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }

  /// Starts connecting; it is done when the socket is writable, and `connected` then says how. Error: unavailable, io.
  [[nodiscard]] static base::result<socket> begin(const endpoint& to);
  /// 0, or the errno of the connection's failure.
  [[nodiscard]] int connected() const;
  /// Connects to the first of `to` that answers. Error: unavailable.
  [[nodiscard]] static base::result<socket> connect(std::span<const endpoint> to, milliseconds patience);

  enum class moved : std::uint8_t { some, would_block, ended };
  /// Takes what is there into `room`, which is not empty; `n` says how much.
  [[nodiscard]] moved read(std::span<std::uint8_t> room, std::size_t& n);
  [[nodiscard]] moved write(base::byte_view what, std::size_t& n);

  /// False: the time is over. A broken connection counts as ready.
  [[nodiscard]] bool wait_readable(milliseconds patience) const;
  [[nodiscard]] bool wait_writable(milliseconds patience) const;

  [[nodiscard]] bool open() const { return fd_ >= 0; }
  [[nodiscard]] int fd() const { return fd_; }
  void close();

 private:
  int fd_ = -1;
};

}  // namespace holdfast::client
