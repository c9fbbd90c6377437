// One connection of a pipelined client. Internal to client/.
#pragma once

#include "base/result.hpp"
#include "client/flight.hpp"
#include "client/pipelined.hpp"
#include "client/socket.hpp"
#include "protocol/codec.hpp"
#include "protocol/frame.hpp"

namespace holdfast::client {

class pipelined_link {
 public:
  using time_point = server_clock::steady::time_point;

  /// `place`: of this link in its client, and what epoll calls it by.
  pipelined_link(pipelined& home, std::uint32_t place);

  enum class state : std::uint8_t {
    idle,        ///< not asked to connect yet
    connecting,  ///< until the socket is writable
    greeting,    ///< until the welcome
    open,
    waiting,     ///< before the next attempt
    dead,        ///< given up
  };
  [[nodiscard]] state is() const { return state_; }
  /// Whether anybody ever took a connection.
  [[nodiscard]] bool reached() const { return reached_; }
  [[nodiscard]] const base::error& trouble() const { return trouble_; }
  [[nodiscard]] std::size_t in_flight() const { return flight_.size(); }

  void connect();
  /// `encode(request_id, bytes)` appends the frame.
  template <class Encode>
  void send(std::uint32_t connection, std::uint64_t ticket, Encode encode) {
    std::uint64_t id = 0;
    auto& r = flight_.take(id);
    encode(id, r.frame);
    r.ticket = (std::uint64_t{connection} << ticket_bits) | ticket;
    r.sent_ns = home_.now_.time_since_epoch().count();
    ++home_.in_flight_;
    ++home_.counts_.sent;
    if (state_ == state::open) put(r);
    else mark();
  }

  // ---- what epoll says ----
  void readable();
  void writable();
  /// After every turn in which it was marked.
  void write();
  /// Now and then: a handshake or an answer that is late, or the time for the next attempt.
  void check(time_point now);

  static constexpr unsigned ticket_bits = 40;  ///< of a caller's ticket; its connection stands above

 private:
  void mark();
  void put(flight::request& r);
  void resend();
  /// False: the link is not what it was, stop reading.
  bool take(const protocol::frame& f);
  void lose(base::error why);
  void give_up();
  void watch(bool for_writing);

  pipelined& home_;
  const std::uint32_t place_;
  state state_ = state::idle;
  socket socket_;
  protocol::frame_buffer in_;
  base::bytes out_;
  std::size_t written_ = 0;      ///< of out_
  bool waits_writable_ = false, marked_ = false, reached_ = false;
  flight flight_;
  protocol::from_server_message message_;
  unsigned attempt_ = 0;         ///< failures in a row
  time_point until_{};           ///< connecting, greeting: end of patience; open: since when; waiting: the next attempt
  base::error trouble_;
};

}  // namespace holdfast::client
