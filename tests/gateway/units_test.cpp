// The small parts: credits, patience, tickets, options.
#include <string>

#include <doctest/doctest.h>

#include "base/random.hpp"
#include "gateway/credits.hpp"
#include "gateway/options.hpp"
#include "gateway/patience.hpp"
#include "gateway/stats.hpp"
#include "gateway/tickets.hpp"

namespace holdfast::gateway {

using namespace std::chrono_literals;

TEST_CASE("all but money stops at the first bound of a connection; money has more for itself") {
  connection_credits c(3, 2, 1);
  CHECK(c.take(weight::plain));
  CHECK(c.take(weight::page));
  CHECK_FALSE(c.take(weight::page));  // one long look at a time
  CHECK(c.take(weight::plain));
  CHECK_FALSE(c.take(weight::plain));
  CHECK(c.take(weight::money));
  CHECK(c.money_left());
  CHECK(c.take(weight::money));
  CHECK_FALSE(c.money_left());
  CHECK_FALSE(c.take(weight::money));
  CHECK(c.in_flight() == 5);
  c.give_back(weight::page);
  CHECK(c.money_left());
  CHECK_FALSE(c.take(weight::plain));  // four are under way, three is the bound
  c.give_back(weight::money);
  c.give_back(weight::plain);
  CHECK(c.take(weight::page));
}

TEST_CASE("money may fill a whole connection, and then some") {
  connection_credits c(3, 2, 1);
  for (int i = 0; i < 5; ++i) CHECK(c.take(weight::money));
  CHECK_FALSE(c.money_left());
}

TEST_CASE("a session refuses at its bound, but never money") {
  session_credits s(2);
  CHECK(s.take(weight::plain));
  CHECK(s.take(weight::page));
  CHECK_FALSE(s.take(weight::plain));
  CHECK(s.take(weight::money));
  CHECK(s.in_flight() == 3);
  s.give_back(2);
  CHECK(s.take(weight::plain));
  CHECK_FALSE(s.take(weight::plain));
}

TEST_CASE("every loop finds the same credits of a session") {
  credit_book b(1);
  const auto one = b.of(core::session_id{7});
  CHECK(one == b.of(core::session_id{7}));
  CHECK(one != b.of(core::session_id{8}));
}

TEST_CASE("tickets come back once and are told apart when their slot is used again") {
  tickets t;
  open_request a;
  a.request_id = 1;
  open_request b;
  b.request_id = 2;
  const auto first = t.issue(a);
  const auto second = t.issue(b);
  CHECK(t.open() == 2);
  CHECK(t.redeem(first).request_id == 1);
  const auto third = t.issue(a);
  CHECK(third != first);
  CHECK(static_cast<std::uint32_t>(third) == static_cast<std::uint32_t>(first));
  CHECK(t.redeem(second).request_id == 2);
  CHECK(t.redeem(third).request_id == 1);
  CHECK(t.open() == 0);
}

TEST_CASE("patience: each wait has its own limit") {
  const time_limits limits;
  const time_point start{1h};
  patience p(start);
  CHECK(p.look(start + 2'999ms, limits, false) == overdue::none);
  CHECK(p.look(start + 3s, limits, false) == overdue::handshake);

  p.greeted(start);
  CHECK(p.look(start + 59s, limits, false) == overdue::none);
  CHECK(p.look(start + 60s, limits, false) == overdue::idle);
  CHECK(p.look(start + 60s, limits, true) == overdue::none);  // it waits for us

  p.frame_begun(start + 10s);
  p.frame_begun(start + 14s);  // another byte: no new start
  CHECK(p.look(start + 14s, limits, false) == overdue::none);
  CHECK(p.look(start + 15s, limits, true) == overdue::frame);
  p.no_frame();
  p.active(start + 15s);
  CHECK(p.look(start + 20s, limits, false) == overdue::none);
  p.frame_begun(start + 30s);
  CHECK(p.look(start + 34s, limits, false) == overdue::none);
  p.no_frame();

  p.output_waits(start + 40s, false);
  p.output_waits(start + 44s, false);
  CHECK(p.look(start + 45s, limits, true) == overdue::stalled);
  p.output_waits(start + 45s, true);  // it took some
  CHECK(p.look(start + 49s, limits, true) == overdue::none);
  p.output_done();
  CHECK(p.look(start + 51s, limits, false) == overdue::none);

  p.left(start + 52s);
  CHECK(p.look(start + 52s, limits, false) == overdue::none);
  CHECK(p.look(start + 53s, limits, false) == overdue::lingering);
}

TEST_CASE("a limit of zero is none") {
  time_limits limits;
  limits.handshake = limits.idle = 0ms;
  patience p(time_point{});
  CHECK(p.look(time_point{1000h}, limits, false) == overdue::none);
  p.greeted(time_point{});
  CHECK(p.look(time_point{1000h}, limits, false) == overdue::none);
}

TEST_CASE("stages and closings have names of their own") {
  for (std::size_t i = 0; i < stages; ++i) CHECK(name_of(static_cast<stage>(i)) != "unknown");
  for (std::size_t i = 0; i < closings; ++i) CHECK(name_of(static_cast<closing>(i)) != "unknown");
}

namespace {

std::string refused(options o) {
  const auto r = check_options(o);
  return r ? "" : r.failure().text;
}

options with(listener_options l) {
  options o;
  o.listeners = {std::move(l)};
  return o;
}

bool names(const std::string& text, std::string_view key) { return text.find(key) != std::string::npos; }

}  // namespace

TEST_CASE("options: the shipped ones are good, each bad one is named") {
  for (const auto kind : {listener_kind::shop, listener_kind::buyer, listener_kind::admin}) CHECK(refused(with(defaults_of(kind))).empty());
  CHECK(names(refused(options{}), "listeners"));

  auto o = with(defaults_of(listener_kind::shop));
  o.loops = 0;
  CHECK(names(refused(o), "loops"));

  auto l = defaults_of(listener_kind::buyer);
  l.address = "localhost";
  CHECK(names(refused(with(l)), "buyer.address"));
  l.address = "::1";
  CHECK(refused(with(l)).empty());
  l.inflight_max = 0;
  CHECK(names(refused(with(l)), "buyer.inflight_max"));
}

TEST_CASE("other than loopback addresses need insecure_bind") {
  auto l = defaults_of(listener_kind::shop);
  for (const auto* address : {"0.0.0.0", "192.0.2.1", "::", "2001:db8::1"}) {
    l.address = address;
    auto o = with(l);
    CHECK(names(refused(o), "insecure_bind"));
    o.insecure_bind = true;
    CHECK(refused(o).empty());
  }
  l.address = "127.3.2.1";
  CHECK(refused(with(l)).empty());
}

}  // namespace holdfast::gateway
