// What an actor lets others see of itself: a few counters beside its mailbox, so that looking never enters it.
// Whoever posts writes the first cache line, the actor itself the second; inspectors read both without stopping either.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>

namespace holdfast::actors {

using steady = std::chrono::steady_clock;

/// Nanoseconds of the steady clock; 0 is "never".
inline std::uint64_t steady_ns(steady::time_point t = steady::now()) {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(t.time_since_epoch()).count());
}

class meter {
 public:
  /// What the counters said at one moment. They are read one after another, so they may be a message apart.
  struct reading {
    std::uint64_t waiting = 0;      ///< messages
    std::uint64_t handled = 0;      ///< messages
    std::uint64_t items = 0;        ///< what the messages carried: requests, records
    std::uint64_t busy_ns = 0;
    std::uint64_t oldest_ns = 0;    ///< how long the oldest waiting message waits; 0 if none
  };

  // ---- whoever posts ----
  /// Call before the message is sent. `now` is when the message was handed over.
  void posted(std::uint64_t now = steady_ns()) {
    const auto before = posted_.fetch_add(1, std::memory_order_relaxed);
    if (before == handled_.load(std::memory_order_relaxed)) waiting_since_.store(now, std::memory_order_relaxed);
  }

  // ---- the actor ----
  /// A message with `items` in it was handled; it had been handed over at `handed_over` and kept the actor busy from
  /// `began` to `ended`.
  void handled(std::uint64_t handed_over, std::uint64_t items, std::uint64_t began, std::uint64_t ended) {
    add(busy_ns_, ended - began);
    add(items_, items);
    last_handed_over_.store(handed_over, std::memory_order_relaxed);
    add(handled_, 1);
  }
  /// A message from oneself (a timer), which was never posted.
  void handled_own(std::uint64_t began, std::uint64_t ended) {
    posted_.fetch_add(1, std::memory_order_relaxed);
    handled(began, 0, began, ended);
  }

  // ---- any thread ----
  [[nodiscard]] reading read(std::uint64_t now = steady_ns()) const {
    reading r;
    r.handled = handled_.load(std::memory_order_relaxed);
    r.items = items_.load(std::memory_order_relaxed);
    r.busy_ns = busy_ns_.load(std::memory_order_relaxed);
    const auto posted = posted_.load(std::memory_order_relaxed);
    if (posted <= r.handled) return r;
    r.waiting = posted - r.handled;
    // Mailboxes are first in, first out: what waits now came after what was handled last, and not before the
    // message that found the mailbox empty.
    const auto since = std::max(waiting_since_.load(std::memory_order_relaxed), last_handed_over_.load(std::memory_order_relaxed));
    r.oldest_ns = now > since ? now - since : 0;
    return r;
  }

 private:
  using counter = std::atomic<std::uint64_t>;
  /// One writer: no need for a locked instruction.
  static void add(counter& c, std::uint64_t n) { c.store(c.load(std::memory_order_relaxed) + n, std::memory_order_relaxed); }

  alignas(64) counter posted_{0};
  counter waiting_since_{0};
  alignas(64) counter handled_{0};
  counter items_{0};
  counter busy_ns_{0};
  counter last_handed_over_{0};
};

}  // namespace holdfast::actors
