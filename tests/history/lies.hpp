// Lies: each makes one thing of a true history untrue. Where a change could happen to be a truth as well, it is only made where it
// cannot.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "base/random.hpp"
#include "history/check.hpp"
#include "tests/history/true_history.hpp"

namespace holdfast::tests {

/// First acceptances, and of one kind.
inline bool accepted(const history::row& r) { return r.came == history::outcome::yes && r.what != history::operation::look && r.again == 0; }
inline bool accepted(const history::row& r, history::operation what) { return accepted(r) && r.what == what; }

/// Somewhere to lie: a true history and what can be asked of it.
struct victim {
  history::history h;
  history::stories s;
  history::clock_map clock;
  std::uint32_t limit;  ///< places an account may have
  base::random chance;
  victim(history::history from, std::uint32_t most, std::uint64_t seed)
      : h(std::move(from)), s(history::tell(h)), clock(h), limit(most), chance(seed) {}

  [[nodiscard]] std::uint32_t any(auto&& fits) {
    for (int tries = 0; tries < 4'000; ++tries) {
      const auto i = static_cast<std::uint32_t>(chance.below(h.rows.size()));
      if (fits(h.rows[i], i)) return i;
    }
    return history::nobody;
  }
  history::row& at(std::uint32_t i) { return h.rows[i]; }
  history::line_item& item(std::uint32_t i, std::size_t n) { return h.items[h.first_item[i] + n]; }
  /// What a look shows of a seat.
  unsigned char& shown(std::uint32_t look, std::uint32_t seat) { return reinterpret_cast<unsigned char*>(&item(look, 0))[seat]; }
  [[nodiscard]] std::uint32_t last() const { return static_cast<std::uint32_t>(h.rows.size() - 1); }
  [[nodiscard]] const history::hold_story& story(std::uint32_t row) const { return s.holds[s.hold_of[row]]; }

  [[nodiscard]] bool has_seat(std::uint32_t row, std::uint32_t seat) const {
    return std::ranges::any_of(h.lines_of(row), [&](const history::line_item& l) { return !l.is_area() && l.number() == seat; });
  }
  [[nodiscard]] std::uint32_t places_of(std::uint32_t row) const;
  /// Until when a hold surely had its places, if it surely had them once.
  [[nodiscard]] std::uint64_t sure_end(const history::hold_story& a) const;
  /// Another hold that surely had `seat` at this time.
  [[nodiscard]] bool surely_taken(std::uint32_t seat, std::uint64_t from, std::uint64_t to, std::uint32_t but) const;
  /// Nobody can have had it.
  [[nodiscard]] bool surely_free(std::uint32_t seat, std::uint64_t from, std::uint64_t to) const;
  /// Somebody asked to buy it, and was sold it or not answered.
  [[nodiscard]] bool maybe_bought(std::uint32_t seat, std::uint32_t but) const;
  /// As if it had never been asked.
  void erase(std::uint32_t row);
  /// The same once more at the end, with what `change` makes of it.
  void repeat(std::uint32_t row, auto&& change) {
    auto r = h.rows[row];
    r.invoked = r.answered + 1'000;
    r.answered = r.invoked + 1'000;
    change(r);
    const std::vector<history::line_item> items(h.lines_of(row).begin(), h.lines_of(row).end());
    h.add(r, items);
  }
};

struct mutation {
  const char* name;
  /// False: there was nothing to lie about.
  bool (*make)(victim&);
};

[[nodiscard]] std::span<const mutation> lies_about_seats();
[[nodiscard]] std::span<const mutation> lies_about_holds();
[[nodiscard]] std::span<const mutation> lies_about_limits();
[[nodiscard]] std::span<const mutation> lies_about_time();

}  // namespace holdfast::tests
