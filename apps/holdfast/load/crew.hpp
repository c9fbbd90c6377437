// All drivers of a bench, a thread each, and what one run of them came to.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "apps/holdfast/load/driver.hpp"
#include "apps/holdfast/load/process.hpp"

namespace holdfast::cli::load {

struct run_options {
  workload work;
  double rate = 0;              ///< operations a second, all drivers together; 0: a closed loop
  std::uint32_t depth = 1;      ///< in flight a connection, at most
  double warmup_s = 0;
  double seconds = 10;          ///< without the warm-up
  std::int64_t think_ns = 0;
  std::uint64_t operations_max = ~std::uint64_t{0};
};

struct run_seen {
  total counted;
  double seconds = 0;                    ///< from the end of the warm-up to the last answer
  double whole_s = 0;                    ///< with the warm-up
  std::uint64_t behind = 0;              ///< see driver::behind
  std::uint64_t retransmitted = 0;
  bool ran_out = false;                  ///< the seats ended before the time
  std::optional<double> server_cpu_s;    ///< of what was counted
  std::optional<std::uint64_t> server_resident;
  double own_cpu_s = 0;

  [[nodiscard]] double a_second() const { return seconds > 0 ? static_cast<double>(counted.operations()) / seconds : 0; }
};

class crew {
 public:
  /// Opens all connections. `server` is looked at for its CPU time, if it is known.
  [[nodiscard]] static base::result<std::unique_ptr<crew>> open(const common& c, unsigned threads, std::uint32_t connections,
                                                                std::uint32_t depth_max, std::optional<pid_t> server);

  /// `watch` is told now and then how much of the run is done and how many operations were answered.
  using watcher = std::function<void(double done, std::uint64_t answered)>;
  [[nodiscard]] base::result<run_seen> run(const run_options& o, stock& from, const watcher& watch);

 private:
  explicit crew(std::optional<pid_t> server) : server_(server) {}
  [[nodiscard]] std::uint64_t retransmitted() const;
  std::vector<std::unique_ptr<driver>> drivers_;
  std::optional<pid_t> server_;
};

}  // namespace holdfast::cli::load
