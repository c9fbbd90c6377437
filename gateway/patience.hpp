// How long a connection may take for what. Pure: time is an argument, nothing here waits.
#pragma once

#include <chrono>
#include <cstdint>

#include "base/planted.hpp"
#include "gateway/options.hpp"

namespace holdfast::gateway {

using time_point = std::chrono::steady_clock::time_point;

enum class overdue : std::uint8_t { none = 0, handshake = 1, frame = 2, idle = 3, stalled = 4, lingering = 5 };

/// Watches one connection. The loop tells it what happened; `look` says whether it took too long.
class patience {
 public:
  explicit patience(time_point opened) : opened_(opened), active_(opened) {}

  void greeted(time_point now) { greeted_ = true; active_ = now; }
  /// A complete frame came in, or an answer went out.
  void active(time_point now) { active_ = now; }

  /// Part of a frame has come and more is awaited. Later calls do not move the start: a byte now and then is no progress.
  void frame_begun(time_point now) {
    if (!in_frame_ || planted(bug::slow_frame_starts_anew)) frame_since_ = now;
    in_frame_ = true;
  }
  /// No part of a frame waits, or the connection is not read from: then it is us who are late.
  void no_frame() { in_frame_ = false; }

  /// Output waits; `taken` says that the peer took some of it just now.
  void output_waits(time_point now, bool taken) {
    if (!waiting_ || taken) stalled_since_ = now;
    waiting_ = true;
  }
  void output_done() { waiting_ = false; }

  /// The last word was written.
  void left(time_point now) { left_ = true; left_since_ = now; }

  [[nodiscard]] overdue look(time_point now, const time_limits& limits, bool in_flight) const {
    const auto over = [now](time_point since, milliseconds limit) { return limit.count() > 0 && now - since >= limit; };
    if (waiting_ && over(stalled_since_, limits.stalled) && !planted(bug::slow_reader_kept)) return overdue::stalled;
    if (left_) return now - left_since_ >= limits.linger ? overdue::lingering : overdue::none;
    if (!greeted_ && over(opened_, limits.handshake)) return overdue::handshake;
    if (in_frame_ && over(frame_since_, limits.frame)) return overdue::frame;
    if (greeted_ && !in_flight && !waiting_ && over(active_, limits.idle)) return overdue::idle;
    return overdue::none;
  }

 private:
  time_point opened_, active_, frame_since_{}, stalled_since_{}, left_since_{};
  bool greeted_ = false, in_frame_ = false, waiting_ = false, left_ = false;
};

}  // namespace holdfast::gateway
