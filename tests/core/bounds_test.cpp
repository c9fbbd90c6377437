// Where the named limits bite: things that need too many commands for a story.
#include <doctest/doctest.h>

#include <deque>

#include "tests/core/duel.hpp"

namespace holdfast::tests {

using namespace core;

namespace {

constexpr log_time begin{1'700'000'000'000'000};

std::shared_ptr<const session_terms> hall(std::uint32_t seats, std::uint32_t expiries_per_step) {
  auto p = std::make_shared<plan>();
  p->name = "hall";
  p->categories = {{"all", ""}};
  p->zones = {"main"};
  p->rows = {{0, "A"}};
  for (std::uint32_t i = 0; i < seats; ++i) {
    plan_seat s;
    s.number = s.identity = std::to_string(i + 1);
    p->seats.push_back(s);
  }
  auto t = std::make_shared<session_terms>();
  t->name = "bounds";
  t->currency = "EUR";
  t->rules = default_policy();
  t->rules.expiries_per_step = expiries_per_step;
  t->seating = p;
  return t;
}

envelope from(role who, std::uint64_t id) { return {{who, 1}, 1, command_id{{id, 1}}, {}, {}}; }

struct counting_sink : step_sink {
  std::vector<std::size_t> expired;  ///< a number a record
  std::vector<answer> said;
  void on_record(const record& r) override {
    if (const auto* e = std::get_if<holds_expired>(&r.done)) expired.push_back(e->holds.size());
  }
  void on_view_change(const view_change&) override {}
  void on_answer(std::uint64_t, const answer& a, std::shared_ptr<const seen>) override { said.push_back(a); }
};

/// So many holds of one seat each, all due after a minute.
void fill(engine& e, std::uint32_t seats, counting_sink& sink) {
  const auto ask = [&](envelope head, command c) {
    const request r{0, head, c};
    e.step({&r, 1}, begin, sink);
    REQUIRE(sink.said.back().refused == refusal::none);
  };
  ask(from(role::op, 1), open_sale{});
  for (std::uint32_t i = 0; i < seats; ++i) {
    const line l{place_kind::seat, i, 1, 0};
    hold_seats h;
    h.owner = owner_id{{i + 1, 1}};
    h.lines = {&l, 1};
    h.interval = 60'000;
    auto head = from(role::buyer, i + 1);
    head.client_deadline = begin;
    ask(head, h);
  }
}

}  // namespace

TEST_CASE("of commands without an owner the newest 65,536 ids are remembered") {
  duel d(hall(1, 4'096), begin);
  std::vector<place_range> seat{{place_kind::seat, 0, 0, 0, 0}};
  const auto blocked = [&](std::uint64_t id) {
    happening h{happening::kind::step, begin, {{from(role::op, id), block_places{seat, 1}}}};
    const auto trouble = d.play(h);
    REQUIRE_MESSAGE(!trouble, *trouble);
    return d.said().front();
  };
  for (std::uint64_t id = 1; id <= limits::operator_ids_max; ++id) REQUIRE(!blocked(id).repeated);
  CHECK(blocked(1).repeated);
  CHECK(!blocked(limits::operator_ids_max + 1).repeated);
  CHECK(!blocked(1).repeated);  // the oldest was forgotten for it, and is now among the newest
  CHECK(!blocked(2).repeated);
  CHECK(blocked(4).repeated);
  const auto trouble = d.compare_bytes();
  CHECK_MESSAGE(!trouble, *trouble);
}

TEST_CASE("a step expires no more than expiries_per_step, and wakes itself for the rest") {
  counting_sink sink;
  engine e(session::create(session_id{1}, created_record(hall(1'000, 300), begin), {}));
  fill(e, 1'000, sink);
  const log_time due{begin.value + 60 * us_per_s};
  CHECK(e.next_deadline() == due);
  std::size_t expired = 0;
  for (int step = 0; step < 3; ++step) {
    sink.expired.clear();
    e.step({}, due, sink);
    std::size_t now = 0;
    for (const auto n : sink.expired) {
      CHECK(n <= expiries_per_record_max);
      now += n;
    }
    CHECK(now == 300);
    expired += now;
    CHECK(e.next_deadline() == due);
    CHECK(e.state().brief(due).expiries_pending);
  }
  e.step({}, due, sink);
  CHECK(expired + 100 == 1'000);
  CHECK(!e.next_deadline());
  CHECK(!e.state().brief(due).expiries_pending);
  CHECK(e.state().brief(due).places.free == 1'000);
}

TEST_CASE("wake-ups that come early, late or twice do no harm") {
  counting_sink sink;
  engine e(session::create(session_id{1}, created_record(hall(3, 4'096), begin), {}));
  fill(e, 3, sink);
  const auto last = e.state().last();
  e.step({}, log_time{begin.value + 60 * us_per_s - 1}, sink);
  CHECK(e.state().last() == last);
  e.step({}, log_time{begin.value + 61 * us_per_s}, sink);
  CHECK(sink.expired == std::vector<std::size_t>{3});
  e.step({}, log_time{begin.value + 61 * us_per_s}, sink);
  CHECK(e.state().last().value == last.value + 1);
}

TEST_CASE("records up to durable() are durable, and it never goes back") {
  counting_sink sink;
  engine e(session::create(session_id{1}, created_record(hall(3, 4'096), begin), {}));
  CHECK(e.durable() == sequence{1});
  fill(e, 3, sink);
  CHECK(e.durable() == sequence{1});
  CHECK(sink.said.back().waits_for == e.state().last());
  e.durable(e.state().last());
  CHECK(e.durable() == e.state().last());
  e.durable(sequence{2});
  CHECK(e.durable() == e.state().last());
}

TEST_CASE("bytes that are cut or changed never load as another session") {
  counting_sink sink;
  const auto terms = hall(20, 4'096);
  engine e(session::create(session_id{1}, created_record(terms, begin), {}));
  fill(e, 20, sink);
  base::bytes bytes;
  base::byte_writer w(bytes);
  e.state().save(w);
  for (std::size_t n = 0; n < bytes.size(); ++n)
    CHECK_FALSE(session::load(session_id{1}, base::byte_view(bytes).first(n), terms->seating, {}).ok());
  bytes.push_back(0);
  CHECK_FALSE(session::load(session_id{1}, bytes, terms->seating, {}).ok());
}

}  // namespace holdfast::tests
