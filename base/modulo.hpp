// Sums that are shown and decide nothing. A few absurd payments take them beyond 64 bits; they are then counted modulo 2^64, for
// a payment that came cannot be refused for what others have paid.
#pragma once

#include <cstdint>

namespace holdfast::base {

inline void add_modulo(std::int64_t& sum, std::int64_t by) {
  sum = static_cast<std::int64_t>(static_cast<std::uint64_t>(sum) + static_cast<std::uint64_t>(by));
}
inline void subtract_modulo(std::int64_t& sum, std::int64_t by) {
  sum = static_cast<std::int64_t>(static_cast<std::uint64_t>(sum) - static_cast<std::uint64_t>(by));
}

}  // namespace holdfast::base
