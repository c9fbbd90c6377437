// One listening socket. Accepts as many as wait, refuses what is too many, and survives running out of descriptors.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "gateway/options.hpp"

namespace holdfast::gateway {

/// A remote address as 16 bytes (IPv4 mapped); all zero is not counted: loopback and Unix sockets.
using remote_address = std::array<std::uint8_t, 16>;

class listener {
 public:
  /// Takes over the connected, non-blocking descriptor; must call `left` with the address when it is closed.
  using arrived_fn = std::function<void(listener&, int fd, const remote_address&)>;
  enum class trouble_kind : std::uint8_t { refused, out_of_descriptors };
  using trouble_fn = std::function<void(trouble_kind)>;

  /// Whether an address could be listened on now; leaves nothing behind. For a start that must know before it changes anything.
  /// Errors as of `open`.
  [[nodiscard]] static base::result<void> try_address(const listener_options& o);
  /// Binds and listens, but accepts nothing before `start`. `farewell` is what a peer that is too many is told.
  /// Both functions are called in the thread that runs `io`. Errors: busy (port or path in use), bad_input, io.
  [[nodiscard]] static base::result<std::unique_ptr<listener>> open(boost::asio::io_context& io, const listener_options& o,
                                                                    milliseconds accept_pause, base::bytes farewell,
                                                                    arrived_fn arrived, trouble_fn trouble);
  ~listener();
  listener(const listener&) = delete;
  listener& operator=(const listener&) = delete;

  /// In the thread of `io`.
  void start();
  void stop();

  /// From any thread: a connection that came through here is closed.
  void left(const remote_address& from);

  [[nodiscard]] const listener_options& limits() const { return options_; }
  /// The port that it listens on; 0 for admin.
  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::uint32_t connections() const { return open_.load(std::memory_order_relaxed); }

 private:
  listener(boost::asio::io_context& io, int fd, const listener_options& o, milliseconds accept_pause, base::bytes farewell,
           arrived_fn arrived, trouble_fn trouble);
  void wait();
  void accept_waiting();
  void accept_with_reserve();
  void turn_away(int fd) const;
  [[nodiscard]] bool admit(const remote_address& from);

  boost::asio::posix::stream_descriptor socket_;
  boost::asio::steady_timer pause_;
  const listener_options options_;
  const milliseconds accept_pause_;
  const base::bytes farewell_;
  const arrived_fn arrived_;
  const trouble_fn trouble_;
  std::uint16_t port_ = 0;
  int reserve_ = -1;  ///< given up for a moment when there are no descriptors, so that a peer can be accepted and closed
  bool stopped_ = false;
  std::atomic<std::uint32_t> open_{0};
  std::mutex mutex_;
  std::unordered_map<std::string, std::uint32_t> per_address_;  ///< under mutex_
};

}  // namespace holdfast::gateway
