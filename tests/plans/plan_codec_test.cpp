// The bytes of a plan: they come back, they are the only ones, and bad ones fail without harm.
#include <array>
#include <bit>
#include <chrono>

#include <doctest/doctest.h>

#include "base/bytes.hpp"
#include "base/random.hpp"
#include "core/plan.hpp"
#include "plans/generate.hpp"
#include "tests/plans/plans_support.hpp"

using namespace holdfast;
using plans_test::contains;
using plans_test::refusal;

namespace {

base::bytes encoded(const core::plan& p) {
  base::bytes out;
  base::byte_writer w(out);
  core::encode_plan(p, w);
  return out;
}

bool same(const core::plan& a, const core::plan& b) {
  const auto seats = [](const core::plan_seat& x, const core::plan_seat& y) {
    return x.row == y.row && x.number == y.number && x.identity == y.identity && x.category == y.category &&
           x.allocation == y.allocation && x.flags == y.flags &&
           std::bit_cast<std::uint32_t>(x.x) == std::bit_cast<std::uint32_t>(y.x) &&
           std::bit_cast<std::uint32_t>(x.y) == std::bit_cast<std::uint32_t>(y.y);
  };
  return a.name == b.name && a.allocations == b.allocations && a.zones == b.zones &&
         std::equal(a.categories.begin(), a.categories.end(), b.categories.begin(), b.categories.end(),
                    [](const auto& x, const auto& y) { return x.name == y.name && x.color == y.color; }) &&
         std::equal(a.rows.begin(), a.rows.end(), b.rows.begin(), b.rows.end(),
                    [](const auto& x, const auto& y) { return x.zone == y.zone && x.label == y.label; }) &&
         std::equal(a.seats.begin(), a.seats.end(), b.seats.begin(), b.seats.end(), seats) &&
         std::equal(a.areas.begin(), a.areas.end(), b.areas.begin(), b.areas.end(), [](const auto& x, const auto& y) {
           return x.name == y.name && x.identity == y.identity && x.category == y.category && x.capacity == y.capacity;
         });
}

/// One of everything: the three kinds of identity, expected and unexpected positions, kinds that change.
core::plan one_of_everything() {
  core::plan p;
  p.name = "Hall";
  p.categories = {{"Gold", "#ffcc00"}, {"Standing", ""}};
  p.allocations = {"public", "house"};
  p.zones = {"Stalls"};
  p.rows = {{0, "A"}, {0, "A"}};
  p.seats = {{0, "1", "Stalls/A/1", 0, 0, core::seat_next_adjacent, 0, 0},
             {0, "2", "ccb6d8c1-b81e-491b-b2ae-e8a4644c6616", 0, 1, core::seat_next_adjacent | core::seat_accessible, 1, 0},
             {0, "3", "guid", 0, 1, core::seat_companion, 2, 0},
             {1, "A", "Stalls/A/A", 0, 0, core::seat_next_adjacent, 4, 0},
             {1, "1", "CCB6D8C1-B81E-491B-B2AE-E8A4644C6616", 0, 0, core::seat_restricted_view, 5, -0.0F}};
  p.areas = {{"Pit", "Pit", 1, {40, 10}}, {"Ramp", "ramp-guid", 1, {5}}};
  return p;
}

constexpr std::string_view everything_hex =
    "01" "0448616c6c"                                  // format, name
    "02" "04476f6c64" "0723666663633030"               // categories: Gold #ffcc00
    "085374616e64696e67" "00"                          //             Standing
    "02" "05686f757365"                                // allocations: public, house
    "01" "065374616c6c73"                              // zones: Stalls
    "04" "0141" "0131" "0132" "0133"                   // words: A 1 2 3
    "02"                                               // rows
    "00" "00" "03"                                     // Stalls, A, three seats
    "98" "01" "00000000" "00000000"                    // 1: path, at 0 0
    "e9" "02" "00" "01" "0000803f" "00000000"          // 2: uuid, house, at 1 0
    "ccb6d8c1b81e491bb2aee8a4644c6616"
    "02" "03" "0467756964"                             // 3: text, one step on
    "00" "00" "02"                                     // Stalls, A, two seats
    "d8" "00" "00" "00" "00008040" "00000000"          // A: path, public again, at 4 0
    "84" "01" "0000a040" "00000080" "24"               // 1: text (upper-case uuid), at 5 -0
    "43434236443843312d423831452d343931422d423241452d453841343634344336363136"
    "02"                                               // areas
    "03506974" "00" "01" "02" "28" "0a"                // Pit
    "0452616d70" "0972616d702d67756964" "01" "01" "05" // Ramp
    "00";                                              // no options

/// FNV-1a: enough to notice a change of the bytes.
std::uint64_t fingerprint(base::byte_view b) {
  std::uint64_t h = 0xcbf29ce484222325ULL;
  for (const auto c : b) h = (h ^ c) * 0x100000001b3ULL;
  return h;
}

/// A decoded plan has exactly the bytes it came from; the codec keeps no second form of anything.
void expect_clean(const base::bytes& b) {
  const auto p = core::decode_plan(b);
  if (!p) {
    CHECK(p.failure().kind == base::trouble::bad_bytes);
    CHECK(p.failure().text.starts_with("plan: "));
    return;
  }
  CHECK(core::check_plan(*p).ok());
  CHECK(encoded(*p) == b);
}

}  // namespace

TEST_CASE("a plan has these bytes") {
  const auto p = one_of_everything();
  REQUIRE(core::check_plan(p).ok());
  CHECK(base::to_hex(encoded(p)) == everything_hex);
}

TEST_CASE("a plan comes back as it was") {
  for (const auto& p : {one_of_everything(), core::plan{}, plans::generate_hall({.seats = 1000, .zones = 3})}) {
    const auto b = encoded(p);
    const auto back = core::decode_plan(b);
    REQUIRE_MESSAGE(back.ok(), refusal(back));
    CHECK(same(*back, p));
    CHECK(encoded(*back) == b);
  }
}

TEST_CASE("a generated hall keeps its fingerprint") {
  const auto b = encoded(plans::generate_hall({.seats = 5000, .standing_places = 300, .accessible_every = 50}));
  CHECK(b.size() == 13'186);
  CHECK(fingerprint(b) == 8'486'732'504'877'404'834ULL);
}

TEST_CASE("fifty thousand seats are small and quick to read") {
  auto p = plans::generate_hall({.seats = 50'000});
  CHECK(encoded(p).size() < 200'000);

  // The worst case: uuids, and positions that nothing foretells.
  base::random dice(7);
  for (auto& s : p.seats) {
    s.identity = "xxxxxxxx-xxxx-4xxx-xxxx-xxxxxxxxxxxx";
    for (auto& c : s.identity)
      if (c == 'x') c = "0123456789abcdef"[dice.below(16)];
    s.x = static_cast<float>(dice.below(2'000'000)) / 1000;
    s.y = static_cast<float>(dice.below(2'000'000)) / 1000;
  }
  const auto b = encoded(p);
  CHECK(b.size() < 1'500'000);
  const auto began = std::chrono::steady_clock::now();
  const auto back = core::decode_plan(b);
  const auto ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - began).count();
  REQUIRE(back.ok());
  CHECK(same(*back, p));
  MESSAGE("decoded 50,000 seats of ", b.size(), " bytes in ", ms, " ms");
}

TEST_CASE("every cut of a plan is refused") {
  const auto b = encoded(one_of_everything());
  for (std::size_t n = 0; n < b.size(); ++n) {
    const auto p = core::decode_plan(base::byte_view(b).first(n));
    REQUIRE_FALSE(p.ok());
    CHECK(p.failure().kind == base::trouble::bad_bytes);
  }
}

TEST_CASE("every changed byte is refused or gives another plan with these very bytes") {
  auto b = encoded(one_of_everything());
  for (std::size_t i = 0; i < b.size(); ++i) {
    const auto was = b[i];
    for (unsigned v = 0; v < 256; ++v) {
      // Options are skipped, not kept; that one count is tested on its own.
      if (i + 1 == b.size() && v != 0) continue;
      b[i] = static_cast<std::uint8_t>(v);
      expect_clean(b);
    }
    b[i] = was;
  }
}

TEST_CASE("random damage does no harm") {
  const auto good = encoded(plans::generate_hall({.seats = 60, .zones = 2, .seats_per_row = 10, .seats_per_block = 4}));
  base::random dice(11);
  for (int round = 0; round < 20'000; ++round) {
    auto b = good;
    for (auto n = 1 + dice.below(4); n > 0; --n) b[dice.below(b.size() - 1)] = static_cast<std::uint8_t>(dice.below(256));
    if (dice.below(4) == 0) b.erase(b.begin() + static_cast<std::ptrdiff_t>(dice.below(b.size() - 1)));
    if (b.back() == 0) expect_clean(b);
  }
}

TEST_CASE("counts are believed only as far as the bytes reach") {
  // Each claims millions of things in a handful of bytes; a decoder that reserves first would show under asan.
  const auto claim = [](std::initializer_list<std::uint8_t> head) {
    base::bytes b(head);
    base::byte_writer(b).varint(0xffffffffffULL);
    b.insert(b.end(), 16, 1);
    return refusal(core::decode_plan(b));
  };
  const std::string cut = "plan: the bytes end early or are not in their only form";
  CHECK(claim({1}) == cut);                       // a name
  CHECK(claim({1, 0}) == cut);                    // categories
  CHECK(claim({1, 0, 0}) == cut);                 // allocations
  CHECK(claim({1, 0, 0, 1}) == cut);              // zones
  CHECK(claim({1, 0, 0, 1, 0}) == cut);           // words
  CHECK(claim({1, 0, 0, 1, 0, 0}) == cut);        // rows
  CHECK(claim({1, 0, 0, 1, 0, 0, 0}) == cut);     // areas
  CHECK(claim({1, 0, 0, 1, 0, 0, 0, 0}) == cut);  // options
}

TEST_CASE("another format, bytes behind the end and broken rules are named") {
  auto b = encoded(one_of_everything());
  b[0] = 2;
  CHECK(refusal(core::decode_plan(b)) == "plan: the bytes have format 2, this program reads format 1");
  b[0] = 1;
  b.push_back(0);
  CHECK(refusal(core::decode_plan(b)) == "plan: bytes follow after the end");

  auto p = one_of_everything();
  p.areas[1].name = "Pit";
  CHECK(refusal(core::decode_plan(encoded(p))) == "plan: area 1 (Pit) has the name of another area");
}

TEST_CASE("unknown options are skipped, unless they are critical") {
  const auto with = [](std::initializer_list<std::uint8_t> options) {
    auto b = encoded(one_of_everything());
    b.pop_back();
    b.insert(b.end(), options);
    return core::decode_plan(b);
  };
  const auto skipped = with({2, 2, 3, 9, 9, 9, 4, 0});
  REQUIRE(skipped.ok());
  CHECK(same(*skipped, one_of_everything()));
  CHECK(refusal(with({1, 3, 0})) == "plan: it needs option 3, which this program does not know");
  CHECK(refusal(with({2, 2, 0, 5, 0})) == "plan: it needs option 5, which this program does not know");
  CHECK(refusal(with({2, 4, 0, 2, 0})) == "plan: its options are not in ascending order");
  CHECK(refusal(with({2, 4, 0, 4, 0})) == "plan: its options are not in ascending order");
  CHECK(contains(refusal(with({1, 2, 5, 1})), "end early"));
  CHECK(contains(refusal(with({65})), "end early"));
}
