// The checks are themselves checked: one thing of a true history is made untrue, and they must notice. Where a mutation could
// happen to be a truth as well, it is only made where it cannot.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <string>

#include "base/random.hpp"
#include "history/check.hpp"
#include "tests/history/true_history.hpp"

namespace holdfast::tests {

using namespace holdfast::history;
using history_t = holdfast::history::history;

namespace {

bool caught(const history_t& h) {
  const auto s = tell(h);
  const clock_map clock(h);
  return check_intervals(h, s, clock, {}).found + check_order(h, s, {}).found + check_seats(h, s, clock, {}).found != 0;
}

/// Somewhere to lie: a true history and what can be asked of it.
struct victim {
  history_t h;
  stories s;
  clock_map clock;
  base::random chance;
  victim(history_t from, std::uint64_t seed) : h(std::move(from)), s(tell(h)), clock(h), chance(seed) {}

  [[nodiscard]] std::uint32_t any(auto&& fits) {
    for (int tries = 0; tries < 4'000; ++tries) {
      const auto i = static_cast<std::uint32_t>(chance.below(h.rows.size()));
      if (fits(h.rows[i], i)) return i;
    }
    return nobody;
  }
  [[nodiscard]] const hold_story& story(std::uint32_t row) const { return s.holds[s.hold_of[row]]; }
  /// Another hold that surely had `seat` at this time.
  [[nodiscard]] bool surely_taken(std::uint32_t seat, std::uint64_t from, std::uint64_t to, std::uint32_t but) const {
    for (std::uint32_t n = 0; n < s.holds.size(); ++n) {
      const auto& a = s.holds[n];
      if (n == but || a.row == nobody || a.placed != outcome::yes || a.answered >= from) continue;
      const bool has = std::ranges::any_of(h.lines_of(a.row), [&](const line_item& l) { return l.number() == seat; });
      if (!has) continue;
      const auto end = a.confirmed == outcome::yes && a.confirm_answered < from
                           ? never
                           : std::min(a.release_invoked, clock.earliest(a.deadline));
      if (to < end) return true;
    }
    return false;
  }
  /// Nobody can have had it.
  [[nodiscard]] bool surely_free(std::uint32_t seat, std::uint64_t from, std::uint64_t to) const {
    for (const auto& a : s.holds) {
      if (a.row == nobody || !a.may_exist() || a.invoked > to) continue;
      if (!std::ranges::any_of(h.lines_of(a.row), [&](const line_item& l) { return l.number() == seat; })) continue;
      const bool over = a.placed == outcome::yes && a.confirmed == outcome::no && !a.deadline_open &&
                        std::min(a.release_answered, clock.latest(a.deadline)) < from;
      if (!over) return false;
    }
    return true;
  }
};

struct mutation {
  const char* name;
  bool (*make)(victim&);
};

row& at(victim& v, std::uint32_t i) { return v.h.rows[i]; }
line_item& item(victim& v, std::uint32_t i, std::size_t n) { return v.h.items[v.h.first_item[i] + n]; }

const mutation mutations[] = {
    {"a refused hold of a taken seat is told as accepted",
     [](victim& v) {
       const auto i = v.any([&](const row& r, std::uint32_t n) {
         return r.what == operation::hold && r.came == outcome::no &&
                v.surely_taken(v.h.lines_of(n)[0].number(), r.invoked, r.answered, nobody);
       });
       if (i == nobody) return false;
       at(v, i).came = outcome::yes, at(v, i).deadline = at(v, i).server + 60'000'000;
       return true;
     }},
    {"a hold got another's seat",
     [](victim& v) {
       for (int tries = 0; tries < 500; ++tries) {
         const auto i = v.any([](const row& r, std::uint32_t) { return r.what == operation::hold && r.came == outcome::yes; });
         if (i == nobody) return false;
         const auto seat = static_cast<std::uint32_t>(v.chance.below(v.h.seats));
         if (!v.surely_taken(seat, at(v, i).invoked, at(v, i).answered, v.s.hold_of[i])) continue;
         item(v, i, 0).place = seat * 2;
         return true;
       }
       return false;
     }},
    {"two operations have one record",
     [](victim& v) {
       const auto yes = [](const row& r, std::uint32_t) { return r.came == outcome::yes && r.what != operation::look; };
       const auto a = v.any(yes), b = v.any(yes);
       if (a == nobody || b == nobody || a == b || (at(v, a).hold == at(v, b).hold)) return false;
       at(v, a).record = at(v, b).record;
       return true;
     }},
    {"two records have changed places",
     [](victim& v) {
       const auto yes = [](const row& r, std::uint32_t) { return r.came == outcome::yes && r.what != operation::look; };
       const auto a = v.any(yes);
       const auto b = a == nobody ? nobody : v.any([&](const row& r, std::uint32_t n) {
         return yes(r, n) && r.invoked > at(v, a).answered;
       });
       if (b == nobody) return false;
       std::swap(at(v, a).record, at(v, b).record);
       return true;
     }},
    {"a record from before",
     [](victim& v) {
       const auto i = v.any([](const row& r, std::uint32_t) {
         return r.came == outcome::yes && r.what != operation::look && r.record > 300;
       });
       if (i == nobody) return false;
       at(v, i).record -= 299;
       return true;
     }},
    {"the server's clock went back",
     [](victim& v) {
       const auto i = v.any([&](const row& r, std::uint32_t n) {
         return r.came != outcome::unknown && v.s.told_before[n] > 2'000'000 && r.invoked > 200'000'000'0;
       });
       if (i == nobody) return false;
       at(v, i).server = v.s.told_before[i] - 5'000;
       return true;
     }},
    {"the server's clock ran ahead",
     [](victim& v) {
       const auto i = v.any([&](const row& r, std::uint32_t n) { return r.came != outcome::unknown && n + 500 < v.h.rows.size(); });
       if (i == nobody) return false;
       at(v, i).server += 60'000'000;
       return true;
     }},
    {"answered before it was asked",
     [](victim& v) {
       const auto i = v.any([](const row& r, std::uint32_t) { return r.came != outcome::unknown; });
       if (i == nobody) return false;
       at(v, i).answered = at(v, i).invoked - 1;
       return true;
     }},
    {"refused because of a seat that nobody had",
     [](victim& v) {
       for (int tries = 0; tries < 200; ++tries) {
         const auto i = v.any([](const row& r, std::uint32_t) {
           return r.what == operation::hold && r.came == outcome::no && r.refusal >= 51 && r.refusal <= 53;
         });
         if (i == nobody) return false;
         const auto seat = static_cast<std::uint32_t>(v.chance.below(v.h.seats));
         if (!v.surely_free(seat, at(v, i).invoked, at(v, i).answered)) continue;
         item(v, i, 0).place = seat * 2;
         at(v, i).offending |= 1;
         return true;
       }
       return false;
     }},
    {"a sold seat is shown as free",
     [](victim& v) {
       const auto i = v.any([](const row& r, std::uint32_t) { return r.what == operation::confirm && r.came == outcome::yes; });
       if (i == nobody) return false;
       const auto seat = v.h.lines_of(v.story(i).row)[0].number();
       for (std::uint32_t n = 0; n < v.h.rows.size(); ++n)
         if (at(v, n).what == operation::look && at(v, n).invoked > at(v, i).answered) {
           reinterpret_cast<unsigned char*>(&item(v, n, 0))[seat] = 0;
           return true;
         }
       return false;
     }},
    {"a seat that nobody bought is shown as sold",
     [](victim& v) {
       const auto last = static_cast<std::uint32_t>(v.h.rows.size() - 1);
       if (at(v, last).what != operation::look) return false;
       for (int tries = 0; tries < 200; ++tries) {
         const auto seat = static_cast<std::uint32_t>(v.chance.below(v.h.seats));
         if (v.h.state_of(last, seat) != 0) continue;
         bool asked = false;
         for (const auto& a : v.s.holds)
           if (a.row != nobody && a.confirmed != outcome::no)
             for (const auto& l : v.h.lines_of(a.row)) asked |= l.number() == seat;
         if (asked) continue;
         reinterpret_cast<unsigned char*>(&item(v, last, 0))[seat] = 3;
         return true;
       }
       return false;
     }},
    {"a confirm that was answered with a sale is lost from the last look",
     [](victim& v) {
       const auto last = static_cast<std::uint32_t>(v.h.rows.size() - 1);
       for (std::uint32_t seat = 0; seat < v.h.seats; ++seat)
         if (v.h.state_of(last, seat) == 3) {
           reinterpret_cast<unsigned char*>(&item(v, last, 0))[seat] = 1;
           return true;
         }
       return false;
     }},
    {"a sale of a hold that was given back",
     [](victim& v) {
       const auto i = v.any([&](const row& r, std::uint32_t n) {
         return r.what == operation::release && r.came == outcome::yes && v.story(n).placed == outcome::yes && n + 10 < v.h.rows.size();
       });
       if (i == nobody) return false;
       row r = at(v, i);
       r.what = operation::confirm;
       r.invoked = r.answered + 1'000, r.answered = r.invoked + 1'000, r.record = 1'000'000'000;
       v.h.add(r, {});
       return true;
     }},
    {"released, and sold as well",
     [](victim& v) {
       const auto i = v.any([](const row& r, std::uint32_t) { return r.what == operation::confirm && r.came == outcome::yes; });
       if (i == nobody) return false;
       row r = at(v, i);
       r.what = operation::release;
       r.invoked = r.answered + 1'000, r.answered = r.invoked + 1'000, r.record = 1'000'000'000;
       v.h.add(r, {});
       return true;
     }},
    {"a refused hold was extended all the same",
     [](victim& v) {
       const auto i = v.any([](const row& r, std::uint32_t) { return r.what == operation::hold && r.came == outcome::no; });
       if (i == nobody) return false;
       row r = at(v, i);
       r.what = operation::extend, r.came = outcome::yes, r.record = 1'000'000'000, r.deadline = r.server + 1'000'000;
       v.h.add(r, {});
       return true;
     }},
    {"one id, two holds",
     [](victim& v) {
       const auto i = v.any([](const row& r, std::uint32_t) { return r.what == operation::hold && r.came == outcome::yes; });
       if (i == nobody) return false;
       const row r = at(v, i);
       row again = r;
       again.invoked = r.answered + 1'000, again.answered = again.invoked + 1'000, again.record = 1'000'000'000;
       const std::vector<line_item> items(v.h.lines_of(i).begin(), v.h.lines_of(i).end());
       v.h.add(again, items);
       return true;
     }},
    {"the same payment again is refused",
     [](victim& v) {
       const auto i = v.any([](const row& r, std::uint32_t) { return r.what == operation::confirm && r.came == outcome::yes; });
       if (i == nobody) return false;
       row r = at(v, i);
       r.came = outcome::no, r.invoked = r.answered + 1'000, r.answered = r.invoked + 1'000;
       v.h.add(r, {});
       return true;
     }},
    {"a deadline later than the seat's next hold",
     [](victim& v) {
       const auto i = v.any([&](const row& r, std::uint32_t n) {
         if (r.what != operation::hold || r.came != outcome::yes) return false;
         const auto& a = v.story(n);
         if (a.confirmed != outcome::no || a.released != outcome::no || a.deadline != r.deadline || a.deadline_open ||
             a.row != n)
           return false;
         for (const auto& b : v.s.holds) {
           if (b.row == nobody || b.row == n || b.placed != outcome::yes || b.invoked <= a.answered ||
               b.row + 500 > v.h.rows.size())
             continue;
           for (const auto& l : v.h.lines_of(b.row))
             if (l.number() == v.h.lines_of(n)[0].number()) return true;
         }
         return false;
       });
       if (i == nobody) return false;
       at(v, i).deadline += 600'000'000;  // later than anything
       return true;
     }},
    {"sold to two",
     [](victim& v) {
       const auto i = v.any([](const row& r, std::uint32_t) { return r.what == operation::confirm && r.came == outcome::yes; });
       if (i == nobody) return false;
       const auto seat = v.h.lines_of(v.story(i).row)[0].number();
       const auto j = v.any([&](const row& r, std::uint32_t n) {
         return r.what == operation::confirm && r.came == outcome::yes && r.hold != at(v, i).hold && v.story(n).row != nobody;
       });
       if (j == nobody) return false;
       item(v, v.story(j).row, 0).place = seat * 2;
       return true;
     }},
    {"a sale is not told, and its seat is sold",
     [](victim& v) {
       const auto last = static_cast<std::uint32_t>(v.h.rows.size() - 1);
       const auto i = v.any([](const row& r, std::uint32_t) { return r.what == operation::confirm && r.came == outcome::yes; });
       if (i == nobody || at(v, last).what != operation::look) return false;
       const auto seat = v.h.lines_of(v.story(i).row)[0].number();
       for (const auto& a : v.s.holds)
         if (a.row != nobody && a.confirmed == outcome::unknown)
           for (const auto& l : v.h.lines_of(a.row))
             if (l.number() == seat) return false;
       at(v, i).came = outcome::no;
       return true;
     }},
};

}  // namespace

TEST_CASE("one lie in a true history is noticed") {
  std::map<std::string, std::pair<unsigned, unsigned>> tally;  // made, caught
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    crowd_options o;
    o.seed = seed + 1'000;
    o.seats = 60;
    o.operations = 2'000;
    o.unheard_per_mille = seed % 2 == 0 ? 0 : 5;
    const auto h = true_history(o);
    for (std::size_t m = 0; m < std::size(mutations); ++m) {
      victim v(h, seed * 100 + m);
      if (!mutations[m].make(v)) continue;
      auto& [made, noticed] = tally[mutations[m].name];
      ++made;
      if (caught(v.h)) ++noticed;
    }
  }
  unsigned made = 0, noticed = 0;
  for (const auto& [name, n] : tally) {
    std::printf("%-70s %4u of %4u\n", name.c_str(), n.second, n.first);
    made += n.first;
    noticed += n.second;
    CHECK_MESSAGE(n.second == n.first, name);
  }
  CHECK(tally.size() == std::size(mutations));
  std::printf("%u of %u lies noticed\n", noticed, made);
}

}  // namespace holdfast::tests
