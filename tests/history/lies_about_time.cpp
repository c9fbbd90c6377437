// Clocks and records.
#include "tests/history/lies.hpp"

namespace holdfast::tests {

using namespace holdfast::history;

namespace {

const mutation all[] = {
    {"two operations have one record",
     [](victim& v) {
       const auto yes = [](const row& r, std::uint32_t) { return accepted(r); };
       const auto a = v.any(yes), b = v.any(yes);
       if (a == nobody || b == nobody || a == b || (v.at(a).hold == v.at(b).hold)) return false;
       v.at(a).record = v.at(b).record;
       return true;
     }},
    {"two records have changed places",
     [](victim& v) {
       const auto yes = [](const row& r, std::uint32_t) { return accepted(r); };
       const auto a = v.any(yes);
       const auto b = a == nobody ? nobody : v.any([&](const row& r, std::uint32_t n) {
         return yes(r, n) && r.invoked > v.at(a).answered;
       });
       if (b == nobody) return false;
       std::swap(v.at(a).record, v.at(b).record);
       return true;
     }},
    {"a record from before",
     [](victim& v) {
       const auto i = v.any([](const row& r, std::uint32_t) {
         return accepted(r) && r.record > 300;
       });
       if (i == nobody) return false;
       v.at(i).record -= 299;
       return true;
     }},
    {"the server's clock went back",
     [](victim& v) {
       const auto i = v.any([&](const row& r, std::uint32_t n) {
         return r.came == outcome::yes && v.s.told_before[n] > 2'000'000 && r.invoked > 200'000'000'0;
       });
       if (i == nobody) return false;
       v.at(i).server = v.s.told_before[i] - 5'000;
       return true;
     }},
    {"the server's clock went back in a refusal",
     [](victim& v) {
       const auto i = v.any([&](const row& r, std::uint32_t n) {
         return r.came == outcome::no && v.s.told_before[n] > 2'000'000;
       });
       if (i == nobody) return false;
       v.at(i).server = v.s.told_before[i] - 2'000'000;
       return true;
     }},
    {"the server's clock ran ahead",
     [](victim& v) {
       const auto i = v.any([&](const row& r, std::uint32_t n) { return r.came != outcome::unknown && n + 500 < v.h.rows.size(); });
       if (i == nobody) return false;
       v.at(i).server += 60'000'000;
       return true;
     }},
    {"answered before it was asked",
     [](victim& v) {
       const auto i = v.any([](const row& r, std::uint32_t) { return r.came != outcome::unknown; });
       if (i == nobody) return false;
       v.at(i).answered = v.at(i).invoked - 1;
       return true;
     }},
};

}  // namespace

std::span<const mutation> lies_about_time() { return all; }

}  // namespace holdfast::tests
