// The server. Reads its configuration, starts over what the journal knows, serves until SIGINT or SIGTERM, and stops in order.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <random>

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "actors/house.hpp"
#include "actors/log_clock.hpp"
#include "apps/holdfastd/background.hpp"
#include "apps/holdfastd/config.hpp"
#include "apps/holdfastd/log_sink.hpp"
#include "apps/holdfastd/records.hpp"
#include "gateway/bridge.hpp"
#include "gateway/desk_text.hpp"
#include "gateway/gateway.hpp"
#include "persistence/downtime.hpp"
#include "persistence/recovery.hpp"

namespace holdfast::server {
namespace {

constexpr const char* program = "holdfastd 0.1.0";

/// sysexits.h, as docs/OPERATIONS.md lists them.
int exit_code(base::trouble t) {
  switch (t) {
    case base::trouble::bad_input: return 78;
    case base::trouble::bad_bytes:
    case base::trouble::corrupt: return 65;
    case base::trouble::clock: return 66;
    case base::trouble::io: return 74;
    case base::trouble::busy: return 75;
    case base::trouble::unavailable: return 69;
  }
  return 70;
}

int fail(const base::error& e) {
  fmt::print(stderr, "holdfastd: {}\n", e.text);
  return exit_code(e.kind);
}

/// As many descriptors as this process may give itself: shells and systemd start it with 1,024, and guests alone may be ten thousand.
void raise_descriptors() {
  rlimit now{};
  if (::getrlimit(RLIMIT_NOFILE, &now) != 0 || now.rlim_cur == now.rlim_max) return;
  now.rlim_cur = now.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &now);
}

/// What the operating system says does not always name a file.
base::error below(const std::filesystem::path& data, base::error e) {
  if (e.kind == base::trouble::io && e.text.find(data.string()) == std::string::npos) e.text += fmt::format(" (data directory {})", data.string());
  return e;
}

std::uint64_t secret() {
  std::random_device entropy;
  return static_cast<std::uint64_t>(entropy()) << 32U | entropy();
}

/// Blocks the signals that stop the server in this thread and all that it starts; `wait_for_stop` takes them.
sigset_t stop_signals() {
  sigset_t s;
  sigemptyset(&s);
  sigaddset(&s, SIGINT);
  sigaddset(&s, SIGTERM);
  return s;
}

/// Waits for a signal to stop. Meanwhile it says when the disk stands still: nobody else could, for all wait for the disk. A stall ends by
/// itself or does not; there is nobody to hand over to, so the server waits too.
int wait_for_stop(const sigset_t& signals, const actors::journal_figures& journal, const std::filesystem::path& data) {
  constexpr std::int64_t second = 1'000'000'000;
  const timespec each{1, 0};
  std::int64_t stalled_since = 0, said_s = 0;
  for (;;) {
    if (const int got = sigtimedwait(&signals, nullptr, &each); got > 0) return got;
    const auto began = journal.write_began_ns.load(std::memory_order_relaxed);
    const auto now = static_cast<std::int64_t>(actors::steady_ns());
    if (stalled_since != 0 && began != stalled_since) {
      spdlog::warn("the disk took a write after {} s and more", said_s);
      stalled_since = said_s = 0;
    }
    const auto for_s = began == 0 ? 0 : (now - began) / second;
    if (for_s < 1 || for_s < 2 * said_s) continue;
    spdlog::warn("the disk below {} has not taken a write for {} s: nothing is acknowledged until it does", data.string(), for_s);
    stalled_since = began;
    said_s = for_s;
  }
}

/// The last thing a server with a failed journal does. No destructor may run: each could write, and nothing may be said any more.
void last_words(const actors::stop_reason& why, const persistence::data_directory& data, core::log_time now) {
  std::string named;
  if (why.session) {
    named = fmt::format(" (session {})", why.session->value);
    if (auto noted = persistence::note_faulted(data, {*why.session, now}); !noted)
      write_unless_blocked(STDERR_FILENO, fmt::format("holdfastd: {}\n", noted.failure().text));
  }
  write_unless_blocked(STDERR_FILENO, fmt::format("holdfastd: stopped, nothing more is acknowledged{}: {}\n", named,
                                                  below(data.root, {base::trouble::io, why.text}).text));
  _exit(why.exit_code());
}

int serve(const config& c, bool accept_clock) {
  const persistence::data_directory data{c.data_directory};
  const core::session_options sessions{secret(), c.changes_ring};
  if (!c.sync) spdlog::warn("journal.unsafe_no_sync is set: a power cut WILL lose acknowledged sales");

  // They are opened last, when there is something to serve; who has them already must not cost the journal an epoch.
  if (auto free = gateway::gateway::try_listeners(c.gateway); !free) return fail(free.failure());

  persistence::start_options how;
  how.wall_clock = actors::wall_clock_now();
  how.clock = {c.clock_gap_max_us, accept_clock};
  how.program = program;
  how.sessions = sessions;
  how.write_buffer_bytes = c.write_buffer_bytes;
  how.logs_in_place = c.logs_in_place;
  how.sync = c.sync;
  how.progress = [](std::uint64_t block, std::uint64_t last, std::uint64_t n) {
    spdlog::info("recovering: block {} of {}, {} records", block, last, n);
  };
  auto opened = persistence::start(data, how);
  if (!opened) return fail(below(c.data_directory, opened.failure()));
  auto& started = *opened;
  for (const auto& w : started.report.warnings) spdlog::warn("{}", w);
  for (const auto& w : started.state.report.warnings) spdlog::warn("{}", w);
  if (started.report.time.clock_behind != 0)
    spdlog::warn("the wall clock is {} s behind the journal; log time goes on from the journal", started.report.time.clock_behind / 1'000'000);
  const auto kept_until = started.report.time.log_time - started.report.time.downtime;

  std::unique_ptr<persistence::journal_index> index;
  if (c.index) {
    auto made = persistence::journal_index::open(data.index(), started.journal->id());
    if (made) {
      index = std::move(*made);
      if (!index->rebuilt().empty()) spdlog::info("index is built anew: {}", index->rebuilt());
    } else {
      // It is not the truth: nobody is refused a seat for its sake.
      spdlog::error("there is no index until the next start: {}; {} may be removed", below(c.data_directory, made.failure()).text, data.index().string());
    }
  }

  // From here on holds live again: nothing slow may stand between this and serving.
  actors::log_clock clock{core::log_time{started.report.time.log_time}};
  const auto shifted = persistence::give_back_downtime(started, clock.now());
  if (!shifted) return fail(below(c.data_directory, shifted.failure()));
  const auto& r = started.state.report;
  spdlog::info("journal epoch {}, block {}: {} sessions, {} records replayed from block {} in {} ms; away for {} ms, {} sessions got it back",
               started.journal->epoch(), started.journal->last_block().number, r.sessions, r.records, r.from_checkpoint, r.took_us / 1'000,
               started.state.downtime_us / 1'000, *shifted);

  std::vector<actors::recovered_session> recovered;
  for (auto& [id, session] : started.state.sessions) {
    std::optional<core::log_time> faulted;
    for (const auto& f : started.state.faulted)
      if (f.session.value == id) faulted = f.since;
    if (faulted) spdlog::error("session {} ({}) is out of service; audit, then `holdfast session clear {}`", id, session.terms().name, session.terms().name);
    recovered.push_back({std::move(session), faulted});
  }
  started.state.sessions.clear();

  records codec(started.state.plans);
  actors::fail_stop failure([&](const actors::stop_reason& why) { last_words(why, data, clock.now()); });
  const persistence::checkpoint_files snapshots(data.snapshots());
  caf::actor_system_config actors_config;
  actors::configure(actors_config, c.scheduling);
  caf::actor_system system(actors_config);
  actors::house_options house_options;
  house_options.block_bytes_max = c.block_bytes_max;
  house_options.registry.sessions_max = c.sessions_max;
  house_options.registry.session = sessions;
  house_options.registry.schedules = c.schedules;
  house_options.registry.kept_until = started.report.created ? 0 : kept_until;
  house_options.registry.on_fault_cleared = [&](core::session_id s) {
    if (auto done = persistence::forget_faulted(data, s); !done) spdlog::error("{}", done.failure().text);
  };
  actors::house house(system, *started.journal, std::move(recovered), clock, codec, failure, house_options);
  background behind(*started.journal, house.figures(), persistence::snapshotter(*started.journal, snapshots, sessions, c.snapshots),
                    std::move(index));

  gateway::surroundings around;
  around.time = &clock;
  around.attach = [&](gateway::inbox& in) { return std::make_unique<gateway::bridge>(system, house.registry(), house.inspector(), in); };
  around.sessions_first = true;
  around.board = house.board();
  around.server = program;
  around.log = [](std::string_view line) { spdlog::info("{}", line); };
  around.find = [&](const protocol::find& asked) { return behind.find(asked); };
  around.more_stats = [&](protocol::stats_seen& into) {
    const auto& f = *house.figures();
    const auto put = [&](const char* name, bool gauge, std::int64_t v) { into.values.push_back({name, gauge, v}); };
    put("journal.last_block", true, static_cast<std::int64_t>(f.last_block));
    put("journal.blocks", false, static_cast<std::int64_t>(f.blocks));
    put("journal.records", false, static_cast<std::int64_t>(f.records));
    put("journal.bytes", false, static_cast<std::int64_t>(f.bytes));
    const auto writes = f.write_ns.read();
    into.latencies.push_back(gateway::latency_of("journal.write", writes));
    put("journal.write_us", false, static_cast<std::int64_t>(writes.sum / 1'000));
    put("journal.write_us_max", true, static_cast<std::int64_t>(f.write_ns_max / 1'000));
    const auto began = f.write_began_ns.load();
    put("journal.write_under_way_us", true, began == 0 ? 0 : (static_cast<std::int64_t>(actors::steady_ns()) - began) / 1'000);
    put("clock.wall_minus_log_us", true, actors::wall_minus_log(clock));
    behind.add_stats(into);
  };
  auto door = gateway::gateway::open(c.gateway, std::move(around));
  if (!door) {
    behind.stop();
    house.stop();
    return fail(door.failure());
  }
  auto signals = stop_signals();
  (*door)->start();
  for (const auto& l : c.gateway.listeners) {
    if (l.kind == gateway::listener_kind::admin) spdlog::info("operators at {}", l.address);
    else spdlog::info("{} at {}:{}", l.kind == gateway::listener_kind::shop ? "shops" : "buyers", l.address, (*door)->port_of(l.kind));
  }
  spdlog::info("ready");

  const auto got = wait_for_stop(signals, *house.figures(), c.data_directory);
  spdlog::info("{}: stopping", got == SIGINT ? "SIGINT" : "SIGTERM");
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);  // a second one ends the process at once; the journal does not mind
  (*door)->stop();
  house.stop();
  behind.stop();
  if (auto closed = started.journal->close(clock.now().value); !closed) return fail(below(c.data_directory, closed.failure()));
  spdlog::info("stopped");
  return 0;
}

}  // namespace
}  // namespace holdfast::server

int main(int argc, char** argv) {
  using namespace holdfast;
  CLI::App app{"Holdfast, the seat-reservation server.\n\nExit codes: 0 stopped in order, 65 the journal is damaged or incomplete, 66 the clock is "
               "implausible, 70 a rule was broken on the way to the disk, 74 the disk failed, 75 another server or program has the directory "
               "or port, 78 the configuration is wrong."};
  std::string file;
  bool accept_clock = false, check = false;
  app.add_option("--config", file, "configuration file (TOML); see configs/holdfast.toml")->required();
  app.add_flag("--accept-clock", accept_clock, "the wall clock is right although it is far ahead of the journal");
  app.add_flag("--check-config", check, "read the configuration, say whether it is good, and exit");
  app.set_version_flag("--version", server::program);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 78;
  }
  const auto c = server::read_config(file);
  if (!c) return server::fail(c.failure());
  if (check) {
    fmt::print("{}: good\n", file);
    return 0;
  }
  auto signals = server::stop_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  server::raise_descriptors();
  spdlog::set_default_logger(std::make_shared<spdlog::logger>("holdfastd", std::make_shared<server::log_sink>(STDERR_FILENO)));
  spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%e %^%l%$ %v");
  spdlog::set_level(spdlog::level::from_str(c->log_level));
  try {
    return server::serve(*c, accept_clock);
  } catch (const std::exception& e) {
    fmt::print(stderr, "holdfastd: {}\n", e.what());
    return 70;
  }
}
