// bench: load on sessions of its own, measured.
#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "apps/holdfast/invocation.hpp"
#include "apps/holdfast/load/halls.hpp"
#include "apps/holdfast/load/report.hpp"
#include "apps/holdfast/progress_bar.hpp"
#include "client/ids.hpp"

namespace holdfast::cli {

namespace {

using namespace load;

struct bench_options {
  std::string work = "f3", duration = "10s", warmup, think, hold_for = "2m", p999 = "100ms", step = "3s";
  unsigned threads = 1;
  std::uint32_t connections = 50;
  std::uint32_t depth = 0;      // 0: 16 in a closed loop, what the server allows in an open one
  double rate = 0;
  std::uint64_t operations = 0;
  std::uint32_t seats = 50'000;
  std::uint32_t sessions = 0;   // 0: as the workload needs
  std::uint32_t idle_sessions = 0;
  std::uint64_t prefill = 0;
  std::uint32_t users = 1'000'000;
  std::uint64_t seed = 0;
  int confirm = -1, release = -1, look = -1;
  bool find_ceiling = false;
  ceiling_limits ceiling;
  unsigned pid = 0;
};

constexpr std::uint32_t closed_depth = 16;
constexpr std::uint32_t filling_depth = 128;          // when seats are taken before the clock starts
constexpr double filling_s = 3'600;
constexpr std::uint64_t slots_max = 1'000'000;        // in flight in all; each takes some memory beforehand
constexpr std::uint32_t idle_seats = 10;

std::uint32_t sessions_for(const workload& w) {
  if (w.holds_per_seat == 0) return 1;
  return w.whole_sales ? 4 : 20;
}

base::result<double> seconds_in(const std::string& text) {
  if (text.empty()) return 0.0;
  const auto ms = read_interval(text);
  if (!ms) return ms.failure();
  return std::chrono::duration<double>(*ms).count();
}

/// One bench, from its sessions to its report.
class bench {
 public:
  bench(invocation& in, bench_options o) : in_(in), o_(std::move(o)), bar_(in.around.err, in.around.err_is_terminal) {}

  int run() {
    if (const auto read = read_options(); !read) return in_.fail(read.failure());
    if (const auto ready = prepare(); !ready) return in_.fail(ready.failure());
    bar_.clear();
    return o_.find_ceiling ? search() : once();
  }

 private:
  base::result<void> read_options() {
    auto w = workload_named(o_.work);
    if (!w) return w.failure();
    work_ = *w;
    if (o_.confirm >= 0) work_.confirm_percent = static_cast<unsigned>(o_.confirm);
    if (o_.release >= 0) work_.release_percent = static_cast<unsigned>(o_.release);
    if (o_.look >= 0) work_.look_percent = static_cast<unsigned>(o_.look);
    if (work_.confirm_percent + work_.release_percent > 100)
      return base::error{base::trouble::bad_input, "--confirm and --release are shares of the same holds: together at most 100"};
    if (o_.sessions == 0) o_.sessions = sessions_for(work_);
    if (work_.sold_out) o_.sessions = 1;
    if (o_.prefill != 0 && (work_.any_seat || o_.prefill > std::uint64_t{o_.seats} * o_.sessions))
      return base::error{base::trouble::bad_input, "--prefill takes the first seats of f3 or hold: here are not so many"};
    if (work_.whole_sales && !o_.warmup.empty())
      return base::error{base::trouble::bad_input, "f1 counts from the first request of a sale: it has no --warmup"};
    for (const auto& [text, to] : {std::pair{&o_.duration, &seconds_}, {&o_.warmup, &warmup_}, {&o_.think, &think_}, {&o_.step, &step_}}) {
      const auto s = seconds_in(*text);
      if (!s) return s.failure();
      *to = *s;
    }
    const auto hold_for = read_interval(o_.hold_for);
    if (!hold_for) return hold_for.failure();
    const auto p999 = read_interval(o_.p999);
    if (!p999) return p999.failure();
    o_.ceiling.p999_max_ns = static_cast<std::uint64_t>(std::chrono::nanoseconds(*p999).count());
    // A step of a search is a stretch of a sale: the next one goes on where it ended.
    if (o_.find_ceiling) work_.whole_sales = false;
    shared_.channel = static_cast<core::channel_no>(in_.channel);
    shared_.hold_for = static_cast<core::interval_ms>(hold_for->count());
    shared_.users = o_.users;
    shared_.seed = o_.seed != 0 ? o_.seed : client::random_seed();
    return {};
  }

  base::result<void> prepare() {
    auto shop = in_.options_for(door::shop);
    if (!shop) return shop.failure();
    auto admin = in_.options_for(door::admin);
    if (!admin) return admin.failure();
    shared_.link = std::move(*shop);
    shared_.link.name = "holdfast bench";
    auto to = client::resolve(shared_.link.to);
    if (!to) return to.failure();
    shared_.to = std::move(*to);

    auto op = client::blocking::connect(*admin);
    if (!op) return op.failure();
    const auto name = fmt::format("bench-{:016x}", client::random_seed());
    const auto told = [&](const char* what, std::uint32_t of) {
      return [this, what, of](std::uint32_t n) {
        if (bar_.due()) bar_.show(static_cast<double>(n) / of, fmt::format("{} of {} {}", grouped(n), grouped(of), what));
      };
    };
    auto halls = make_halls(*op, {name, o_.sessions, o_.seats}, told("sessions", o_.sessions));
    if (!halls) return halls.failure();
    shared_.halls = std::move(*halls);
    if (o_.idle_sessions != 0) {
      auto idle = make_halls(*op, {name + "-idle", o_.idle_sessions, idle_seats}, told("idle sessions", o_.idle_sessions));
      if (!idle) return idle.failure();
    }

    auto first = client::blocking::connect(shared_.link);
    if (!first) return first.failure();
    const auto allowed = std::max(1U, first->greeting().inflight_max);
    const auto in_all = static_cast<std::uint32_t>(std::max<std::uint64_t>(1, slots_max / o_.connections));
    depth_asked_ = o_.depth != 0 ? o_.depth : open_loop() ? 0 : closed_depth;
    depth_ = std::min({depth_asked_ != 0 ? depth_asked_ : allowed, allowed, in_all});
    server_ = o_.pid != 0 ? std::optional(static_cast<pid_t>(o_.pid)) : listener_at(admin->to.path);

    const bool fills = work_.sold_out || o_.prefill != 0;
    const auto depth_max = fills ? std::max(depth_, std::min({filling_depth, allowed, in_all})) : depth_;
    auto all = crew::open(shared_, o_.threads, o_.connections, depth_max, server_);
    if (!all) return all.failure();
    crew_ = std::move(*all);
    seats_.emplace(work_, o_.seats, o_.sessions);
    if (work_.sold_out) return sell_out(*first, depth_max);
    return o_.prefill != 0 ? prefill(depth_max) : base::result<void>{};
  }

  /// Takes holds that nobody confirms, before the clock starts.
  base::result<void> prefill(std::uint32_t depth) {
    run_options r;
    r.work = *workload_named("hold");
    r.depth = depth;
    r.seconds = filling_s;
    r.operations_max = o_.prefill;
    const auto held = crew_->run(r, *seats_, watcher("held beforehand"));
    if (!held) return held.failure();
    if (held->counted.count(deed::hold_won) != o_.prefill)
      return base::error{base::trouble::unavailable, "not all holds could be taken beforehand: the server refused some"};
    return {};
  }

  /// Sells every seat of the first session, so that every hold after it is refused.
  base::result<void> sell_out(client::blocking& c, std::uint32_t depth) {
    run_options r;
    r.work = *workload_named("f3");
    r.depth = depth;
    r.seconds = filling_s;
    stock all(r.work, o_.seats, 1);
    const auto sold = crew_->run(r, all, watcher("sold beforehand"));
    if (!sold) return sold.failure();
    const auto seen = c.session_state(shared_.halls[0]);
    if (!seen) return seen.failure();
    if (!seen->seen || seen->seen->places.sold != o_.seats)
      return base::error{base::trouble::unavailable, "the session could not be sold out beforehand: the server refused some of its holds"};
    return {};
  }

  [[nodiscard]] run_options settings() const {
    run_options r;
    r.work = work_;
    r.depth = depth_;
    r.rate = o_.rate;
    r.seconds = seconds_;
    r.warmup_s = warmup_;
    r.think_ns = static_cast<std::int64_t>(think_ * 1e9);
    if (o_.operations != 0) r.operations_max = o_.operations;
    return r;
  }
  [[nodiscard]] bench_frame frame() const {
    return {o_.work, o_.threads, o_.connections, depth_, depth_asked_, o_.find_ceiling ? 1 : o_.rate,
            o_.sessions, o_.idle_sessions, o_.seats, server_};
  }

  int once() {
    const auto seen = crew_->run(settings(), *seats_, watcher("answered"));
    HOLDFAST_CLI_TRY(in_, seen);
    bar_.clear();
    return in_.say(report_of(*seen, frame()));
  }

  int search() {
    if (o_.rate > 0) o_.ceiling.first_rate = o_.rate;
    ceiling_search s(o_.ceiling);
    std::vector<step_row> steps;
    while (!s.over()) {
      auto r = settings();
      r.rate = s.rate();
      r.seconds = step_;
      r.warmup_s = step_ / 5;
      const auto what = fmt::format("answered at {} a second", grouped(static_cast<std::uint64_t>(r.rate)));
      const auto seen = crew_->run(r, *seats_, watcher(what));
      HOLDFAST_CLI_TRY(in_, seen);
      const auto came_to = step_of(*seen, r.rate);
      steps.push_back({*seen, came_to, judge(came_to, o_.ceiling)});
      s.tell(came_to);
    }
    bar_.clear();
    return in_.say(report_of(steps, s, frame()));
  }

  crew::watcher watcher(std::string what) {
    return [this, what = std::move(what)](double done, std::uint64_t n) {
      if (bar_.due()) bar_.show(done, fmt::format("{} {}", grouped(n), what));
    };
  }
  [[nodiscard]] bool open_loop() const { return o_.rate > 0 || o_.find_ceiling; }

  invocation& in_;
  bench_options o_;
  progress_bar bar_;
  workload work_;
  double seconds_ = 0, warmup_ = 0, think_ = 0, step_ = 0;
  std::uint32_t depth_ = 1, depth_asked_ = 0;
  std::optional<pid_t> server_;
  common shared_;
  std::optional<stock> seats_;
  std::unique_ptr<crew> crew_;
};

}  // namespace

void add_bench(CLI::App& app, invocation& in) {
  auto o = std::make_shared<bench_options>();
  auto* c = app.add_subcommand("bench", "load on sessions that it makes for itself, measured; needs both --server and --admin");
  c->add_option("--workload", o->work, "f1: sales, empty to sold out; f2: every hold refused; f3: hold and confirm, all succeed; hold; mix")
      ->capture_default_str()
      ->check(CLI::IsMember({"f1", "f2", "f3", "hold", "mix"}));
  c->add_option("--connections", o->connections, "in all")->capture_default_str()->check(CLI::Range(1, 50'000));
  c->add_option("--threads", o->threads, "that share the connections")->capture_default_str()->check(CLI::Range(1, 64));
  c->add_option("--depth", o->depth, "requests in flight a connection; default: 16, with --rate as many as the server allows")
      ->check(CLI::Range(1, 65'536));
  c->add_option("--rate", o->rate, "an open loop: operations a second, latency from when each was to begin; default: a closed loop")
      ->check(CLI::Range(1.0, 1e8));
  c->add_option("--duration", o->duration, "how long; f1 goes on to the end of its sale")->capture_default_str();
  c->add_option("--ops", o->operations, "at most so many operations");
  c->add_option("--warmup", o->warmup, "beforehand, not counted; default: none");
  c->add_option("--think", o->think, "a buyer's time between an answer and his next request; default: none");
  c->add_option("--seats", o->seats, "a session")->capture_default_str()->check(CLI::Range(1, 1'000'000));
  c->add_option("--sessions", o->sessions, "made beforehand; f1, f3 and hold end with them. Default: 4 for f1, 20 for f3 and hold, else 1")
      ->check(CLI::Range(1, 100'000));
  c->add_option("--idle-sessions", o->idle_sessions, "more of them that nobody asks for")->check(CLI::Range(0, 1'000'000));
  c->add_option("--prefill", o->prefill, "holds taken beforehand on the first seats, which nobody confirms; f3 and hold only");
  c->add_option("--users", o->users, "drawn from so many")->capture_default_str()->check(CLI::Range(1U, 4'000'000'000U));
  c->add_option("--confirm", o->confirm, "percent of the holds that win; default: as the workload says")->check(CLI::Range(0, 100));
  c->add_option("--release", o->release, "percent of them")->check(CLI::Range(0, 100));
  c->add_option("--look", o->look, "percent of what begins: looks at a seat instead of holds")->check(CLI::Range(0, 100));
  c->add_option("--for", o->hold_for, "how long a hold lasts")->capture_default_str();
  c->add_option("--seed", o->seed, "of all chances; default: another one each time");
  c->add_option("--pid", o->pid, "the server's, for its CPU time; default: who listens at --admin");
  auto* find = c->add_flag("--find-ceiling", o->find_ceiling, "raise the rate, from --rate or 1,000 on, until the server does not hold it");
  c->add_option("--p999-max", o->p999, "with --find-ceiling: a step with a longer p99.9 does not hold")->capture_default_str()->needs(find);
  c->add_option("--step", o->step, "with --find-ceiling: how long a rate is tried, after a fifth of it to settle")
      ->capture_default_str()
      ->needs(find);
  c->callback([&in, o] { in.todo = [&in, o] { return bench(in, *o).run(); }; });
}

}  // namespace holdfast::cli
