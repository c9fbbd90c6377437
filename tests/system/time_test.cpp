// The real server under a wall clock that somebody sets, and as a process that is stopped for a while. libfaketime gives it the clock; its
// monotonic clocks stay true.
#include <doctest/doctest.h>

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>

#include "persistence/audit.hpp"
#include "plans/generate.hpp"
#include "tests/system/box_office.hpp"

namespace holdfast::system_test {
namespace {

using steady = std::chrono::steady_clock;

/// What the server takes for the wall clock: the true one and an offset.
class wall_clock {
 public:
  explicit wall_clock(const scratch_folder& f) : file_(f.path() / "clock") { set(0); }
  /// Seconds ahead of the true time. The server's next look at the wall clock finds it.
  void set(long long ahead) const {
    const auto fresh = file_.string() + ".new";
    std::ofstream(fresh) << fmt::format("{:+}s\n", ahead);
    std::filesystem::rename(fresh, file_);
  }
  [[nodiscard]] std::vector<std::string> environment() const {
    return {"LD_PRELOAD=" HOLDFAST_FAKETIME, "DONT_FAKE_MONOTONIC=1", "FAKETIME_NO_CACHE=1", "FAKETIME_TIMESTAMP_FILE=" + file_.string()};
  }

 private:
  std::filesystem::path file_;
};

server_options under(const wall_clock& clock, const scratch_folder& folder, std::vector<std::string> arguments = {}) {
  server_options o{.program = HOLDFAST_SERVER, .data = folder.path() / "data", .folder = folder.path(), .sync = true, .more = {}};
  o.environment = clock.environment();
  o.arguments = std::move(arguments);
  return o;
}

struct customer {
  core::owner_id owner{client::random_id()};
  core::hold_id hold{client::random_id()};
  base::result<client::answered> ask(client::blocking& link, core::session_id session, std::uint32_t seat, core::interval_ms interval) {
    const core::limit_key key{core::key_kind::account, owner.value};
    const core::line line{core::place_kind::seat, seat, 1, 1};
    return link.hold_seats(session, link.envelope(hold), {owner, {&key, 1}, {&line, 1}, interval, 1, {}});
  }
};

/// Somebody holds the seat for `interval`, `meanwhile` happens, others ask for the seat until one gets it. Never early by anybody's clock, and
/// nobody is refused who asked when the deadline was over.
template <class Meanwhile>
void nobody_early_nobody_late(client::blocking& link, core::session_id session, std::uint32_t seat, core::interval_ms interval, Meanwhile meanwhile) {
  const auto asked = steady::now();
  customer first;
  const auto held = first.ask(link, session, seat, interval);
  REQUIRE(held.ok());
  REQUIRE(held->said.refused == core::refusal::none);
  const auto deadline = held->said.granted;
  meanwhile();
  for (;;) {
    const auto before = link.ping();
    REQUIRE(before.ok());
    customer next;
    const auto said = next.ask(link, session, seat, 1);
    REQUIRE(said.ok());
    const auto passed = std::chrono::duration_cast<std::chrono::milliseconds>(steady::now() - asked).count();
    if (said->said.refused == core::refusal::none) {
      CHECK(said->now >= deadline);
      CHECK(passed >= interval);
      return;
    }
    CHECK(said->said.refused == core::refusal::none_free_now);
    CHECK(before->now < deadline);
  }
}

constexpr long long day = 86'400, year = 365 * day;

}  // namespace

TEST_CASE("the wall clock steps by seconds and by years: no hold ends early, none late") {
  const scratch_folder folder;
  const wall_clock clock(folder);
  server s(under(clock, folder));
  REQUIRE_MESSAGE(s.ready(), s.said());
  const auto session = open_session(s, "night", plans::generate_hall({.seats = 1'000}));
  auto link = connected(s.shop());
  std::uint32_t seat = 0;
  core::log_time last;
  for (const auto ahead : {1LL, -1LL, 60LL, -60LL, 3'600LL, -3'600LL, day, -day, year, -year, 10 * year, -10 * year, 0LL}) {
    CAPTURE(ahead);
    nobody_early_nobody_late(link, session, seat++, 30, [&] { clock.set(ahead); });
    // The step has arrived at the server, and its log time has not moved with it.
    const auto off = counter(s, "clock.wall_minus_log_us") / 1'000'000;
    CHECK(std::abs(off - ahead) <= 2);
    const auto now = link.ping();
    REQUIRE(now.ok());
    CHECK(now->now > last);
    CHECK((last.value == 0 || now->now.value - last.value < 60'000'000));
    last = now->now;
  }
  CHECK(s.terminate() == 0);
  const auto audit = persistence::audit_directory({folder.path() / "data"}, {});
  REQUIRE(audit.ok());
  CHECK(audit->clean());
}

TEST_CASE("a clock that is behind at the restart is told of; time and holds go on from the journal") {
  const scratch_folder folder;
  const wall_clock clock(folder);
  core::session_id session;
  customer ann;
  core::log_time deadline, then;
  {
    server s(under(clock, folder));
    REQUIRE_MESSAGE(s.ready(), s.said());
    session = open_session(s, "night", plans::generate_hall({.seats = 100, .zones = 1}));
    auto link = connected(s.shop());
    const auto held = ann.ask(link, session, 1, 60'000);
    REQUIRE(held.ok());
    deadline = held->said.granted;
    then = held->now;
    s.kill9();
  }
  clock.set(-day);
  server s(under(clock, folder));
  REQUIRE_MESSAGE(s.ready(), s.said());
  CHECK(s.said().find("the wall clock is") != std::string::npos);
  CHECK(s.said().find("behind the journal") != std::string::npos);
  auto link = connected(s.shop());
  const auto seen = link.hold(session, {ann.owner, ann.hold});
  REQUIRE((seen.ok() && seen->seen));
  CHECK(seen->seen->state == core::hold_state::held);
  CHECK(seen->now >= then);
  CHECK(seen->seen->deadline.value - seen->now.value <= deadline.value - then.value);
}

TEST_CASE("a clock far ahead at the restart is refused with the remedy, and costs no hold") {
  const scratch_folder folder;
  const wall_clock clock(folder);
  core::session_id session;
  customer ann;
  {
    server s(under(clock, folder));
    REQUIRE_MESSAGE(s.ready(), s.said());
    session = open_session(s, "night", plans::generate_hall({.seats = 100, .zones = 1}));
    auto link = connected(s.shop());
    const auto held = ann.ask(link, session, 1, 60'000);
    REQUIRE(held.ok());
    s.kill9();
  }
  clock.set(year);
  {
    server s(under(clock, folder));
    CHECK_FALSE(s.ready());
    CHECK(s.exit_code() == 66);
    CHECK_MESSAGE(s.said().find("--accept-clock") != std::string::npos, s.said());
  }
  clock.set(0);
  {
    server s(under(clock, folder));
    REQUIRE_MESSAGE(s.ready(), s.said());
    auto link = connected(s.shop());
    const auto seen = link.hold(session, {ann.owner, ann.hold});
    REQUIRE((seen.ok() && seen->seen));
    CHECK(seen->seen->state == core::hold_state::held);
    s.kill9();
  }
  // Whoever says that the clock is right has been away for a year: ten minutes of it are given back.
  clock.set(year);
  server s(under(clock, folder, {"--accept-clock"}));
  REQUIRE_MESSAGE(s.ready(), s.said());
  auto link = connected(s.shop());
  const auto seen = link.session_state(session);
  REQUIRE((seen.ok() && seen->seen));
  CHECK(seen->seen->shift_us >= 600'000'000);
  CHECK(seen->seen->shift_us < 660'000'000);
}

TEST_CASE("restart after restart gives no hold more time than it was given, and takes none") {
  const scratch_folder folder;
  server_options how{.program = HOLDFAST_SERVER, .data = folder.path() / "data", .folder = folder.path(), .sync = true, .more = {}};
  std::optional<server> s(how);
  REQUIRE_MESSAGE(s->ready(), s->said());
  const auto session = open_session(*s, "night", plans::generate_hall({.seats = 100, .zones = 1}));
  customer ann;
  std::uint64_t left = 0;
  const auto us_since = [](steady::time_point t) {
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(steady::now() - t).count());
  };
  auto looked = steady::now();
  std::uint64_t up_before_look = 0;
  {
    auto link = connected(s->shop());
    const auto held = ann.ask(link, session, 1, 600'000);
    REQUIRE(held.ok());
    left = held->said.granted.value - held->now.value;
    up_before_look = us_since(looked);
  }
  for (int i = 0; i < 12; ++i) {
    CAPTURE(i);
    s->kill9();
    const auto started = steady::now();
    s.emplace(how);
    REQUIRE_MESSAGE(s->ready(), s->said());
    auto link = connected(s->shop());
    const auto seen = link.hold(session, {ann.owner, ann.hold});
    REQUIRE((seen.ok() && seen->seen));
    const auto now_left = seen->seen->deadline.value - seen->now.value;
    const auto passed = us_since(looked);
    // An outage is counted from the last time that the journal or its witness knows. Of an idle server that is its start, and then once a
    // second: what it was up for before the look may be given back with the outage, and nothing else. Never more than the hold was given.
    CHECK(now_left <= left + up_before_look + 1'000);
    CHECK(now_left <= 600'000'000);
    CHECK(now_left + passed + 1'000 >= left);
    left = now_left;
    looked = steady::now();
    up_before_look = us_since(started);
  }
}

TEST_CASE("a server that was stopped expires what is over before it decides anything else") {
  const scratch_folder folder;
  server s({.program = HOLDFAST_SERVER, .data = folder.path() / "data", .folder = folder.path(), .sync = true, .more = {}});
  REQUIRE_MESSAGE(s.ready(), s.said());
  const auto session = open_session(s, "night", plans::generate_hall({.seats = 100, .zones = 1}));
  auto link = connected(s.shop());
  for (std::uint32_t seat = 0; seat < 10; ++seat) {
    CAPTURE(seat);
    customer ann, bob;
    const auto held = ann.ask(link, session, seat, 20);
    REQUIRE(held.ok());
    REQUIRE(held->said.refused == core::refusal::none);
    ::kill(s.pid(), SIGSTOP);
    const auto over = steady::now() + std::chrono::milliseconds(25);
    while (steady::now() < over) std::this_thread::yield();
    base::result<client::answered> got{base::error{base::trouble::unavailable, "not asked yet"}};
    {
      const std::jthread asks([&] { got = bob.ask(link, session, seat, 60'000); });
      ::kill(s.pid(), SIGCONT);
    }
    REQUIRE(got.ok());
    CHECK(got->said.refused == core::refusal::none);
    // The money of the first comes too late for a seat that has gone to the next.
    const auto paid = link.confirm_hold(session, client::blocking::money_envelope(), {ann.owner, ann.hold, base::as_bytes("p"), 1, core::payment_kind::card});
    REQUIRE(paid.ok());
    CHECK(paid->said.outcome == core::money_outcome::refund_due);
    CHECK(paid->said.reason == core::refund_reason::seats_gone);
  }
  CHECK(s.terminate() == 0);
}

}  // namespace holdfast::system_test
