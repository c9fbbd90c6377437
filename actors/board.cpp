#include "actors/board.hpp"

#include <algorithm>
#include <utility>

namespace holdfast::actors {

namespace {
constexpr std::uint64_t second_ns = 1'000'000'000;
}

std::uint64_t board::add(std::string kind, std::string name, std::shared_ptr<const meter> what, std::uint64_t session) {
  const std::lock_guard hold(lock_);
  const auto id = next_++;
  entry e;
  e.row.id = id;
  e.row.kind = std::move(kind);
  e.row.name = std::move(name);
  e.row.session = session;
  e.what = std::move(what);
  e.older.at = e.newer.at = steady_ns();
  entries_.emplace(id, std::move(e));
  return id;
}

void board::remove(std::uint64_t id) {
  const std::lock_guard hold(lock_);
  entries_.erase(id);
}

std::vector<inspection_row> board::look(std::uint64_t now) {
  const std::lock_guard hold(lock_);
  std::vector<inspection_row> rows;
  rows.reserve(entries_.size());
  for (auto& [id, e] : entries_) {
    const auto reading = e.what->read(now);
    // Two samples, so that a second reader a moment later still finds one that is old enough to divide by.
    if (now >= e.newer.at + second_ns) {
      e.older = e.newer;
      e.newer = {now, reading.handled, reading.items, reading.busy_ns};
    }
    auto row = e.row;
    row.now = reading;
    if (now > e.older.at) {
      const double seconds = static_cast<double>(now - e.older.at) / static_cast<double>(second_ns);
      row.messages_per_s = static_cast<double>(reading.handled - e.older.handled) / seconds;
      row.items_per_s = static_cast<double>(reading.items - e.older.items) / seconds;
      row.busy = std::min(1.0, static_cast<double>(reading.busy_ns - e.older.busy_ns) / 1e9 / seconds);
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace holdfast::actors
