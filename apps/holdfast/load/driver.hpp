// One thread of the generator: its connections, what is in flight on them, and the loop that keeps it so.
//
// Closed loop: each connection has `depth` buyers, and each asks the next as soon as it was answered (and has thought). Open loop:
// operations begin at a constant rate, on the connections in turn, whatever has been answered; an operation for which every connection is
// full waits, and its waiting counts. What follows a hold (its confirm, its release) has precedence over new holds in both.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "apps/holdfast/load/connection.hpp"
#include "apps/holdfast/load/frames.hpp"
#include "apps/holdfast/load/ring.hpp"
#include "apps/holdfast/load/schedule.hpp"
#include "apps/holdfast/load/tally.hpp"
#include "apps/holdfast/load/workload.hpp"

namespace holdfast::cli::load {

/// What all threads of a bench share.
struct common {
  client::options link;
  std::vector<client::endpoint> to;
  std::vector<core::session_id> halls;
  core::channel_no channel = 0;
  core::interval_ms hold_for = 120'000;
  std::uint64_t users = 1'000'000;
  std::uint64_t seed = 1;
};

/// One stretch of driving; times are of the steady clock.
struct phase {
  workload work;
  stock* from = nullptr;
  double rate = 0;                 ///< of this driver, a second; 0: a closed loop
  std::uint32_t depth = 1;         ///< in flight a connection; open loop: at most
  std::int64_t begin_ns = 0;
  std::int64_t count_from_ns = 0;  ///< before: warm-up
  std::int64_t until_ns = 0;       ///< no new operations from here on, but for what follows a hold
  std::int64_t think_ns = 0;       ///< between an answer and the buyer's next request
  std::uint64_t operations_max = ~std::uint64_t{0};
};

class driver {
 public:
  /// Opens the connections; `number` tells drivers apart. `depth_max` is what a phase may have in flight a connection.
  [[nodiscard]] static base::result<std::unique_ptr<driver>> open(const common& c, unsigned number, std::uint32_t connections,
                                                                  std::uint32_t depth_max);
  ~driver();
  driver(const driver&) = delete;
  driver& operator=(const driver&) = delete;

  /// Drives until the phase is over and everything was answered. False: the server went away or fell silent; `trouble` says how.
  [[nodiscard]] bool run(const phase& p);
  [[nodiscard]] const tally& counted() const { return *tally_; }
  [[nodiscard]] const std::string& trouble() const { return trouble_; }
  /// In flight, due or not, when the phase's time was over.
  [[nodiscard]] std::uint64_t behind() const { return behind_; }
  [[nodiscard]] std::uint64_t retransmitted() const;
  /// What the server allows a connection in flight, as its welcome says.
  [[nodiscard]] std::uint32_t inflight_max() const { return links_.front().greeting().inflight_max; }

  // ---- read by other threads while it runs ----
  [[nodiscard]] std::uint64_t answered() const { return answered_.load(std::memory_order_relaxed); }
  void stop() { stop_.store(true, std::memory_order_relaxed); }

 private:
  enum class asks : std::uint8_t { something_new, hold, confirm, release, look };
  /// One operation, from when it is known to its answer.
  struct task {
    base::id128 hold;
    std::uint32_t user = 0, session = 0, seat = 0;
    asks what = asks::something_new;
  };
  struct slot {
    task is;
    std::int64_t since_ns = 0;
    std::uint32_t next_free = 0;
  };
  struct waiting {
    std::int64_t ready_ns = 0;
    std::uint32_t connection = 0;
    task is;
  };
  static constexpr std::uint32_t none = ~std::uint32_t{0};

  driver(const common& c, unsigned number, std::uint32_t depth_max);
  void begin(const phase& p);
  void fill_closed();
  void fill_open();
  void go_on_thinking();
  [[nodiscard]] bool next_new(task& t);
  [[nodiscard]] bool put(std::uint32_t connection, task& t, std::int64_t since_ns);
  void flush(std::uint32_t connection);
  void readable(std::uint32_t connection);
  void answered(std::uint32_t connection, const std::uint8_t* frame, std::uint32_t length);
  void follow(std::uint32_t connection, const task& t, bool won);
  void wait();
  void watch(std::uint32_t connection, bool for_writing);
  [[nodiscard]] bool over();
  void broken(std::string why);
  [[nodiscard]] base::id128 owner_of(std::uint32_t user) const;
  [[nodiscard]] bool open_loop() const { return phase_.rate > 0; }
  [[nodiscard]] bool may_begin() const;

  const common& common_;
  const frames frames_;
  const std::uint32_t depth_max_;
  std::vector<connection> links_;
  int poll_ = -1;
  client::server_clock clock_;
  base::random chance_;
  // A connection's slots stand together: depth_max_ of them from connection x depth_max_ on; the request id is the place, from 1.
  std::vector<slot> slots_;
  std::vector<std::uint32_t> free_;          ///< first free slot by connection, or none
  std::vector<std::uint32_t> room_;          ///< how many more may be in flight, by connection
  base::bytes in_, out_;
  std::size_t out_size_ = 0;
  ring<waiting> thinking_;                   ///< in order of ready_ns: all think equally long

  phase phase_;
  rate_schedule schedule_;
  stock::block block_;
  std::uint64_t issued_ = 0, in_flight_ = 0, behind_ = 0;
  std::uint32_t turn_ = 0;                   ///< whose turn it is in an open loop
  std::int64_t now_ns_ = 0, heard_ns_ = 0;
  core::log_time deadline_;
  bool closing_ = false, exhausted_ = false;
  bool full_ = false;                        ///< an open loop has operations overdue and no room for them: only answers help
  std::unique_ptr<tally> tally_;
  std::string trouble_;
  alignas(64) std::atomic<std::uint64_t> answered_{0};
  std::atomic<bool> stop_{false};
};

[[nodiscard]] std::int64_t steady_ns();

}  // namespace holdfast::cli::load
