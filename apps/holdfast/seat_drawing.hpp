// A session drawn as text: a character a seat, a line a row.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "apps/holdfast/document.hpp"
#include "core/look.hpp"
#include "core/plan.hpp"

namespace holdfast::cli {

/// `states` as look_seats shows them, one for each seat of the plan.
///
///   . free   h held   p paying   # sold   x blocked      H P @: the same, withdrawn
///
/// Zones in the plan's order; the segments of a row stand side by side with a gap for the aisle.
[[nodiscard]] std::string draw_seats(const core::plan& p, const std::vector<std::uint8_t>& states, const style& s);

/// Drawing, legend with counts, areas with counts.
[[nodiscard]] document seats_document(const core::plan& p, const std::vector<std::uint8_t>& states, const std::vector<core::area_seen>& areas,
                                      const style& s);

}  // namespace holdfast::cli
