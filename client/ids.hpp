// Ids that a client chooses: 128 random bits, written as 32 hexadecimal digits.
#pragma once

#include <optional>
#include <string_view>

#include "base/strong.hpp"

namespace holdfast::client {

/// From the operating system's source of randomness: for owners and ids by which holds are claimed. Never zero.
[[nodiscard]] base::id128 random_id();
/// 64 bits from the same source: the seed of what needs many ids fast.
[[nodiscard]] std::uint64_t random_seed();

/// Reads what base::to_hex writes: exactly 32 digits, either case. Zero reads as none.
[[nodiscard]] std::optional<base::id128> parse_id(std::string_view text);

}  // namespace holdfast::client
