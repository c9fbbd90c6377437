// A TCP proxy on loopback between clients and a server that does to their connections what networks do: cuts them anywhere, carries their
// bytes in other pieces, late, past each other, or nowhere. All of it is drawn from a seed: what happens to the n-th connection, and at
// which of its bytes, is the same each time, whatever the other connections do.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>

#include "base/random.hpp"

namespace holdfast::tests {

/// What is done to one connection. As made: nothing.
struct connection_faults {
  static constexpr std::uint64_t never = ~std::uint64_t{0};
  enum class ending : std::uint8_t { reset, end_of_stream };
  enum class pieces : std::uint8_t {
    as_they_come,
    single_bytes,  ///< one a segment
    random,        ///< 1 to 2,000 bytes
    gathered,      ///< up to 64 KiB: what comes within a few milliseconds goes out at once
  };
  /// So many bytes arrive; in place of the next one the connection ends for both sides.
  std::uint64_t cut_to_server = never, cut_to_client = never;
  ending cut_by = ending::reset;
  /// After so many bytes in both directions together the cable is cut: what is sent is taken and thrown away, nothing arrives any more,
  /// and neither side learns of it, also not when the other one closes.
  std::uint64_t silent_after = never;
  pieces cut_into = pieces::as_they_come;
  /// When the client goes, what it sent and did not leave yet is lost. Without this it arrives late, as in a slow network.
  bool forget_when_left = false;
  /// Each piece waits so long at most, drawn for each; pieces of other connections overtake it.
  std::chrono::microseconds delay_max{0};
  /// Between a piece to the server and the next one.
  std::chrono::microseconds piece_every{0};
};

class fault_proxy {
 public:
  /// What is to happen to connection `number`, counted from 0. Called in the proxy's thread, before any of its bytes is carried.
  using plan = std::function<connection_faults(std::uint64_t number, base::random& chance)>;
  struct counts {
    std::uint64_t connections = 0;
    std::uint64_t unreachable = 0;  ///< the server did not take the connection
    std::uint64_t cuts = 0;
    std::uint64_t silenced = 0;
    std::uint64_t stopped = 0;      ///< connections that were stopped for a while
    std::uint64_t to_server = 0, to_client = 0;  ///< bytes
  };

  /// Listens on a port of its own and carries to `server_port` of this machine. Aborts if there are no sockets to be had.
  fault_proxy(std::uint16_t server_port, std::uint64_t seed, plan what);
  ~fault_proxy();
  fault_proxy(const fault_proxy&) = delete;
  fault_proxy& operator=(const fault_proxy&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] counts seen() const;
  /// Connections are stopped one by one until half of them are, and go on one by one in another order, for ever; one each `every`.
  void swizzle(std::chrono::microseconds every);
  /// From now on nothing is spoilt: stopped connections go on, and those that come are carried as they are.
  void heal();

 private:
  class carrier;
  std::unique_ptr<carrier> carrier_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

}  // namespace holdfast::tests
