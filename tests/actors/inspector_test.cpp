// What everybody is doing, seen without entering a mailbox.
#include <algorithm>

#include <doctest/doctest.h>

#include "tests/actors/fixture.hpp"

namespace holdfast::tests {

namespace {
const inspection_row* row(const inspection& all, const std::string& kind, const std::string& name = "") {
  const auto it = std::ranges::find_if(all.rows, [&](const auto& r) { return r.kind == kind && r.name == name; });
  return it == all.rows.end() ? nullptr : &*it;
}
}  // namespace

TEST_CASE("the inspector shows every actor and loop, and what waits in front of a stalled one") {
  stage s;
  const auto hall = s.opened("hall", 5);
  auto loop_meter = std::make_shared<meter>();
  s.actors().board()->add("gateway", "0", loop_meter);
  loop_meter->handled_own(1, 2);

  auto a = s.ask();
  a.hold(1, s.time.log, 0).hold(2, s.time.log, 1);
  s.send(hall, std::move(a));
  s.settle_but_journal();  // the journal's disk hangs
  auto b = s.ask();
  b.hold(3, s.time.log, 2);
  s.send(hall, std::move(b));  // and the session has not come round to this

  const auto seen = [&] {
    s.heard->inspections.clear();
    caf::anon_send(s.actors().inspector(), inspect_atom::value, std::uint64_t{9}, s.loop);
    s.scheduler().prioritize(s.actors().inspector());
    s.scheduler().run_once();
    s.scheduler().prioritize(s.loop);
    s.scheduler().run_once();
    REQUIRE(s.heard->inspections.size() == 1);
    return s.heard->inspections.front();
  };
  const auto now = seen();
  CHECK(now->ticket == 9);
  REQUIRE(row(*now, "session", "hall") != nullptr);
  const auto& session = *row(*now, "session", "hall");
  CHECK(session.session == hall);
  CHECK(session.now.waiting == 1);
  CHECK(session.now.handled == 2);  // the opening and the first batch
  CHECK(session.now.items == 3);
  CHECK(session.now.oldest_ns > 0);
  REQUIRE(row(*now, "journal") != nullptr);
  CHECK(row(*now, "journal")->now.waiting == 1);
  CHECK(row(*now, "registry") != nullptr);
  CHECK(row(*now, "gateway", "0")->now.handled == 1);

  s.settle();
  const auto later = seen();
  CHECK(row(*later, "session", "hall")->now.waiting == 0);
  CHECK(row(*later, "session", "hall")->now.oldest_ns == 0);
  CHECK(row(*later, "journal")->now.waiting == 0);
  CHECK(row(*later, "journal")->now.items == 2 + 1 + 3);  // plan and create, open, three holds
}

TEST_CASE("looking inside a session goes the way of every request, page by page") {
  stage s;
  const auto hall = s.opened("hall", 5);
  auto a = s.ask();
  a.hold(1, s.time.log, 0).hold(2, s.time.log, 1);
  s.send(hall, std::move(a));
  auto b = s.ask();
  b.look(3, core::look_holds{}).look(4, core::look_seats{});
  s.send(hall, std::move(b));
  s.settle();
  CHECK(std::get<core::holds_seen>(*s.heard->shown(3)).items.size() == 2);
  CHECK(std::get<core::seats_seen>(*s.heard->shown(4)).states.size() == 5);
}

TEST_CASE("a meter tells how long the oldest message waits") {
  meter m;
  m.posted(1'000);
  m.posted(2'000);
  CHECK(m.read(5'000).waiting == 2);
  CHECK(m.read(5'000).oldest_ns == 4'000);
  m.handled(1'000, 10, 5'000, 5'500);
  CHECK(m.read(6'000).waiting == 1);
  CHECK(m.read(6'000).oldest_ns == 5'000);  // came after what was handled last: at most this old
  m.handled(2'000, 5, 6'000, 6'100);
  CHECK(m.read(7'000).waiting == 0);
  CHECK(m.read(7'000).oldest_ns == 0);
  CHECK(m.read(7'000).items == 15);
  CHECK(m.read(7'000).busy_ns == 600);
  m.posted(9'000);  // found the mailbox empty
  CHECK(m.read(9'500).oldest_ns == 500);
}

TEST_CASE("the board gives rates since about a second ago") {
  constexpr std::uint64_t s = 1'000'000'000;
  board b;
  auto m = std::make_shared<meter>();
  const auto id = b.add("session", "hall", m, 1);
  const auto start = steady_ns();
  m->posted(start);
  m->handled(start, 1'000, start, start + s / 2);
  (void)b.look(start + 2 * s);  // sampled
  m->posted(start);
  m->handled(start, 500, start, start + s / 4);
  (void)b.look(start + 3 * s);  // sampled again: the two looks are a second apart
  const auto rows = b.look(start + 3 * s + 1);
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].items_per_s == doctest::Approx(500).epsilon(0.01));
  CHECK(rows[0].messages_per_s == doctest::Approx(1).epsilon(0.01));
  CHECK(rows[0].busy == doctest::Approx(0.25).epsilon(0.01));
  b.remove(id);
  CHECK(b.look().empty());
}

}  // namespace holdfast::tests
