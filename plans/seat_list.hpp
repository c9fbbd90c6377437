// "1-4,31-34": how seats (and rows) are listed in a cell.
//
//   list   = [ "+" | "|" ] run { ( "," | "|" ) run }     "," and "|" are aisles
//   run    = part { "+" part }                           "+" is side by side
//   part   = name | first "-" last [ ":" step ]
//
// first and last are numbers with the same letters before them (1-20, A1-A12, 12-1), or single letters (A-F). Leading
// zeros of equally long numbers stay (01-12). A "+" or "|" at the start says how the list goes on from the line
// before it. Names contain none of , | + - : / . Long dashes, which word processors make of "-", count as "-".
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace holdfast::plans {

inline constexpr std::size_t range_names_max = 10'000;  ///< names in one list

enum class list_lead { none, join, gap };

struct seat_list {
  list_lead lead = list_lead::none;
  std::vector<std::vector<std::string>> runs;  ///< none is empty

  [[nodiscard]] bool single() const { return runs.size() == 1 && runs[0].size() == 1; }
  [[nodiscard]] std::size_t size() const {
    std::size_t n = 0;
    for (const auto& r : runs) n += r.size();
    return n;
  }
};

/// The error says what is wrong and the remedy, but not where.
[[nodiscard]] base::result<seat_list> parse_seat_list(std::string_view cell);

}  // namespace holdfast::plans
