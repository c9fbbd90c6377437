// A bar on the error stream while something takes its time; nothing at all where nobody watches.
#pragma once

#include <chrono>
#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>

namespace holdfast::cli {

/// "[#######...............]  31 %  text"
[[nodiscard]] std::string bar_text(double done, std::string_view text, unsigned width = 30);

class progress_bar {
 public:
  progress_bar(std::ostream& to, bool watched) : to_(to), watched_(watched) {}
  ~progress_bar() { clear(); }
  progress_bar(const progress_bar&) = delete;
  progress_bar& operator=(const progress_bar&) = delete;

  [[nodiscard]] bool due() const { return watched_ && std::chrono::steady_clock::now() >= next_; }
  /// Draws over what was there.
  void show(double done, std::string_view text) {
    if (!watched_) return;
    next_ = std::chrono::steady_clock::now() + std::chrono::milliseconds(200);
    to_ << '\r' << bar_text(done, text) << "\x1b[K" << std::flush;
    drawn_ = true;
  }
  void clear() {
    if (drawn_) to_ << "\r\x1b[K" << std::flush;
    drawn_ = false;
  }

 private:
  std::ostream& to_;
  bool watched_, drawn_ = false;
  std::chrono::steady_clock::time_point next_{};
};

}  // namespace holdfast::cli
