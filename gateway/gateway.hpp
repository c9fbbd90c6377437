// The whole gateway: listeners, loops with their threads, and the stop in order.
#pragma once

#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "base/result.hpp"
#include "gateway/credits.hpp"
#include "gateway/desk.hpp"
#include "gateway/listener.hpp"
#include "gateway/loop.hpp"
#include "gateway/options.hpp"
#include "gateway/surroundings.hpp"

namespace holdfast::gateway {

class gateway {
 public:
  /// Checks the options and whether every listener's address is free; leaves nothing behind. Errors as of `open`.
  [[nodiscard]] static base::result<void> try_listeners(const options& o);
  /// Checks the options, binds all listeners and subscribes to the directory of sessions; serves nobody before `start`.
  /// Errors: bad_input (options, addresses), busy (port or path in use), io.
  [[nodiscard]] static base::result<std::unique_ptr<gateway>> open(options o, surroundings around);
  /// Stops if that has not been done.
  ~gateway();
  gateway(const gateway&) = delete;
  gateway& operator=(const gateway&) = delete;

  void start();

  /// In order: listeners stop, nothing more is read, answers under way are waited for (drain_max at most) and written, every
  /// client is told goodbye, the actors are let go. Returns when all threads have ended. The actors must still run.
  void stop();

  /// The port of the first listener of a kind; 0 if there is none.
  [[nodiscard]] std::uint16_t port_of(listener_kind kind) const;

  // ---- any thread ----
  /// The sum over all loops.
  [[nodiscard]] stats_seen stats() const;
  [[nodiscard]] loops_seen loops() const;
  /// Looks at all time limits now, for tests with a clock of their own.
  void sweep();

 private:
  gateway(options o, surroundings around);
  base::result<void> listen();
  void take_over(listener& through, int fd, const remote_address& from);

  const options options_;
  const surroundings around_;
  credit_book credits_;
  std::vector<std::unique_ptr<loop>> loops_;  ///< the last one is the operators', if there is an admin listener
  std::size_t buyers_loops_ = 0;
  std::size_t next_loop_ = 0;                 ///< by the accepting thread
  std::vector<std::unique_ptr<listener>> listeners_;
  std::vector<std::thread> threads_;
};

}  // namespace holdfast::gateway
