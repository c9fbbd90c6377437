// Seating plans as a table: one line for a seat, for ranges of seats, or for a standing area.
#pragma once

#include <string_view>

#include "base/result.hpp"
#include "plans/import.hpp"

namespace holdfast::plans {

/// Reads a plan from CSV; docs/PLANS.md has the format. Seats are identified by zone/row/number and stand side by
/// side in the order of the file:
///   - within a range and across "+", but never across "," or "|", which are aisles;
///   - from line to line where both lines hold one seat each of the same row, or the second begins with "+".
/// Positions are made up: rows below one another, seats at distance 1, aisles of 2.
/// Errors name file and line, and the remedy; nothing of a faulty file is kept.
[[nodiscard]] base::result<import_report> import_csv(std::string_view text, const import_options& options);

}  // namespace holdfast::plans
