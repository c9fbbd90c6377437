// A seating plan as the session needs it: numbered seats in row segments, standing areas, categories and
// allocations. Importers (plans/) make it from files; the journal stores its bytes under their hash.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "core/types.hpp"

namespace holdfast::core {

enum seat_flag : std::uint8_t {
  seat_accessible = 1,
  seat_companion = 2,
  seat_restricted_view = 4,
  seat_next_adjacent = 8,  ///< the seat after this one in the plan sits beside it, in the same row segment
};

struct plan_category {
  std::string name;   ///< unique in the plan
  std::string color;  ///< "#RRGGBB" or empty; for drawings only
};

/// A run of seats between aisles. Several segments may carry the same zone and label.
struct plan_row {
  std::uint16_t zone = 0;  ///< index into plan::zones
  std::string label;
};

struct plan_seat {
  std::uint32_t row = 0;  ///< index into plan::rows, never decreasing along plan::seats
  std::string number;     ///< as printed, at most 32 bytes
  std::string identity;   ///< uuid, else guid, else zone/row/number path; unique in the plan, at most 128 bytes
  std::uint8_t category = 0;
  std::uint8_t allocation = 0;  ///< 0 is public
  std::uint8_t flags = 0;       ///< seat_flag bits
  float x = 0, y = 0;           ///< absolute position in the plan's own unit, y grows downward
};

struct plan_area {
  std::string name;      ///< unique in the plan
  std::string identity;  ///< as for seats
  std::uint8_t category = 0;
  std::vector<std::uint32_t> capacity;  ///< places per allocation, index = allocation; may be shorter than plan::allocations
};

/// Seat numbers are the positions in `seats`: append-only over revisions, never renumbered or reused.
struct plan {
  std::string name;
  std::vector<plan_category> categories;
  std::vector<std::string> allocations{"public"};  ///< [0] is always "public"
  std::vector<std::string> zones;
  std::vector<plan_row> rows;
  std::vector<plan_seat> seats;
  std::vector<plan_area> areas;

  /// Seats plus all area capacities.
  [[nodiscard]] std::uint64_t places() const;
};

/// Checks every index, limit and uniqueness rule above. The error names the seat, area or category.
[[nodiscard]] base::result<void> check_plan(const plan& p);

/// The plan's bytes (docs/JOURNAL.md, "Plan"); the same plan always gives the same bytes.
void encode_plan(const plan& p, base::byte_writer& out);
/// Decodes and checks; refuses unknown critical options and trailing bytes.
[[nodiscard]] base::result<plan> decode_plan(base::byte_view in);

}  // namespace holdfast::core
