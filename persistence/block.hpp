// A block: the records of one group commit, and the unit in which the journal is written, chained and checked.
//
// All numbers little-endian, varints as in base/bytes.hpp.
//
//   offset  size  field
//        0     4  magic "HFbk"
//        4     2  format version, 1
//        6     2  partition
//        8     8  number, gapless from 1 in its partition
//       16     8  epoch: how often the journal had been started when the block was written, from 1
//       24     8  log time of the block, microseconds UTC since 1970: the newest time that the block knows of
//       32     4  count of records, at least 1
//       36     4  bytes of all records, n
//       40    32  SHA-256 of the block before (its last 32 bytes); for block 1 that of the journal id's 16 bytes
//       72     n  records
//     72+n    32  SHA-256 of everything above
//
// A record, the frame around its own bytes:
//
//   varint  session; 0 is the journal's own stream (system_record.hpp)
//   varint  session sequence
//   varint  age: log time of the block minus log time of the record, microseconds
//   varint  bytes of the record, m, at least 1
//        m  the record; what it says is nobody's business here
//
// The age is never negative, because the block's time is the newest of its records' times. That keeps the frame
// to 1 + 3 + 2 + 1 bytes in a usual sale, and makes a record younger than its block impossible to write.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "persistence/sha256.hpp"

namespace holdfast::persistence {

inline constexpr std::uint16_t block_format_version = 1;
inline constexpr std::size_t block_header_bytes = 72;
inline constexpr std::size_t block_overhead_bytes = block_header_bytes + sizeof(digest);
/// A seating plan is the longest record; a block holds what gathered during one sync.
inline constexpr std::size_t record_bytes_max = 64U << 20U;
inline constexpr std::size_t block_bytes_max = 512U << 20U;
/// The stream of the journal itself; no session of a sale has this number.
inline constexpr std::uint64_t system_session = 0;

/// One record, borrowed: `bytes` must outlive the use.
struct record_ref {
  std::uint64_t session = 0;
  std::uint64_t sequence = 0;
  std::uint64_t log_time = 0;  ///< microseconds UTC since 1970
  base::byte_view bytes;
};

/// A place in the chain: this block, with this content and therefore everything before it.
struct block_mark {
  std::uint64_t number = 0;
  digest hash{};

  friend bool operator==(const block_mark&, const block_mark&) = default;
};

struct block_header {
  std::uint16_t partition = 0;
  std::uint64_t number = 0;
  std::uint64_t epoch = 0;
  std::uint64_t log_time = 0;
  std::uint32_t record_count = 0;
  digest previous{};
};

/// Walks over records that `decode_block` has found well-formed; copies nothing.
class record_iterator {
 public:
  using value_type = record_ref;
  using difference_type = std::ptrdiff_t;
  using iterator_concept = std::input_iterator_tag;

  record_iterator(base::byte_view body, std::uint64_t block_time, std::uint32_t count)
      : in_(body), block_time_(block_time), left_(count) {
    read();
  }
  const record_ref& operator*() const { return now_; }
  const record_ref* operator->() const { return &now_; }
  record_iterator& operator++() {
    --left_;
    read();
    return *this;
  }
  void operator++(int) { ++*this; }
  friend bool operator==(const record_iterator& i, std::default_sentinel_t) { return i.left_ == 0; }

 private:
  void read() {
    if (left_ == 0) return;
    now_.session = in_.varint();
    now_.sequence = in_.varint();
    now_.log_time = block_time_ - in_.varint();
    now_.bytes = in_.sized(record_bytes_max);
  }
  base::byte_reader in_;
  std::uint64_t block_time_;
  std::uint32_t left_;
  record_ref now_;
};

/// A decoded block; borrows the bytes it was decoded from.
struct block_view {
  block_header header;
  base::byte_view body;
  digest hash{};
  base::byte_view whole;
  bool begins_with_system_record = false;

  [[nodiscard]] record_iterator begin() const { return {body, header.log_time, header.record_count}; }
  [[nodiscard]] static std::default_sentinel_t end() { return {}; }
  [[nodiscard]] block_mark mark() const { return {header.number, hash}; }
};

/// Writes blocks into one buffer that is used again; after the first large block it allocates no more.
class block_encoder {
 public:
  /// Starts a block; `record_count` is ignored. `log_time` must be at least that of every record to come.
  void begin(const block_header& header);
  void add(const record_ref& record);
  /// Bytes that the block would have if it were finished now.
  [[nodiscard]] std::size_t size() const { return out_.size() + sizeof(digest); }
  /// The whole block, valid until the next `begin`. Needs at least one record.
  [[nodiscard]] base::byte_view finish(sha256& hasher);
  /// Hash of the block last finished.
  [[nodiscard]] const digest& hash() const { return hash_; }

 private:
  base::bytes out_;
  std::uint64_t log_time_ = 0;
  std::uint32_t records_ = 0;
  digest hash_{};
};

/// Checks form and hash of one block, and of every record's frame; a record of the journal's own stream stands first or
/// not at all. Error: bad_bytes, which says what is wrong
/// but not where the block came from; the chain (chain.hpp) adds that, and everything that needs a neighbour.
base::result<block_view> decode_block(base::byte_view bytes, sha256& hasher);

}  // namespace holdfast::persistence
