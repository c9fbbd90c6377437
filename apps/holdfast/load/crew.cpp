#include "apps/holdfast/load/crew.hpp"

#include <algorithm>
#include <thread>

#include <unistd.h>

namespace holdfast::cli::load {

namespace {

constexpr std::int64_t second_ns = 1'000'000'000;
constexpr std::int64_t look_every_ns = 100'000'000;
// Threads are started before the clock is: none of them may come late.
constexpr std::int64_t start_in_ns = 20'000'000;

void sleep_until(std::int64_t ns) {
  const auto left = ns - steady_ns();
  if (left > 0) std::this_thread::sleep_for(std::chrono::nanoseconds(left));
}

}  // namespace

base::result<std::unique_ptr<crew>> crew::open(const common& c, unsigned threads, std::uint32_t connections, std::uint32_t depth_max,
                                               std::optional<pid_t> server) {
  raise_descriptor_limit(connections);
  std::unique_ptr<crew> all(new crew(server));
  for (unsigned t = 0; t < threads; ++t) {
    const auto share = connections / threads + (t < connections % threads ? 1 : 0);
    if (share == 0) break;
    auto d = driver::open(c, t, share, depth_max);
    if (!d) return d.failure();
    all->drivers_.push_back(std::move(*d));
  }
  return all;
}

std::uint64_t crew::retransmitted() const {
  std::uint64_t n = 0;
  for (const auto& d : drivers_) n += d->retransmitted();
  return n;
}

base::result<run_seen> crew::run(const run_options& o, stock& from, const watcher& watch) {
  const auto n = static_cast<double>(drivers_.size());
  phase p;
  p.work = o.work;
  p.from = &from;
  p.rate = o.rate / n;
  p.depth = o.depth;
  p.think_ns = o.think_ns;
  p.begin_ns = steady_ns() + start_in_ns;
  p.count_from_ns = p.begin_ns + static_cast<std::int64_t>(o.warmup_s * static_cast<double>(second_ns));
  p.until_ns = p.count_from_ns + static_cast<std::int64_t>(o.seconds * static_cast<double>(second_ns));
  const auto first = p.begin_ns;
  const auto retransmitted_before = retransmitted();

  std::atomic<unsigned> at_work{0};
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < drivers_.size(); ++i) {
    auto mine = p;
    // Drivers begin one after the other within one interval, so that the rate is as even as with one.
    if (o.rate > 0) mine.begin_ns += static_cast<std::int64_t>(static_cast<double>(i) * 1e9 / o.rate);
    if (o.operations_max != ~std::uint64_t{0})
      mine.operations_max = o.operations_max / drivers_.size() + (i < o.operations_max % drivers_.size() ? 1 : 0);
    ++at_work;
    threads.emplace_back([&, i, mine] {
      if (!drivers_[i]->run(mine))
        for (auto& other : drivers_) other->stop();
      --at_work;
    });
  }
  const auto answered = [&] {
    std::uint64_t sum = 0;
    for (const auto& d : drivers_) sum += d->answered();
    return sum;
  };
  const auto server_now = [&] { return server_ ? look_at(*server_) : std::nullopt; };
  const auto look_on = [&](std::int64_t until) {
    for (auto now = steady_ns(); at_work != 0 && now < until; now = steady_ns()) {
      const auto time = static_cast<double>(now - first) / static_cast<double>(p.until_ns - first);
      const auto operations = static_cast<double>(answered()) / static_cast<double>(o.operations_max);
      watch(std::max({time, operations, from.used()}), answered());
      sleep_until(std::min(until, now + look_every_ns));
    }
  };
  look_on(p.count_from_ns);
  const auto server_before = server_now();
  const auto own_before = look_at(::getpid());
  look_on(std::numeric_limits<std::int64_t>::max());
  for (auto& t : threads) t.join();
  const auto server_after = server_now();
  const auto own_after = look_at(::getpid());

  run_seen seen;
  for (const auto& d : drivers_) {
    if (!d->trouble().empty()) return base::error{base::trouble::unavailable, d->trouble()};
    seen.counted.add(d->counted());
    seen.behind += d->behind();
  }
  seen.seconds = static_cast<double>(std::max<std::int64_t>(0, seen.counted.last_ns - p.count_from_ns)) / 1e9;
  seen.whole_s = static_cast<double>(std::max<std::int64_t>(0, seen.counted.last_ns - first)) / 1e9;
  seen.ran_out = from.used() >= 1 && seen.counted.last_ns < p.until_ns;
  seen.retransmitted = retransmitted() - retransmitted_before;
  if (server_before && server_after) {
    seen.server_cpu_s = server_after->cpu_s - server_before->cpu_s;
    seen.server_resident = server_after->resident;
  }
  if (own_before && own_after) seen.own_cpu_s = own_after->cpu_s - own_before->cpu_s;
  return seen;
}

}  // namespace holdfast::cli::load
