// One step of a session on its way to the disk: what was asked, what was said, and what it recorded.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/bytes.hpp"
#include "core/engine.hpp"
#include "persistence/block.hpp"

namespace holdfast::simulation {

struct told {
  core::answer said;
  core::sequence after;                     ///< the session's last record when it was said
  bool left = false;                        ///< it waited for nothing: the world has heard it
  std::shared_ptr<const core::seen> shown;  ///< of a look that was not refused
};

struct step {
  std::size_t of = 0;                  ///< which sale
  core::log_time now;
  std::vector<core::request> asked;    ///< borrows from the crowd
  std::vector<told> said;              ///< [i] to asked[i]
  base::bytes bytes;                   ///< of all its records
  struct place { std::uint64_t sequence, log_time; std::size_t begin, end; };
  std::vector<place> records;
  std::vector<core::view_change> changes;
  core::sequence last;                 ///< the session's last record after it
  bool creates = false;                ///< the session itself: a plan, if it is new, and record 1
  bool recovers = false;               ///< recovery's shift, which comes before anything is expired

  [[nodiscard]] persistence::record_ref ref(std::size_t i, core::session_id session) const {
    const auto& r = records[i];
    return {session.value, r.sequence, r.log_time, base::byte_view(bytes).subspan(r.begin, r.end - r.begin)};
  }
  /// To be used again: keeps its memory.
  void clear() {
    asked.clear(), said.clear(), bytes.clear(), records.clear(), changes.clear();
    last = {};
    creates = recovers = false;
  }
};

}  // namespace holdfast::simulation
