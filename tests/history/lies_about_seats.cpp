// Who had a seat, and what was said of it.
#include "tests/history/lies.hpp"

namespace holdfast::tests {

using namespace holdfast::history;

namespace {

constexpr std::uint32_t far_record = 1'000'000'000;

bool refused_for_places(const row& r) {
  return r.what == operation::hold && r.came == outcome::no && r.refusal >= said::blocked && r.refusal <= said::none_free_now;
}

/// A hold of one seat that was refused with `refusal`.
std::uint32_t some_single_refusal(victim& v, std::uint8_t refusal, auto&& fits) {
  return v.any([&](const row& r, std::uint32_t n) {
    return r.what == operation::hold && r.came == outcome::no && r.refusal == refusal && r.items == 1 && !v.h.lines_of(n)[0].is_area() &&
           fits(r, v.h.lines_of(n)[0].number());
  });
}

/// A sale of a seat, and the seat; those of places in the area have none.
std::uint32_t some_sale(victim& v, std::uint32_t& seat) {
  const auto i = v.any([&](const row& r, std::uint32_t n) { return accepted(r, operation::confirm) && !v.h.lines_of(v.story(n).row)[0].is_area(); });
  if (i != nobody) seat = v.h.lines_of(v.story(i).row)[0].number();
  return i;
}

/// Somebody wanted what another got, at the same time, and was refused.
bool sold_out_while_free(victim& v, std::uint8_t offending) {
  const auto i = v.any([&](const row& r, std::uint32_t n) {
    const auto& l = v.h.lines_of(n);
    return accepted(r, operation::hold) && r.items == 1 && !l[0].is_area() && v.story(n).confirmed == outcome::no &&
           v.surely_free(l[0].number(), r.invoked, r.invoked - 1);
  });
  if (i == nobody) return false;
  row r = v.at(i);
  r.answered = r.invoked + 1;
  r.hold = v.chance.next();
  r.came = outcome::no;
  r.refusal = said::sold_out;
  r.offending = offending;
  const std::vector<line_item> items(v.h.lines_of(i).begin(), v.h.lines_of(i).end());
  v.h.add(r, items);
  return true;
}

const mutation all[] = {
    {"a refused hold of a taken seat is told as accepted",
     [](victim& v) {
       const auto i = v.any([&](const row& r, std::uint32_t n) {
         const auto& l = v.h.lines_of(n);
         return r.what == operation::hold && r.came == outcome::no && !l[0].is_area() &&
                v.surely_taken(l[0].number(), r.invoked, r.answered, nobody);
       });
       if (i == nobody) return false;
       v.at(i).came = outcome::yes;
       v.at(i).refusal = 0;
       v.at(i).deadline = v.at(i).server + 60'000'000;
       return true;
     }},
    {"a hold got another's seat",
     [](victim& v) {
       for (int tries = 0; tries < 500; ++tries) {
         const auto i = v.any([](const row& r, std::uint32_t) { return accepted(r, operation::hold); });
         if (i == nobody) return false;
         const auto seat = static_cast<std::uint32_t>(v.chance.below(v.h.seats));
         if (!v.surely_taken(seat, v.at(i).invoked, v.at(i).answered, v.s.hold_of[i])) continue;
         v.item(i, 0).place = seat * 2;
         return true;
       }
       return false;
     }},
    {"sold to two",
     [](victim& v) {
       std::uint32_t seat = 0, other = 0;
       const auto i = some_sale(v, seat), j = some_sale(v, other);
       if (i == nobody || v.at(j).hold == v.at(i).hold) return false;
       v.item(v.story(j).row, 0).place = seat * 2;
       return true;
     }},
    {"a hold is over early: its seat is another's before its deadline",
     [](victim& v) {
       const auto i = v.any([&](const row& r, std::uint32_t n) {
         if (!accepted(r, operation::hold)) return false;
         const auto& a = v.story(n);
         if (a.confirmed != outcome::no || a.released != outcome::no || a.deadline != r.deadline || a.deadline_open || a.row != n ||
             v.h.lines_of(n)[0].is_area())
           return false;
         return std::ranges::any_of(v.s.holds, [&](const hold_story& b) {
           return b.row != nobody && b.row != n && b.placed == outcome::yes && b.invoked > a.answered && b.row + 500 <= v.h.rows.size() &&
                  v.has_seat(b.row, v.h.lines_of(n)[0].number());
         });
       });
       if (i == nobody) return false;
       v.at(i).deadline += 600'000'000;  // later than anything
       for (auto n = i + 1; n < v.h.rows.size(); ++n)
         if (v.at(n).again != 0 && v.at(n).hold == v.at(i).hold) v.at(n).deadline = v.at(i).deadline;
       return true;
     }},
    {"refused because of a seat that nobody had",
     [](victim& v) {
       for (int tries = 0; tries < 200; ++tries) {
         const auto i = v.any([](const row& r, std::uint32_t) { return refused_for_places(r); });
         if (i == nobody) return false;
         const auto seat = static_cast<std::uint32_t>(v.chance.below(v.h.seats));
         if (!v.surely_free(seat, v.at(i).invoked, v.at(i).answered)) continue;
         v.item(i, 0).place = seat * 2;
         v.at(i).offending |= 1;
         return true;
       }
       return false;
     }},
    {"sold out, and it was free throughout", [](victim& v) { return sold_out_while_free(v, 1); }},
    {"all is sold out, and it was free throughout", [](victim& v) { return sold_out_while_free(v, 0); }},
    {"sold out, and it was only held",
     [](victim& v) {
       const auto i = some_single_refusal(v, said::none_free_now, [&](const row&, std::uint32_t seat) { return !v.maybe_bought(seat, nobody); });
       if (i == nobody) return false;
       v.at(i).refusal = said::sold_out;
       return true;
     }},
    {"none free now, and it was sold for good",
     [](victim& v) {
       const auto i = some_single_refusal(v, said::sold_out, [&](const row& r, std::uint32_t seat) {
         return std::ranges::any_of(v.s.holds, [&](const hold_story& a) {
           return a.row != nobody && a.confirmed == outcome::yes && a.confirm_answered < r.invoked && v.has_seat(a.row, seat);
         });
       });
       if (i == nobody) return false;
       v.at(i).refusal = said::none_free_now;
       return true;
     }},
    {"a taken seat among the lines is not named",
     [](victim& v) {
       const auto i = v.any([&](const row& r, std::uint32_t n) {
         const auto& l = v.h.lines_of(n);
         return r.what == operation::hold && r.came == outcome::no && r.refusal == said::none_free_now && r.items > 1 && (r.offending & 1U) != 0 &&
                v.surely_taken(l[0].number(), r.invoked, r.answered, nobody);
       });
       if (i == nobody) return false;
       v.at(i).offending = static_cast<std::uint8_t>((v.at(i).offending & ~1U) | 2U);
       return true;
     }},
    {"a sold seat is shown as free",
     [](victim& v) {
       std::uint32_t seat = 0;
       if (some_sale(v, seat) == nobody) return false;
       v.shown(v.last(), seat) = seen::free;
       return true;
     }},
    {"a seat that nobody bought is shown as sold",
     [](victim& v) {
       for (int tries = 0; tries < 200; ++tries) {
         const auto seat = static_cast<std::uint32_t>(v.chance.below(v.h.seats));
         if (v.h.state_of(v.last(), seat) != seen::free || v.maybe_bought(seat, nobody)) continue;
         v.shown(v.last(), seat) = seen::sold;
         return true;
       }
       return false;
     }},
    {"a held seat is shown as free",
     [](victim& v) {
       const auto look = v.any([](const row& r, std::uint32_t) { return r.what == operation::look; });
       if (look == nobody) return false;
       for (std::uint32_t seat = 0; seat < v.h.seats; ++seat)
         if (v.h.state_of(look, seat) == seen::held && v.surely_taken(seat, v.at(look).invoked, v.at(look).answered, nobody)) {
           v.shown(look, seat) = seen::free;
           return true;
         }
       return false;
     }},
    {"a seat that nobody had is shown as held",
     [](victim& v) {
       const auto look = v.any([](const row& r, std::uint32_t) { return r.what == operation::look; });
       if (look == nobody) return false;
       for (std::uint32_t seat = 0; seat < v.h.seats; ++seat)
         if (v.h.state_of(look, seat) == seen::free && v.at(look).record != 0 && look > 0 &&
             v.surely_free(seat, v.at(look).invoked, v.at(look).answered)) {
           v.shown(look, seat) = seen::held;
           return true;
         }
       return false;
     }},
    {"a sold seat is shown as held",
     [](victim& v) {
       for (std::uint32_t seat = 0; seat < v.h.seats; ++seat)
         if (v.h.state_of(v.last(), seat) == seen::sold) {
           v.shown(v.last(), seat) = seen::held;
           return true;
         }
       return false;
     }},
    {"a sale is told as money due back, and its seat is sold",
     [](victim& v) {
       std::uint32_t seat = 0;
       const auto i = some_sale(v, seat);
       if (i == nobody || v.maybe_bought(seat, v.s.hold_of[i])) return false;
       v.at(i).came = outcome::no;
       return true;
     }},
    {"a sale that nobody asked for",
     [](victim& v) {
       std::uint32_t seat = 0;
       const auto i = some_sale(v, seat);
       if (i == nobody || v.maybe_bought(seat, v.s.hold_of[i])) return false;
       const auto hold = v.at(i).hold;
       for (auto n = static_cast<std::uint32_t>(v.h.rows.size()); n-- > i;)
         if (v.at(n).hold == hold && v.at(n).what == operation::confirm) v.erase(n);
       return true;
     }},
    {"more of the area than it has",
     [](victim& v) {
       const auto i = v.any([&](const row& r, std::uint32_t n) {
         return accepted(r, operation::hold) && v.h.lines_of(n)[0].is_area() && r.answered < v.sure_end(v.story(n));
       });
       if (i == nobody) return false;
       v.item(i, 0).places += static_cast<std::uint32_t>(v.h.area_places[0]);
       return true;
     }},
    {"a seat given after its look said that it was sold",
     [](victim& v) {
       std::uint32_t seat = 0;
       const auto i = some_sale(v, seat);
       if (i == nobody) return false;
       row r = v.at(v.story(i).row);
       r.invoked = v.at(v.last()).answered + 1'000;
       r.answered = r.invoked + 1'000;
       r.server = v.at(v.last()).server + 1'000;
       r.deadline = r.server + 60'000'000;
       r.hold = v.chance.next();
       r.record = far_record;
       r.items = 0;
       v.h.add(r, std::vector<line_item>{{seat * 2, 1}});
       return true;
     }},
};

}  // namespace

std::span<const mutation> lies_about_seats() { return all; }

}  // namespace holdfast::tests
