#include "plans/import.hpp"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "plans/naming.hpp"

namespace holdfast::plans {

place_counts count_places(const core::plan& p) {
  place_counts n;
  for (const auto& z : p.zones) n.zones.push_back({z, 0, 0});
  for (const auto& c : p.categories) n.categories.push_back({c.name, 0, 0});
  for (const auto& a : p.allocations) n.allocations.push_back({a, 0, 0});
  for (const auto& r : p.rows) ++n.zones[r.zone].segments;
  for (const auto& s : p.seats) {
    ++n.seats;
    ++n.zones[p.rows[s.row].zone].seats;
    ++n.categories[s.category].seats;
    ++n.allocations[s.allocation].seats;
    n.accessible += (s.flags & core::seat_accessible) != 0;
    n.companion += (s.flags & core::seat_companion) != 0;
    n.restricted_view += (s.flags & core::seat_restricted_view) != 0;
  }
  for (const auto& a : p.areas)
    for (std::size_t i = 0; i < a.capacity.size(); ++i) {
      n.area_places += a.capacity[i];
      n.categories[a.category].area_places += a.capacity[i];
      n.allocations[i].area_places += a.capacity[i];
    }
  return n;
}

std::string describe(const import_report& report) {
  const auto& p = report.plan;
  const auto n = count_places(p);
  std::string out;
  const auto line = [&]<class... A>(fmt::format_string<A...> f, A&&... a) {
    fmt::format_to(std::back_inserter(out), f, std::forward<A>(a)...);
    out += '\n';
  };
  line("{}: {} in {} of {}, {} in {} ({})", p.name, counted(n.seats, "seat"), counted(p.rows.size(), "row segment"),
       counted(p.zones.size(), "zone"), counted(n.area_places, "standing place"), counted(p.areas.size(), "area"),
       report.format);

  // Widths count bytes, so names beyond ASCII stand a little to the left; a terminal library is not worth that.
  std::size_t width = 0;
  for (const auto& z : n.zones) width = std::max(width, z.name.size());
  for (const auto& c : n.categories) width = std::max(width, c.name.size());
  for (const auto& a : n.allocations) width = std::max(width, a.name.size());
  for (const auto& a : p.areas) width = std::max(width, a.name.size());
  for (const auto& z : n.zones)
    line("  zone        {:{}}  {:>7} seats  {:>6} segments", z.name, width, z.seats, z.segments);
  for (const auto& a : p.areas) {
    std::uint64_t places = 0;
    for (const auto c : a.capacity) places += c;
    line("  area        {:{}}  {:>7} places", a.name, width, places);
  }
  const auto groups = [&](const char* what, const std::vector<place_counts::group>& list) {
    for (const auto& g : list)
      line("  {}  {:{}}  {:>7} seats  {:>6} standing", what, g.name, width, g.seats, g.area_places);
  };
  groups("category  ", n.categories);
  groups("allocation", n.allocations);
  if (n.accessible + n.companion + n.restricted_view > 0)
    line("  flags       {} accessible, {} companion, {} restricted view", n.accessible, n.companion, n.restricted_view);
  if (report.rows_split > 0) line("  aisles      cut {} into segments", counted(report.rows_split, "row"));
  if (report.decorations > 0) line("  decoration  {} without places", counted(report.decorations, "drawn area"));
  for (const auto& w : report.warnings) line("  warning: {}", w);
  return out;
}

}  // namespace holdfast::plans
