// What was said of a hold, and said again.
#include "tests/history/lies.hpp"

namespace holdfast::tests {

using namespace holdfast::history;

namespace {

constexpr std::uint32_t far_record = 1'000'000'000;

/// An accepted operation on a hold that was surely live all the while, everything before it answered for good. Others must show that its
/// deadline was still to come: what its own client asked next is taken away with the lie.
std::uint32_t some_on_live_hold(victim& v, operation what) {
  return v.any([&](const row& r, std::uint32_t n) {
    if (!accepted(r, what) || v.story(n).placed != outcome::yes) return false;
    std::uint64_t deadline = 0;
    for (auto i = v.story(n).row; i < n; ++i) {
      const auto& before = v.h.rows[i];
      if (before.hold == r.hold && may_come_late(before)) return false;
      if (before.hold == r.hold && accepted(before)) deadline = before.deadline;
    }
    return std::ranges::any_of(v.h.rows, [&](const row& x) {
      return x.came == outcome::yes && x.hold != r.hold && x.invoked > r.answered && x.server + slack_us < deadline;
    });
  });
}

/// Told as if it were refused, and had been sent once. What came of it afterwards is as if nobody had gone on.
bool refuse(victim& v, std::uint32_t i, std::uint8_t refusal) {
  if (i == nobody) return false;
  v.at(i).came = outcome::no;
  v.at(i).refusal = refusal;
  v.at(i).resent = 0;
  const auto hold = v.at(i).hold;
  for (auto n = static_cast<std::uint32_t>(v.h.rows.size()); n-- > i + 1;)
    if (v.at(n).hold == hold && v.at(n).what != operation::look) v.erase(n);
  return true;
}

bool answer_again(victim& v, operation what, auto&& otherwise) {
  const auto i = v.any([&](const row& r, std::uint32_t) { return r.again != 0 && r.came == outcome::yes && r.what == what; });
  if (i == nobody) return false;
  otherwise(v.at(i));
  return true;
}

const mutation all[] = {
    {"forgotten: an acknowledged hold is unknown when it is to be paid",
     [](victim& v) { return refuse(v, some_on_live_hold(v, operation::begin_payment), said::unknown_hold); }},
    {"forgotten: an acknowledged hold is unknown when it is given back",
     [](victim& v) { return refuse(v, some_on_live_hold(v, operation::release), said::unknown_hold); }},
    {"over early: a hold has ended when it is to be paid",
     [](victim& v) { return refuse(v, some_on_live_hold(v, operation::begin_payment), said::hold_ended); }},
    {"over early: a hold has ended when it is extended",
     [](victim& v) { return refuse(v, some_on_live_hold(v, operation::extend), said::hold_ended); }},
    {"paid in time, and the money is due back",
     [](victim& v) {
       const auto i = some_on_live_hold(v, operation::confirm);
       if (i == nobody) return false;
       v.at(i).reason = 4;
       return refuse(v, i, 0);
     }},
    {"a payment that ran does not run",
     [](victim& v) { return refuse(v, some_on_live_hold(v, operation::payment_failed), said::not_paying); }},
    {"a payment runs that nobody began",
     [](victim& v) {
       const auto i = v.any([&](const row& r, std::uint32_t n) {
         if (!accepted(r, operation::release)) return false;
         for (auto k = v.story(n).row; k < n; ++k)
           if (v.at(k).hold == r.hold && v.at(k).what == operation::begin_payment) return false;
         return true;
       });
       return refuse(v, i, said::hold_paying);
     }},
    {"extended to an earlier time",
     [](victim& v) {
       const auto i = v.any([](const row& r, std::uint32_t) { return accepted(r, operation::extend); });
       if (i == nobody) return false;
       v.at(i).deadline = v.at(v.story(i).row).deadline - 1;
       return true;
     }},
    {"it goes on after its end",
     [](victim& v) {
       for (int tries = 0; tries < 300; ++tries) {
         const auto i = v.any([](const row& r, std::uint32_t) { return accepted(r, operation::begin_payment) || accepted(r, operation::release); });
         if (i == nobody) return false;
         const auto& a = v.story(i);
         if (a.row == nobody || v.at(a.row).came != outcome::yes) continue;
         const auto sooner = v.at(a.row).server + 1;
         if (v.clock.latest(sooner) >= v.at(i).invoked) continue;
         for (auto k = a.row; k < i; ++k)
           if (v.at(k).hold == v.at(i).hold && v.at(k).came == outcome::yes) v.at(k).deadline = sooner;
         return true;
       }
       return false;
     }},
    {"a sale of a hold that was given back",
     [](victim& v) {
       const auto i = v.any([&](const row& r, std::uint32_t n) { return accepted(r, operation::release) && v.story(n).placed == outcome::yes; });
       if (i == nobody) return false;
       v.repeat(i, [](row& r) { r.what = operation::confirm, r.record = far_record; });
       return true;
     }},
    {"given back, and sold as well",
     [](victim& v) {
       const auto i = v.any([](const row& r, std::uint32_t) { return accepted(r, operation::confirm); });
       if (i == nobody) return false;
       v.repeat(i, [](row& r) { r.what = operation::release, r.record = far_record; });
       return true;
     }},
    {"a refused hold was extended all the same",
     [](victim& v) {
       const auto i = v.any([](const row& r, std::uint32_t) { return r.what == operation::hold && r.came == outcome::no && !may_come_late(r); });
       if (i == nobody) return false;
       v.repeat(i, [](row& r) { r.what = operation::extend, r.came = outcome::yes, r.record = far_record, r.deadline = r.server + 1'000'000; });
       return true;
     }},
    {"one id, two holds",
     [](victim& v) {
       const auto i = v.any([](const row& r, std::uint32_t) { return accepted(r, operation::hold); });
       if (i == nobody) return false;
       v.repeat(i, [](row& r) { r.record = far_record; });
       return true;
     }},
    {"nobody asked for this hold",
     [](victim& v) {
       const auto i = v.any([&](const row& r, std::uint32_t n) {
         return accepted(r, operation::hold) && std::ranges::count(v.h.rows, r.hold, &row::hold) > 1 && v.story(n).row == n;
       });
       if (i == nobody) return false;
       v.erase(i);
       return true;
     }},
    {"the same payment again is refused",
     [](victim& v) {
       const auto i = v.any([](const row& r, std::uint32_t) { return accepted(r, operation::confirm); });
       if (i == nobody) return false;
       v.repeat(i, [](row& r) { r.came = outcome::no; });
       return true;
     }},
    {"asked again: a hold is refused",
     [](victim& v) { return answer_again(v, operation::hold, [](row& r) { r.came = outcome::no, r.refusal = said::none_free_now, r.offending = 1; }); }},
    {"asked again: a hold has another deadline",
     [](victim& v) { return answer_again(v, operation::hold, [](row& r) { r.deadline += 1; }); }},
    {"asked again: it was done a second time",
     [](victim& v) { return answer_again(v, operation::begin_payment, [](row& r) { r.record += 1; }); }},
    {"asked again: a release is refused",
     [](victim& v) { return answer_again(v, operation::release, [](row& r) { r.came = outcome::no, r.refusal = said::hold_ended; }); }},
    {"asked again: the money of a sale is due back",
     [](victim& v) { return answer_again(v, operation::confirm, [](row& r) { r.came = outcome::no, r.reason = 2; }); }},
};

}  // namespace

std::span<const mutation> lies_about_holds() { return all; }

}  // namespace holdfast::tests
