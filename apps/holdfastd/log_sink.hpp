// Where log lines go: a descriptor whose reader may be slow, stopped or gone. The threads that write them serve buyers, so a line that cannot be
// taken at once is left out and counted; the next one that is taken says how many.
#pragma once

#include <algorithm>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include <poll.h>
#include <unistd.h>

#include <fmt/format.h>
#include <spdlog/sinks/base_sink.h>

namespace holdfast::server {

/// Pipes take so many bytes at once without waiting when they say that they take any (PIPE_BUF); longer lines are cut.
inline constexpr std::size_t log_line_bytes_max = 4'096;

/// False: it would have to wait. The descriptor stays as it is: whoever else has it open must not find it non-blocking.
inline bool write_unless_blocked(int fd, std::string_view line) {
  pollfd p{fd, POLLOUT, 0};
  if (::poll(&p, 1, 0) <= 0 || (p.revents & POLLOUT) == 0) return false;
  return ::write(fd, line.data(), std::min(line.size(), log_line_bytes_max)) >= 0;
}

class log_sink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit log_sink(int fd) : fd_(fd), coloured_(::isatty(fd) == 1) {}

 protected:
  void sink_it_(const spdlog::details::log_msg& m) override {
    spdlog::memory_buf_t line;
    formatter_->format(m, line);
    std::string text(line.data(), line.size());
    if (coloured_ && m.color_range_end > m.color_range_start) {
      text.insert(m.color_range_end, "\033[m");
      text.insert(m.color_range_start, m.level >= spdlog::level::err ? "\033[31m" : m.level == spdlog::level::warn ? "\033[33m" : "\033[32m");
    }
    if (text.size() > log_line_bytes_max) text.replace(log_line_bytes_max - 1, std::string::npos, "\n");
    if (left_out_ != 0) {
      if (!write_unless_blocked(fd_, fmt::format("holdfastd: {} log lines were left out: nobody took them\n", left_out_))) {
        ++left_out_;
        return;
      }
      left_out_ = 0;
    }
    if (!write_unless_blocked(fd_, text)) ++left_out_;
  }
  void flush_() override {}

 private:
  int fd_;
  bool coloured_;
  std::uint64_t left_out_ = 0;
};

}  // namespace holdfast::server
