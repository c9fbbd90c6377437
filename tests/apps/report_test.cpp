#include <doctest/doctest.h>

#include <set>

#include "apps/holdfast/hall_knowledge.hpp"
#include "apps/holdfast/sale_report.hpp"
#include "tests/client/small_server.hpp"

using namespace holdfast;
using namespace holdfast::cli;

namespace {

core::plan five_seats() {
  core::plan p;
  p.zones = {"Z"};
  p.rows = {{0, "A"}};
  for (int i = 0; i < 5; ++i) p.seats.push_back({0, std::to_string(i), ""});
  p.seats[4].allocation = 1;
  p.areas = {{"Pit", "pit", 0, {30}}};
  return p;
}

}  // namespace

TEST_CASE("what buyers believe about the hall follows what they hear") {
  hall_knowledge k(five_seats());
  CHECK(k.free_seats() == 0);
  core::seats_seen s;
  s.states = {0, 0, 3, 0, 0};
  s.areas.resize(1);
  s.areas[0].allocations.resize(1);
  s.areas[0].allocations[0].free = 12;
  k.learn(s);
  CHECK(k.free_seats() == 4);
  CHECK(k.free_in(0) == 12);
  k.gone(0);
  k.gone(0);
  CHECK(k.free_seats() == 3);
  k.freed(2);
  k.freed(2);
  CHECK(k.free_seats() == 4);
  CHECK(!k.is_public(4));
  k.barred(4);
  CHECK(k.is_barred(4));
  k.learn(s);  // sold seat 2 is gone again, 0 is back, and 4 stays out of reach
  CHECK(k.free_seats() == 3);
  base::random chance(1);
  std::set<std::uint32_t> seen;
  for (int i = 0; i < 200; ++i) seen.insert(k.some_free_seat(chance));
  CHECK(seen == std::set<std::uint32_t>{0, 1, 3});
}

TEST_CASE("a sale's report names what must not be") {
  const auto p = five_seats();
  rush r({}, core::session_id{1}, 1, p);
  sale_frame f;
  f.session = "gala";
  f.connections = 10;
  f.seconds = 2;
  f.after.places.sold = 5;
  CHECK(violations_of(r, f).empty());
  f.before.places.sold = 6;
  const auto v = violations_of(r, f);
  REQUIRE(v.size() == 1);
  CHECK(v[0].find("the server counts") != std::string::npos);
  const auto text = to_text(report_of(r, f), {});
  CHECK(text.starts_with("session "));
  CHECK(text.find(" gala\n") != std::string::npos);
  CHECK(text.find("violations: none") == std::string::npos);
}

namespace {

/// The whole rush, until it is over.
void play(rush& r, client::pipelined_options how) {
  auto over = client::pipelined::open(std::move(how), r);
  REQUIRE(over.ok());
  r.start(**over);
  while (!r.over()) {
    (*over)->turn(std::chrono::milliseconds(5));
    r.tend();
  }
}

}  // namespace

TEST_CASE("a sale for as long as something is left ends when nobody gets it, and says so") {
  tests::manners all_held;
  all_held.refuses = core::refusal::none_free_now;
  const tests::small_server server(all_held);
  rush_options o;
  o.give_up_after = std::chrono::milliseconds(50);
  rush r(o, core::session_id{7}, 1, five_seats());
  client::pipelined_options p;
  p.link.to = server.where();
  p.connections = 2;
  p.depth = o.at_once + 1;
  play(r, std::move(p));
  CHECK(r.ended() == ending::nothing_to_be_had);
  CHECK(r.counts().refused[0][static_cast<std::size_t>(core::refusal::none_free_now)] > 0);
  CHECK(r.counts().turned_away == r.counts().buyers);
  sale_frame f;
  f.give_up_after = o.give_up_after;
  f.after.places.held = 3;
  CHECK(to_text(report_of(r, f), {}).find("nobody got a hold for 0.05 s; others' holds keep 3 places") != std::string::npos);
}

TEST_CASE("a sale of so many requests makes them although nobody gets anything, and then gives up") {
  tests::manners all_held;
  all_held.refuses = core::refusal::none_free_now;
  const tests::small_server server(all_held);
  rush_options o;
  o.requests = 500;
  o.give_up_after = std::chrono::milliseconds(0);
  rush r(o, core::session_id{7}, 1, five_seats());
  client::pipelined_options p;
  p.link.to = server.where();
  p.depth = o.at_once + 1;
  play(r, std::move(p));
  CHECK(r.ended() == ending::nothing_to_be_had);
  CHECK(r.counts().asked >= 500);
}
