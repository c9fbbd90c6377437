// Counts what the program allocates with `new`, for promises like "decoding a request allocates nothing".
#pragma once

#include <cstddef>

namespace holdfast::tests {

struct allocations {
  std::size_t count = 0;
  std::size_t bytes = 0;
};
/// Of this thread, since it started.
[[nodiscard]] allocations allocated();

}  // namespace holdfast::tests
