// A latency histogram in the manner of HDR: linear within a power of two, so that every value is kept within about
// three per cent, in a fixed array. One thread writes, any thread reads. (HdrHistogram_c is not in Debian 12.)
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace holdfast::base {

namespace buckets {
inline constexpr unsigned linear_bits = 5;                     ///< 32 steps within a power of two
inline constexpr unsigned value_bits = 40;                     ///< values from 2^40 on count as 2^40 - 1
inline constexpr std::size_t count = (value_bits - linear_bits + 1) << linear_bits;

constexpr std::size_t index_of(std::uint64_t v) {
  constexpr std::uint64_t top = (std::uint64_t{1} << value_bits) - 1;
  if (v > top) v = top;
  const auto width = static_cast<unsigned>(std::bit_width(v));
  if (width <= linear_bits) return static_cast<std::size_t>(v);
  const unsigned shift = width - linear_bits - 1;
  return (std::size_t{shift} << linear_bits) + static_cast<std::size_t>(v >> shift);
}
/// The largest value that falls into bucket `i`.
constexpr std::uint64_t upper_of(std::size_t i) {
  if (i < (std::size_t{1} << (linear_bits + 1))) return i;
  const unsigned shift = static_cast<unsigned>(i >> linear_bits) - 1;
  const std::uint64_t step = (i & ((1U << linear_bits) - 1)) + (1U << linear_bits);
  return ((step + 1) << shift) - 1;
}
static_assert(index_of((std::uint64_t{1} << value_bits) - 1) == count - 1);
}  // namespace buckets

/// What a reader has: plain numbers, which add up over loops.
struct histogram_seen {
  std::array<std::uint64_t, buckets::count> counts{};
  std::uint64_t total = 0;
  std::uint64_t sum = 0;

  histogram_seen& operator+=(const histogram_seen& other) {
    for (std::size_t i = 0; i < counts.size(); ++i) counts[i] += other.counts[i];
    total += other.total;
    sum += other.sum;
    return *this;
  }
  /// The value that `per_million` of a million values do not exceed (500'000 is the median); 0 if there are none.
  [[nodiscard]] std::uint64_t percentile(std::uint64_t per_million) const {
    if (total == 0) return 0;
    const auto wanted = static_cast<std::uint64_t>((static_cast<double>(total) * static_cast<double>(per_million)) / 1e6 + 0.999999);
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts.size(); ++i) {
      seen += counts[i];
      if (seen >= wanted && seen > 0) return buckets::upper_of(i);
    }
    return buckets::upper_of(counts.size() - 1);
  }
};

class histogram {
 public:
  /// By the one writing thread.
  void add(std::uint64_t value, std::uint64_t times = 1) {
    bump(counts_[buckets::index_of(value)], times);
    bump(sum_, value * times);
  }
  [[nodiscard]] histogram_seen read() const {
    histogram_seen s;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      s.counts[i] = counts_[i].load(std::memory_order_relaxed);
      s.total += s.counts[i];
    }
    s.sum = sum_.load(std::memory_order_relaxed);
    return s;
  }

 private:
  // One writer: a plain load and store is enough, and cheaper than a locked addition.
  static void bump(std::atomic<std::uint64_t>& c, std::uint64_t by) {
    c.store(c.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
  }
  std::array<std::atomic<std::uint64_t>, buckets::count> counts_{};
  std::atomic<std::uint64_t> sum_{0};
};

}  // namespace holdfast::base
