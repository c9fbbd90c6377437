// What a request passes outside of the engine: the frame that is cut and decoded, the view that refuses early, the order of deadlines,
// the answer's bytes. One thread; what is touched lies in the processor's cache unless the name says otherwise.
#include <benchmark/benchmark.h>

#include <memory_resource>

#include "bench/hall.hpp"
#include "core/deadlines.hpp"
#include "core/view.hpp"
#include "plans/generate.hpp"
#include "protocol/codec.hpp"

namespace {

using namespace holdfast;

constexpr std::uint32_t seats = 50'000;

std::shared_ptr<const core::plan> hall() {
  static const auto plan = std::make_shared<const core::plan>(plans::generate_hall({.seats = seats}));
  return plan;
}

/// Requests as they come in, behind each other.
base::bytes stream_of(const std::function<core::command(const core::request&)>& what, std::size_t n) {
  bench::requests made(n);
  base::random random(1);
  base::bytes stream;
  for (std::size_t i = 0; i < n; ++i) {
    made.hold(i, static_cast<std::uint32_t>(i), random.below(bench::owners), random.id(), core::log_time{2'000'000});
    auto& r = made.at(i);
    const auto asked = what(r);
    protocol::encode_request(i + 1, protocol::listener_kind::shop, core::session_id{1}, r.head, asked, false, stream);
  }
  return stream;
}

void read_frames(benchmark::State& state, const base::bytes& stream, std::size_t n) {
  protocol::connection_context by;
  by.listener = protocol::listener_kind::shop;
  by.from = {core::role::shop, 1};
  const auto room = std::make_unique<std::byte[]>(256 * 1024);
  protocol::request out;
  for (auto _ : state) {
    std::pmr::monotonic_buffer_resource arena(room.get(), 256 * 1024);
    for (base::byte_view in = stream; !in.empty();) {
      const auto cut = protocol::cut_frame(in, protocol::direction::from_client, protocol::limits::request_bytes_max);
      HOLDFAST_CHECK(protocol::decode_request(cut.frame, by, arena, out) == protocol::protocol_error::none, "a request decodes");
      in = in.subspan(cut.frame.head.length);
    }
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * n));
  state.counters["bytes"] = static_cast<double>(stream.size()) / static_cast<double>(n);
}

void read_hold(benchmark::State& state) {
  read_frames(state, stream_of([](const core::request& r) { return std::get<core::command>(r.asked); }, 128), 128);
}
BENCHMARK(read_hold);

void read_confirm(benchmark::State& state) {
  const base::bytes payment(16, 7);
  const auto confirm = [&](const core::request& r) -> core::command {
    const auto& c = std::get<core::hold_seats>(std::get<core::command>(r.asked));
    return core::confirm_hold{c.owner, core::hold_id{r.head.id.value}, payment, 4'200, core::payment_kind::card};
  };
  read_frames(state, stream_of(confirm, 128), 128);
}
BENCHMARK(read_confirm);

void write_answer(benchmark::State& state) {
  const auto said = bench::a_granted_hold();
  base::bytes out;
  out.reserve(64 * 1024);
  for (auto _ : state) {
    if (out.size() > 60'000) out.clear();
    protocol::encode_answer({1, 7, core::log_time{1'699'999'999'000'000}}, said, out);
    benchmark::DoNotOptimize(out.data());
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()));
  out.clear();
  protocol::encode_answer({1, 7, core::log_time{1'699'999'999'000'000}}, said, out);
  state.counters["bytes"] = static_cast<double>(out.size());
}
BENCHMARK(write_answer);

/// A hall on sale, of which every other seat is gone.
std::unique_ptr<core::sale_view> half_sold() {
  const auto session = bench::make_session(hall());
  auto view = std::make_unique<core::sale_view>(hall(), session.terms().rules);
  std::vector<core::view_change> changes{{.what = core::view_change::kind::control, .allocation = static_cast<std::uint8_t>(core::sale_state::open), .number = ~0U}};
  for (std::uint32_t n = 0; n < seats; n += 2) changes.push_back({.what = core::view_change::kind::seat_gone, .number = n});
  view->apply(changes, core::sequence{1});
  return view;
}

/// Seats anywhere in the hall. 0: all free; 1: all gone.
void judge_by_view(benchmark::State& state) {
  const auto view = half_sold();
  base::random random(2);
  std::vector<core::line> wanted(4'096);
  for (auto& l : wanted) l = {core::place_kind::seat, static_cast<std::uint32_t>(random.below(seats / 2) * 2 + 1 - static_cast<std::uint64_t>(state.range(0))), 1, 7};
  const auto expected = state.range(0) == 0 ? core::refusal::none : core::refusal::sold_out;
  std::size_t i = 0;
  for (auto _ : state) {
    const auto said = view->judge(core::channel_no{0}, {&wanted[i++ % wanted.size()], 1});
    HOLDFAST_CHECK(said.refused == expected, "the view says what is there");
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()));
}
BENCHMARK(judge_by_view)->ArgName("gone")->Arg(0)->Arg(1);

/// Seats that go and come back, in batches of 256, as the journal applies them.
void apply_to_view(benchmark::State& state) {
  const auto view = half_sold();
  base::random random(3);
  std::vector<core::view_change> changes(256);
  std::uint64_t at = 1;
  for (auto _ : state) {
    for (std::size_t i = 0; i < changes.size(); i += 2) {
      const auto seat = static_cast<std::uint32_t>(random.below(seats / 2) * 2 + 1);
      changes[i] = {.what = core::view_change::kind::seat_gone, .number = seat};
      changes[i + 1] = {.what = core::view_change::kind::seat_back, .number = seat};
    }
    view->apply(changes, core::sequence{++at});
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * changes.size()));
}
BENCHMARK(apply_to_view);

/// So many holds are alive; each time the oldest is paid for (or expires) and a new one comes with the latest deadline.
void deadline_in_and_out(benchmark::State& state) {
  const auto n = static_cast<std::uint32_t>(state.range(0));
  core::deadlines::holds holds;
  core::deadlines due;
  std::uint64_t now = 0;
  for (std::uint32_t i = 1; i <= n; ++i) {
    holds.at(holds.add()).deadline = ++now;
    due.add(holds, i);
  }
  std::uint32_t oldest = 1;
  for (auto _ : state) {
    due.remove(holds, oldest);
    holds.at(oldest).deadline = ++now;
    due.add(holds, oldest);
    oldest = oldest == n ? 1 : oldest + 1;
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()));
}
BENCHMARK(deadline_in_and_out)->ArgName("alive")->Arg(1'000)->Arg(50'000)->Arg(1'000'000);

}  // namespace

BENCHMARK_MAIN();
