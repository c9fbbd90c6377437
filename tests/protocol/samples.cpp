#include "tests/protocol/samples.hpp"

#include "base/check.hpp"
#include "core/policy.hpp"

namespace holdfast::tests {

namespace {

using namespace holdfast::core;
using protocol::direction;
using protocol::listener_kind;
namespace p = holdfast::protocol;

constexpr id128 repeated(std::uint64_t byte) { return {byte * 0x0101010101010101ULL, byte * 0x0101010101010101ULL}; }

const owner_id owner{repeated(0x0a)};
const hold_id hold{repeated(0x1d)};
const basket_id basket{repeated(0xba)};
const session_id session{7};
constexpr std::uint64_t noon = 1'760'000'000'000'000;  // 2025-10-09 08:53:20 UTC
const limit_key account{key_kind::account, repeated(0xac)};
const limit_key card{key_kind::card, repeated(0xcd)};
const line two_seats[] = {{place_kind::seat, 100, 1, 5}, {place_kind::seat, 101, 1, 5}};
const line standing[] = {{place_kind::area, 2, 4, 300}};
const limit_key both_keys[] = {account, card};
const place_range block_ranges[] = {{place_kind::seat, 10, 19, 0, 0}, {place_kind::area, 1, 1, 25, 2}};
const log_time in_a_minute{noon + 60'000'000};

base::byte_view text(std::string_view s) { return base::as_bytes(s); }

std::shared_ptr<const session_terms> terms() {
  auto t = std::make_shared<session_terms>();
  t->name = "gala-2026";
  t->kind = session_class::rehearsal;
  t->currency = "EUR";
  t->organiser_ref = "org-1";
  t->starts_at = 1'760'100'000;
  t->zone = "Europe/Berlin";
  channel_policy row;
  row.name = "public";
  row.rules = {{key_kind::account, 3, 6}};
  t->rules.channels = {row};
  return t;
}

std::vector<std::pair<std::string, command>> commands() {
  return {
      {"open_sale", open_sale{}},
      {"open_sale for channel 1", open_sale{2}},
      {"pause_sale", pause_sale{}},
      {"resume_sale", resume_sale{}},
      {"close_sale", close_sale{}},
      {"freeze_sale", freeze_sale{}},
      {"hold_seats", hold_seats{owner, {&account, 1}, two_seats, 600'000, 1, {}}},
      {"hold_seats with everything", hold_seats{owner, both_keys, standing, 900'000, 2, basket}},
      {"hold_seats of nothing", hold_seats{}},
      {"change_hold", change_hold{owner, hold, standing, {two_seats, 1}, 1}},
      {"extend_hold", extend_hold{owner, hold, 300'000}},
      {"begin_payment", begin_payment{owner, hold, text("attempt-1"), 600'000, {&card, 1}}},
      {"payment_failed", payment_failed{owner, hold, text("attempt-1")}},
      {"confirm_hold", confirm_hold{owner, hold, text("psp-4711"), 12'300, payment_kind::card}},
      {"confirm_hold with a negative amount", confirm_hold{owner, hold, text("psp-4711"), -1, payment_kind::cash}},
      {"release_hold", release_hold{owner, hold, {}, false}},
      {"release_hold in part", release_hold{owner, hold, {two_seats, 1}, true}},
      {"cancel_order", cancel_order{owner, hold, two_seats, 12'300, false}},
      {"settle_refund", settle_refund{refund_no{9}, text("refund-9")}},
      {"block_places", block_places{block_ranges, 3}},
      {"unblock_places", unblock_places{block_ranges}},
      {"allocate_places", allocate_places{block_ranges, 1}},
      {"shift_deadlines", shift_deadlines{120'000, 4}},
      {"clear_fault", clear_fault{}},
  };
}

std::vector<std::pair<std::string, look>> looks() {
  return {{"look_session", look_session{}},
          {"look_hold", look_hold{owner, hold}},
          {"look_seat", look_seat{seat_no{100}}},
          {"look_owner", look_owner{owner}},
          {"look_fate", look_fate{owner, hold, in_a_minute}},
          {"look_plan", look_plan{1, 0}},
          {"look_seats", look_seats{0}},
          {"look_changes", look_changes{sequence{41}}},
          {"look_holds", look_holds{0}}};
}

std::vector<std::pair<std::string, p::house_asked>> house_requests() {
  p::create_session create{{}, terms(), text("the bytes of a plan")};
  create.head.note = text("by hand");
  return {{"ping", p::ping{}},          {"session_named", p::session_named{"gala-2026"}},
          {"create_session", create},   {"list_sessions", p::list_sessions{}},
          {"actors", p::look_actors{}}, {"actor_inside", p::look_actor_inside{12}},
          {"stats", p::look_stats{}},   {"find", p::find{p::find_by::payment, {}, "psp-4711", 0}}};
}

hold_seen a_hold() {
  hold_seen h;
  h.number = hold_no{3};
  h.owner = owner;
  h.id = hold;
  h.state = hold_state::sold;
  h.deadline.value = noon + 600'000'000;
  h.lifetime_end.value = noon + 3'600'000'000;
  h.extensions = 1;
  h.attempts = 2;
  h.basket = basket;
  h.lines = {{two_seats[0], false}, {standing[0], true}};
  h.payments = {{0x1122334455667788, 12'300, payment_kind::card, money_outcome::sold, refund_reason::none, {}}};
  return h;
}

std::vector<seen> everything_seen() {
  session_seen s;
  s.name = "gala-2026";
  s.currency = "EUR";
  s.organiser_ref = "org-1";
  s.zone = "Europe/Berlin";
  s.starts_at = 1'760'100'000;
  s.sale = sale_state::open;
  s.open_channels = all_channels;
  s.expiries_pending = true;
  s.places = {700, 20, 8, 10, 0, 1};
  s.seats = 738;
  s.live_holds = 14;
  s.orders = 5;
  s.ended_holds = 2;
  s.refunds_open = 1;
  s.refunds_total = 3;
  s.amount_paid = 123'400;
  s.amount_refunds_due = 12'300;
  s.shift_us = 5'000'000;
  s.downtime_shift_us = 5'000'000;
  s.last.value = 42;
  s.next_deadline.value = noon + 1;

  seat_seen seat;
  seat.state = seat_state::held;
  seat.withdrawn = true;
  seat.reason = 3;
  seat.allocation = 1;
  seat.category = 2;
  seat.owner = owner;
  seat.hold = hold;
  seat.deadline.value = noon;
  seat.changed.value = 41;

  owner_seen mine;
  mine.holds = {a_hold()};
  mine.refunds = {{refund_no{9}, refund_reason::too_late, 12'300, true, owner, hold}};
  mine.more = true;

  fate_seen fate;
  fate.what = core::fate::accepted;
  fate.command = command_tag::hold_seats;
  fate.first.granted.value = noon + 600'000'000;
  fate.first.repeated = true;
  fate.first.tells_of.value = 40;
  fate.first.state = hold_state::held;
  fate.first.deadline.value = noon + 600'000'000;

  auto whole = std::make_shared<plan>();
  whole->name = "hall";
  whole->categories = {{"A", "#ff0000"}};
  whole->allocations = {"public", "box"};
  whole->zones = {"stalls"};
  whole->rows = {{0, "1"}, {0, "2"}};
  whole->seats = {{0, "1", "s-1", 0, 0, seat_next_adjacent, 1.0F, 2.0F},
                  {0, "2", "s-2", 0, 1, 0, 2.0F, 2.0F},
                  {1, "1", "s-3", 0, 0, 0, 1.0F, 3.0F}};
  whole->areas = {{"pit", "a-1", 0, {100, 20}}};

  seats_seen seats;
  seats.pages = 1;
  seats.states = {0, 1, 0x83};
  seats.areas = {{{{100, 0, 0, 0, 0, 0}, {10, 5, 1, 4, 0, 0}}}};

  changes_seen changes;
  changes.items = {
      {sequence{42}, log_time{noon}, command_tag::confirm_hold, hold_state::sold, owner, hold, refund_no{0}}};
  changes.next_since.value = 42;

  holds_seen holds;
  holds.items = {a_hold()};
  holds.next_from = 4;

  return {s, a_hold(), seat, mine, fate, plan_page_seen{0, 1, whole}, seats, changes, holds};
}

std::vector<std::pair<std::string, std::pair<std::uint16_t, p::house_seen>>> everything_seen_of_the_house() {
  p::session_brief brief;
  brief.id = session;
  brief.name = "gala-2026";
  brief.sale = sale_state::open;
  brief.frozen = true;
  brief.open_channels = 1;
  brief.currency = "EUR";
  brief.organiser_ref = "org-1";
  brief.zone = "Europe/Berlin";
  brief.starts_at = 1'760'100'000;
  brief.seats = 738;
  brief.areas = 1;
  brief.places = 838;
  const p::actor_row row{12, "session", "gala-2026", 3, 123'456, 1'000, 250'000, 1'500};
  const p::found_row hit{session,
                         "gala-2026",
                         sequence{42},
                         log_time{noon},
                         command_tag::confirm_hold,
                         owner,
                         hold,
                         basket,
                         hold_state::sold,
                         12'300,
                         "psp-4711",
                         refund_no{0},
                         refund_reason::none,
                         false,
                         {two_seats[0]}};
  namespace k = p::kinds;
  return {{"ping", {k::ping, std::monostate{}}},
          {"session_named", {k::session_named, brief}},
          {"create_session", {k::create_session, brief}},
          {"list_sessions", {k::list_sessions, p::sessions_listed{{brief}, session_id{8}}}},
          {"actors", {k::actors, p::actors_seen{{row}, 13}}},
          {"actor_inside",
           {k::actor_inside,
            p::actor_inside_seen{row, {{"position", "42"}}, {{"holds", {"owner", "until"}, {{"0a0a", "12:00"}}}}}}},
          {"stats", {k::stats, p::stats_seen{{{"funnel.busy", false, 17}}, {{"answer", 100, 1, 2, 3, 4, 5}}}}},
          {"find", {k::find, p::found{{hit}, 1}}}};
}

envelope head_of(const command& c) {
  envelope e;
  const auto tag = tag_of(c);
  // An id of its own for each kind of command; the hold is named by its command's.
  if (tag == command_tag::hold_seats)
    e.id = hold;
  else if (tag != command_tag::confirm_hold)
    e.id = command_id{repeated(0x20U + static_cast<std::uint64_t>(tag))};
  if (tag == command_tag::hold_seats) e.client_deadline = in_a_minute;
  return e;
}

template <class Encode>
base::bytes framed(Encode encode) {
  base::bytes out;
  encode(out);
  return out;
}

p::hello hello_on(listener_kind on) {
  p::hello h;
  h.listener = on;
  h.credential = "";
  h.client = "example 1.0";
  if (on == listener_kind::buyer) {
    h.owner = owner;
    h.keys = {account};
  }
  return h;
}

p::welcome a_welcome() {
  p::welcome w;
  w.who = role::shop;
  w.principal = 1;
  w.now.value = noon;
  w.request_bytes_max = 65'536;
  w.answer_bytes_max = p::limits::answer_bytes_max;
  w.inflight_max = 1'024;
  w.money_inflight_max = 64;
  w.idle_max = 60'000;
  w.server = "holdfast 0.1.0";
  return w;
}

answer granted_until(std::uint64_t at, std::uint64_t record) {
  answer a;
  a.granted.value = at;
  a.tells_of.value = record;
  a.state = hold_state::held;
  a.deadline.value = at;
  return a;
}

answer no(refusal why) {
  answer a;
  a.refused = why;
  a.tells_of.value = 42;
  return a;
}

std::vector<sample> make_samples() {
  std::vector<sample> all;
  const auto client = [&all](std::string name, listener_kind on, auto encode) {
    all.push_back({std::string(p::name_of(on)) + " asks: " + name, direction::from_client, on, framed(encode)});
  };
  const auto server = [&all](std::string name, auto encode) {
    all.push_back({"server says: " + name, direction::from_server, listener_kind::shop, framed(encode)});
  };

  for (const auto on : {listener_kind::shop, listener_kind::buyer, listener_kind::admin})
    client("hello", on, [&](auto& out) { p::encode_hello(1, hello_on(on), out); });
  client("goodbye", listener_kind::shop, [](auto& out) { p::encode_goodbye(direction::from_client, {}, out); });
  std::uint64_t id = 2;
  for (const auto& [name, c] : commands())
    client(name, listener_kind::shop,
           [&](auto& out) { p::encode_request(id++, listener_kind::shop, session, head_of(c), c, false, out); });
  for (const auto& [name, c] : commands()) {
    const auto tag = tag_of(c);
    if (tag != command_tag::hold_seats && tag != command_tag::change_hold && tag != command_tag::extend_hold &&
        tag != command_tag::release_hold)
      continue;
    client(name, listener_kind::buyer,
           [&](auto& out) { p::encode_request(id++, listener_kind::buyer, session, head_of(c), c, false, out); });
  }
  client("hold_seats again, with a note, in channel 1", listener_kind::shop, [&](auto& out) {
    const command c = hold_seats{owner, {&account, 1}, two_seats, 600'000, 1, {}};
    auto head = head_of(c);
    head.channel = 1;
    head.note = text("row for the press");
    p::encode_request(id++, listener_kind::shop, session, head, c, true, out);
  });
  for (const auto on : {listener_kind::shop, listener_kind::buyer})
    for (const auto& [name, l] : looks())
      client(name, on, [&](auto& out) { p::encode_request(id++, on, session, l, false, out); });
  for (const auto& [name, h] : house_requests())
    client(name, listener_kind::admin, [&](auto& out) { p::encode_house_request(id++, h, false, out); });

  server("welcome", [](auto& out) { p::encode_welcome(1, a_welcome(), out); });
  server("problem", [](auto& out) {
    p::encode_problem(5, {p::protocol_error::trailing_bytes, "the frame goes on after its content"}, out);
  });
  server("goodbye", [](auto& out) {
    p::encode_goodbye(direction::from_server, {p::goodbye_code::stopping, "stopping"}, out);
  });
  const auto to = [](std::uint16_t kind) { return p::answer_to{0x0102030405060708, kind, log_time{noon + 1}}; };
  const auto hold_kind = p::kind_of(command_tag::hold_seats);
  server("hold_seats accepted",
         [&](auto& out) { p::encode_answer(to(hold_kind), granted_until(noon + 600'000'000, 42), out); });
  server("hold_seats repeated", [&](auto& out) {
    auto a = granted_until(noon + 600'000'000, 42);
    a.repeated = true;
    a.state = hold_state::paying;
    a.deadline.value = noon + 900'000'000;
    p::encode_answer(to(hold_kind), a, out);
  });
  server("hold_seats refused", [&](auto& out) {
    auto a = no(refusal::over_limit);
    a.lines = 5;
    a.left = 2;
    a.retry_after = 30'000;
    a.kind = key_kind::card;
    p::encode_answer(to(hold_kind), a, out);
  });
  server("confirm_hold sold", [&](auto& out) {
    answer a;
    a.outcome = money_outcome::sold;
    a.tells_of.value = 43;
    a.state = hold_state::sold;
    p::encode_answer(to(p::kind_of(command_tag::confirm_hold)), a, out);
  });
  server("confirm_hold refund due", [&](auto& out) {
    answer a;
    a.outcome = money_outcome::refund_due;
    a.reason = refund_reason::too_late;
    a.number = refund_no{9};
    a.tells_of.value = 44;
    a.state = hold_state::expired;
    p::encode_answer(to(p::kind_of(command_tag::confirm_hold)), a, out);
  });
  const auto shown = everything_seen();
  for (std::size_t i = 0; i < shown.size(); ++i) {
    const auto kind = static_cast<std::uint16_t>(p::kinds::look_base + i);
    server(std::string(p::name_of_kind(kind)),
           [&](auto& out) { p::encode_answer(to(kind), granted_until(0, 42), &shown[i], out); });
  }
  for (const auto& [name, of] : everything_seen_of_the_house())
    server(name, [&](auto& out) { p::encode_house_answer(to(of.first), {}, of.second, out); });
  return all;
}

}  // namespace

const std::vector<sample>& samples() {
  static const auto all = make_samples();
  return all;
}

std::vector<sample> conversation() {
  std::vector<sample> all;
  const auto client = [&all](std::string name, auto encode) {
    all.push_back({name, direction::from_client, listener_kind::shop, framed(encode)});
  };
  const auto server = [&all](std::string name, auto encode) {
    all.push_back({name, direction::from_server, listener_kind::shop, framed(encode)});
  };
  const auto ask = [&](std::uint64_t id, const command& c, bool retry = false) {
    client(std::string(p::name_of_kind(p::kind_of(c))),
           [&](auto& out) { p::encode_request(id, listener_kind::shop, session, head_of(c), c, retry, out); });
  };
  const auto say = [&](std::uint64_t id, std::string name, command_tag tag, std::uint64_t us, const answer& a) {
    server(name, [&](auto& out) { p::encode_answer({id, p::kind_of(tag), log_time{noon + us}}, a, out); });
  };
  const auto until = noon + 600'020'000;
  const command placing = hold_seats{owner, {&account, 1}, two_seats, 600'000, 1, {}};

  client("hello", [](auto& out) { p::encode_hello(1, hello_on(listener_kind::shop), out); });
  server("welcome", [](auto& out) { p::encode_welcome(1, a_welcome(), out); });
  client("session_named", [](auto& out) { p::encode_house_request(2, p::session_named{"gala-2026"}, false, out); });
  server("the session", [](auto& out) {
    p::session_brief brief;
    brief.id = session;
    brief.name = "gala-2026";
    brief.sale = sale_state::open;
    brief.open_channels = all_channels;
    brief.currency = "EUR";
    brief.zone = "Europe/Berlin";
    brief.starts_at = 1'760'100'000;
    brief.seats = 738;
    brief.places = 738;
    p::encode_house_answer({2, p::kinds::session_named, log_time{noon + 10'000}}, {}, brief, out);
  });
  ask(3, placing);
  say(3, "held until", command_tag::hold_seats, 21'000, granted_until(until, 42));
  ask(4, placing, true);
  {
    auto again = granted_until(until, 42);
    again.repeated = true;
    say(4, "the same answer", command_tag::hold_seats, 30'000, again);
  }
  ask(5, begin_payment{owner, hold, text("attempt-1"), 600'000, {}});
  {
    auto paying = granted_until(noon + 600'040'000, 43);
    paying.state = hold_state::paying;
    say(5, "paying", command_tag::begin_payment, 41'000, paying);
  }
  ask(6, confirm_hold{owner, hold, text("psp-4711"), 12'300, payment_kind::card});
  {
    answer sold;
    sold.outcome = money_outcome::sold;
    sold.tells_of.value = 44;
    sold.state = hold_state::sold;
    say(6, "sold", command_tag::confirm_hold, 61'000, sold);
  }
  ask(7, release_hold{owner, hold, {}, false});
  {
    auto ended = no(refusal::hold_ended);
    ended.tells_of.value = 44;
    ended.state = hold_state::sold;
    say(7, "hold_ended", command_tag::release_hold, 71'000, ended);
  }
  client("goodbye", [](auto& out) { p::encode_goodbye(direction::from_client, {}, out); });
  server("goodbye", [](auto& out) { p::encode_goodbye(direction::from_server, {}, out); });
  return all;
}

protocol::connection_context context_on(listener_kind on) {
  p::connection_context by;
  by.listener = on;
  if (on == listener_kind::buyer) {
    by.from = {role::buyer, 3};
    by.channel = 1;
    by.owner = owner;
    by.keys = {account};
  } else {
    by.from = on == listener_kind::shop ? origin{role::shop, 1} : origin{role::op, 1000};
  }
  return by;
}

protocol::frame frame_in(base::byte_view bytes, direction from) {
  const auto c = p::cut_frame(bytes, from, p::limits::admin_request_bytes_max);
  HOLDFAST_CHECK(c.is == p::cut::what::whole && c.frame.head.length == bytes.size(), "exactly one frame");
  return c.frame;
}

}  // namespace holdfast::tests
