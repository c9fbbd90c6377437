#include "plans/side_file.hpp"

#include <string_view>
#include <unordered_map>

#include <fmt/format.h>

#include "plans/naming.hpp"
#include "plans/seat_list.hpp"
#include "plans/seat_table.hpp"

namespace holdfast::plans {

base::result<side_file> read_side_csv(std::string_view text, const std::string& source) {
  side_file side;
  auto table = seat_table::open(text, source, false);
  if (!table) return table.failure();
  seat_line line;
  for (;;) {
    const auto more = table->next(line);
    if (!more) return more.failure();
    if (!*more) break;
    if (line.is_area()) {
      side.areas.push_back({line.where, line.zone, line.category, line.allocation, line.capacity});
      continue;
    }
    seat_mark mark{line.where, {}, line.category, line.allocation, line.flags};
    for (const auto& row : line.rows)
      for (const auto& run : line.seats.runs)
        for (const auto& number : run) mark.seats.push_back(seat_path(line.zone, row, number));
    side.marks.push_back(std::move(mark));
  }
  side.warnings = table->warnings();
  return side;
}

namespace {

class seat_finder {
 public:
  explicit seat_finder(const core::plan& p) {
    for (std::uint32_t i = 0; i < p.seats.size(); ++i) {
      const auto& s = p.seats[i];
      const auto& row = p.rows[s.row];
      identities_.emplace(s.identity, i);
      auto& at = paths_[seat_path(p.zones[row.zone], row.label, s.number)];
      at.index = i;
      ++at.count;
    }
  }

  /// Appends the seats that `name` means.
  base::result<void> find(const std::string& name, std::vector<std::uint32_t>& out) const {
    if (const auto at = identities_.find(name); at != identities_.end()) {
      out.push_back(at->second);
      return {};
    }
    if (paths_.contains(name)) return find_path(name, out);
    // Rows and numbers of a list contain no "/", so the last two divide it, whatever the zone is called.
    const auto last = name.rfind('/');
    const auto before = last == std::string::npos || last == 0 ? std::string::npos : name.rfind('/', last - 1);
    if (before == std::string::npos) return unknown(name);
    const auto list = parse_seat_list(std::string_view(name).substr(last + 1));
    if (!list) return base::error{base::trouble::bad_input, fmt::format("\"{}\": {}", name, list.failure().text)};
    if (list->single()) return unknown(name);
    for (const auto& run : list->runs)
      for (const auto& number : run)
        if (auto r = find_path(name.substr(0, last + 1) + number, out); !r) return r;
    return {};
  }

 private:
  struct entry {
    std::uint32_t index = 0;
    std::uint32_t count = 0;
  };

  static base::error unknown(const std::string& name) {
    return {base::trouble::bad_input,
            fmt::format("there is no seat \"{}\" in the plan: name it as zone/row/number or by its uuid", name)};
  }

  base::result<void> find_path(const std::string& path, std::vector<std::uint32_t>& out) const {
    const auto at = paths_.find(path);
    if (at == paths_.end()) return unknown(path);
    if (at->second.count > 1)
      return base::error{base::trouble::bad_input,
          fmt::format("\"{}\" fits {} seats of the plan: name the one that is meant "
                                                               "by its uuid", path, at->second.count)};
    out.push_back(at->second.index);
    return {};
  }

  std::unordered_map<std::string_view, std::uint32_t> identities_;
  std::unordered_map<std::string, entry> paths_;
};

/// Remembers which mark set a property of a seat, so that a second one is not silently the winner.
class once {
 public:
  base::result<void> claim(std::uint32_t seat, std::string_view what, const std::string& seat_name, const std::string& where) {
    const auto [at, is_new] = first_.emplace(seat, where);
    if (is_new) return {};
    return bad_plan(where, fmt::format("seat \"{}\" has its {} from {} already: keep one of the two", seat_name, what,
                                       at->second));
  }

 private:
  std::unordered_map<std::uint32_t, std::string_view> first_;
};

}  // namespace

base::result<void> apply_side_file(const side_file& side, import_report& report) {
  auto& p = report.plan;
  for (const auto& a : side.areas)
    if (auto r = add_area(p, a.name, a.category, a.allocation, a.places, a.where); !r) return r;
  report.warnings.insert(report.warnings.end(), side.warnings.begin(), side.warnings.end());
  if (side.marks.empty()) return {};

  const seat_finder finder(p);
  once categories, allocations;
  std::vector<std::uint32_t> found;
  for (const auto& m : side.marks) {
    if (m.category.empty() && m.allocation.empty() && m.flags == 0)
      return bad_plan(m.where, "says nothing about its seats: give a category, an allocation or flags");
    std::uint8_t category = 0, allocation = 0;
    if (!m.category.empty()) {
      const auto c = category_of(p, m.category, m.where);
      if (!c) return c.failure();
      category = *c;
    }
    if (!m.allocation.empty()) {
      const auto a = allocation_of(p, m.allocation, m.where);
      if (!a) return a.failure();
      allocation = *a;
    }
    for (const auto& name : m.seats) {
      found.clear();
      if (auto r = finder.find(name, found); !r) return bad_plan(m.where, r.failure().text);
      for (const auto i : found) {
        auto& s = p.seats[i];
        s.flags |= m.flags;
        if (!m.category.empty()) {
          if (auto r = categories.claim(i, "category", name, m.where); !r) return r;
          s.category = category;
        }
        if (!m.allocation.empty()) {
          if (auto r = allocations.claim(i, "allocation", name, m.where); !r) return r;
          s.allocation = allocation;
        }
      }
    }
  }
  return {};
}

}  // namespace holdfast::plans
