// What drawings do not say: standing areas and their capacity, allocations, accessible seats, and which of our
// categories a category of the drawing is. Written beside the drawing as TOML or as CSV; docs/PLANS.md explains both.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "plans/import.hpp"

namespace holdfast::plans {

/// What some seats of the plan are, beside what the drawing says.
struct seat_mark {
  std::string where;
  std::vector<std::string> seats;  ///< each an identity, a path zone/row/number, or zone/row/list
  std::string category;            ///< empty: as drawn
  std::string allocation;          ///< empty: as it is
  std::uint8_t flags = 0;          ///< core::seat_flag bits to add
};

struct area_entry {
  std::string where;
  std::string name;
  std::string category;    ///< made if the plan lacks it: drawings seldom list the category of standing room
  std::string allocation;  ///< empty: public
  std::uint32_t places = 0;
};

struct side_file {
  std::string name;                                   ///< of the plan; empty: not given
  std::map<std::string, std::string> category_names;  ///< name in the drawing -> name in the plan
  std::vector<seat_mark> marks;
  std::vector<area_entry> areas;
  std::vector<std::string> warnings;
};

[[nodiscard]] base::result<side_file> read_side_toml(std::string_view text, const std::string& source);
[[nodiscard]] base::result<side_file> read_side_csv(std::string_view text, const std::string& source);

/// Adds areas and marks to the plan. A mark that fits no seat, or several, is an error, and so are two marks that
/// give one seat different allocations or categories. After an error the plan is not to be used.
[[nodiscard]] base::result<void> apply_side_file(const side_file& side, import_report& report);

}  // namespace holdfast::plans
