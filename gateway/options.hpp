// Every limit of the gateway, with its name, unit, default, and what happens at it.
// docs/OPERATIONS.md has the same table for operators.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "core/types.hpp"
#include "protocol/frame.hpp"

namespace holdfast::gateway {

using std::chrono::milliseconds;

using protocol::listener_kind;

/// How long a connection may take for what. Zero switches a limit off.
struct time_limits {
  milliseconds handshake{3'000};   ///< from accept to a complete first frame; then protocol error and close
  milliseconds frame{5'000};       ///< from a frame's first byte to its last; then protocol error and close
  milliseconds idle{60'000};       ///< without a frame and with nothing in flight; then close
  milliseconds stalled{5'000};     ///< answers wait and the peer takes none; then close
  milliseconds linger{1'000};      ///< after the last word, for the peer to read it and close
};

struct listener_options {
  listener_kind kind = listener_kind::shop;
  /// shop and buyer: a numeric IPv4 or IPv6 address, without port; admin: the path of the Unix socket.
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;                         ///< 0: any free one; `gateway::port_of` tells which
  core::channel_no channel = 0;                   ///< in which buyers and shops that name none are judged
  std::uint32_t connections_max = 10'000;         ///< beyond: accepted, told `too many connections`, closed
  /// From one remote address; loopback is not counted. Beyond: as connections_max. 0: no limit.
  std::uint32_t connections_per_address_max = 0;
  std::uint32_t handshake_bytes_max = protocol::limits::hello_bytes_max;      ///< a frame before the handshake is done; beyond: protocol error, close
  std::uint32_t frame_bytes_max = protocol::limits::request_bytes_max;     ///< a frame after it, head included; beyond: protocol error, close
  std::uint32_t inflight_max = 1'024;             ///< requests a connection, money included; beyond: `busy` for all but money
  std::uint32_t money_inflight_max = 64;          ///< more for money alone; beyond: the connection is not read from
  std::uint32_t pages_inflight_max = 16;          ///< looks with long answers a connection; beyond: `busy`
  /// Answers that wait for the peer, in bytes. From here on the connection is not read from. What is in flight by
  /// then may still be added: at most inflight_max short answers and pages_inflight_max long ones.
  std::uint32_t output_bytes_max = 256 * 1024;
  time_limits times;
};

/// The shipped limits of a kind: shops keep connections open for long, operators send plans.
[[nodiscard]] listener_options defaults_of(listener_kind kind);

struct options {
  std::vector<listener_options> listeners;
  std::uint32_t loops = 1;                        ///< threads, each with its own io_context
  std::uint32_t session_inflight_max = 65'536;    ///< requests a session, over all connections; money goes on beyond it
  std::uint32_t turn_requests_max = 512;          ///< for sessions, collected in one turn of a loop before the batches are sent
  milliseconds busy_retry_after{50};              ///< the hint that goes with `busy`
  milliseconds drain_max{5'000};                  ///< at stop: how long answers in flight are waited for
  milliseconds sweep_every{250};                  ///< how often the time limits are looked at
  milliseconds accept_pause{50};                  ///< after the process ran out of file descriptors
  /// Without tokens anybody who reaches a listener may say that he is anybody. So other than loopback addresses are
  /// refused unless this says that the network in front of the server keeps strangers out.
  bool insecure_bind = false;
};

/// bad_input naming the key that is wrong and the remedy.
[[nodiscard]] base::result<void> check_options(const options& o);

}  // namespace holdfast::gateway
