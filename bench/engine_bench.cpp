// The engine alone, one thread: hold decisions on a 50,000-seat session with look-ups over a million owners, refusals when it is
// sold out, replay, and what an entry costs in memory.
//   build/release/bench/engine_bench
#include <benchmark/benchmark.h>

#include <numeric>

#include "bench/hall.hpp"
#include "plans/generate.hpp"

namespace holdfast::bench {
namespace {

constexpr std::uint32_t seats = 50'000;
constexpr std::size_t batch = 256;

std::shared_ptr<const core::plan> hall() {
  static const auto p = std::make_shared<const core::plan>(plans::generate_hall({.seats = seats}));
  return p;
}

/// A round: every seat is held once by a random owner (timed), then all expire (not timed). Ended holds stay remembered, so the
/// id table is full of a million of them and more.
void holds(benchmark::State& state) {
  base::random random(1);
  core::engine engine(make_session(hall()));
  core::log_time now{2'000'000};
  open_for_all(engine, now, random);
  std::vector<std::uint32_t> order(seats);
  std::iota(order.begin(), order.end(), 0U);
  requests asked(batch);
  counting_sink sink;
  const auto round = [&](bool timed) {
    for (std::size_t i = seats - 1; i > 0; --i) std::swap(order[i], order[random.below(i + 1)]);
    for (std::size_t at = 0; at < seats; at += batch) {
      const auto n = std::min(batch, seats - at);
      for (std::size_t i = 0; i < n; ++i) asked.hold(i, order[at + i], random.below(owners), random.id(), now);
      if (timed) state.ResumeTiming();
      engine.step(asked.first(n), now, sink);
      if (timed) state.PauseTiming();
      engine.durable(engine.state().last());
    }
    now.value += 901 * core::us_per_s;
    for (std::uint32_t left = 0; left <= seats / 4'096; ++left) engine.step({}, now, sink);
  };
  for (int i = 0; i < 25; ++i) round(false);
  const auto before = sink;
  for (auto _ : state) {
    state.PauseTiming();
    round(true);
    state.ResumeTiming();
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(sink.accepted - before.accepted));
  state.counters["refused_percent"] = 100.0 * static_cast<double>(sink.refused - before.refused) /
                                      static_cast<double>(sink.accepted + sink.refused - before.accepted - before.refused);
}
BENCHMARK(holds)->Unit(benchmark::kMillisecond)->MinTime(2);

/// Sold out: each seat is sold, every new hold is refused after its id, owner and seat were looked up.
void refusals(benchmark::State& state) {
  base::random random(2);
  core::engine engine(make_session(hall()));
  core::log_time now{2'000'000};
  open_for_all(engine, now, random);
  requests asked(batch);
  counting_sink sink;
  // A million owners become known by holds that expire, then the hall is sold.
  for (std::uint64_t owner = 0; owner < owners; owner += seats) {
    for (std::uint32_t at = 0; at < seats; at += batch) {
      const auto n = std::min<std::size_t>(batch, seats - at);
      for (std::size_t i = 0; i < n; ++i)
        asked.hold(i, static_cast<std::uint32_t>(at + i), owner + at + i, random.id(), now);
      engine.step(asked.first(n), now, sink);
    }
    if (owner + seats >= owners) break;
    now.value += 901 * core::us_per_s;
    for (std::uint32_t left = 0; left <= seats / 4'096; ++left) engine.step({}, now, sink);
  }
  for (auto _ : state) {
    state.PauseTiming();
    for (std::size_t i = 0; i < batch; ++i)
      asked.hold(i, static_cast<std::uint32_t>(random.below(seats)), random.below(owners), random.id(), now);
    state.ResumeTiming();
    engine.step(asked.first(batch), now, sink);
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * batch));
}
BENCHMARK(refusals)->MinTime(2);

/// What a million live holds of one line and one key take.
void memory(benchmark::State& state) {
  const auto big = std::make_shared<const core::plan>(plans::generate_hall({.seats = 1'000'000}));
  for (auto _ : state) {
    base::random random(3);
    core::engine engine(make_session(big));
    core::log_time now{2'000'000};
    open_for_all(engine, now, random);
    requests asked(batch);
    counting_sink sink;
    for (std::uint32_t at = 0; at + batch <= 1'000'000; at += batch) {
      for (std::size_t i = 0; i < batch; ++i) asked.hold(i, static_cast<std::uint32_t>(at + i), at + i, random.id(), now);
      engine.step(asked.first(batch), now, sink);
    }
    const auto f = engine.state().memory();
    const auto n = static_cast<double>(sink.accepted);
    state.counters["bytes_per_seat"] = static_cast<double>(f.seats) / 1e6;
    state.counters["bytes_per_hold"] = static_cast<double>(f.holds) / n;
    state.counters["bytes_per_id"] = static_cast<double>(f.ids) / n;
    state.counters["bytes_per_owner"] = static_cast<double>(f.owners) / n;
    state.counters["bytes_per_key"] = static_cast<double>(f.keys) / n;
    state.counters["bytes_of_indexes"] = static_cast<double>(f.indexes) / n;
  }
}
BENCHMARK(memory)->Iterations(1)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace holdfast::bench

BENCHMARK_MAIN();
