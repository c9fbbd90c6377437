// What an account may have.
#include "tests/history/lies.hpp"

namespace holdfast::tests {

using namespace holdfast::history;

namespace {

/// What an account surely had at this instant.
std::uint32_t surely_had(const victim& v, std::uint64_t account, std::uint64_t at) {
  std::uint32_t all = 0;
  for (const auto& a : v.s.holds)
    if (a.row != nobody && a.placed == outcome::yes && v.h.rows[a.row].account == account && a.answered <= at && at < v.sure_end(a))
      all += v.places_of(a.row);
  return all;
}

const mutation all[] = {
    {"more than the limit: a hold is on another's account",
     [](victim& v) {
       for (int tries = 0; tries < 500; ++tries) {
         const auto i = v.any([&](const row& r, std::uint32_t n) { return accepted(r, operation::hold) && r.answered < v.sure_end(v.story(n)); });
         const auto j = v.any([](const row& r, std::uint32_t) { return accepted(r, operation::hold); });
         if (i == nobody || v.at(i).account == v.at(j).account) continue;
         if (surely_had(v, v.at(j).account, v.at(i).answered) + v.places_of(i) <= v.limit) continue;
         v.at(i).account = v.at(j).account;
         return true;
       }
       return false;
     }},
    {"more than the limit: a hold has more places than anybody may",
     [](victim& v) {
       const auto i = v.any([&](const row& r, std::uint32_t n) {
         return accepted(r, operation::hold) && v.h.lines_of(n)[0].is_area() && r.answered < v.sure_end(v.story(n));
       });
       if (i == nobody) return false;
       v.item(i, 0).places = v.limit + 1;
       return true;
     }},
    {"refused for the limit with nothing",
     [](victim& v) {
       const auto i = v.any([](const row& r, std::uint32_t) { return r.what == operation::hold && r.came == outcome::no && r.refusal == said::over_limit; });
       if (i == nobody) return false;
       v.at(i).account = v.chance.next();
       return true;
     }},
};

}  // namespace

std::span<const mutation> lies_about_limits() { return all; }

}  // namespace holdfast::tests
