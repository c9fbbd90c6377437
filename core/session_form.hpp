// What the two sides of a session's bytes must agree on. Internal to core.
#pragma once

#include <cstdint>

namespace holdfast::core {

inline constexpr std::uint64_t state_version = 1;

}  // namespace holdfast::core
