// What the gateway counts. Each loop writes its own counters, apart from the others' cache lines; who reads sums them.
//
// Invariant: received == the sum over all stages. A request is counted once where it ended: refused at a stage of the
// funnel, served by the gateway itself, or passed on to an actor.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/histogram.hpp"

namespace holdfast::gateway {

/// The funnel's stages in their order, then where requests go that pass them. Rate, authentication by token and
/// eligibility have their place already and refuse nobody until tokens come.
enum class stage : std::uint8_t {
  broken_frame,       ///< the bytes are no frame or no request; the connection is closed
  not_authenticated,  ///< a request before the handshake
  not_allowed,        ///< this role may not ask this
  impossible,         ///< well-formed bytes whose content no session could judge
  over_rate,
  unknown_session,
  not_open,           ///< also paused, closed, frozen, faulted
  not_eligible,
  gone,               ///< sold out, or the seats asked for are sold or blocked
  busy,
  served,             ///< for the house as a whole: ping, names of sessions, what operators ask
  passed,             ///< on to the session's actor
};
inline constexpr std::size_t stages = static_cast<std::size_t>(stage::passed) + 1;
[[nodiscard]] std::string_view name_of(stage s);

/// Why a connection ended.
enum class closing : std::uint8_t {
  peer = 0,            ///< the peer closed or reset it
  protocol_error = 1,
  handshake_late = 2,
  frame_late = 3,
  idle = 4,
  stalled = 5,
  refused = 6,         ///< over connections_max or connections_per_address_max
  stopped = 7,         ///< the server stops
};
inline constexpr std::size_t closings = 8;
[[nodiscard]] std::string_view name_of(closing c);

/// One writer, any readers.
class counter {
 public:
  void add(std::uint64_t by = 1) { v_.store(v_.load(std::memory_order_relaxed) + by, std::memory_order_relaxed); }
  void sub(std::uint64_t by = 1) { v_.store(v_.load(std::memory_order_relaxed) - by, std::memory_order_relaxed); }
  void set(std::uint64_t v) { v_.store(v, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t get() const { return v_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> v_{0};
};

/// A loop's, at one moment; or the sum over loops. Times in nanoseconds, sizes in bytes.
struct stats_seen {
  std::uint64_t received = 0;                         ///< requests
  std::array<std::uint64_t, stages> by_stage{};
  std::uint64_t retries = 0;                          ///< flagged as sent before: not judged by sale or seat state
  std::uint64_t answers = 0;                          ///< to requests, funnel answers included
  std::uint64_t answers_lost = 0;                     ///< the connection was gone when the answer came
  std::uint64_t in_flight = 0;                        ///< passed and not answered yet
  std::uint64_t connections = 0;                      ///< open now
  std::uint64_t accepted = 0;
  std::array<std::uint64_t, closings> closed{};
  std::uint64_t accept_errors = 0;                    ///< out of descriptors or memory
  std::uint64_t handshakes = 0;
  std::uint64_t credit_pauses = 0;                    ///< times a connection was not read from for want of money credit
  std::uint64_t output_pauses = 0;                    ///< the same, because its peer does not take answers
  std::uint64_t output_waiting = 0;                   ///< connections with answers that their peers do not take, now
  std::uint64_t bytes_in = 0, bytes_out = 0, reads = 0, writes = 0;
  std::uint64_t turns = 0, batches = 0;
  std::uint64_t busy_ns = 0;                          ///< at work, not waiting
  std::uint64_t waiting = 0;                          ///< deliveries of actors that the loop has not taken yet
  base::histogram_seen request_ns;                          ///< read from the socket to answer encoded; passed requests
  base::histogram_seen turn_ns;                             ///< work of one turn of the loop
  base::histogram_seen queue_ns;                            ///< how long the oldest delivery of a turn had waited

  stats_seen& operator+=(const stats_seen& other);
  /// The invariant above; exact when nothing is being received, else off by what is in the middle of its turn.
  [[nodiscard]] bool adds_up() const;
};

/// Written by one loop.
struct alignas(64) loop_stats {
  counter received;
  std::array<counter, stages> by_stage;
  counter retries, answers, answers_lost, in_flight, connections, accepted;
  std::array<counter, closings> closed;
  counter accept_errors, handshakes, credit_pauses, output_pauses, output_waiting;
  counter bytes_in, bytes_out, reads, writes, turns, batches, busy_ns;
  base::histogram request_ns, turn_ns, queue_ns;

  void ended_at(stage s) { by_stage[static_cast<std::size_t>(s)].add(); }
  void closed_for(closing c) { closed[static_cast<std::size_t>(c)].add(); }
  [[nodiscard]] stats_seen read() const;
};

}  // namespace holdfast::gateway
