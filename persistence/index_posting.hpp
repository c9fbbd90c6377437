// The bytes of postings: what a record is found by, and where it is. Private to the index.
//
// Keys, all numbers big-endian so that postings lie in order; values are empty. AT is block u64, record u32.
//   0                         the only key with a value: format version u16, journal id, number and hash of the last
//                             block whose postings are all in here
//   1 owner u64 AT            a hold placed, or a refund recorded of a hold that the session did not know
//   2 reference u64 AT        a payment, attempt or settlement
//   3 basket u64 AT           a hold placed
//   4 hold id u64 AT          as 1
//   5 session u64, hold u32 AT    a hold placed under this number, which may have been another's before
//   6 session u64, hold u32 AT    whatever else happened to the hold of this number
//   7 session u64, refund u32 AT  a refund recorded, and its settlement
// Ids and references stand here as hashes: whoever reads looks at the record anyway, and sees which one it was.
#pragma once

#include <array>
#include <compare>
#include <string_view>
#include <vector>

#include "persistence/index.hpp"

namespace holdfast::persistence::index_bytes {

inline constexpr std::uint16_t format_version = 2;
enum class table : std::uint8_t {
  meta = 0,
  owner = 1,
  reference = 2,
  basket = 3,
  hold_id = 4,
  placed = 5,
  on_hold = 6,
  refund = 7,
};

/// What is looked up: a hash, or a number in a session.
struct subject {
  table in = table::meta;
  std::uint64_t what = 0;    ///< hash; session
  std::uint32_t number = 0;  ///< of the hold or refund; 0 with a hash
  friend auto operator<=>(const subject&, const subject&) = default;
};
/// Postings compare as their keys do.
struct posting {
  subject of;
  record_position at;
  friend auto operator<=>(const posting&, const posting&) = default;
};

[[nodiscard]] subject of_query(const index_query& q);
[[nodiscard]] subject of_hold(table placed_or_on_hold, core::session_id s, core::hold_no n);
[[nodiscard]] subject of_refund(core::session_id s, core::refund_no n);

/// Appends the postings of a record.
void post(core::session_id session, const core::record& r, record_position at, std::vector<posting>& out);

/// Whether a query names the record itself, and did not only meet its hash.
[[nodiscard]] bool names(const index_query& q, const core::record& r);

class posting_key {
 public:
  explicit posting_key(const posting& p);
  [[nodiscard]] std::string_view text() const { return {bytes_.data(), size_}; }

 private:
  std::array<char, 25> bytes_;
  std::size_t size_ = 0;
};
/// False if no posting has such a key.
[[nodiscard]] bool decode(std::string_view key, posting& p);

}  // namespace holdfast::persistence::index_bytes
