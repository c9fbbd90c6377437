// Halls of any size for benchmarks, tests and rehearsals; the same shape always gives the same plan.
#pragma once

#include <cstdint>

#include "core/plan.hpp"

namespace holdfast::plans {

struct hall_shape {
  std::uint32_t seats = 50'000;         ///< exactly; at most limits::seats_max
  std::uint32_t zones = 10;             ///< 1 to seats; seats are shared out evenly
  std::uint32_t seats_per_row = 40;     ///< at least 1; the last row of a zone may be shorter
  std::uint32_t seats_per_block = 20;   ///< an aisle after so many seats of a row; at least 1
  std::uint32_t categories = 5;         ///< 1 to limits::categories_max; the front rows of each zone are the first
  std::uint32_t standing_places = 0;    ///< in one area "Standing", in a category of its own; 0: no area
  std::uint32_t accessible_every = 0;   ///< every so many seats one is accessible, the next a companion's; 0: none
};

/// Aborts on a shape outside the limits above: shapes come from programs, which check what people give them.
[[nodiscard]] core::plan generate_hall(const hall_shape& shape);

}  // namespace holdfast::plans
