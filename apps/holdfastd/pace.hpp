// When work behind the log rests. Checkpoints and the index take processor time that the sale needs; in the minute in which
// everybody asks, the sale gets the machine and they catch up afterwards, unless they fall too far behind.
#pragma once

#include <cstdint>
#include <deque>

namespace holdfast::server {

class pace {
 public:
  /// The journal grows by so many bytes a second: somebody is in a hurry. About 100,000 holds.
  static constexpr std::uint64_t busy_bytes_per_s = 8U << 20U;
  /// Between two samples, nanoseconds.
  static constexpr std::uint64_t sample_ns = 100'000'000;

  /// Tells how far the journal is at `now_ns` (steady): its newest block, the bytes of all its records since the start.
  void look(std::uint64_t now_ns, std::uint64_t block, std::uint64_t bytes) {
    if (!samples_.empty()) {
      const auto& last = samples_.back();
      if (now_ns < last.ns + sample_ns) return;
      busy_ = (bytes - last.bytes) * 1'000 >= busy_bytes_per_s * ((now_ns - last.ns) / 1'000'000);
    }
    samples_.push_back({now_ns, block, bytes});
    if (samples_.size() > samples_max) samples_.pop_front();
  }
  [[nodiscard]] bool busy() const { return busy_; }

  /// Whether work that has come to block `at` should rest; not if it is `behind_max` bytes or more behind.
  [[nodiscard]] bool rest(std::uint64_t at, std::uint64_t behind_max) const { return busy_ && behind(at) < behind_max; }

  /// About how many bytes lie between block `at` and the newest sample; never too few by more than one sample.
  [[nodiscard]] std::uint64_t behind(std::uint64_t at) const {
    if (samples_.empty() || samples_.back().block <= at) return 0;
    // The newest sample that is not beyond `at`; older than all samples counts from the oldest.
    for (auto s = samples_.rbegin(); s != samples_.rend(); ++s)
      if (s->block <= at) return samples_.back().bytes - s->bytes;
    return samples_.back().bytes - samples_.front().bytes;
  }

 private:
  struct sample { std::uint64_t ns, block, bytes; };
  static constexpr std::size_t samples_max = 6'000;  ///< ten minutes
  std::deque<sample> samples_;
  bool busy_ = false;
};

}  // namespace holdfast::server
