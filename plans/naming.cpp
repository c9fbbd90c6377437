#include "plans/naming.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/plan_text.hpp"

namespace holdfast::plans {

using core::limits::name_bytes_max;

std::string one_line(std::string text) {
  if (core::plan_text_trouble("", text, text.size(), true).empty()) return text;
  for (auto& c : text)
    if (c < ' ' || c > '~') c = '?';
  return text;
}

base::error bad_plan(std::string_view where, std::string_view text) {
  return {base::trouble::bad_input, one_line(fmt::format("{}: {}", where, text))};
}

base::result<std::uint8_t> category_of(core::plan& p, std::string_view name, std::string_view where) {
  const auto at = std::find_if(p.categories.begin(), p.categories.end(), [&](const auto& c) { return c.name == name; });
  if (at != p.categories.end()) return static_cast<std::uint8_t>(at - p.categories.begin());
  if (auto t = core::plan_text_trouble("the category", name, name_bytes_max, false); !t.empty())
    return bad_plan(where, t);
  if (p.categories.size() == core::limits::categories_max)
    return bad_plan(where, fmt::format("category \"{}\" is one too many, a plan has at most {}: merge some", name,
                                       core::limits::categories_max));
  p.categories.push_back({std::string(name), {}});
  return static_cast<std::uint8_t>(p.categories.size() - 1);
}

base::result<std::uint8_t> allocation_of(core::plan& p, std::string_view name, std::string_view where) {
  if (name.empty()) return std::uint8_t{0};
  const auto at = std::find(p.allocations.begin(), p.allocations.end(), name);
  if (at != p.allocations.end()) return static_cast<std::uint8_t>(at - p.allocations.begin());
  if (auto t = core::plan_text_trouble("the allocation", name, name_bytes_max, false); !t.empty())
    return bad_plan(where, t);
  if (p.allocations.size() == core::limits::allocations_max)
    return bad_plan(where,
        fmt::format("allocation \"{}\" is one too many, a plan has at most {} with \"public\": merge some",
                                       name, core::limits::allocations_max));
  p.allocations.emplace_back(name);
  return static_cast<std::uint8_t>(p.allocations.size() - 1);
}

base::result<void> add_area(core::plan& p, std::string_view name, std::string_view category, std::string_view allocation,
                            std::uint32_t places, std::string_view where) {
  if (auto t = core::plan_text_trouble("the area's name", name, name_bytes_max, false); !t.empty())
    return bad_plan(where, t);
  const auto in_category = category_of(p, category, where);
  if (!in_category) return in_category.failure();
  const auto in_allocation = allocation_of(p, allocation, where);
  if (!in_allocation) return in_allocation.failure();
  if (places == 0) return bad_plan(where, fmt::format("area \"{}\" has capacity 0: give the number of places", name));

  auto at = std::find_if(p.areas.begin(), p.areas.end(), [&](const auto& a) { return a.name == name; });
  if (at == p.areas.end()) {
    if (p.areas.size() == core::limits::areas_max)
      return bad_plan(where,
          fmt::format("area \"{}\" is one too many, a plan has at most {}", name, core::limits::areas_max));
    at = p.areas.insert(p.areas.end(), {std::string(name), std::string(name), *in_category, {}});
  } else if (at->category != *in_category) {
    return bad_plan(where,
        fmt::format("area \"{}\" is in category \"{}\" already: an area has one category, so give it that "
                                       "one or make it two areas", name, p.categories[at->category].name));
  }
  auto& capacity = at->capacity;
  if (capacity.size() <= *in_allocation) capacity.resize(*in_allocation + std::size_t{1});
  if (capacity[*in_allocation] != 0)
    return bad_plan(where,
        fmt::format("area \"{}\" has its places of allocation \"{}\" already: give each allocation once",
                                       name, p.allocations[*in_allocation]));
  capacity[*in_allocation] = places;
  std::uint64_t sum = 0;
  for (const auto n : capacity) sum += n;
  if (sum > core::limits::area_places_max)
    return bad_plan(where, fmt::format("area \"{}\" has {} places, the most is {}: make it several areas", name, sum,
                                       core::limits::area_places_max));
  return {};
}

std::string seat_path(std::string_view zone, std::string_view row, std::string_view number) {
  std::string s;
  s.reserve(zone.size() + row.size() + number.size() + 2);
  s.append(zone).append("/").append(row).append("/").append(number);
  return s;
}

std::string counted(std::uint64_t n, std::string_view thing) { return fmt::format("{} {}{}", n, thing, n == 1 ? "" : "s"); }

std::string plain_color(std::string_view color) {
  const bool hex = color.size() > 1 && color[0] == '#' &&
                   color.find_first_not_of("0123456789abcdefABCDEF", 1) == std::string_view::npos;
  if (hex && color.size() == 7) return std::string(color);
  if (!hex || color.size() != 4) return {};
  std::string s = "#";
  for (const char c : color.substr(1)) s.append(2, c);
  return s;
}

}  // namespace holdfast::plans
