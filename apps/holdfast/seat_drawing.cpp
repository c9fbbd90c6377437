#include "apps/holdfast/seat_drawing.hpp"

#include <algorithm>
#include <array>

namespace holdfast::cli {

namespace {

constexpr std::uint8_t withdrawn_bit = 0x80;

struct drawn {
  char free_hand, withdrawn;
  const char* colour;
  const char* name;
};
constexpr drawn states_drawn[] = {
    {'.', '.', "2", "free"}, {'h', 'H', "33", "held"}, {'p', 'P', "35", "paying"}, {'#', '@', "32", "sold"}, {'x', 'x', "31", "blocked"},
};

drawn look_of(std::uint8_t state) {
  const auto i = static_cast<std::size_t>(state & ~withdrawn_bit);
  return i < std::size(states_drawn) ? states_drawn[i] : drawn{'?', '?', "31", "unknown"};
}

char letter_of(std::uint8_t state) {
  const auto d = look_of(state);
  return (state & withdrawn_bit) != 0 ? d.withdrawn : d.free_hand;
}

}  // namespace

std::string draw_seats(const core::plan& p, const std::vector<std::uint8_t>& states, const style& s) {
  // Rows of one zone may stand apart in the plan; a drawing has them together.
  std::vector<std::vector<std::uint32_t>> by_zone(p.zones.size());
  std::vector<std::string> seats_of_row(p.rows.size());
  for (std::uint32_t r = 0; r < p.rows.size(); ++r) by_zone[p.rows[r].zone].push_back(r);
  const char* painted = nullptr;
  std::uint32_t row = ~std::uint32_t{0};
  const auto end_colour = [&] {
    if (painted != nullptr) seats_of_row[row] += "\x1b[0m";
    painted = nullptr;
  };
  for (std::size_t i = 0; i < p.seats.size() && i < states.size(); ++i) {
    if (p.seats[i].row != row) {
      end_colour();
      row = p.seats[i].row;
    }
    auto& line = seats_of_row[row];
    if (s.colour) {
      const auto* colour = look_of(states[i]).colour;
      if (painted == nullptr || std::string_view(painted) != colour) {
        end_colour();
        line += std::string("\x1b[") + colour + "m";
        painted = colour;
      }
    }
    line += letter_of(states[i]);
  }
  if (row < p.rows.size()) end_colour();

  std::string out;
  for (std::size_t z = 0; z < p.zones.size(); ++z) {
    if (by_zone[z].empty()) continue;
    if (!out.empty()) out += '\n';
    out += p.zones[z];
    out += '\n';
    std::size_t width = 0;
    for (const auto r : by_zone[z]) width = std::max(width, p.rows[r].label.size());
    for (std::size_t i = 0; i < by_zone[z].size(); ++i) {
      const auto r = by_zone[z][i];
      const bool goes_on = i > 0 && p.rows[by_zone[z][i - 1]].label == p.rows[r].label;
      if (goes_on) {
        out += "  ";
      } else {
        if (i > 0) out += '\n';
        out += "  ";
        out.append(width - p.rows[r].label.size(), ' ');
        out += p.rows[r].label;
        out += "  ";
      }
      out += seats_of_row[r];
    }
    out += '\n';
  }
  return out;
}

document seats_document(const core::plan& p, const std::vector<std::uint8_t>& states, const std::vector<core::area_seen>& areas, const style& s) {
  document d;
  d.drawing = draw_seats(p, states, s);
  std::array<std::uint64_t, std::size(states_drawn)> counts{}, withdrawn{};
  for (const auto state : states) {
    const auto i = static_cast<std::size_t>(state & ~withdrawn_bit);
    if (i >= counts.size()) continue;
    ++counts[i];
    if ((state & withdrawn_bit) != 0) ++withdrawn[i];
  }
  grid legend{"seats", {"drawn", "state", "seats", "withdrawn", "drawn then"}, {}};
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const auto& look = states_drawn[i];
    legend.rows.push_back({words(std::string(1, look.free_hand)), words(look.name), number(counts[i]), number(withdrawn[i]),
                           look.withdrawn == look.free_hand ? none() : words(std::string(1, look.withdrawn))});
  }
  d.grids.push_back(std::move(legend));
  if (areas.empty()) return d;
  grid g{"areas", {"area", "allocation", "free", "held", "paying", "sold", "blocked", "withdrawn"}, {}};
  for (std::size_t a = 0; a < areas.size() && a < p.areas.size(); ++a)
    for (std::size_t n = 0; n < areas[a].allocations.size(); ++n) {
      const auto& c = areas[a].allocations[n];
      if (c.free + c.held + c.paying + c.sold + c.blocked == 0) continue;
      g.rows.push_back({words(p.areas[a].name), words(n < p.allocations.size() ? p.allocations[n] : std::to_string(n)), number(c.free), number(c.held),
                        number(c.paying), number(c.sold), number(c.blocked), number(c.withdrawn)});
    }
  d.grids.push_back(std::move(g));
  return d;
}

}  // namespace holdfast::cli
