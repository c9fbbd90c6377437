// What a journal says of itself, once, before its first block. Kept by the block store as block number 0.
//
//   offset  size  field
//        0     4  magic "HFmt"
//        4     2  format version, 1
//        6     2  partition
//        8    16  journal id, random
//       24     8  number of the first block kept
//       32    32  hash of the block before that one; before block 1 the SHA-256 of the journal id's 16 bytes
//       64    32  SHA-256 of everything above
#pragma once

#include <cstdint>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "persistence/sha256.hpp"

namespace holdfast::persistence {

inline constexpr std::uint16_t meta_format_version = 1;
inline constexpr std::size_t meta_bytes = 96;

struct journal_meta {
  std::uint16_t partition = 0;
  base::id128 journal;
  std::uint64_t first_block = 1;
  digest before_first{};

  friend bool operator==(const journal_meta&, const journal_meta&) = default;
};

/// The hash that stands before block 1, so that no block of one journal fits into another.
digest genesis_hash(const base::id128& journal, sha256& hasher);

void encode_meta(const journal_meta& meta, sha256& hasher, base::bytes& out);
/// Error: bad_bytes.
base::result<journal_meta> decode_meta(base::byte_view bytes, sha256& hasher);

}  // namespace holdfast::persistence
