#include "plans/pretix.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/plan_text.hpp"
#include "plans/naming.hpp"
#include "plans/pretix_identity.hpp"

namespace holdfast::plans {

namespace {

using nlohmann::json;

/// Coordinates are pixels of a drawing; beyond this they are a mistake, and floats would blur them.
constexpr double coordinate_max = 1e7;

struct point {
  double x = 0, y = 0;
  friend point operator+(point a, point b) { return {a.x + b.x, a.y + b.y}; }
};

double distance(point a, point b) { return std::hypot(a.x - b.x, a.y - b.y); }

using fields = std::unordered_set<std::string_view>;
const fields plan_fields{"name", "categories", "zones", "size", "version"};
const fields category_fields{"name", "color"};
const fields zone_fields{"name", "position", "rows", "zone_id", "uuid", "areas", "displayed"};
const fields row_fields{"row_number", "seats", "position", "row_number_position", "row_label", "seat_label", "uuid",
                        "number_of_seats", "seats_spacing"};
const fields seat_fields{"seat_guid", "seat_number", "position", "category", "uuid", "radius", "start_direction"};
const fields area_fields{"shape", "color", "border_color", "rotation", "position", "uuid", "polygon", "rectangle", "ellipse",
                         "circle", "text"};

std::string kind_of(const json& v) {
  if (v.is_string()) return "a text";
  if (v.is_number()) return "a number";
  if (v.is_boolean()) return "true or false";
  if (v.is_array()) return "a list";
  if (v.is_object()) return "an object";
  return "null";
}

/// "Row %s" with the number in it; what is printed is the number alone if there is no template.
std::string printed(const std::string& label_template, const std::string& number) {
  const auto at = label_template.find("%s");
  if (label_template.empty()) return number;
  if (at == std::string::npos) return label_template;
  return label_template.substr(0, at) + number + label_template.substr(at + 2);
}

class drawing_reader {
 public:
  explicit drawing_reader(const import_options& options) : options_(options) { report_.format = "pretix"; }

  base::result<import_report> read(const json& root) {
    if (!root.is_object())
      return bad("", fmt::format("is {}, not a seating plan: it must be an object", kind_of(root)));
    note_unknown(root, plan_fields, "the plan");
    if (options_.name.empty()) {
      auto name = text(root, "name", "");
      if (!name) return name.failure();
      p_.name = *std::move(name);
    } else {
      p_.name = options_.name;
    }
    if (auto t = core::plan_text_trouble("the name", p_.name, core::limits::name_bytes_max, true); !t.empty())
      return bad("/name", t);
    if (auto r = read_categories(root); !r) return r.failure();
    const auto zones = list(root, "zones", "");
    if (!zones) return zones.failure();
    for (std::size_t z = 0; z < (*zones)->size(); ++z)
      if (auto r = read_zone((**zones)[z], fmt::format("/zones/{}", z), z); !r) return r.failure();
    if (auto r = give_identities(p_, seats_, options_, report_.warnings); !r) return r.failure();
    write_warnings();
    for (auto& w : report_.warnings) w = one_line(std::move(w));
    if (auto r = core::check_plan(p_); !r) return bad_plan(options_.source, r.failure().text);
    return std::move(report_);
  }

 private:
  base::error bad(std::string_view at, std::string_view why) const {
    return bad_plan(at.empty() ? options_.source : fmt::format("{}: {}", options_.source, at), why);
  }

  base::result<const json*> member(const json& o, const char* key, std::string_view at) const {
    const auto found = o.find(key);
    if (found == o.end()) return bad(at, fmt::format("the required field \"{}\" is missing: add it", key));
    return &*found;
  }
  base::error wrong_type(std::string_view at, const char* key, const json& v, const char* wanted) const {
    return bad(fmt::format("{}/{}", at, key), fmt::format("is {}, it must be {}", kind_of(v), wanted));
  }
  base::result<std::string> text(const json& o, const char* key, std::string_view at) const {
    const auto v = member(o, key, at);
    if (!v) return v.failure();
    if (!(*v)->is_string()) return wrong_type(at, key, **v, "a text in quotes");
    return (*v)->template get_ref<const std::string&>();
  }
  /// Empty if absent or null.
  base::result<std::string> optional_text(const json& o, const char* key, std::string_view at) const {
    const auto found = o.find(key);
    if (found == o.end() || found->is_null()) return std::string();
    if (!found->is_string()) return wrong_type(at, key, *found, "a text in quotes");
    return found->template get_ref<const std::string&>();
  }
  base::result<const json*> list(const json& o, const char* key, std::string_view at) const {
    const auto v = member(o, key, at);
    if (!v) return v.failure();
    if (!(*v)->is_array()) return wrong_type(at, key, **v, "a list");
    return *v;
  }
  base::result<point> position(const json& o, std::string_view at) const {
    const auto v = member(o, "position", at);
    if (!v) return v.failure();
    if (!(*v)->is_object()) return wrong_type(at, "position", **v, "an object with x and y");
    point out;
    for (const auto& [key, to] : {std::pair{"x", &out.x}, std::pair{"y", &out.y}}) {
      const auto where = fmt::format("{}/position", at);
      const auto n = member(**v, key, where);
      if (!n) return n.failure();
      if (!(*n)->is_number()) return wrong_type(where, key, **n, "a number");
      *to = (*n)->template get<double>();
      if (!(std::abs(*to) <= coordinate_max))
        return bad(fmt::format("{}/{}", where, key), fmt::format("is beyond {:.0f}: move it into the drawing", coordinate_max));
    }
    return out;
  }

  void note_unknown(const json& o, const fields& known, std::string_view what) {
    for (const auto& [key, value] : o.items())
      if (!known.contains(key)) ++unknown_[fmt::format("\"{}\" of {}", key, what)];
  }

  std::string category_name(const std::string& name) const {
    const auto at = options_.category_names.find(name);
    return at == options_.category_names.end() ? name : at->second;
  }

  base::result<void> read_categories(const json& root) {
    const auto all = list(root, "categories", "");
    if (!all) return all.failure();
    for (std::size_t i = 0; i < (*all)->size(); ++i) {
      const auto& c = (**all)[i];
      const auto at = fmt::format("/categories/{}", i);
      if (!c.is_object()) return bad(at, fmt::format("is {}, it must be an object", kind_of(c)));
      note_unknown(c, category_fields, "categories");
      const auto name = text(c, "name", at);
      if (!name) return name.failure();
      if (!categories_.emplace(*name, std::uint8_t{0}).second)
        return bad(at + "/name", fmt::format("category \"{}\" is there twice: rename or remove one", *name));
      const auto index = category_of(p_, category_name(*name), fmt::format("{}: {}", options_.source, at));
      if (!index) return index.failure();
      categories_[*name] = *index;
      const auto color = optional_text(c, "color", at);
      if (!color) return color.failure();
      auto& kept = p_.categories[*index].color;
      if (kept.empty()) kept = plain_color(*color);
      if (kept.empty() && !color->empty())
        report_.warnings.push_back(fmt::format("colour \"{}\" of category \"{}\" is not #RRGGBB and is left out", *color, *name));
    }
    return {};
  }

  base::result<void> read_zone(const json& zone, const std::string& at, std::size_t number) {
    if (!zone.is_object()) return bad(at, fmt::format("is {}, it must be an object", kind_of(zone)));
    note_unknown(zone, zone_fields, "zones");
    auto name = optional_text(zone, "name", at);
    if (!name) return name.failure();
    if (name->empty()) name = optional_text(zone, "zone_id", at);
    if (!name) return name.failure();
    if (name->empty()) name = fmt::format("Zone {}", number + 1);
    if (auto t = core::plan_text_trouble("the name", *name, core::limits::name_bytes_max, false); !t.empty())
      return bad(at, t);
    if (number > 0xffff) return bad(at, "is one zone too many, a plan has at most 65536");
    p_.zones.push_back(*std::move(name));
    const auto origin = position(zone, at);
    if (!origin) return origin.failure();
    if (const auto areas = zone.find("areas"); areas != zone.end() && !areas->is_null()) {
      if (!areas->is_array()) return wrong_type(at, "areas", *areas, "a list");
      report_.decorations += areas->size();
      for (const auto& a : *areas)
        if (a.is_object()) note_unknown(a, area_fields, "areas");
    }
    const auto rows = list(zone, "rows", at);
    if (!rows) return rows.failure();
    for (std::size_t r = 0; r < (*rows)->size(); ++r)
      if (auto done = read_row((**rows)[r], fmt::format("{}/rows/{}", at, r), *origin, number, r); !done) return done;
    return {};
  }

  base::result<void> read_row(const json& row, const std::string& at, point zone_origin, std::size_t z, std::size_t r) {
    if (!row.is_object()) return bad(at, fmt::format("is {}, it must be an object", kind_of(row)));
    note_unknown(row, row_fields, "rows");
    const auto number = text(row, "row_number", at);
    if (!number) return number.failure();
    const auto row_template = optional_text(row, "row_label", at);
    if (!row_template) return row_template.failure();
    const auto seat_template = optional_text(row, "seat_label", at);
    if (!seat_template) return seat_template.failure();
    const auto label = printed(*row_template, *number);
    if (auto t = core::plan_text_trouble("the row's label", label, core::limits::name_bytes_max, true); !t.empty())
      return bad(at, t);
    const auto origin = position(row, at);
    if (!origin) return origin.failure();
    const auto seats = list(row, "seats", at);
    if (!seats) return seats.failure();
    if ((*seats)->empty()) { ++empty_rows_; return {}; }

    const auto first = p_.seats.size();
    std::vector<point> stands;
    stands.reserve((*seats)->size());
    for (std::size_t s = 0; s < (*seats)->size(); ++s) {
      const auto seat_at = fmt::format("{}/seats/{}", at, s);
      const auto stand = read_seat((**seats)[s], seat_at, *seat_template, label, zone_origin + *origin);
      if (!stand) return stand.failure();
      stands.push_back(*stand);
      seats_.back().at = {static_cast<std::uint32_t>(z), static_cast<std::uint32_t>(r), static_cast<std::uint32_t>(s)};
    }
    cut_into_segments(first, stands, label, z);
    return {};
  }

  base::result<point> read_seat(const json& seat, const std::string& at, const std::string& seat_template,
                                const std::string& row_label, point origin) {
    if (!seat.is_object()) return bad(at, fmt::format("is {}, it must be an object", kind_of(seat)));
    note_unknown(seat, seat_fields, "seats");
    if (p_.seats.size() == core::limits::seats_max)
      return bad(at, fmt::format("is one seat too many, a plan has at most {}: split it", core::limits::seats_max));
    const auto number = text(seat, "seat_number", at);
    if (!number) return number.failure();
    auto shown = printed(seat_template, *number);
    if (auto t = core::plan_text_trouble("the seat's number", shown, core::seat_number_bytes_max, false); !t.empty())
      return bad(at, t);
    const auto category = text(seat, "category", at);
    if (!category) return category.failure();
    const auto known = categories_.find(*category);
    if (known == categories_.end())
      return bad(at + "/category",
                 fmt::format("seat {} is in category \"{}\", which the plan does not list: add it to \"categories\" or correct "
                             "the seat", seat_path(p_.zones.back(), row_label, shown), *category));
    drawn_seat ids;
    for (const auto& [key, to] : {std::pair{"uuid", &ids.uuid}, std::pair{"seat_guid", &ids.guid}}) {
      auto id = optional_text(seat, key, at);
      if (!id) return id.failure();
      if (auto t = core::plan_text_trouble("the text", *id, core::identity_bytes_max, true); !t.empty())
        return bad(fmt::format("{}/{}", at, key), t);
      *to = *std::move(id);
    }
    const auto stand = position(seat, at);
    if (!stand) return stand.failure();
    const auto absolute = origin + *stand;
    auto& s = p_.seats.emplace_back();
    s.number = std::move(shown);
    s.category = known->second;
    s.x = static_cast<float>(absolute.x);
    s.y = static_cast<float>(absolute.y);
    seats_.push_back(std::move(ids));
    return absolute;
  }

  void cut_into_segments(std::size_t first, const std::vector<point>& stands, const std::string& label, std::size_t zone) {
    std::vector<double> steps;
    for (std::size_t i = 1; i < stands.size(); ++i) steps.push_back(distance(stands[i - 1], stands[i]));
    double usual = 0;
    if (!steps.empty()) {
      auto sorted = steps;
      // Of two middle ones the smaller: in a row of three seats with one aisle the larger would hide the aisle.
      const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>((sorted.size() - 1) / 2);
      std::nth_element(sorted.begin(), middle, sorted.end());
      usual = *middle;
    }
    p_.rows.push_back({static_cast<std::uint16_t>(zone), label});
    bool split = false;
    for (std::size_t i = 0; i < stands.size(); ++i) {
      if (i > 0) {
        if (steps[i - 1] == 0) ++stacked_;
        if (steps[i - 1] <= aisle_factor * usual) {
          p_.seats[first + i - 1].flags |= core::seat_next_adjacent;
        } else {
          p_.rows.push_back({static_cast<std::uint16_t>(zone), label});
          split = true;
        }
      }
      p_.seats[first + i].row = static_cast<std::uint32_t>(p_.rows.size() - 1);
    }
    report_.rows_split += split;
  }

  void write_warnings() {
    auto& w = report_.warnings;
    for (const auto& [what, times] : unknown_) w.push_back(fmt::format("unknown field {} ignored, {}", what, counted(times, "time")));
    if (empty_rows_ > 0) w.push_back(fmt::format("{} without seats left out", counted(empty_rows_, "row")));
    if (stacked_ > 0)
      w.push_back(fmt::format("{} drawn exactly where another of the row stands", counted(stacked_, "seat")));
  }

  const import_options& options_;
  import_report report_;
  core::plan& p_ = report_.plan;
  std::vector<drawn_seat> seats_;  // parallel to p_.seats
  std::unordered_map<std::string, std::uint8_t> categories_;  // by their names in the file
  std::map<std::string, std::size_t> unknown_;
  std::size_t empty_rows_ = 0;
  std::size_t stacked_ = 0;
};

}  // namespace

base::result<import_report> import_pretix(std::string_view text, const import_options& options) {
  try {
    const auto root = json::parse(text.begin(), text.end());
    return drawing_reader(options).read(root);
  } catch (const json::parse_error& e) {
    const auto upto = text.substr(0, std::min(text.size(), e.byte));
    const auto line = 1 + std::count(upto.begin(), upto.end(), '\n');
    return bad_plan(fmt::format("{}:{}", options.source, line), "is not JSON from here on: export the plan again");
  } catch (const json::out_of_range&) {
    return bad_plan(options.source, "holds a number that no computer can: correct it");
  }
}

}  // namespace holdfast::plans
