#include "actors/log_clock.hpp"

#include <ctime>

#include "base/check.hpp"
#include "base/planted.hpp"

namespace holdfast::actors {

namespace {
std::uint64_t read(clockid_t which) {
  timespec t{};
  HOLDFAST_CHECK(clock_gettime(which, &t) == 0, "a clock cannot be read");
  return static_cast<std::uint64_t>(t.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(t.tv_nsec);
}
}  // namespace

log_clock::log_clock(core::log_time start) : start_(start.value), booted_(read(CLOCK_BOOTTIME)) {}

core::log_time log_clock::now() const {
  if (planted(bug::log_clock_follows_wall_clock)) return core::log_time{wall_clock()};
  return core::log_time{start_ + (read(CLOCK_BOOTTIME) - booted_) / 1'000};
}

std::uint64_t log_clock::wall_clock() const { return wall_clock_now(); }

std::uint64_t wall_clock_now() { return read(CLOCK_REALTIME) / 1'000; }

std::int64_t wall_minus_log(const time_source& time) {
  return static_cast<std::int64_t>(time.wall_clock() - time.now().value);
}

}  // namespace holdfast::actors
