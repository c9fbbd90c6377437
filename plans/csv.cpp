#include "plans/csv.hpp"

#include <string>
#include <unordered_map>

#include <fmt/format.h>

#include "core/plan_text.hpp"
#include "plans/naming.hpp"
#include "plans/seat_table.hpp"

namespace holdfast::plans {

namespace {

class table_importer {
 public:
  table_importer(import_report& report, const import_options& options) 
      : report_(report), p_(report.plan), options_(options) {}

  base::result<void> add(const seat_line& line) {
    const auto mapped = options_.category_names.find(line.category);
    const auto& category = mapped == options_.category_names.end() ? line.category : mapped->second;
    if (line.is_area()) return add_area(p_, line.zone, category, line.allocation, line.capacity, line.where);

    const auto in_category = category_of(p_, category, line.where);
    if (!in_category) return in_category.failure();
    const auto in_allocation = allocation_of(p_, line.allocation, line.where);
    if (!in_allocation) return in_allocation.failure();
    core::plan_seat like;
    like.category = *in_category;
    like.allocation = *in_allocation;
    like.flags = line.flags;
    for (const auto& label : line.rows)
      if (auto r = add_row(line, label, like); !r) return r;
    last_was_single_ = line.seats.single() && line.rows.size() == 1;
    return {};
  }

 private:
  struct row_place {
    float y = 0;
    float next_x = 0;
    std::size_t segments = 0;
  };

  base::result<void> add_row(const seat_line& line, const std::string& label, const core::plan_seat& like) {
    const auto zone = zone_of(line);
    if (!zone) return zone.failure();
    if (auto t = core::plan_text_trouble("the row", label, core::limits::name_bytes_max, false); !t.empty())
      return bad_plan(line.where, t);

    const bool same_row = !p_.rows.empty() && p_.rows.back().zone == *zone && p_.rows.back().label == label;
    if (line.seats.lead == list_lead::join && !same_row)
      return bad_plan(line.where,
          fmt::format("\"+\" goes on from the line before, but that is not row {} of \"{}\": remove "
                                              "the \"+\" or move the line", label, line.zone));
    bool go_on = line.seats.lead == list_lead::join ||
                 (line.seats.lead == list_lead::none && same_row && last_was_single_ && line.seats.single());
    auto& place = place_of(*zone, label);
    for (const auto& run : line.seats.runs) {
      if (!go_on) {
        if (place.next_x > 0) place.next_x += 1;  // the aisle
        if (++place.segments == 2) ++report_.rows_split;
        p_.rows.push_back({*zone, label});
      }
      for (const auto& number : run) {
        if (auto r = add_seat(line, label, number, like, go_on, place); !r) return r;
        go_on = true;
      }
      go_on = false;
    }
    return {};
  }

  base::result<void> add_seat(const seat_line& line, const std::string& label, const std::string& number,
                              const core::plan_seat& like, bool beside_last, row_place& place) {
    if (auto t = core::plan_text_trouble("the seat", number, core::seat_number_bytes_max, false); !t.empty())
      return bad_plan(line.where, t);
    if (p_.seats.size() == core::limits::seats_max)
      return bad_plan(line.where, fmt::format("the plan has more than {} seats: split it", core::limits::seats_max));
    core::plan_seat s = like;
    s.row = static_cast<std::uint32_t>(p_.rows.size() - 1);
    s.number = number;
    s.identity = seat_path(line.zone, label, number);
    s.x = place.next_x++;
    s.y = place.y;
    if (s.identity.size() > core::identity_bytes_max)
      return bad_plan(line.where,
          fmt::format("zone, row and seat together have {} bytes, the most is {}: shorten the names",
                                              s.identity.size(), core::identity_bytes_max));
    const auto [at, is_new] = lines_.emplace(s.identity, line.where);
    if (!is_new)
      return bad_plan(line.where, fmt::format("seat {} is there already ({}): remove one of the two", s.identity,
                                              at->second == line.where ? "on the same line" : at->second));
    if (beside_last) p_.seats.back().flags |= core::seat_next_adjacent;
    p_.seats.push_back(std::move(s));
    return {};
  }

  base::result<std::uint16_t> zone_of(const seat_line& line) {
    if (!p_.zones.empty() && p_.zones.back() == line.zone) return static_cast<std::uint16_t>(p_.zones.size() - 1);
    if (const auto at = zones_.find(line.zone); at != zones_.end()) return at->second;
    if (auto t = core::plan_text_trouble("the zone", line.zone, core::limits::name_bytes_max, false); !t.empty())
      return bad_plan(line.where, t);
    if (p_.zones.size() == 0xffff) return bad_plan(line.where, "the plan has more than 65535 zones: merge some");
    const auto index = static_cast<std::uint16_t>(p_.zones.size());
    p_.zones.push_back(line.zone);
    zones_.emplace(line.zone, index);
    if (index > 0) next_y_ += 1;  // the gangway between zones
    return index;
  }

  row_place& place_of(std::uint16_t zone, const std::string& label) {
    const auto [at, is_new] = places_.try_emplace(fmt::format("{}/{}", zone, label));
    if (is_new) at->second.y = next_y_++;
    return at->second;
  }

  import_report& report_;
  core::plan& p_;
  const import_options& options_;
  std::unordered_map<std::string, std::string> lines_;  // identity -> where it was read
  std::unordered_map<std::string, std::uint16_t> zones_;
  std::unordered_map<std::string, row_place> places_;
  float next_y_ = 0;
  bool last_was_single_ = false;
};

}  // namespace

base::result<import_report> import_csv(std::string_view text, const import_options& options) {
  import_report report;
  report.format = "csv";
  report.plan.name = options.name;
  auto table = seat_table::open(text, options.source, true);
  if (!table) return table.failure();
  table_importer importer(report, options);
  seat_line line;
  for (;;) {
    const auto more = table->next(line);
    if (!more) return more.failure();
    if (!*more) break;
    if (auto r = importer.add(line); !r) return r.failure();
  }
  report.warnings = table->warnings();
  if (report.plan.places() == 0)
    return bad_plan(options.source, "the plan has no seats and no standing areas: add lines");

  if (auto r = core::check_plan(report.plan); !r) return bad_plan(options.source, r.failure().text);
  return report;
}

}  // namespace holdfast::plans
