// A session's state as bytes, in one canonical order, and back. It is the payload of snapshots and, hashed, the session's digest.
//
//   version 1 | terms (as create_session on the wire, without plan) | clocks and counters | seats | stocks | owners' and keys' last
//   records | holds by number with their ids, parts, keys, payments | the queue of ended holds | free numbers | operator ids |
//   refunds | payments for unknown holds
//
// Lists, heaps, indexes and counts are not in it: loading rebuilds them from what is.
// Internal to core.
#pragma once

#include <cstdint>

namespace holdfast::core {

inline constexpr std::uint64_t state_version = 1;

}  // namespace holdfast::core
