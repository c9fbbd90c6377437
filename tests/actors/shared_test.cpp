// What actors and loops share beside their messages, used by several threads at once: for the thread sanitizer. No actor runs here.
#include <atomic>
#include <memory>
#include <mutex>
#include <numeric>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "actors/board.hpp"
#include "actors/fail_stop.hpp"
#include "actors/pool.hpp"
#include "core/policy.hpp"
#include "core/view.hpp"

using namespace holdfast;
using namespace holdfast::actors;

namespace {

constexpr int rounds = 2'000;

/// Each of `ways` on a thread of its own, begun together.
template <class... Ways>
void at_once(Ways... ways) {
  std::atomic<int> waiting{sizeof...(ways)};
  const auto begin = [&waiting](auto way) {
    return std::thread([&waiting, way] {
      --waiting;
      while (waiting != 0) std::this_thread::yield();
      way();
    });
  };
  std::thread all[] = {begin(ways)...};
  for (auto& t : all) t.join();
}

struct crate {
  std::vector<int> content;
  void reset() { content.clear(); }
};

}  // namespace

TEST_CASE("a crate is filled by one thread, emptied by another, and comes back clean") {
  pool<crate> crates(4);
  std::mutex lock;
  std::shared_ptr<crate> desk;
  std::atomic<bool> done{false};
  std::uint64_t sum = 0;
  at_once(
      [&] {
        for (int i = 0; i < rounds; ++i) {
          auto c = crates.take();
          CHECK(c->content.empty());
          c->content.assign(16, i);
          const std::lock_guard hold(lock);
          desk = std::move(c);
        }
        done = true;
      },
      [&] {
        while (!done) {
          std::shared_ptr<crate> c;
          {
            const std::lock_guard hold(lock);
            c = std::move(desk);
          }
          if (c) sum += static_cast<std::uint64_t>(std::accumulate(c->content.begin(), c->content.end(), 0));
        }
      });
  CHECK(sum <= 16ULL * rounds * (rounds - 1) / 2);
}

TEST_CASE("the board is read while rows come, go and work") {
  board b;
  const auto busy = std::make_shared<meter>();
  b.add("journal", "", busy);
  at_once(
      [&] {
        for (int i = 0; i < rounds; ++i) busy->posted(static_cast<std::uint64_t>(i));
      },
      [&] {
        for (int i = 0; i < rounds; ++i) busy->handled(static_cast<std::uint64_t>(i), 1, 10, 11);
      },
      [&] {
        for (int i = 0; i < rounds; ++i) b.remove(b.add("session", "gala", std::make_shared<meter>(), 1));
      },
      [&] {
        for (int i = 0; i < rounds / 10; ++i) {
          const auto rows = b.look();
          CHECK(!rows.empty());
          CHECK(rows[0].kind == "journal");
        }
      });
  const auto last = b.look();
  REQUIRE(last.size() == 1);
  CHECK(last[0].now.handled == rounds);
  CHECK(last[0].now.waiting == 0);
}

TEST_CASE("a view is judged while the journal's thread changes it") {
  auto hall = std::make_shared<core::plan>();
  hall->categories = {{"all", ""}};
  hall->zones = {"main"};
  hall->rows = {{0, "A"}};
  hall->seats.resize(200);
  core::sale_view view(hall, core::default_policy());
  const auto apply = [&](core::view_change c, std::uint64_t number) { view.apply({&c, 1}, core::sequence{number}); };
  using kind = core::view_change::kind;
  apply({kind::control, static_cast<std::uint8_t>(core::sale_state::open), 0, core::all_channels, 0}, 1);
  at_once(
      [&] {
        for (std::uint32_t n = 0; n < 200; ++n) apply({kind::seat_gone, 0, 0, n, 1}, n + 2);
      },
      [&] {
        for (std::uint32_t i = 0; i < rounds; ++i) {
          const core::line l{core::place_kind::seat, i % 200, 1, 1};
          const auto before = view.durable();
          const auto said = view.judge(0, {&l, 1});
          // Seat n goes with record n + 2: what was durable before the question is known to the answer.
          if (before.value >= i % 200 + 2) CHECK(said.refused == core::refusal::sold_out);
          CHECK(said.tells_of >= before);
        }
      },
      [&] {
        for (core::sequence last; last.value < 201;) {
          const auto now = view.durable();
          CHECK(now >= last);
          last = now;
        }
      });
  const core::line any{core::place_kind::seat, 0, 1, 1};
  CHECK(view.judge(0, {&any, 1}).refused == core::refusal::sold_out);
}

TEST_CASE("whoever trips first stops the house, and all see it") {
  int stops = 0;
  fail_stop failure([&](const stop_reason&) { ++stops; });
  const auto trip = [&] { failure.trip({"the disk", {}}); };
  at_once(trip, trip, trip, [&] {
    while (!failure.tripped()) std::this_thread::yield();
  });
  CHECK(stops == 1);
}
