// Kills the real server under load, again and again, and holds it to every answer it gave:
//
//   holdfast_crash --rounds 50                 kill -9
//   holdfast_crash --rounds 20 --power-cut     the disk under it loses what was not synced (root)
//   holdfast_crash --rounds 5 --power-cut --no-sync   control run: must lose
//
// A round counts only if enough was acknowledged and enough was in flight. Exit 0: nothing lost (or, with --no-sync, every round
// lost); 1: otherwise.
#include <cstdio>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "persistence/audit.hpp"
#include "plans/generate.hpp"
#include "tests/system/disk.hpp"
#include "tests/system/rush.hpp"

namespace holdfast::system_test {
namespace {

struct settings {
  std::filesystem::path program = "build/release/bin/holdfastd";
  unsigned rounds = 50;
  std::uint64_t seed = 1;
  std::uint64_t acks = 10'000;
  std::size_t flying = 100;
  bool power_cut = false;
  bool no_sync = false;
};

struct totals {
  std::uint64_t acknowledged = 0, checked = 0, lost = 0, wrong = 0, short_of_time = 0, dirty_audits = 0, lost_rounds = 0;
};

bool fails(const char* what, const base::error& e) {
  fmt::print(stderr, "{}: {}\n", what, e.text);
  return false;
}

/// False: the round could not be run at all.
bool round(const settings& s, unsigned n, const std::filesystem::path& data, const std::filesystem::path& folder, cuttable_disk* disk, totals& sum) {
  constexpr std::uint32_t seats = 50'000;
  base::random random(s.seed * 1'000'003 + n);
  tally done;
  std::optional<rush> crowd;
  {
    server first({s.program, data, folder, !s.no_sync, {}});
    if (!first.ready()) {
      fmt::print(stderr, "round {}: the server does not start (exit {}): {}\n", n, first.exit_code().value_or(-1), first.said());
      return false;
    }
    const auto session = open_session(first, fmt::format("round-{}", n), plans::generate_hall({.seats = seats}));
    crowd.emplace(session, seats, random.next());
    std::optional<base::error> cut_failed;
    const auto ran = crowd->run(first.shop(), s.acks + random.below(s.acks), s.flying, [&] {
      if (disk != nullptr)
        if (auto gone = disk->cut(); !gone) cut_failed = gone.failure();
      first.kill9();
    });
    if (cut_failed) return fails("power cut", *cut_failed);
    if (!ran) return fails("load", ran.failure());
    done = *ran;
  }
  if (disk != nullptr)
    if (auto back = disk->restore(); !back) return fails("disk", back.failure());

  findings found;
  std::string audit_says = "clean", refused;
  const auto audited = persistence::audit_directory({data}, {});
  if (!audited) audit_says = audited.failure().text;
  else if (!audited->clean()) audit_says = fmt::format("block {} record {}: {}", audited->wrong->block, audited->wrong->record, audited->wrong->what);
  {
    server second({s.program, data, folder, !s.no_sync, {}});
    if (!second.ready()) {
      refused = fmt::format("refuses to start, exit {}", second.exit_code().value_or(-1));
    } else {
      const auto verified = crowd->verify(second.shop());
      if (!verified) return fails("verify", verified.failure());
      found = *verified;
      if (second.terminate() != 0) return fails("stop", {base::trouble::io, "the server does not stop in order"});
    }
  }
  const bool lost = !refused.empty() || found.lost > 0;
  sum.acknowledged += done.acknowledged;
  sum.checked += found.checked;
  sum.lost += found.lost;
  sum.wrong += found.wrong;
  sum.short_of_time += found.short_of_time;
  sum.dirty_audits += audit_says == "clean" ? 0 : 1;
  sum.lost_rounds += lost ? 1 : 0;
  fmt::print("round {:>3}: {:>6} acknowledged, {:>4} in flight at the {}, {:>6} checked, {} lost, {} wrong, {} short of time, audit {}{}{}\n", n,
             done.acknowledged, done.in_flight_at_kill, disk != nullptr ? "cut" : "kill", found.checked, found.lost, found.wrong, found.short_of_time,
             audit_says, refused.empty() ? "" : ", ", refused);
  for (const auto& e : found.examples) fmt::print("           {}\n", e);
  std::fflush(stdout);
  // After a loss the directory proves nothing any more: the next round begins with an empty one.
  if (lost || audit_says != "clean")
    for (const auto& entry : std::filesystem::directory_iterator(data)) std::filesystem::remove_all(entry);
  return true;
}

int run(const settings& s) {
  scratch_folder folder;
  std::optional<cuttable_disk> disk;
  auto data = folder.path() / "data";
  if (s.power_cut) {
    auto made = cuttable_disk::make(folder.path(), 2'048);
    if (!made) {
      fmt::print(stderr, "{}\n", made.failure().text);
      return 1;
    }
    disk.emplace(std::move(*made));
    data = disk->path() / "data";
  }
  fmt::print("{} rounds of {}{}, seed {}, at least {} acknowledged and {} in flight each\n", s.rounds, s.power_cut ? "power cuts" : "kill -9",
             s.no_sync ? " without syncing (control: must lose)" : "", s.seed, s.acks, s.flying);
  totals sum;
  for (unsigned n = 1; n <= s.rounds; ++n)
    if (!round(s, n, data, folder.path(), disk ? &*disk : nullptr, sum)) return 1;
  fmt::print("{} rounds, {} acknowledged, {} checked: {} lost, {} wrong, {} short of time, {} audits not clean, {} rounds with a loss\n", s.rounds,
             sum.acknowledged, sum.checked, sum.lost, sum.wrong, sum.short_of_time, sum.dirty_audits, sum.lost_rounds);
  if (s.no_sync) return sum.lost_rounds == s.rounds ? 0 : 1;
  return sum.lost + sum.wrong + sum.short_of_time + sum.dirty_audits + sum.lost_rounds == 0 ? 0 : 1;
}

}  // namespace
}  // namespace holdfast::system_test

int main(int argc, char** argv) {
  using namespace holdfast::system_test;
  settings s;
  CLI::App app{"Crashes a loaded server and checks that it keeps every promise."};
  app.add_option("--server", s.program, "holdfastd")->capture_default_str();
  app.add_option("--rounds", s.rounds, "how often")->capture_default_str();
  app.add_option("--seed", s.seed, "of the load; the moment of the crash is the machine's")->capture_default_str();
  app.add_option("--acks", s.acks, "acceptances before a crash, at least; up to twice as many")->capture_default_str();
  app.add_option("--in-flight", s.flying, "requests in flight at the crash, at least")->capture_default_str();
  app.add_flag("--power-cut", s.power_cut, "cut the power of the disk before the kill (root, loop devices)");
  app.add_flag("--no-sync", s.no_sync, "run the server without syncing: the control run, which must lose");
  CLI11_PARSE(app, argc, argv);
  return run(s);
}
