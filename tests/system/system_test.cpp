// Stories of a whole box office: the real server, real sockets, a real disk.
#include <doctest/doctest.h>

#include <csignal>
#include <fstream>
#include <set>

#include "client/ids.hpp"
#include "persistence/audit.hpp"
#include "plans/generate.hpp"
#include "tests/system/rush.hpp"

namespace holdfast::system_test {
namespace {

const std::filesystem::path program = HOLDFAST_SERVER;

/// One buyer of a shop with a hold on one seat.
struct buyer {
  core::owner_id owner{client::random_id()};
  core::hold_id hold{client::random_id()};
  core::answer said;
};

struct shop {
  client::blocking link;
  core::session_id session;

  static shop of(const server& s, core::session_id session) {
    auto c = client::blocking::connect(s.shop());
    REQUIRE_MESSAGE(c.ok(), (c.ok() ? "" : c.failure().text));
    return {std::move(*c), session};
  }
  buyer hold(std::uint32_t seat, core::interval_ms interval) {
    buyer b;
    const core::line l{core::place_kind::seat, seat, 1, 1};
    const core::limit_key key{core::key_kind::account, b.owner.value};
    const auto a = link.hold_seats(session, link.envelope(b.hold), {b.owner, {&key, 1}, {&l, 1}, interval, 1, {}});
    REQUIRE(a.ok());
    b.said = a->said;
    return b;
  }
  core::answer confirm(const buyer& b, const std::string& payment, std::int64_t amount = 5'000) {
    const auto a = link.confirm_hold(session, client::blocking::money_envelope(),
                                     {b.owner, b.hold, base::as_bytes(payment), amount, core::payment_kind::card});
    REQUIRE(a.ok());
    return a->said;
  }
  /// Asks the server until its log time is past `t`: time passes on the server's clock, not on ours.
  void wait_past(core::log_time t) {
    for (auto pong = link.ping();; pong = link.ping()) {
      REQUIRE(pong.ok());
      if (pong->now > t) return;
    }
  }
};

void same_money(const core::answer& first, const core::answer& again) {
  CHECK(again.repeated);
  CHECK(again.refused == core::refusal::none);
  CHECK(again.outcome == first.outcome);
  CHECK(again.reason == first.reason);
  CHECK(again.number == first.number);
}

}  // namespace

TEST_CASE("money that came is sold once or recorded as due, and a restart forgets none of it") {
  scratch_folder folder;
  const auto data = folder.path() / "data";
  const server_options how{program, data, folder.path(), true, {}};
  core::session_id session;
  buyer ann, bob, cid, dora, stranger;
  core::answer ann_paid, ann_twice, bob_late, cid_gone, stranger_paid;
  {
    server s(how);
    REQUIRE_MESSAGE(s.ready(), s.said());
    session = open_session(s, "money", plans::generate_hall({.seats = 100, .zones = 1}));
    auto box = shop::of(s, session);
    ann = box.hold(1, 60'000);
    ann_paid = box.confirm(ann, "ann-1");
    CHECK(ann_paid.outcome == core::money_outcome::sold);
    ann_twice = box.confirm(ann, "ann-2");
    CHECK(ann_twice.outcome == core::money_outcome::refund_due);
    CHECK(ann_twice.reason == core::refund_reason::already_paid);

    bob = box.hold(2, 1);
    box.wait_past(bob.said.granted);
    bob_late = box.confirm(bob, "bob-1");
    CHECK(bob_late.outcome == core::money_outcome::sold);  // too late, but the seat is still free

    cid = box.hold(3, 1);
    box.wait_past(cid.said.granted);
    dora = box.hold(3, 60'000);
    REQUIRE(dora.said.refused == core::refusal::none);
    cid_gone = box.confirm(cid, "cid-1");
    CHECK(cid_gone.reason == core::refund_reason::seats_gone);

    stranger_paid = box.confirm(stranger, "who-1");
    CHECK(stranger_paid.reason == core::refund_reason::unknown_hold);
    CHECK(std::set{ann_twice.number, cid_gone.number, stranger_paid.number}.size() == 3);
    s.kill9();
  }
  {
    server s(how);
    REQUIRE_MESSAGE(s.ready(), s.said());
    auto box = shop::of(s, session);
    same_money(ann_paid, box.confirm(ann, "ann-1"));
    same_money(ann_twice, box.confirm(ann, "ann-2"));
    same_money(bob_late, box.confirm(bob, "bob-1"));
    same_money(cid_gone, box.confirm(cid, "cid-1"));
    same_money(stranger_paid, box.confirm(stranger, "who-1"));
    CHECK(box.confirm(ann, "ann-1", 5'001).refused == core::refusal::payment_differs);
    CHECK(box.confirm(dora, "dora-1").outcome == core::money_outcome::sold);
    CHECK(s.terminate() == 0);
  }
  const auto audit = persistence::audit_directory({data}, {});
  REQUIRE(audit.ok());
  CHECK(audit->clean());
  REQUIRE(audit->sessions.size() == 1);
  CHECK(audit->sessions[0].places.sold == 3);
  CHECK(audit->sessions[0].late == 1);
  CHECK(audit->sessions[0].refunds_open.size() == 3);
  CHECK(audit->sessions[0].amount_refunds_open == 15'000);
}

TEST_CASE("a buyer speaks for himself only, and never about money") {
  scratch_folder folder;
  server s({program, folder.path() / "data", folder.path(), true, {}});
  REQUIRE_MESSAGE(s.ready(), s.said());
  const auto session = open_session(s, "public", plans::generate_hall({.seats = 100, .zones = 1}));
  const core::owner_id me{client::random_id()};
  auto c = client::blocking::connect(s.buyer(me, {{core::key_kind::account, me.value}}));
  REQUIRE(c.ok());
  const core::line l{core::place_kind::seat, 7, 1, 1};
  const core::hold_id id{client::random_id()};
  const auto held = c->hold_seats(session, c->envelope(id), {{}, {}, {&l, 1}, 60'000, 1, {}});
  REQUIRE(held.ok());
  CHECK(held->said.refused == core::refusal::none);
  const auto paid = c->confirm_hold(session, client::blocking::money_envelope(), {me, id, base::as_bytes("p"), 1, core::payment_kind::card});
  REQUIRE(paid.ok());
  CHECK(paid->said.refused == core::refusal::not_allowed);
  CHECK(s.terminate() == 0);
}

TEST_CASE("an operator finds all that a buyer has had, though it is more than fits on a page") {
  scratch_folder folder;
  server s({program, folder.path() / "data", folder.path(), true, {}});
  REQUIRE_MESSAGE(s.ready(), s.said());
  auto box = shop::of(s, open_session(s, "undecided", plans::generate_hall({.seats = 100, .zones = 1})));
  const core::owner_id ann{client::random_id()};
  const core::limit_key key{core::key_kind::account, ann.value};
  constexpr std::size_t often = 520;  // each is placed and released: two rows of the index, a thousand of which are a page
  for (std::uint32_t i = 0; i < often; ++i) {
    const core::hold_id id{client::random_id()};
    const core::line l{core::place_kind::seat, i % 100, 1, 1};
    const auto placed = box.link.hold_seats(box.session, box.link.envelope(id), {ann, {&key, 1}, {&l, 1}, 60'000, 1, {}});
    REQUIRE((placed.ok() && placed->said.refused == core::refusal::none));
    REQUIRE(box.link.release_hold(box.session, box.link.envelope(core::command_id{client::random_id()}), {ann, id, {}, false}));
  }
  auto desk = client::blocking::connect(s.admin());
  REQUIRE(desk.ok());
  std::set<core::id128> holds;
  protocol::find asked{protocol::find_by::owner, ann.value, {}, 0};
  unsigned pages = 0;
  do {
    const auto page = desk->find(asked);
    REQUIRE((page.ok() && page->seen));
    for (const auto& r : page->seen->rows) {
      holds.insert(r.hold.value);
      CHECK(r.state == core::hold_state::released);
    }
    asked.from = page->seen->next_from;
    ++pages;
  } while (asked.from != 0 && pages < 10);
  CHECK(holds.size() == often);
  CHECK(pages > 1);
}

TEST_CASE("a second server on the same directory is turned away and changes nothing") {
  scratch_folder folder, other;
  const auto data = folder.path() / "data";
  server first({program, data, folder.path(), true, {}});
  REQUIRE(first.ready());
  server second({program, data, other.path(), true, {}});
  CHECK_FALSE(second.ready());
  CHECK(second.exit_code() == 75);
  CHECK(second.said().find(data.string()) != std::string::npos);
  CHECK(first.terminate() == 0);
}

TEST_CASE("a port that somebody else has is told before anything is created") {
  scratch_folder folder, other;
  server first({program, folder.path() / "data", folder.path(), true, {}});
  REQUIRE(first.ready());
  server_options same_port{program, other.path() / "data", other.path(), true, {}};
  same_port.shop_port = first.shop_port();
  server second(same_port);
  CHECK(second.exit_code() == 75);
  CHECK(second.said().find(std::to_string(first.shop_port())) != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(other.path() / "data"));
  CHECK_FALSE(std::filesystem::exists(other.path() / "admin.sock"));
  CHECK(first.terminate() == 0);
}

TEST_CASE("an index that cannot be opened stops no sale; it is back when the cause is gone") {
  scratch_folder folder;
  const server_options how{program, folder.path() / "data", folder.path(), true, {}};
  const auto index = how.data / "index";
  core::session_id session;
  buyer ann;
  {
    server s(how);
    REQUIRE(s.ready());
    session = open_session(s, "night", plans::generate_hall({.seats = 100, .zones = 1}));
    CHECK(s.terminate() == 0);
  }
  std::filesystem::remove_all(index);
  std::ofstream(index) << "no directory";
  {
    server s(how);
    REQUIRE(s.ready());
    CHECK(s.said().find(index.string()) != std::string::npos);
    auto box = shop::of(s, session);
    ann = box.hold(5, 60'000);
    CHECK(ann.said.refused == core::refusal::none);
    auto op = client::blocking::connect(s.admin());
    REQUIRE(op.ok());
    const auto asked = op->find({protocol::find_by::owner, ann.owner.value, {}});
    REQUIRE(asked.ok());
    CHECK_FALSE(asked->seen);
    CHECK(s.terminate() == 0);
  }
  std::filesystem::remove(index);
  server s(how);
  REQUIRE(s.ready());
  auto op = client::blocking::connect(s.admin());
  REQUIRE(op.ok());
  const auto found = op->find({protocol::find_by::owner, ann.owner.value, {}});
  REQUIRE((found.ok() && found->seen));
  CHECK(found->seen->rows.size() == 1);
}

TEST_CASE("a configuration that is wrong is one line with the key and the remedy") {
  scratch_folder folder;
  server s({program, folder.path() / "data", folder.path(), true, "[gateway]\nlopps = 2\n"});
  CHECK(s.exit_code() == 78);
  CHECK(s.said().find("gateway.lopps") != std::string::npos);
  CHECK(s.said().find("loops") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(folder.path() / "data"));
}

TEST_CASE("a restart in order finds what was sold, and a hold keeps the time that the outage took") {
  scratch_folder folder;
  const server_options how{program, folder.path() / "data", folder.path(), true, {}};
  core::session_id session;
  buyer ann;
  core::log_time before;
  {
    server s(how);
    REQUIRE(s.ready());
    session = open_session(s, "night", plans::generate_hall({.seats = 100, .zones = 1}));
    auto box = shop::of(s, session);
    ann = box.hold(5, 60'000);
    const auto pong = box.link.ping();
    REQUIRE(pong.ok());
    before = pong->now;
    CHECK(s.terminate() == 0);
  }
  server s(how);
  REQUIRE(s.ready());
  auto box = shop::of(s, session);
  const auto seen = box.link.hold(session, {ann.owner, ann.hold});
  REQUIRE((seen.ok() && seen->seen));
  CHECK(seen->seen->state == core::hold_state::held);
  // The deadline moved on with the clock: nothing but what both servers served is missing.
  CHECK(seen->seen->deadline > ann.said.granted);
  CHECK(seen->seen->deadline.value - seen->now.value + 5'000'000 > ann.said.granted.value - before.value);
}

}  // namespace holdfast::system_test
