// The bytes of index rows and keys. Private to the index.
#pragma once

#include <string>

#include "persistence/index.hpp"

namespace holdfast::persistence::index_bytes {

inline constexpr std::uint16_t format_version = 1;
enum class table : std::uint8_t {
  meta = 0,
  hold = 1,
  refund = 2,
  owner = 3,
  reference = 4,
  basket = 5,
  hold_id = 6,
  place = 7
};

/// What a hold was when it was placed and last changed; named by number in later records.
struct hold_entry {
  core::owner_id owner;
  core::hold_id id;
  core::basket_id basket;
  std::vector<core::line> lines;
};
struct refund_entry {
  core::hold_no hold;
  core::owner_id owner;
  core::hold_id id;
};

std::string hold_key(core::session_id s, core::hold_no h);
std::string refund_key(core::session_id s, core::refund_no n);
/// The part of a row's key that the query fixes.
std::string prefix(const index_query& q);
void append_row_key(std::string& prefix, core::session_id s, core::sequence n, core::hold_no h);
/// The least string that is greater than all that begin with `prefix`.
std::string after_all(std::string prefix);

std::string encode(const hold_entry& e);
bool decode(base::byte_view in, hold_entry& e);
std::string encode(const refund_entry& e);
bool decode(base::byte_view in, refund_entry& e);
/// Without session and sequence, which stand in the key.
std::string encode(const index_row& r);
bool decode(base::byte_view in, index_row& r);

}  // namespace holdfast::persistence::index_bytes
