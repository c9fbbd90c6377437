// simulate: years of ticket sales under crashes, bad disks, bad clocks and a bad network, in one thread and bit-exact per seed.
#include <atomic>
#include <chrono>
#include <csignal>

#include <fmt/format.h>
#include <unistd.h>

#include "apps/holdfast/invocation.hpp"
#include "apps/holdfast/progress_bar.hpp"
#include "simulation/simulate.hpp"

namespace holdfast::cli {

namespace {

using steady = std::chrono::steady_clock;

struct sweep {
  std::uint64_t from = 1, to = 1;
  bool many = false;
  bool story = false;
  simulation::simulation_options each;
};

/// Of the run under way, for the last words of a process that stops at a broken invariant.
std::atomic<std::uint64_t> seed_at_work{0};
std::atomic<std::uint64_t> steps_of_it{0};

void last_words(int) {
  char text[160];
  const auto n = fmt::format_to_n(text, sizeof text, "holdfast: seed {} breaks an invariant: holdfast simulate --seed {} --steps {}\n",
                                  seed_at_work.load(), seed_at_work.load(), steps_of_it.load());
  if (::write(STDERR_FILENO, text, std::min(n.size, sizeof text)) < 0) return;  // nobody to tell
}

void tell_counts(const simulation::simulation_counts& n, document& d) {
  const std::pair<const char*, std::uint64_t> all[] = {
      {"turns", n.turns}, {"commands", n.commands}, {"looks", n.looks}, {"records", n.records}, {"blocks", n.blocks},
      {"crashes", n.crashes}, {"power cuts", n.power_cuts}, {"starts", n.starts}, {"starts that failed", n.failed_starts},
      {"writes that failed", n.broken_writes}, {"wrong clocks refused", n.clock_refusals}, {"sessions taken out of service", n.faults},
      {"damaged copies", n.damaged_copies}, {"damaged copies refused", n.refused_copies}, {"steps lost", n.steps_lost},
      {"answers of lost steps judged", n.answers_of_lost_steps}, {"requests lost", n.requests_lost}, {"requests late", n.requests_late},
      {"requests twice", n.requests_twice}, {"answers lost", n.answers_lost}, {"answers late", n.answers_late},
      {"whole states compared", n.comparisons}, {"journals audited", n.audits}};
  for (const auto& [name, count] : all) d.add(name, number(count));
}

int simulate(invocation& in, const sweep& o) {
  simulation::simulation_counts all;
  progress_bar bar(in.around.err, in.around.err_is_terminal && !in.json);
  const auto begun = steady::now();
  const auto seconds = [&] { return std::chrono::duration<double>(steady::now() - begun).count(); };
  const auto before = std::signal(SIGABRT, last_words);
  document d;
  int code = exits::ok;
  std::uint64_t digest = 0;
  for (auto seed = o.from; seed <= o.to; ++seed) {
    auto each = o.each;
    each.seed = seed;
    seed_at_work = seed;
    steps_of_it = each.steps;
    if (o.story) each.story = [&](const std::string& line) { in.around.out << line << '\n'; };
    const auto r = simulation::simulate(each);
    all += r.counts;
    digest = r.digest;
    if (bar.due())
      bar.show(static_cast<double>(seed - o.from + 1) / static_cast<double>(o.to - o.from + 1),
               fmt::format("seed {}, {} commands, {:.0f} a second, {} crashes", seed, grouped(all.commands),
                           static_cast<double>(all.commands) / seconds(), grouped(all.crashes)));
    if (r.violation.empty()) continue;
    bar.clear();
    each.story = {};
    const auto shortest = simulation::shortest_failing(each, r);
    d.add("simulation", words("violation", tone::bad));
    d.add("seed", plain_number(seed));
    d.add("shortest failing prefix", plain_number(shortest.at_turn));
    d.add("again", words(fmt::format("holdfast simulate --seed {} --steps {} --compare-every 1 --story", seed, shortest.at_turn)));
    d.add("what", words(shortest.violation, tone::bad));
    code = exits::refused;
    break;
  }
  bar.clear();
  std::signal(SIGABRT, before);
  if (code == exits::ok) d.add("simulation", words("every invariant held", tone::good));
  if (o.many) d.add("seeds", words(fmt::format("{} to {}", o.from, o.to)));
  else d.add("digest", words(fmt::format("{:016x}", digest)));
  tell_counts(all, d);
  d.add("seconds", decimal(seconds(), 2));
  d.add("commands a second", number(static_cast<std::uint64_t>(static_cast<double>(all.commands) / seconds())));
  return in.say(d, code);
}

}  // namespace

void add_simulate(CLI::App& app, invocation& in) {
  auto o = std::make_shared<sweep>();
  auto seed = std::make_shared<std::uint64_t>(1);
  auto* c = app.add_subcommand("simulate", "the real rules and journal on a make-believe machine that fails in every way; needs no server");
  auto* one = c->add_option("--seed", *seed, "the one world to play; the same seed is the same world, bit for bit")->capture_default_str();
  c->add_option("--steps", o->each.steps, "turns of each world: batches, timers, writes, crashes")
      ->capture_default_str()
      ->check(CLI::Range(1, 100'000'000));
  auto* from = c->add_option("--from-seed", o->from, "play many worlds, this one first")->excludes(one);
  c->add_option("--to-seed", o->to, "and this one last")->needs(from);
  from->needs(c->get_option("--to-seed"));
  c->add_option("--compare-every", o->each.compare_every,
                "turns between comparisons of the whole state with the naive model")
      ->capture_default_str()
      ->check(CLI::Range(1, 100'000'000));
  c->add_flag("--story", o->story, "tell everything that happens, a line each");
  c->add_flag("--lying-disk", o->each.lying_disk, "control run: the disk says that it synced and did not. Must end in a violation");
  c->callback([&in, o, seed, from] {
    o->many = from->count() != 0;
    if (!o->many) o->from = o->to = *seed;
    in.todo = [&in, o] { return simulate(in, *o); };
  });
}

}  // namespace holdfast::cli
