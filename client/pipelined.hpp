// A client for load: one thread drives many connections with many requests in flight on each. Nothing is allocated for a
// command or its answer once the buffers have grown to what is needed.
//
// A lost connection is opened again, and what was in flight on it is sent again in its order, with the same ids and marked as
// a retry. After options::attempts failures in a row the connection is given up, and what waits on it with it.
//
// Not for several threads at once: make one object a thread.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "client/options.hpp"
#include "core/command.hpp"

namespace holdfast::client {

struct pipelined_options {
  options link;                       ///< with money_apart, money commands take connections of their own
  std::uint32_t connections = 16;
  std::uint32_t depth = 64;           ///< requests in flight a connection; at most what the server's welcome allows
  std::uint32_t money_connections = 1;  ///< with money_apart; connection n uses the n-th of them, in turn
};

/// An answer, as it is handed over; `message` is valid during the call.
struct arrival {
  std::uint32_t connection = 0;       ///< as given to `send`, also if another one carried it
  std::uint64_t ticket = 0;
  std::int64_t waited_ns = 0;         ///< since `send`, reconnections included
  bool retried = false;
  const protocol::answer_message& message;
};

/// Who gets the answers. Both may call pipelined::send.
class receiver {
 public:
  virtual ~receiver() = default;
  virtual void answered(const arrival& a) = 0;
  /// Its connection was given up; the outcome of the request is unknown.
  virtual void given_up(std::uint32_t connection, std::uint64_t ticket, const base::error& why) = 0;
};

class pipelined_link;

class pipelined {
 public:
  /// Connects all of them and waits until each was welcomed. Errors: as blocking::connect, and io.
  [[nodiscard]] static base::result<std::unique_ptr<pipelined>> open(pipelined_options o, receiver& to);
  ~pipelined();
  pipelined(const pipelined&) = delete;
  pipelined& operator=(const pipelined&) = delete;

  [[nodiscard]] std::uint32_t connections() const { return options_.connections; }
  /// Whether `connection` may have one more in flight. False for good once it was given up.
  [[nodiscard]] bool room(std::uint32_t connection) const;
  /// The depth that the server allows, or the asked one if that is less.
  [[nodiscard]] std::uint32_t depth() const { return depth_; }

  /// Written with everything else of this turn. Money may be sent beyond the depth: the server takes it when it can.
  /// A request on a connection that was given up is given up, too, in the next turn. `retry`: the same was sent before.
  void send(std::uint32_t connection, std::uint64_t ticket, core::session_id session, const core::envelope& head, const core::command& c,
            bool retry = false);
  void send(std::uint32_t connection, std::uint64_t ticket, core::session_id session, const core::look& l);

  /// Writes what was sent, waits for at most `patience` for something to read, hands over the answers, writes what they led to.
  void turn(milliseconds patience);

  [[nodiscard]] std::size_t in_flight() const { return in_flight_; }
  /// The server's log time as of this turn; and for a client deadline `ahead` of it.
  [[nodiscard]] core::log_time now() const;
  [[nodiscard]] core::log_time deadline(milliseconds ahead) const;

  struct counts {
    std::uint64_t sent = 0, answered = 0, retried = 0, given_up = 0, lost_connections = 0;
    std::uint64_t bytes_out = 0, bytes_in = 0, writes = 0, reads = 0;
  };
  [[nodiscard]] const counts& counted() const { return counts_; }

 private:
  friend class pipelined_link;
  pipelined(pipelined_options o, std::vector<endpoint> to, int poll, receiver& into);
  void flush();
  void look_at_the_clock();
  [[nodiscard]] pipelined_link& carrier(std::uint32_t connection, std::uint16_t kind);

  pipelined_options options_;
  std::vector<endpoint> to_;
  int poll_;
  receiver& receiver_;
  std::vector<std::unique_ptr<pipelined_link>> links_;  ///< the connections, then those for money
  std::vector<pipelined_link*> marked_;                 ///< have something to write, or to give up
  std::vector<pipelined_link*> being_written_;
  server_clock clock_;
  base::random chance_;
  std::uint32_t depth_;
  std::size_t in_flight_ = 0;
  server_clock::steady::time_point now_, next_check_;
  counts counts_;
};

}  // namespace holdfast::client
