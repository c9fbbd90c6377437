#include "plans/seat_table.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>

#include <fmt/format.h>

#include "core/plan.hpp"
#include "core/plan_text.hpp"
#include "plans/naming.hpp"

namespace holdfast::plans {

namespace {

constexpr std::string_view column_names[] = {"zone", "row", "seat", "category", "allocation", "flags", "capacity"};

std::string lower(std::string_view s) {
  std::string out(s);
  for (auto& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

}  // namespace

base::result<std::uint8_t> parse_flags(std::string_view text) {
  unsigned bits = 0;
  while (!text.empty()) {
    const auto bar = text.find('|');
    auto word = lower(text.substr(0, bar));
    std::erase(word, ' ');
    if (word == "accessible") bits |= core::seat_accessible;
    else if (word == "companion") bits |= core::seat_companion;
    else if (word == "restricted") bits |= core::seat_restricted_view;
    else
      return base::error{base::trouble::bad_input,
                         fmt::format("flag \"{}\" is unknown: use accessible, companion or restricted, several with | between",
                                     word)};
    text.remove_prefix(bar == std::string_view::npos ? text.size() : bar + 1);
  }
  return static_cast<std::uint8_t>(bits);
}

base::result<seat_table> seat_table::open(std::string_view text, const std::string& source, bool needs_category) {
  seat_table t(text, source, needs_category);
  if (auto r = t.read_header(); !r) return r.failure();
  return t;
}

base::result<void> seat_table::read_header() {
  const auto more = reader_.next(record_);
  if (!more) return more.failure();
  if (!*more)
    return bad_plan(source_, "the file is empty: its first line names the columns, zone,row,seat,category at least");
  header_fields_ = record_.fields.size();
  const auto where = fmt::format("{}:{}", source_, record_.line);
  for (std::size_t i = 0; i < record_.fields.size(); ++i) {
    const auto name = lower(record_.fields[i]);
    const auto at = std::find(std::begin(column_names), std::end(column_names), name);
    if (at == std::end(column_names)) { unknown_.push_back(record_.fields[i]); continue; }
    auto& place = place_[at - std::begin(column_names)];
    if (place != absent) return bad_plan(where, fmt::format("column \"{}\" is there twice: remove one", name));
    place = i;
  }
  for (const auto c : {zone, row, seat, category}) {
    if (place_[c] != absent || (c == category && !needs_category_)) continue;
    return bad_plan(where, fmt::format("column \"{}\" is missing: the first line names the columns, {} at least, and "
                                       "allocation, flags, capacity where they are used",
                                       column_names[c], needs_category_ ? "zone,row,seat,category" : "zone,row,seat"));
  }
  return {};
}

const std::string& seat_table::field(column c) const {
  static const std::string nothing;
  return place_[c] < record_.fields.size() ? record_.fields[place_[c]] : nothing;
}

base::result<bool> seat_table::next(seat_line& out) {
  const auto more = reader_.next(record_);
  if (!more) return more.failure();
  if (!*more) return false;
  out.where = fmt::format("{}:{}", source_, record_.line);
  if (record_.fields.size() > header_fields_)
    return bad_plan(out.where,
        fmt::format("the line has {} fields, the header {}: put quotes around lists with commas, like "
                                           "\"1-4,31-34\"", record_.fields.size(), header_fields_));
  for (const auto c : {zone, row, seat, category, allocation, flags, capacity})
    if (const auto t = core::plan_text_trouble(fmt::format("the {}", column_names[c]), field(c), 1U << 16U, true); !t.empty())
      return bad_plan(out.where, t + ": save the file as CSV in UTF-8");

  out.zone = field(zone);
  out.category = field(category);
  out.allocation = field(allocation);
  out.rows.clear();
  out.seats = {};
  out.capacity = 0;
  if (out.zone.empty()) return bad_plan(out.where, "the zone is empty: name it, \"Hall\" if there is only one");
  if (out.category.empty() && needs_category_) return bad_plan(out.where, "the category is empty: name it");
  const auto bits = parse_flags(field(flags));
  if (!bits) return bad_plan(out.where, bits.failure().text);
  out.flags = *bits;

  if (const auto& text = field(capacity); !text.empty()) {
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), out.capacity);
    if (ec != std::errc{} || end != text.data() + text.size() || out.capacity == 0)
      return bad_plan(out.where, fmt::format("capacity \"{}\" is not a number of places from 1", text));
    if (!field(row).empty() || !field(seat).empty())
      return bad_plan(out.where, "a line with a capacity is a standing area: leave row and seat empty");
    if (out.flags != 0) return bad_plan(out.where, "flags belong to seats: leave them empty for a standing area");
    if (out.category.empty()) return bad_plan(out.where, "the category is empty: name the one of the standing area");
    return true;
  }

  if (field(row).empty())
    return bad_plan(out.where, "the row is empty: name it, or give a capacity if this is a standing area");
  if (field(seat).empty()) return bad_plan(out.where, "the seat is empty: give a number, or a list like 1-20");
  auto rows = parse_seat_list(field(row));
  if (!rows) return bad_plan(out.where, "row: " + rows.failure().text);
  if (rows->lead != list_lead::none)
    return bad_plan(out.where, "row: \"+\" and \"|\" at the start are for seats only: remove them");
  for (auto& run : rows->runs)
    for (auto& label : run) out.rows.push_back(std::move(label));
  auto seats = parse_seat_list(field(seat));
  if (!seats) return bad_plan(out.where, "seat: " + seats.failure().text);
  if (seats->lead != list_lead::none && out.rows.size() > 1)
    return bad_plan(out.where, "seats that begin with \"+\" or \"|\" go on from the line before: give them one row at a time");
  out.seats = *std::move(seats);
  return true;
}

std::vector<std::string> seat_table::warnings() const {
  std::vector<std::string> out;
  for (const auto& u : unknown_) out.push_back(one_line(fmt::format("column \"{}\" is unknown and ignored", u)));
  return out;
}

}  // namespace holdfast::plans
