// What one thread counts while it drives, and how it adds up over threads. The histogram is the server's: both sides of a measurement
// round alike.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/histogram.hpp"
#include "core/answer.hpp"

namespace holdfast::cli::load {

/// Rows of the table of latencies: a hold that wins has to wait for the disk, most that are refused do not.
enum class deed : std::uint8_t { hold_won, hold_refused, confirm, release, look };
inline constexpr std::size_t deeds = 5;
[[nodiscard]] std::string_view name_of(deed d);

class tally {
 public:
  static constexpr std::size_t codes = 128;  ///< of core::refusal

  void add(deed d, core::refusal said, std::int64_t waited_ns) {
    latency_[static_cast<std::size_t>(d)].add(static_cast<std::uint64_t>(waited_ns));
    if (waited_ns > longest_ns_[static_cast<std::size_t>(d)]) longest_ns_[static_cast<std::size_t>(d)] = waited_ns;
    if (said != core::refusal::none) ++refused_[static_cast<std::size_t>(d)][static_cast<std::size_t>(said) % codes];
  }
  [[nodiscard]] const base::histogram& latency(deed d) const { return latency_[static_cast<std::size_t>(d)]; }
  [[nodiscard]] std::int64_t longest_ns(deed d) const { return longest_ns_[static_cast<std::size_t>(d)]; }
  [[nodiscard]] std::uint64_t refused(deed d, std::size_t code) const { return refused_[static_cast<std::size_t>(d)][code]; }

  std::uint64_t refunds = 0;      ///< confirms that bought nothing
  std::uint64_t uncounted = 0;    ///< answered in the warm-up
  std::uint64_t never_sent = 0;   ///< an open loop's operations for which there was no room until its end
  std::int64_t last_ns = 0;       ///< when the last answer that counts came
  std::uint64_t writes = 0, reads = 0, waits = 0;  ///< system calls

 private:
  std::array<base::histogram, deeds> latency_;
  std::array<std::int64_t, deeds> longest_ns_{};
  std::array<std::array<std::uint64_t, codes>, deeds> refused_{};
};

/// All threads together.
struct total {
  std::array<base::histogram_seen, deeds> latency{};
  std::array<std::int64_t, deeds> longest_ns{};
  std::array<std::array<std::uint64_t, tally::codes>, deeds> refused{};
  std::uint64_t refunds = 0, uncounted = 0, never_sent = 0, writes = 0, reads = 0, waits = 0;
  std::int64_t last_ns = 0;

  void add(const tally& t);
  [[nodiscard]] std::uint64_t operations() const;
  [[nodiscard]] std::uint64_t count(deed d) const { return latency[static_cast<std::size_t>(d)].total; }
  /// Of all operations together.
  [[nodiscard]] base::histogram_seen all() const;
  [[nodiscard]] std::int64_t longest() const;
};

/// A percentile in nanoseconds, never above the longest wait that was seen: the histogram knows only the upper end of a bucket.
[[nodiscard]] std::uint64_t percentile_ns(const base::histogram_seen& h, std::uint64_t per_million, std::int64_t longest_ns);

}  // namespace holdfast::cli::load
