#include <doctest/doctest.h>

#include "tests/protocol/counting_new.hpp"
#include "tests/protocol/random_messages.hpp"
#include "tests/protocol/same.hpp"
#include "tests/protocol/samples.hpp"

using namespace holdfast;
using namespace holdfast::protocol;
using tests::random_messages;
using tests::same;

namespace {

constexpr std::uint64_t seed = 4711;

answer_message answered(const base::bytes& bytes) {
  from_server_message m;
  REQUIRE(decode_from_server(tests::frame_in(bytes, direction::from_server), m) == protocol_error::none);
  return std::get<answer_message>(m);
}

void check_around(const answer_message& back, const answer_to& to, const core::answer& said) {
  CHECK(back.id == to.id);
  CHECK(back.kind == to.kind);
  CHECK(back.now == to.now);
  CHECK(back.said.refused == said.refused);
  CHECK(back.said.repeated == said.repeated);
  CHECK(back.said.tells_of == said.tells_of);
  CHECK(back.said.state == said.state);
  CHECK(back.said.deadline == said.deadline);
}

bool same_page(const plan_page& page, const core::plan_page_seen& seen) {
  const auto& whole = *seen.whole;
  if (page.page != seen.page || page.pages != seen.pages || page.first_seat != seen.page * core::plan_seats_per_page)
    return false;
  const auto n = std::min<std::size_t>(core::plan_seats_per_page, whole.seats.size() - page.first_seat);
  if (page.seats.size() != n) return false;
  std::size_t row = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const auto& a = page.seats[i];
    const auto& b = whole.seats[page.first_seat + i];
    if (a.row != b.row || a.number != b.number || a.identity != b.identity || a.category != b.category ||
        a.allocation != b.allocation || a.flags != b.flags || a.x != b.x || a.y != b.y)
      return false;
    while (row < page.rows.size() && page.rows[row].number != a.row) ++row;
    if (row == page.rows.size() || page.rows[row].what.label != whole.rows[a.row].label ||
        page.rows[row].what.zone != whole.rows[a.row].zone)
      return false;
  }
  if (page.page != 0) return page.name.empty() && page.categories.empty() && page.zones.empty() && page.areas.empty();
  return page.name == whole.name && page.seats_total == whole.seats.size() && page.rows_total == whole.rows.size() &&
         page.categories.size() == whole.categories.size() && page.categories[0].name == whole.categories[0].name &&
         page.categories[0].color == whole.categories[0].color && page.allocations == whole.allocations &&
         page.zones == whole.zones && page.areas.size() == 1 && page.areas[0].name == whole.areas[0].name &&
         page.areas[0].identity == whole.areas[0].identity && page.areas[0].capacity == whole.areas[0].capacity;
}

}  // namespace

TEST_CASE("every command comes back as it was asked, on every kind of connection") {
  MESSAGE("seed ", seed);
  random_messages make(seed);
  base::bytes out;
  for (int round = 0; round < 200; ++round) {
    for (std::size_t t = 1; t + 1 < core::command_tags; ++t) {
      for (const auto on : {listener_kind::shop, listener_kind::buyer, listener_kind::admin}) {
        auto c = make.command(static_cast<core::command_tag>(t));
        auto head = make.envelope();
        const core::session_id session{make.u64()};
        const auto id = make.u64() | 1;
        const bool retry = make.coin();
        out.clear();
        encode_request(id, on, session, head, c, retry, out);

        const auto by = tests::context_on(on);
        std::pmr::monotonic_buffer_resource arena;
        request back;
        CAPTURE(t);
        REQUIRE(decode_request(tests::frame_in(out, direction::from_client), by, arena, back) == protocol_error::none);
        CHECK(back.id == id);
        CHECK(back.kind == kind_of(c));
        CHECK(back.retry == retry);
        CHECK(back.session == session);
        CHECK(back.impossible == core::refusal::none);
        head.from = by.from;
        if (on == listener_kind::buyer) {  // these come from the connection, whatever the client believed
          head.channel = by.channel;
          std::visit(
              [&by](auto& x) {
                if constexpr (requires { x.owner; }) x.owner = by.owner;
                if constexpr (std::is_same_v<decltype(x), core::hold_seats&>) x.keys = by.keys;
                if constexpr (std::is_same_v<decltype(x), core::begin_payment&>) x.keys = {};
              },
              c);
        }
        CHECK(same(back.head, head));
        REQUIRE(same(std::get<core::command>(back.asked), c));
      }
    }
  }
}

TEST_CASE("every look comes back as it was asked") {
  random_messages make(seed);
  base::bytes out;
  for (int round = 0; round < 100; ++round) {
    for (std::size_t i = 0; i < tests::looks; ++i) {
      for (const auto on : {listener_kind::shop, listener_kind::buyer}) {
        auto l = make.look(i);
        const core::session_id session{make.u64()};
        out.clear();
        encode_request(5, on, session, l, false, out);
        const auto by = tests::context_on(on);
        std::pmr::monotonic_buffer_resource arena(std::pmr::null_memory_resource());
        request back;
        REQUIRE(decode_request(tests::frame_in(out, direction::from_client), by, arena, back) == protocol_error::none);
        CHECK(back.session == session);
        CHECK(back.head.from == by.from);
        if (on == listener_kind::buyer)
          std::visit(
              [&by](auto& x) {
                if constexpr (requires { x.owner; }) x.owner = by.owner;
              },
              l);
        REQUIRE(same(std::get<core::look>(back.asked), l));
      }
    }
  }
}

TEST_CASE("every request to the house comes back as it was asked") {
  random_messages make(seed);
  const auto by = tests::context_on(listener_kind::admin);
  for (int round = 0; round < 100; ++round) {
    for (std::size_t i = 0; i < tests::house_requests; ++i) {
      const auto h = make.house(i);
      base::bytes out;
      encode_house_request(5, h, true, out);
      std::pmr::monotonic_buffer_resource arena;
      house_request back;
      REQUIRE(decode_house_request(tests::frame_in(out, direction::from_client), by, arena, back) ==
              protocol_error::none);
      CHECK(back.kind == kind_of(h));
      CHECK(back.retry);
      CHECK(back.impossible == core::refusal::none);
      REQUIRE(back.asked.index() == h.index());
      if (const auto* c = std::get_if<protocol::create_session>(&h)) {
        const auto& got = std::get<protocol::create_session>(back.asked);
        CHECK(same(core::create_session{got.terms}, core::create_session{c->terms}));
        CHECK(std::ranges::equal(got.plan, c->plan));
        CHECK(std::ranges::equal(got.head.note, c->head.note));
        CHECK(got.head.from == by.from);
      }
      if (const auto* f = std::get_if<find>(&h)) {
        const auto& got = std::get<find>(back.asked);
        CHECK(got.by == f->by);
        CHECK(got.id == f->id);
        CHECK(got.payment == f->payment);
        CHECK(got.from == f->from);
      }
      base::bytes again;
      encode_house_request(5, back.asked, true, again);
      CHECK(again == out);
    }
  }
}

TEST_CASE("operators' requests are not allowed on other listeners, whatever they hold") {
  for (const auto on : {listener_kind::shop, listener_kind::buyer}) {
    const auto by = tests::context_on(on);
    for (const auto& s : tests::samples()) {
      if (s.from != direction::from_client) continue;
      const auto f = tests::frame_in(s.bytes, s.from);
      if (family_of(f.head.kind) != family::house) continue;
      std::pmr::monotonic_buffer_resource arena;
      house_request back;
      CHECK(decode_house_request(f, by, arena, back) == protocol_error::none);
      const bool open = f.head.kind == kinds::ping || f.head.kind == kinds::session_named;
      CHECK(back.impossible == (open ? core::refusal::none : core::refusal::not_allowed));
    }
  }
}

TEST_CASE("answers to commands come back, accepted and refused") {
  random_messages make(seed);
  base::bytes out;
  for (int round = 0; round < 3'000; ++round) {
    const answer_to to{make.u64(),
                       kind_of(static_cast<core::command_tag>(make.dice().between(1, core::command_tags - 2))),
                       core::log_time{make.u64()}};
    const auto yes = make.acceptance();
    out.clear();
    const auto yes_bytes = encode_answer(to, yes, out);
    CHECK(yes_bytes == out.size());
    const auto back = answered(out);
    check_around(back, to, yes);
    CHECK(back.said.outcome == yes.outcome);
    CHECK(back.said.reason == yes.reason);
    CHECK(back.said.number == yes.number);
    CHECK(back.said.granted == yes.granted);
    CHECK(std::holds_alternative<std::monostate>(back.shown));

    const auto no = make.refused(static_cast<core::refusal>(make.dice().between(1, 111)));
    out.clear();
    const auto no_bytes = encode_answer(to, no, out);
    CHECK(no_bytes == out.size());
    const auto refused = answered(out);
    check_around(refused, to, no);
    CHECK(refused.said.lines == no.lines);
    CHECK(refused.said.left == no.left);
    CHECK(refused.said.retry_after == no.retry_after);
    CHECK(refused.said.kind == no.kind);
  }
}

TEST_CASE("a repeated answer has the same bytes from `refused` on") {
  random_messages make(seed);
  for (int round = 0; round < 100; ++round) {
    auto a = round % 2 == 0 ? make.acceptance() : make.refused(core::refusal::sold_out);
    base::bytes first, second;
    encode_answer({1, kind_of(core::command_tag::hold_seats), core::log_time{5}}, a, first);
    a.repeated = true;
    a.state = core::hold_state::paying;
    a.deadline.value += 1;
    encode_answer({9, kind_of(core::command_tag::hold_seats), core::log_time{6}}, a, second);
    REQUIRE(first.size() == second.size());
    CHECK(std::equal(first.begin() + 42, first.end(), second.begin() + 42));
  }
}

TEST_CASE("everything that looks show comes back") {
  random_messages make(seed);
  base::bytes out;
  for (int round = 0; round < 60; ++round) {
    for (std::size_t i = 0; i < tests::looks; ++i) {
      const auto seen = make.seen(i);
      const auto said = make.acceptance();
      const answer_to to{make.u64(), static_cast<std::uint16_t>(kinds::look_base + i), core::log_time{make.u64()}};
      out.clear();
      const auto bytes = encode_answer(to, said, &seen, out);
      CHECK(bytes == out.size());
      const auto back = answered(out);
      check_around(back, to, said);
      std::visit(
          [&back](const auto& s) {
            using seen_type = std::remove_cvref_t<decltype(s)>;
            if constexpr (std::is_same_v<seen_type, core::plan_page_seen>)
              REQUIRE(same_page(std::get<plan_page>(back.shown), s));
            else
              REQUIRE(same(std::get<seen_type>(back.shown), s));
          },
          seen);

      const auto no = make.refused(core::refusal::no_such_page);
      out.clear();
      encode_answer(to, no, nullptr, out);
      CHECK(answered(out).said.left == no.left);
    }
  }
}

TEST_CASE("everything that the house shows comes back") {
  random_messages make(seed);
  base::bytes out;
  for (int round = 0; round < 100; ++round) {
    for (std::size_t i = 0; i < tests::house_answers; ++i) {
      const auto [kind, seen] = make.house_seen(i);
      const answer_to to{make.u64(), kind, core::log_time{make.u64()}};
      out.clear();
      const auto bytes = encode_house_answer(to, {}, seen, out);
      CHECK(bytes == out.size());
      const auto back = answered(out);
      std::visit([&back](const auto& s) { REQUIRE(std::get<std::remove_cvref_t<decltype(s)>>(back.shown) == s); },
                 seen);

      const auto no = make.refused(core::refusal::unknown_session);
      out.clear();
      encode_house_answer(to, no, seen, out);
      CHECK(answered(out).said.refused == core::refusal::unknown_session);
    }
  }
}

TEST_CASE("a list that no frame can hold becomes a refusal") {
  actors_seen many;
  many.rows.assign(100'000, actor_row{1, "session", std::string(64, 'x'), 0, 0, 0, 0, 0});
  base::bytes out{1, 2, 3};
  const auto n = encode_house_answer({5, kinds::actors, core::log_time{1}}, {}, many, out);
  CHECK(n == out.size() - 3);
  out.erase(out.begin(), out.begin() + 3);
  CHECK(answered(out).said.refused == core::refusal::table_full);
}

TEST_CASE("the longest page of a plan fits into a frame") {
  auto whole = std::make_shared<core::plan>();
  whole->name = std::string(64, 'n');
  whole->zones.assign(65'536, std::string(64, 'z'));
  whole->rows.assign(core::plan_seats_per_page, {0, std::string(64, 'r')});
  for (std::uint32_t i = 0; i < core::plan_seats_per_page; ++i)
    whole->seats.push_back({i, std::string(32, 's'), std::string(128, 'i'), 0, 0, 0, 0, 0});
  whole->areas.assign(core::limits::areas_max,
                      {std::string(64, 'a'), std::string(128, 'i'), 0, std::vector<std::uint32_t>(16, 1'000'000)});
  base::bytes out;
  const core::seen seen = core::plan_page_seen{0, 1, whole};
  encode_answer({5, static_cast<std::uint16_t>(kinds::look_base + 5), core::log_time{1}}, {}, &seen, out);
  CHECK(out.size() < limits::answer_bytes_max);
  CHECK(answered(out).said.refused == core::refusal::none);
}

TEST_CASE("the longest pages of holds and seats fit into a frame") {
  core::hold_seen h;
  h.lines.resize(core::limits::lines_max);
  h.payments.resize(core::limits::payments_per_hold_max);
  core::holds_seen holds;
  holds.items.assign(core::holds_per_page, h);
  core::owner_seen mine;
  mine.holds.assign(core::owner_items_max, h);
  mine.refunds.resize(core::owner_items_max);
  core::seats_seen seats;
  seats.states.resize(core::seats_per_page);
  seats.areas.resize(core::limits::areas_max);
  for (auto& a : seats.areas) a.allocations.resize(core::limits::allocations_max);
  for (const core::seen& seen : {core::seen{holds}, core::seen{mine}, core::seen{seats}}) {
    base::bytes out;
    encode_answer({5, static_cast<std::uint16_t>(kinds::look_base + seen.index()), core::log_time{1}}, {}, &seen, out);
    CHECK(answered(out).said.refused == core::refusal::none);
  }
}

TEST_CASE("the longest command fits into a request") {
  const std::vector<core::line> lines(core::limits::lines_max, {core::place_kind::area, ~0U, ~0U, ~0U});
  const std::vector<core::place_range> ranges(core::limits::ranges_max, {core::place_kind::seat, ~0U, 0, ~0U, 255});
  for (const core::command& c :
       {core::command{core::change_hold{{}, {}, lines, lines, 2}}, core::command{core::block_places{ranges, 9}}}) {
    base::bytes out;
    encode_request(1, listener_kind::admin, {}, {}, c, false, out);
    CHECK(out.size() <= limits::request_bytes_max);
  }
}

TEST_CASE("the way of a hold and its answer allocates nothing beside the arena") {
  const auto by = tests::context_on(listener_kind::buyer);
  const core::line seat{core::place_kind::seat, 49'999, 1, 300};
  base::bytes asked, said;
  encode_request(1, listener_kind::buyer, core::session_id{1}, {}, core::hold_seats{{}, {}, {&seat, 1}, 900'000, 1, {}},
                 false, asked);
  said.reserve(4096);
  core::answer yes;
  yes.state = core::hold_state::held;
  alignas(16) std::byte room[512];
  request back;
  const auto before = tests::allocated();
  bool good = true;
  for (int i = 0; i < 1'000; ++i) {
    std::pmr::monotonic_buffer_resource arena(room, sizeof room, std::pmr::null_memory_resource());
    const auto c = cut_frame(asked, direction::from_client, limits::request_bytes_max);
    good = good && decode_request(c.frame, by, arena, back) == protocol_error::none;
    said.clear();
    encode_answer({back.id, back.kind, core::log_time{1}}, yes, said);
  }
  CHECK(tests::allocated().count == before.count);
  CHECK(good);
}

TEST_CASE("a note longer than 64 bytes is refused, not broken") {
  const base::bytes longer(65, 'n');
  core::envelope head;
  head.note = longer;
  base::bytes out;
  encode_request(1, listener_kind::shop, core::session_id{1}, head, core::pause_sale{}, false, out);
  std::pmr::monotonic_buffer_resource arena;
  request back;
  CHECK(decode_request(tests::frame_in(out, direction::from_client), tests::context_on(listener_kind::shop), arena,
                       back) == protocol_error::none);
  CHECK(back.impossible == core::refusal::bad_content);
}
