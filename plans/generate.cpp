#include "plans/generate.hpp"

#include <algorithm>
#include <string>

#include "base/check.hpp"
#include "plans/naming.hpp"

namespace holdfast::plans {

namespace {

namespace limits = core::limits;

constexpr const char* colors[] = {"#F44336", "#9C27B0", "#4CAF50", "#2196F3", "#8BC34A", "#FF9800", "#795548", "#607D8B"};

void check_shape(const hall_shape& shape) {
  HOLDFAST_CHECK(shape.seats <= limits::seats_max, "a hall has at most seats_max seats");
  HOLDFAST_CHECK(shape.zones >= 1 && shape.zones <= std::max(shape.seats, 1U) && shape.zones <= 0xffff, "1 to seats zones");
  HOLDFAST_CHECK(shape.seats_per_row >= 1 && shape.seats_per_block >= 1, "rows and blocks hold at least one seat");
  HOLDFAST_CHECK(shape.categories >= 1, "at least one category");
  HOLDFAST_CHECK(shape.categories + (shape.standing_places > 0 ? 1 : 0) <= limits::categories_max, "too many categories");
  HOLDFAST_CHECK(shape.standing_places <= limits::area_places_max, "too many standing places");
}

}  // namespace

core::plan generate_hall(const hall_shape& shape) {
  check_shape(shape);
  core::plan p;
  p.name = "Hall of " + std::to_string(shape.seats);
  for (std::uint32_t c = 0; c < shape.categories; ++c)
    p.categories.push_back({"Category " + std::to_string(c + 1), colors[c % std::size(colors)]});
  p.seats.reserve(shape.seats);

  float y = 0;
  for (std::uint32_t z = 0; z < shape.zones; ++z) {
    p.zones.push_back("Zone " + std::to_string(z + 1));
    const auto seats = shape.seats / shape.zones + (z < shape.seats % shape.zones ? 1 : 0);
    const auto rows = (seats + shape.seats_per_row - 1) / shape.seats_per_row;
    for (std::uint32_t r = 0; r < rows; ++r) {
      const auto label = std::to_string(r + 1);
      const auto in_row = std::min(shape.seats_per_row, seats - r * shape.seats_per_row);
      float x = 0;
      for (std::uint32_t i = 0; i < in_row; ++i) {
        if (i % shape.seats_per_block == 0) {
          if (i > 0) x += 1;  // the aisle
          p.rows.push_back({static_cast<std::uint16_t>(z), label});
        }
        core::plan_seat s;
        s.row = static_cast<std::uint32_t>(p.rows.size() - 1);
        s.number = std::to_string(i + 1);
        s.identity = seat_path(p.zones[z], label, s.number);
        s.category = static_cast<std::uint8_t>(std::uint64_t{r} * shape.categories / rows);
        if (i + 1 < in_row && (i + 1) % shape.seats_per_block != 0) s.flags |= core::seat_next_adjacent;
        if (shape.accessible_every > 0) {
          const auto at = static_cast<std::uint32_t>(p.seats.size()) % shape.accessible_every;
          if (at == 0) s.flags |= core::seat_accessible;
          else if (at == 1) s.flags |= core::seat_companion;
        }
        s.x = x++;
        s.y = y;
        p.seats.push_back(std::move(s));
      }
      ++y;
    }
    ++y;  // the gangway between zones
  }
  if (shape.standing_places > 0) {
    p.categories.push_back({"Standing", "#9E9E9E"});
    p.areas.push_back({"Standing", "Standing", static_cast<std::uint8_t>(shape.categories), {shape.standing_places}});
  }
  return p;
}

}  // namespace holdfast::plans
