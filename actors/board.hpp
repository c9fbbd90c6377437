// Where every actor and gateway loop hangs out its meter, so that one look shows the whole house.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "actors/meter.hpp"

namespace holdfast::actors {

/// One actor or gateway loop.
struct inspection_row {
  std::uint64_t id = 0;       ///< of this row, from 1, never used again
  std::string kind;           ///< session, journal, registry, gateway
  std::string name;           ///< of a session; a loop's number
  std::uint64_t session = 0;  ///< session id, for sessions
  meter::reading now;
  double messages_per_s = 0, items_per_s = 0;  ///< since about a second ago
  double busy = 0;                             ///< share of one thread over the same time, 0 to 1
};

/// For any thread; nothing of it lies on the main road.
class board {
 public:
  /// Returns the row's id.
  std::uint64_t add(std::string kind, std::string name, std::shared_ptr<const meter> what, std::uint64_t session = 0);
  void remove(std::uint64_t id);

  /// All rows in ascending order of id. Rates compare with the newest earlier look that is at least a second old, or with the
  /// moment the row was added.
  [[nodiscard]] std::vector<inspection_row> look(std::uint64_t now = steady_ns());

 private:
  struct sample {
    std::uint64_t at = 0;
    std::uint64_t handled = 0, items = 0, busy_ns = 0;
  };
  struct entry {
    inspection_row row;
    std::shared_ptr<const meter> what;
    sample older, newer;
  };
  std::mutex lock_;
  std::map<std::uint64_t, entry> entries_;
  std::uint64_t next_ = 1;
};

}  // namespace holdfast::actors
