#include "apps/holdfast/document.hpp"

#include <algorithm>
#include <ctime>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/bytes.hpp"

namespace holdfast::cli {

namespace {

using json = nlohmann::ordered_json;

std::string key_of(std::string name) {
  std::ranges::replace(name, ' ', '_');
  std::ranges::replace(name, '.', '_');
  std::ranges::replace(name, '-', '_');
  return name;
}

json json_of(const value& v) {
  return std::visit(
      [](const auto& x) -> json {
        if constexpr (std::is_same_v<std::decay_t<decltype(x)>, std::monostate>) return nullptr;
        else return x;
      },
      v.json);
}

/// Columns that a text takes on the screen: UTF-8 continuation bytes take none.
std::size_t width_of(std::string_view s) {
  return static_cast<std::size_t>(std::ranges::count_if(s, [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; }));
}

class painter {
 public:
  painter(const style& s, std::string& out) : style_(s), out_(out) {}

  void put(const value& v, std::size_t width, bool last) {
    const auto own = width_of(v.text);
    const auto gap = width > own ? width - own : 0;
    if (v.to_the_right) out_.append(gap, ' ');
    coloured(code_of(v.tone), v.text);
    if (!v.to_the_right && !last) out_.append(gap, ' ');
  }
  void bold(std::string_view s) { coloured("1", s); }
  void faint(std::string_view s) { coloured("2", s); }

 private:
  static const char* code_of(tone t) {
    switch (t) {
      case tone::good: return "32";
      case tone::bad: return "31";
      case tone::faint: return "2";
      case tone::plain: break;
    }
    return "";
  }
  void coloured(const char* code, std::string_view s) {
    const bool paint = style_.colour && *code != '\0';
    if (paint) fmt::format_to(std::back_inserter(out_), "\x1b[{}m", code);
    out_ += s;
    if (paint) out_ += "\x1b[0m";
  }
  const style& style_;
  std::string& out_;
};

void put_facts(const std::vector<fact>& facts, painter& p, std::string& out) {
  std::size_t width = 0;
  for (const auto& f : facts) width = std::max(width, width_of(f.name));
  for (const auto& f : facts) {
    p.faint(f.name);
    out.append(width - width_of(f.name) + 2, ' ');
    auto v = f.what;
    v.to_the_right = false;
    p.put(v, 0, true);
    out += '\n';
  }
}

void put_grid(const grid& g, const style& s, painter& p, std::string& out) {
  if (!g.name.empty()) {
    p.bold(g.name);
    if (g.rows.empty()) out += ": none";
    out += '\n';
  }
  if (g.rows.empty()) return;
  std::vector<std::size_t> widths;
  std::vector<bool> right;
  for (std::size_t c = 0; c < g.columns.size(); ++c) {
    auto w = width_of(g.columns[c]);
    for (const auto& r : g.rows) w = std::max(w, width_of(r[c].text));
    widths.push_back(w);
    right.push_back(std::ranges::any_of(g.rows, [&](const auto& r) { return r[c].to_the_right; }));
  }
  const auto row = [&](auto put_cell) {
    for (std::size_t c = 0; c < widths.size(); ++c) {
      if (c > 0) out += "  ";
      put_cell(c);
    }
    out += '\n';
  };
  const auto last = widths.size() - 1;
  row([&](std::size_t c) {
    value head = words(g.columns[c], tone::faint);
    head.to_the_right = right[c];
    p.put(head, widths[c], c == last);
  });
  if (s.terminal) {
    std::string rule;
    for (std::size_t c = 0; c < widths.size(); ++c) {
      if (c > 0) rule += "──";
      for (std::size_t i = 0; i < widths[c]; ++i) rule += "─";
    }
    p.faint(rule);
    out += '\n';
  }
  for (const auto& r : g.rows) row([&](std::size_t c) { p.put(r[c], widths[c], c == last); });
}

}  // namespace

value none() { return {std::monostate{}, "-", false, tone::faint}; }
value words(std::string_view s, tone t) { return {std::string(s), std::string(s), false, t}; }
value yes_no(bool b, tone if_yes) { return {b, b ? "yes" : "no", false, b ? if_yes : tone::plain}; }
value number(std::uint64_t n) { return {n, grouped(n), true, tone::plain}; }
value number(std::int64_t n) {
  const auto magnitude = n < 0 ? std::uint64_t{0} - static_cast<std::uint64_t>(n) : static_cast<std::uint64_t>(n);
  return {n, (n < 0 ? "-" : "") + grouped(magnitude), true, tone::plain};
}
value plain_number(std::uint64_t n) { return {n, std::to_string(n), true, tone::plain}; }
value decimal(double d, int places) { return {d, fmt::format("{:.{}f}", d, places), true, tone::plain}; }
value hex(const base::id128& id) {
  if (id.zero()) return none();
  return words(base::to_hex(id));
}
value moment(core::log_time t) {
  if (t.value == 0) return none();
  return {t.value, utc_text(t.value), false, tone::plain};
}
value deadline(core::log_time t, core::log_time now) {
  auto v = moment(t);
  if (t.value == 0) return v;
  if (t > now) v.text += " (in " + interval_text(t.value - now.value) + ")";
  else v.text += " (" + interval_text(now.value - t.value) + " ago)";
  return v;
}
value micros(std::uint64_t us) { return {us, interval_text(us), true, tone::plain}; }
value share(double part_of_one) { return {part_of_one, fmt::format("{:.1f} %", part_of_one * 100), true, tone::plain}; }

json to_json(const document& d) {
  json j = json::object();
  for (const auto& f : d.facts) j[key_of(f.name)] = json_of(f.what);
  if (!d.drawing.empty()) j["drawing"] = d.drawing;
  for (const auto& g : d.grids) {
    auto& rows = j[key_of(g.name.empty() ? "rows" : g.name)] = json::array();
    for (const auto& r : g.rows) {
      auto& row = rows.emplace_back(json::object());
      for (std::size_t c = 0; c < g.columns.size(); ++c) row[key_of(g.columns[c])] = json_of(r[c]);
    }
  }
  return j;
}

std::string to_text(const document& d, const style& s) {
  std::string out;
  painter p(s, out);
  put_facts(d.facts, p, out);
  if (!d.drawing.empty()) {
    if (!out.empty()) out += '\n';
    out += d.drawing;
  }
  for (const auto& g : d.grids) {
    if (!out.empty()) out += '\n';
    put_grid(g, s, p, out);
  }
  return out;
}

std::string utc_text(std::uint64_t us) {
  const auto seconds = static_cast<std::time_t>(us / core::us_per_s);
  std::tm t{};
  ::gmtime_r(&seconds, &t);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec,
                     us % core::us_per_s / core::us_per_ms);
}

std::string interval_text(std::uint64_t us) {
  if (us < 1'000) return fmt::format("{} us", us);
  if (us < 1'000'000) return fmt::format("{:.3g} ms", static_cast<double>(us) / 1e3);
  if (us < 60'000'000) return fmt::format("{:.3g} s", static_cast<double>(us) / 1e6);
  const auto s = us / 1'000'000;
  if (s < 3'600) return fmt::format("{} min {} s", s / 60, s % 60);
  return fmt::format("{} h {} min", s / 3'600, s % 3'600 / 60);
}

std::string grouped(std::uint64_t n) {
  auto s = std::to_string(n);
  for (auto at = static_cast<std::ptrdiff_t>(s.size()) - 3; at > 0; at -= 3) s.insert(static_cast<std::size_t>(at), 1, ',');
  return s;
}

}  // namespace holdfast::cli
