#include "tests/history/lies.hpp"

namespace holdfast::tests {

using namespace holdfast::history;

std::uint32_t victim::places_of(std::uint32_t row) const {
  std::uint32_t all = 0;
  for (const auto& l : h.lines_of(row)) all += l.places;
  return all;
}

std::uint64_t victim::sure_end(const hold_story& a) const {
  return a.confirmed == outcome::yes ? a.confirm_invoked : std::min({a.release_invoked, a.confirm_invoked, clock.earliest(a.deadline)});
}

bool victim::surely_taken(std::uint32_t seat, std::uint64_t from, std::uint64_t to, std::uint32_t but) const {
  for (std::uint32_t n = 0; n < s.holds.size(); ++n) {
    const auto& a = s.holds[n];
    if (n == but || a.row == nobody || a.placed != outcome::yes || a.answered >= from || !has_seat(a.row, seat)) continue;
    const auto end = a.confirmed == outcome::yes && a.confirm_answered < from ? never : std::min(a.release_invoked, clock.earliest(a.deadline));
    if (to < end) return true;
  }
  return false;
}

bool victim::surely_free(std::uint32_t seat, std::uint64_t from, std::uint64_t to) const {
  return std::ranges::none_of(s.holds, [&](const hold_story& a) {
    if (a.row == nobody || !a.may_exist() || a.invoked > to || !has_seat(a.row, seat)) return false;
    const bool over = a.placed == outcome::yes && a.confirmed == outcome::no && !a.deadline_open &&
                      std::min(a.release_answered, clock.latest(a.deadline)) < from;
    return !over;
  });
}

bool victim::maybe_bought(std::uint32_t seat, std::uint32_t but) const {
  for (std::uint32_t n = 0; n < s.holds.size(); ++n)
    if (const auto& a = s.holds[n]; n != but && a.row != nobody && a.confirmed != outcome::no && has_seat(a.row, seat)) return true;
  return false;
}

void victim::erase(std::uint32_t row) {
  const auto first = static_cast<std::ptrdiff_t>(h.first_item[row]);
  const auto n = h.rows[row].items;
  h.items.erase(h.items.begin() + first, h.items.begin() + first + n);
  h.rows.erase(h.rows.begin() + row);
  h.first_item.erase(h.first_item.begin() + row);
  for (auto i = row; i < h.first_item.size(); ++i) h.first_item[i] -= n;
}

}  // namespace holdfast::tests
