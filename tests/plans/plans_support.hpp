// Small words for the stories about plans.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "core/plan.hpp"

namespace holdfast::plans_test {

/// The error's text; a story that expected one fails on "no error".
template <class T>
std::string refusal(const base::result<T>& r) {
  return r.ok() ? "no error" : r.failure().text;
}

/// The segments as people draw them: "Stalls/A: 1 2 3 | 5 6" with a bar at every aisle, rows divided by "; ".
/// Built from the neighbour marks, and so says also when those and the rows disagree.
inline std::string picture(const core::plan& p) {
  std::string out;
  std::string last;
  for (std::size_t i = 0; i < p.seats.size(); ++i) {
    const auto& s = p.seats[i];
    const auto& row = p.rows[s.row];
    const auto name = p.zones[row.zone] + "/" + row.label;
    if (name != last) out += (out.empty() ? "" : "; ") + name + ":";
    else if ((p.seats[i - 1].flags & core::seat_next_adjacent) == 0) out += " |";
    if (name == last && (p.seats[i - 1].row == s.row) != ((p.seats[i - 1].flags & core::seat_next_adjacent) != 0))
      out += " (row and mark disagree)";
    out += " " + s.number;
    last = name;
  }
  return out;
}

inline bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

}  // namespace holdfast::plans_test
