// What is asked: the workloads of the comparison with other systems, and mixes. One hold is one attempt; what follows it (a confirm, a
// release, nothing) is drawn when its answer comes.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <string_view>

#include "base/random.hpp"
#include "base/result.hpp"

namespace holdfast::cli::load {

struct workload {
  bool any_seat = false;        ///< random seats; else one fresh seat after the other
  bool whole_sales = false;     ///< one session after the other, each from empty to sold out: a run ends with the end of a sale
  bool sold_out = false;        ///< the session is sold out before the clock starts
  std::uint32_t holds_per_seat = 1;   ///< attempts a session gets; 0: no end, sessions are drawn at random
  unsigned confirm_percent = 0;       ///< of the holds that win
  unsigned release_percent = 0;
  unsigned look_percent = 0;          ///< of what begins: looks at a seat instead of holds
};

/// f1: a sale from empty to sold out, ten holds to each seat; of those that win nine in ten are confirmed and one released. f2: sold out,
/// every hold refused. f3: hold and confirm on one fresh seat after the other. hold: holds of fresh seats alone. mix: holds, confirms,
/// releases and looks on random seats, without end.
[[nodiscard]] base::result<workload> workload_named(std::string_view name);

/// Deals out attempts to all threads: numbers from 0, each of which means a session and, unless seats are random, a seat.
class stock {
 public:
  struct block {
    std::uint64_t begin = 0, end = 0;  ///< empty: there are no more
  };
  struct place {
    std::uint32_t session = 0, seat = 0;
  };

  stock(const workload& w, std::uint32_t seats, std::uint32_t sessions)
      : work_(w), seats_(seats), sessions_(sessions), per_session_(std::uint64_t{seats} * w.holds_per_seat),
        end_(per_session_ == 0 ? ~std::uint64_t{0} : per_session_ * sessions) {}

  /// Threads take some at a time, so that they do not fight for one counter.
  [[nodiscard]] block take() {
    const auto end = end_.load(std::memory_order_relaxed);
    auto first = next_.load(std::memory_order_relaxed);
    block b;
    do {
      if (first >= end) return {};
      b = {first, std::min(first + at_once, end)};
    } while (!next_.compare_exchange_weak(first, b.end, std::memory_order_relaxed));
    return b;
  }
  /// The time of whole sales is over: one that has begun goes on to its end, and no other begins.
  void close() {
    if (!work_.whole_sales) return;
    std::call_once(closed_, [this] {
      const auto begun = next_.load(std::memory_order_relaxed);
      const auto whole = (begun + per_session_ - 1) / per_session_ * per_session_;
      end_.store(std::min(end_.load(std::memory_order_relaxed), whole), std::memory_order_relaxed);
    });
  }
  [[nodiscard]] place at(std::uint64_t attempt, base::random& chance) const {
    const auto any = [&](std::uint32_t n) { return static_cast<std::uint32_t>(chance.below(n)); };
    if (per_session_ == 0) return {sessions_ == 1 ? 0 : any(sessions_), any(seats_)};
    const auto session = static_cast<std::uint32_t>(attempt / per_session_);
    return {session, work_.any_seat ? any(seats_) : static_cast<std::uint32_t>(attempt % seats_)};
  }
  /// Of all attempts there are, what was dealt out; 0 if there is no end.
  [[nodiscard]] double used() const {
    const auto all = per_session_ * sessions_;
    return all == 0 ? 0 : static_cast<double>(next_.load(std::memory_order_relaxed)) / static_cast<double>(all);
  }

 private:
  static constexpr std::uint64_t at_once = 32;
  const workload work_;
  const std::uint32_t seats_, sessions_;
  const std::uint64_t per_session_;
  std::once_flag closed_;
  std::atomic<std::uint64_t> end_;
  alignas(64) std::atomic<std::uint64_t> next_{0};
};

}  // namespace holdfast::cli::load
