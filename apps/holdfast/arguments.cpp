#include "apps/holdfast/arguments.hpp"

#include <charconv>
#include <ctime>

#include <fmt/format.h>

#include "client/ids.hpp"

namespace holdfast::cli {

namespace {

base::error wrong(std::string text) { return {base::trouble::bad_input, std::move(text)}; }

std::optional<std::uint32_t> whole_number(std::string_view s) {
  std::uint32_t n = 0;
  const auto [end, ec] = std::from_chars(s.data(), s.data() + s.size(), n);
  if (s.empty() || ec != std::errc{} || end != s.data() + s.size()) return std::nullopt;
  return n;
}

base::result<std::uint32_t> seat_labelled(const label_meant& l, const core::plan& p) {
  for (std::uint32_t i = 0; i < p.seats.size(); ++i) {
    const auto& row = p.rows[p.seats[i].row];
    if (p.seats[i].number == l.number && row.label == l.row && p.zones[row.zone] == l.zone) return i;
  }
  return wrong(fmt::format("the plan has no seat {}/{}/{}: `holdfast plan show` lists zones, rows and numbers", l.zone, l.row, l.number));
}

base::result<std::uint32_t> area_named(const std::string& name, const core::plan& p) {
  for (std::uint32_t i = 0; i < p.areas.size(); ++i)
    if (p.areas[i].name == name) return i;
  std::string known;
  for (const auto& a : p.areas) known += (known.empty() ? "" : ", ") + a.name;
  return wrong(fmt::format("the plan has no area '{}': it has {}", name, known.empty() ? "none" : known));
}

}  // namespace

base::result<base::id128> read_id(std::string_view what, std::string_view text) {
  const auto id = client::parse_id(text);
  if (!id) return wrong(fmt::format("'{}' is no id of {}: write its 32 hexadecimal digits", text, what));
  if (id->zero()) return wrong(fmt::format("the id of {} must not be zero", what));
  return *id;
}

base::result<milliseconds> read_interval(std::string_view text) {
  const auto unit_at = text.find_first_not_of("0123456789");
  const auto n = whole_number(text.substr(0, unit_at));
  const auto unit = unit_at == std::string_view::npos ? std::string_view("s") : text.substr(unit_at);
  std::uint64_t ms = 0;
  if (unit == "ms") ms = 1;
  else if (unit == "s") ms = 1'000;
  else if (unit == "m" || unit == "min") ms = 60'000;
  else if (unit == "h") ms = 3'600'000;
  else if (unit == "d") ms = 86'400'000;
  if (!n || ms == 0) return wrong(fmt::format("'{}' is no interval: write 90s, 15m, 2h or 500ms", text));
  ms *= *n;
  if (ms == 0 || ms > ~core::interval_ms{0}) return wrong(fmt::format("the interval '{}' must be more than 0 and at most 49 days", text));
  return milliseconds(static_cast<std::int64_t>(ms));
}

base::result<std::int64_t> read_time(std::string_view text) {
  const std::string s(text);
  for (const auto* form : {"%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%MZ", "%Y-%m-%dT%H:%M", "%Y-%m-%d"}) {
    std::tm t{};
    const char* end = ::strptime(s.c_str(), form, &t);
    if (end != nullptr && *end == '\0') return static_cast<std::int64_t>(::timegm(&t));
  }
  return wrong(fmt::format("'{}' is no time: write 2026-06-01T19:30, in UTC", text));
}

base::result<core::limit_key> read_key(std::string_view text) {
  static constexpr std::string_view kinds[] = {"account", "email", "card", "device", "code"};
  const auto equals = text.find('=');
  for (std::uint8_t k = 0; k < core::key_kinds && equals != std::string_view::npos; ++k) {
    if (text.substr(0, equals) != kinds[k]) continue;
    const auto id = read_id("a limit key", text.substr(equals + 1));
    if (!id) return id.failure();
    return core::limit_key{static_cast<core::key_kind>(k), *id};
  }
  return wrong(fmt::format("'{}' is no limit key: write account=ID, email=ID, card=ID, device=ID or code=ID", text));
}

base::result<core::payment_kind> read_payment_kind(std::string_view text) {
  static constexpr std::string_view kinds[] = {"card", "cash", "invoice", "comp", "other"};
  for (std::uint8_t k = 0; k < core::payment_kinds; ++k)
    if (text == kinds[k]) return static_cast<core::payment_kind>(k);
  return wrong(fmt::format("'{}' is no kind of payment: write card, cash, invoice, comp or other", text));
}

base::result<place_meant> read_place(std::string_view text) {
  const auto no_place = [&] { return wrong(fmt::format("'{}' is no place: write a seat as 12, 10-13 or Zone/Row/Number, standing room as Area=COUNT", text)); };
  if (const auto first = text.find('/'); first != std::string_view::npos) {
    const auto second = text.find('/', first + 1);
    if (second == std::string_view::npos) return no_place();
    label_meant l{std::string(text.substr(0, first)), std::string(text.substr(first + 1, second - first - 1)), std::string(text.substr(second + 1))};
    if (l.number.empty()) return no_place();
    return place_meant(std::move(l));
  }
  if (const auto equals = text.rfind('='); equals != std::string_view::npos) {
    const auto n = whole_number(text.substr(equals + 1));
    if (!n || *n == 0 || equals == 0) return no_place();
    return place_meant(area_meant{std::string(text.substr(0, equals)), *n});
  }
  const auto dash = text.find('-');
  const auto first = whole_number(text.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : whole_number(text.substr(dash + 1));
  if (!first || !last || *last < *first) return no_place();
  return place_meant(seats_meant{*first, *last});
}

base::result<std::vector<core::line>> as_lines(const std::vector<place_meant>& places, const core::plan* p, core::price_ref price) {
  std::vector<core::line> lines;
  for (const auto& place : places) {
    if (const auto* s = std::get_if<seats_meant>(&place)) {
      if (s->last - s->first >= core::limits::lines_max) return wrong(fmt::format("a hold has at most {} lines", core::limits::lines_max));
      for (auto n = s->first;; ++n) {
        lines.push_back({core::place_kind::seat, n, 1, price});
        if (n == s->last) break;
      }
    } else if (const auto* l = std::get_if<label_meant>(&place)) {
      const auto seat = seat_labelled(*l, *p);
      if (!seat) return seat.failure();
      lines.push_back({core::place_kind::seat, *seat, 1, price});
    } else {
      const auto& a = std::get<area_meant>(place);
      const auto area = area_named(a.name, *p);
      if (!area) return area.failure();
      lines.push_back({core::place_kind::area, *area, a.count, price});
    }
  }
  if (lines.size() > core::limits::lines_max) return wrong(fmt::format("a hold has at most {} lines", core::limits::lines_max));
  return lines;
}

base::result<std::vector<core::place_range>> as_ranges(const std::vector<place_meant>& places, const core::plan* p, std::uint8_t allocation) {
  std::vector<core::place_range> ranges;
  for (const auto& place : places) {
    if (const auto* s = std::get_if<seats_meant>(&place)) {
      ranges.push_back({core::place_kind::seat, s->first, s->last, 0, 0});
    } else if (const auto* l = std::get_if<label_meant>(&place)) {
      const auto seat = seat_labelled(*l, *p);
      if (!seat) return seat.failure();
      ranges.push_back({core::place_kind::seat, *seat, *seat, 0, 0});
    } else {
      const auto& a = std::get<area_meant>(place);
      const auto area = area_named(a.name, *p);
      if (!area) return area.failure();
      ranges.push_back({core::place_kind::area, *area, *area, a.count, allocation});
    }
  }
  if (ranges.size() > core::limits::ranges_max) return wrong(fmt::format("a command has at most {} ranges", core::limits::ranges_max));
  return ranges;
}

std::string name_of_seat(std::uint32_t seat, const core::plan* p) {
  if (p == nullptr || seat >= p->seats.size()) return std::to_string(seat);
  const auto& s = p->seats[seat];
  const auto& row = p->rows[s.row];
  return p->zones[row.zone] + "/" + row.label + "/" + s.number;
}

std::string name_of_line(const core::line& l, const core::plan* p) {
  if (l.kind == core::place_kind::seat) return "seat " + name_of_seat(l.number, p);
  return fmt::format("{} in {}", l.count, p != nullptr && l.number < p->areas.size() ? p->areas[l.number].name : fmt::format("area {}", l.number));
}

}  // namespace holdfast::cli
