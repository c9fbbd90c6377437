// The load generator's logic: what it sends, when, how it counts, and how it looks for a server's ceiling.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <set>

#include "apps/holdfast/load/ceiling.hpp"
#include "apps/holdfast/load/frames.hpp"
#include "apps/holdfast/load/ring.hpp"
#include "apps/holdfast/load/schedule.hpp"
#include "apps/holdfast/load/tally.hpp"
#include "apps/holdfast/load/workload.hpp"
#include "protocol/codec.hpp"

using namespace holdfast;
using namespace holdfast::cli::load;

namespace {

constexpr core::session_id premiere{7};
constexpr core::log_time last_moment{1'700'000'000'000'000};
const buyer ann{{1, 2}, {3, 4}};
const base::id128 other{5, 6};

base::bytes encoded(std::uint64_t request, const core::command& c, base::id128 id, core::log_time until) {
  core::envelope head;
  head.channel = 1;
  head.id = core::command_id{id};
  head.client_deadline = until;
  base::bytes b;
  protocol::encode_request(request, protocol::listener_kind::shop, premiere, head, c, false, b);
  return b;
}

/// A server that takes `limit` a second; beyond, its queue grows.
step_seen at_rate(double rate, double limit) {
  step_seen s;
  s.rate = rate;
  s.achieved = std::min(rate, limit);
  s.p999_ns = rate > limit ? 900'000'000 : 1'000'000;
  return s;
}

}  // namespace

TEST_CASE("patched frames are the bytes that the client would send") {
  const frames f(1, 120'000);
  std::uint8_t room[frames::bytes_max];
  const auto same = [&](std::size_t n, const base::bytes& wanted) { CHECK(base::bytes(room, room + n) == wanted); };
  const core::limit_key keys[] = {{core::key_kind::account, ann.owner}};
  // Seats on both sides of where their number takes another byte, and back.
  for (const std::uint32_t seat : {0U, 63U, 64U, 8'191U, 8'192U, 999'999U, 5U}) {
    const core::line lines[] = {{core::place_kind::seat, seat, 1, 1}};
    same(f.hold(room, 90, premiere, last_moment, ann, seat),
         encoded(90, core::hold_seats{core::owner_id{ann.owner}, keys, lines, 120'000, 1, {}}, ann.hold, last_moment));
  }
  std::uint8_t payment[16];
  std::memcpy(payment, &ann.hold.hi, 8);
  std::memcpy(payment + 8, &ann.hold.lo, 8);
  const core::owner_id owner{ann.owner};
  const core::hold_id hold{ann.hold};
  same(f.confirm(room, 91, premiere, ann), encoded(91, core::confirm_hold{owner, hold, payment, price_paid, core::payment_kind::card}, {}, {}));
  same(f.release(room, 92, premiere, last_moment, ann, other), encoded(92, core::release_hold{owner, hold, {}, false}, other, last_moment));
  base::bytes look;
  protocol::encode_request(93, protocol::listener_kind::shop, premiere, core::look_seat{core::seat_no{8'192}}, false, look);
  same(f.look(room, 93, premiere, 8'192), look);
}

TEST_CASE("a schedule keeps its rate for hours and never sends early") {
  for (const double rate : {0.5, 3.0, 1'000.0, 999'983.0, 3e6}) {
    const rate_schedule s(1'000, rate);
    CHECK(s.due(999) == 0);
    CHECK(s.at(0) == 1'000);
    CHECK(s.due(1'000) == 1);
    const auto hours = static_cast<std::uint64_t>(rate * 5 * 3'600) + 1;
    for (const std::uint64_t n : {std::uint64_t{1}, std::uint64_t{7}, hours}) {
      CHECK(s.at(n) > s.at(n - 1));
      CHECK(s.due(s.at(n)) == n + 1);
      CHECK(s.due(s.at(n) - 1) == n);
      CHECK(std::abs(static_cast<double>(s.at(n) - 1'000) - static_cast<double>(n) * 1e9 / rate) <= 1);
    }
  }
}

TEST_CASE("a ring keeps order while it grows") {
  ring<int> r(2);
  int in = 0, out = 0;
  for (int i = 0; i < 100; ++i) {
    r.push(in++);
    r.push(in++);
    CHECK(r.front() == out++);
    r.pop();
  }
  for (; !r.empty(); r.pop()) CHECK(r.front() == out++);
  CHECK(out == in);
}

TEST_CASE("attempts go through the sessions seat by seat, each once") {
  stock s(*workload_named("f3"), 50, 3);
  base::random chance(1);
  std::set<std::pair<std::uint32_t, std::uint32_t>> seen;
  for (auto b = s.take(); b.begin != b.end; b = s.take())
    for (auto a = b.begin; a < b.end; ++a) {
      const auto p = s.at(a, chance);
      CHECK(seen.insert({p.session, p.seat}).second);
    }
  CHECK(seen.size() == 150);
  CHECK(seen.rbegin()->first == 2);
  CHECK(s.used() == 1);
}

TEST_CASE("a sale that has begun goes on to its end when the time is over") {
  stock s(*workload_named("f1"), 50, 3);  // 500 attempts each
  const auto first = s.take();
  CHECK(first.begin == 0);
  s.close();
  s.close();
  std::uint64_t last = first.end;
  for (auto b = s.take(); b.begin != b.end; b = s.take()) last = b.end;
  CHECK(last == 500);
}

TEST_CASE("a workload without end draws from all sessions and never runs out") {
  stock s(*workload_named("mix"), 10, 4);
  base::random chance(1);
  std::set<std::uint32_t> sessions;
  for (int i = 0; i < 100; ++i) {
    const auto b = s.take();
    REQUIRE(b.begin != b.end);
    const auto p = s.at(b.begin, chance);
    CHECK(p.seat < 10);
    sessions.insert(p.session);
  }
  CHECK(sessions.size() == 4);
  CHECK(s.used() == 0);
  CHECK(!workload_named("f4").ok());
}

TEST_CASE("counts of threads add up, refusals by reason, the longest wait exactly") {
  tally a, b;
  a.add(deed::hold_won, core::refusal::none, 1'000'000);
  a.add(deed::hold_refused, core::refusal::sold_out, 2'000);
  b.add(deed::hold_refused, core::refusal::sold_out, 3'000);
  b.add(deed::hold_refused, core::refusal::busy, 1'234'567);
  total t;
  t.add(a);
  t.add(b);
  CHECK(t.operations() == 4);
  CHECK(t.count(deed::hold_refused) == 3);
  CHECK(t.refused[static_cast<std::size_t>(deed::hold_refused)][static_cast<std::size_t>(core::refusal::sold_out)] == 2);
  CHECK(t.longest() == 1'234'567);
  // The upper end of the last bucket lies beyond what was ever waited.
  CHECK(percentile_ns(t.all(), 1'000'000, t.longest()) == 1'234'567);
  CHECK(percentile_ns(t.all(), 500'000, t.longest()) == doctest::Approx(3'000).epsilon(0.04));
}

TEST_CASE("the search finds a server's ceiling from below and from above") {
  for (const double limit : {120.0, 4'700.0, 263'000.0}) {
    ceiling_search s({});
    unsigned steps = 0;
    for (; !s.over(); ++steps) s.tell(at_rate(s.rate(), limit));
    CHECK(s.held() <= limit);
    CHECK(s.held() >= limit * 0.9);
    CHECK(s.failed() > limit);
    CHECK(s.why() != stopper::none);
    CHECK(steps < 20);
  }
}

TEST_CASE("what stops a step is named, and without seats the search ends") {
  const ceiling_limits l;
  auto s = at_rate(10'000, 20'000);
  CHECK(judge(s, l) == stopper::none);
  s.p999_ns = l.p999_max_ns + 1;
  CHECK(judge(s, l) == stopper::slow);
  s.behind = 1'001;  // more than comes in p99.9's limit
  CHECK(judge(s, l) == stopper::queue);
  s.retransmitted = l.retransmitted_max + 1;
  CHECK(judge(s, l) == stopper::retransmissions);
  s.operations = 20'000;  // one in two hundred is no congestion
  CHECK(judge(s, l) == stopper::queue);
  s.retransmitted = 201;
  CHECK(judge(s, l) == stopper::retransmissions);
  s.ran_out = true;
  CHECK(judge(s, l) == stopper::no_seats);
  ceiling_search search(l);
  search.tell(at_rate(1'000, 1e9));
  search.tell(s);
  CHECK(search.over());
  CHECK(search.held() == 1'000);
}

TEST_CASE("rates are told by their band") {
  CHECK(band_of(99) == "below all bands");
  CHECK(band_of(1'000).starts_with("small"));
  CHECK(band_of(5'000).starts_with("above small"));
  CHECK(band_of(10'000).starts_with("medium"));
  CHECK(band_of(70'000).starts_with("above medium"));
  CHECK(band_of(100'000).starts_with("large"));
  CHECK(band_of(2e6) == "above all bands");
}
