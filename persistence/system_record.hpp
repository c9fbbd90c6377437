// Records of the journal's own stream: session 0 of a block (block.hpp). There is one kind, `started`: it is the
// first record of the first block of an epoch and stands nowhere else, so each start of the server is a fact in
// the journal. Its sequence is the epoch.
//
//   u8      kind, 1 = started
//   16      journal id
//   varint  epoch
//   u64     wall clock at the start, microseconds UTC since 1970 (log time may be ahead of it)
//   ...     options until the end: varint number * 2 + critical, varint length, bytes. In ascending order.
//           1: text, the program that started, at most 64 bytes; not critical
//
// A reader refuses a critical option that it does not know and steps over others.
#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace holdfast::persistence {

inline constexpr std::size_t program_name_bytes_max = 64;

struct started_record {
  base::id128 journal;
  std::uint64_t epoch = 0;
  std::uint64_t wall_clock = 0;
  std::string program;  ///< longer than program_name_bytes_max: the rest is left out
};

/// Appends to `out`.
void encode_started(const started_record& record, base::bytes& out);
/// Error: bad_bytes.
base::result<started_record> decode_started(base::byte_view bytes);

}  // namespace holdfast::persistence
