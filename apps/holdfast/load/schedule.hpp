// When the operations of an open loop are to begin: at a constant rate, whatever the server does. Latency counts from here, so that an
// operation which had to wait for its turn shows its waiting.
#pragma once

#include <cmath>
#include <cstdint>

namespace holdfast::cli::load {

class rate_schedule {
 public:
  rate_schedule() = default;
  /// `rate` a second, more than 0; the first begins at `begin_ns`.
  rate_schedule(std::int64_t begin_ns, double rate) : begin_ns_(begin_ns), interval_ns_(1e9 / rate) {}

  /// When operation `n` is to begin. From the start anew each time: errors do not add up.
  [[nodiscard]] std::int64_t at(std::uint64_t n) const {
    return begin_ns_ + static_cast<std::int64_t>(std::ceil(static_cast<double>(n) * interval_ns_));
  }
  /// How many are to have begun at `now_ns`.
  [[nodiscard]] std::uint64_t due(std::int64_t now_ns) const {
    if (now_ns < begin_ns_) return 0;
    auto n = static_cast<std::uint64_t>(static_cast<double>(now_ns - begin_ns_) / interval_ns_);
    // Rounding may be off by one in either direction.
    while (n > 0 && at(n - 1) > now_ns) --n;
    while (at(n) <= now_ns) ++n;
    return n;
  }

 private:
  std::int64_t begin_ns_ = 0;
  double interval_ns_ = 1e9;
};

}  // namespace holdfast::cli::load
