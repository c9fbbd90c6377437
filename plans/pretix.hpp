// Seating plans drawn with the pretix editor (seats.pretix.eu), and what other programs write in its format.
#pragma once

#include <string_view>

#include "base/result.hpp"
#include "plans/import.hpp"

namespace holdfast::plans {

/// Two seats that follow one another in a row are neighbours unless they are further apart than this many times
/// the row's usual distance.
inline constexpr double aisle_factor = 1.6;

/// Reads a plan. Files lie, so:
///   - a seat's identity is its uuid, else its guid, else its path; two seats of one identity are an error that
///     names both; values that repeat without being the identity are a warning;
///   - neighbours follow from order and distance in the row, never from printed numbers; a wider gap is an aisle
///     and cuts the row into segments. The usual distance is the row's median, of two middle ones the smaller;
///   - positions nest: a seat stands at zone + row + seat;
///   - unknown fields are ignored with a warning; what is missing or of a wrong type is an error that names the
///     place in the file as a JSON pointer (/zones/0/rows/3/seats/1/category).
/// The plan may have no seats yet: standing areas come from the side file.
[[nodiscard]] base::result<import_report> import_pretix(std::string_view json, const import_options& options);

}  // namespace holdfast::plans
