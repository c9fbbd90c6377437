// Names in a plan under construction: found or added, within the limits, with errors that say where.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "core/plan.hpp"

namespace holdfast::plans {

/// `text` with "?" for everything that would break a line or a terminal: messages quote what is in the file.
[[nodiscard]] std::string one_line(std::string text);

/// "where: text" as one line, as an error of the person who wrote the file.
[[nodiscard]] base::error bad_plan(std::string_view where, std::string_view text);

/// Index of the category, added if it is new.
[[nodiscard]] base::result<std::uint8_t> category_of(core::plan& p, std::string_view name, std::string_view where);

/// Index of the allocation, added if it is new; empty is "public".
[[nodiscard]] base::result<std::uint8_t> allocation_of(core::plan& p, std::string_view name, std::string_view where);

/// Puts `places` of one allocation into the area `name`, which is made if it is new. An area has one category, and
/// each of its allocations is given once.
[[nodiscard]] base::result<void> add_area(core::plan& p, std::string_view name, std::string_view category,
                                          std::string_view allocation, std::uint32_t places, std::string_view where);

/// zone/row/number: the identity of a seat that has no better one.
[[nodiscard]] std::string seat_path(std::string_view zone, std::string_view row, std::string_view number);

/// "1 seat", "2 seats".
[[nodiscard]] std::string counted(std::uint64_t n, std::string_view thing);

/// "#rrggbb" for "#rrggbb" and "#rgb", else empty.
[[nodiscard]] std::string plain_color(std::string_view color);

}  // namespace holdfast::plans
