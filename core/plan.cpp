#include "core/plan.hpp"

#include <cmath>
#include <string_view>
#include <unordered_set>

#include "core/plan_text.hpp"

namespace holdfast::core {

namespace {

constexpr std::uint8_t known_flags = seat_accessible | seat_companion | seat_restricted_view | seat_next_adjacent;

base::error wrong(std::string text) { return {base::trouble::bad_input, std::move(text)}; }

/// Well-formed UTF-8 without control characters.
bool printable(std::string_view s) {
  const auto* p = reinterpret_cast<const unsigned char*>(s.data());
  for (std::size_t i = 0; i < s.size();) {
    const unsigned lead = p[i];
    if (lead < 0x80) {
      if (lead < 0x20 || lead == 0x7f) return false;
      ++i;
      continue;
    }
    // Bytes that follow the first; 80..c1 and f5..ff begin nothing.
    const std::size_t more = lead < 0xc2 || lead > 0xf4 ? 0 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
    if (more == 0 || s.size() - i <= more) return false;
    std::uint32_t code = lead & (0x3fU >> more);
    for (std::size_t k = 1; k <= more; ++k) {
      if ((p[i + k] & 0xc0U) != 0x80U) return false;
      code = code << 6U | (p[i + k] & 0x3fU);
    }
    // Overlong forms, surrogates and what lies beyond Unicode have no meaning; 80..9f are control characters too.
    if (code < 0xa0 || (more == 2 && code < 0x800) || (more == 3 && (code < 0x10000 || code > 0x10ffff)) ||
        (code >= 0xd800 && code < 0xe000))
      return false;
    i += more + 1;
  }
  return true;
}

bool is_color(std::string_view s) {
  return s.size() == 7 && s[0] == '#' && s.find_first_not_of("0123456789ABCDEFabcdef", 1) == std::string_view::npos;
}

using names = std::unordered_set<std::string_view>;

base::result<void> check_names(const plan& p) {
  if (auto t = plan_text_trouble("the plan's name", p.name, limits::name_bytes_max, true); !t.empty()) return wrong(t);

  if (p.categories.size() > limits::categories_max)
    return wrong("there are " + std::to_string(p.categories.size()) + " categories, the most is " +
                 std::to_string(limits::categories_max));
  names seen;
  for (std::size_t i = 0; i < p.categories.size(); ++i) {
    const auto& c = p.categories[i];
    const auto what = "the name of category " + std::to_string(i);
    if (auto t = plan_text_trouble(what, c.name, limits::name_bytes_max, false); !t.empty()) return wrong(t);
    if (!c.color.empty() && !is_color(c.color))
      return wrong("category \"" + c.name + "\" has a colour that is not #RRGGBB");
    if (!seen.insert(c.name).second) return wrong("category \"" + c.name + "\" is there twice");
  }

  if (p.allocations.empty() || p.allocations[0] != "public") return wrong("the first allocation is not \"public\"");
  if (p.allocations.size() > limits::allocations_max)
    return wrong("there are " + std::to_string(p.allocations.size()) + " allocations, the most is " +
                 std::to_string(limits::allocations_max));
  seen.clear();
  for (std::size_t i = 0; i < p.allocations.size(); ++i) {
    const auto what = "the name of allocation " + std::to_string(i);
    if (auto t = plan_text_trouble(what, p.allocations[i], limits::name_bytes_max, false); !t.empty()) return wrong(t);
    if (!seen.insert(p.allocations[i]).second) return wrong("allocation \"" + p.allocations[i] + "\" is there twice");
  }

  if (p.zones.size() > 0x10000) return wrong("there are more than 65536 zones");
  for (std::size_t i = 0; i < p.zones.size(); ++i) {
    const auto what = "the name of zone " + std::to_string(i);
    if (auto t = plan_text_trouble(what, p.zones[i], limits::name_bytes_max, true); !t.empty()) return wrong(t);
  }
  return {};
}

std::string seat_name(const plan& p, std::size_t i) {
  const auto& s = p.seats[i];
  auto name = "seat " + std::to_string(i);
  if (s.row < p.rows.size() && p.rows[s.row].zone < p.zones.size() && printable(s.number))
    name += " (" + p.zones[p.rows[s.row].zone] + "/" + p.rows[s.row].label + "/" + s.number + ")";
  return name;
}

base::result<void> check_seats(const plan& p, names& identities) {
  if (p.rows.size() > limits::seats_max || p.seats.size() > limits::seats_max)
    return wrong("there are more than " + std::to_string(limits::seats_max) + " seats or rows");
  for (std::size_t i = 0; i < p.rows.size(); ++i) {
    if (p.rows[i].zone >= p.zones.size())
      return wrong("row " + std::to_string(i) + " names a zone that does not exist");
    const auto what = "the label of row " + std::to_string(i);
    if (auto t = plan_text_trouble(what, p.rows[i].label, limits::name_bytes_max, true); !t.empty()) return wrong(t);
  }
  for (std::size_t i = 0; i < p.seats.size(); ++i) {
    const auto& s = p.seats[i];
    const auto bad = [&](std::string_view why) { return wrong(seat_name(p, i) + " " + std::string(why)); };
    if (s.row >= p.rows.size()) return bad("names a row that does not exist");
    if (i > 0 && s.row < p.seats[i - 1].row) return bad("goes back to an earlier row");
    if (auto t = plan_text_trouble("number", s.number, seat_number_bytes_max, false); !t.empty())
      return bad("is refused: its " + t);
    if (auto t = plan_text_trouble("identity", s.identity, identity_bytes_max, false); !t.empty())
      return bad("is refused: its " + t);
    if (s.category >= p.categories.size()) return bad("names a category that does not exist");
    if (s.allocation >= p.allocations.size()) return bad("names an allocation that does not exist");
    if ((s.flags & ~known_flags) != 0) return bad("has unknown flags");
    if ((s.flags & seat_next_adjacent) != 0 && (i + 1 == p.seats.size() || p.seats[i + 1].row != s.row))
      return bad("is the last of its row, yet marked as having a neighbour after it");
    if (!std::isfinite(s.x) || !std::isfinite(s.y)) return bad("has no finite position");
    if (!identities.insert(s.identity).second) return bad("has the identity \"" + s.identity + "\" of another place");
  }
  return {};
}

base::result<void> check_areas(const plan& p, names& identities) {
  if (p.areas.size() > limits::areas_max)
    return wrong("there are " + std::to_string(p.areas.size()) + " areas, the most is " +
                 std::to_string(limits::areas_max));
  names seen;
  for (std::size_t i = 0; i < p.areas.size(); ++i) {
    const auto& a = p.areas[i];
    const auto bad = [&](std::string_view why) {
      return wrong("area " + std::to_string(i) + (printable(a.name) ? " (" + a.name + ") " : " ") + std::string(why));
    };
    if (auto t = plan_text_trouble("name", a.name, limits::name_bytes_max, false); !t.empty())
      return bad("is refused: its " + t);
    if (auto t = plan_text_trouble("identity", a.identity, identity_bytes_max, false); !t.empty())
      return bad("is refused: its " + t);
    if (a.category >= p.categories.size()) return bad("names a category that does not exist");
    if (a.capacity.size() > p.allocations.size()) return bad("has places in an allocation that does not exist");
    std::uint64_t sum = 0;
    for (const auto n : a.capacity) sum += n;
    if (sum > limits::area_places_max)
      return bad("has " + std::to_string(sum) + " places, the most is " + std::to_string(limits::area_places_max));
    if (!seen.insert(a.name).second) return bad("has the name of another area");
    if (!identities.insert(a.identity).second) return bad("has the identity \"" + a.identity + "\" of another place");
  }
  return {};
}

}  // namespace

std::string plan_text_trouble(std::string_view what, std::string_view text, std::size_t bytes_max, bool may_be_empty) {
  if (text.empty() && !may_be_empty) return std::string(what) + " is empty";
  if (text.size() > bytes_max)
    return std::string(what) + " has " + std::to_string(text.size()) + " bytes, the most is " + std::to_string(bytes_max);
  if (!printable(text)) return std::string(what) + " is not printable UTF-8 text";
  return {};
}

std::uint64_t plan::places() const {
  std::uint64_t n = seats.size();
  for (const auto& a : areas)
    for (const auto c : a.capacity) n += c;
  return n;
}

base::result<void> check_plan(const plan& p) {
  if (auto r = check_names(p); !r) return r;
  names identities;
  identities.reserve(p.seats.size() + p.areas.size());
  if (auto r = check_seats(p, identities); !r) return r;
  return check_areas(p, identities);
}

}  // namespace holdfast::core
