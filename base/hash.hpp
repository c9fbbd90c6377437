// Hashes. `stable` ones are the same everywhere and for ever and may be stored; `keyed` ones are for tables in memory, with a
// key per process, so that nobody outside can aim ids at one slot.
#pragma once

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstdint>

#include "base/bytes.hpp"
#include "base/strong.hpp"

namespace holdfast::base {

/// XXH3, 128 bits (github.com/Cyan4973/xxHash, specification frozen since 0.8).
inline id128 stable_hash128(byte_view b) {
  const auto h = XXH3_128bits(b.data(), b.size());
  return {h.high64, h.low64};
}
/// XXH3, 64 bits, chained through `seed`.
inline std::uint64_t stable_hash64(const void* p, std::size_t n, std::uint64_t seed = 0) {
  return XXH3_64bits_withSeed(p, n, seed);
}
/// One 64 x 64 -> 128 bit multiplication folded, as in wyhash; `key` must be secret for protection.
inline std::uint64_t keyed_hash(const id128& id, std::uint64_t key) {
  __extension__ using wide = unsigned __int128;
  const auto m = static_cast<wide>(id.hi ^ key) * (id.lo ^ (key * 0x9e3779b97f4a7c15ULL) ^ 0xa0761d6478bd642fULL);
  return static_cast<std::uint64_t>(m) ^ static_cast<std::uint64_t>(m >> 64U);
}

}  // namespace holdfast::base
