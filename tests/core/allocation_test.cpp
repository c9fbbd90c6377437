// In a sale that has been going on for a while nothing is allocated for a decision: what ends makes room for what comes.
#include <doctest/doctest.h>

#include <array>

#include "bench/hall.hpp"
#include "plans/generate.hpp"
#include "tests/protocol/counting_new.hpp"

using namespace holdfast;
using namespace holdfast::core;

namespace {

constexpr std::uint32_t seats = 2'000;
constexpr std::size_t batch = 100;

struct long_sale {
  base::random random{7};
  engine sale{bench::make_session(std::make_shared<const plan>(plans::generate_hall({.seats = seats})), 3 * seats)};
  log_time now{2'000'000};
  bench::counting_sink sink;
  bench::requests asked{batch};
  std::array<request, batch> confirms;
  std::array<std::uint8_t, 16> payment{1};
  std::uint64_t came = 0;  ///< buyers so far; each comes again after a while
  std::size_t news = 0;  ///< allocations inside steps

  long_sale() { bench::open_for_all(sale, now, random); }

  void step(std::span<const request> requests) {
    const auto before = tests::allocated().count;
    sale.step(requests, now, sink);
    sale.durable(sale.state().last());
    news += tests::allocated().count - before;
  }
  /// Asks for all seats.
  void rush() {
    for (std::uint32_t at = 0; at < seats; at += batch) {
      for (std::size_t i = 0; i < batch; ++i)
        asked.hold(i, static_cast<std::uint32_t>(at + i), came++ % (10 * seats), random.id(), now);
      step(asked.first(batch));
    }
  }
  void expire() {
    now.value += 901 * us_per_s;
    step({});
  }
};

}  // namespace

TEST_CASE("holds, refusals and expiries of a sale that has settled allocate nothing") {
  long_sale s;
  for (int round = 0; round < 8; ++round) {
    s.rush();
    s.rush();  // all refused
    s.expire();
  }
  const auto room = s.sale.state().memory();
  const auto before = s.sink;
  s.news = 0;
  for (int round = 0; round < 5; ++round) {
    s.rush();
    s.rush();
    s.expire();
  }
  CHECK(s.sink.accepted - before.accepted == 5 * seats);
  CHECK(s.sink.refused - before.refused == 5 * seats);
  CHECK(s.news == 0);
  const auto after = s.sale.state().memory();
  CHECK(after.holds == room.holds);
  CHECK(after.ids == room.ids);
}

TEST_CASE("payments allocate only as the tables of orders grow") {
  long_sale s;
  for (int round = 0; round < 8; ++round) {
    s.rush();
    s.expire();
  }
  std::vector<command_id> names;
  std::vector<owner_id> owners;
  for (std::uint32_t at = 0; at < seats; at += batch) {
    for (std::size_t i = 0; i < batch; ++i) {
      names.push_back(command_id{s.random.id()});
      s.asked.hold(i, static_cast<std::uint32_t>(at + i), s.came++ % (10 * seats), names.back().value, s.now);
      owners.push_back(std::get<hold_seats>(std::get<command>(s.asked.at(i).asked)).owner);
    }
    s.step(s.asked.first(batch));
  }
  s.news = 0;
  const auto accepted = s.sink.accepted;
  for (std::uint32_t at = 0; at < seats; at += batch) {
    for (std::size_t i = 0; i < batch; ++i) {
      auto& r = s.confirms[i];
      r.head = {};
      r.head.from.who = role::shop;
      r.asked = command{confirm_hold{owners[at + i], hold_id{names[at + i].value}, s.payment, 4'200, payment_kind::card}};
    }
    s.step(s.confirms);
  }
  CHECK(s.sink.accepted - accepted == seats);
  CHECK(s.news * 100 < seats);
}
