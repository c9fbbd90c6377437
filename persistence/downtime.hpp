// An outage does not eat carts: before the first step after a start, every session's deadlines move by the time the server was away,
// as far as docs/RULES.md allows. One record a session, all in one block.
#pragma once

#include "persistence/recovery.hpp"

namespace holdfast::persistence {

/// Decides, writes and applies the shifts. Sessions whose clocks stand, and those that have had their share, get none. Returns
/// how many got one. Error: that of the journal's append; then nothing may be served.
base::result<std::size_t> give_back_downtime(started& s, core::log_time now);

}  // namespace holdfast::persistence
