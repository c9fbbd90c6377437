// check FILE: can what the clients of a sale saw have been one correct sale? Reads a history, asks no server.
#include <chrono>

#include <fmt/format.h>

#include "apps/holdfast/invocation.hpp"
#include "history/check.hpp"

namespace holdfast::cli {

namespace {

using steady = std::chrono::steady_clock;

struct check_call {
  std::string file, shifted = "0s";
  history::check_options how;
  bool fast = false;
  bool others = false;
};

int check(invocation& in, check_call o) {
  const auto shifted = read_interval(o.shifted);
  HOLDFAST_CLI_TRY(in, shifted);
  o.how.shift_us = static_cast<std::uint64_t>(std::chrono::microseconds(*shifted).count());
  o.how.alone = !o.others;
  const auto h = history::read(o.file);
  HOLDFAST_CLI_TRY(in, h);
  const auto n = static_cast<double>(h->rows.size());
  const auto begun = steady::now();
  grid checks{"checks", {"check", "looked at", "left out", "violations", "M operations a second"}, {}};
  std::vector<std::string> wrong;
  const auto told = history::tell(*h);
  const history::clock_map clock(*h);
  const auto run = [&](const char* name, const auto& what) {
    const auto from = steady::now();
    const history::findings f = what();
    const auto took = std::chrono::duration<double>(steady::now() - from).count();
    checks.rows.push_back({words(name), number(f.looked_at), number(f.left_out), number(f.found),
                           decimal(took > 0 ? n / took / 1e6 : 0, 2)});
    wrong.insert(wrong.end(), f.violations.begin(), f.violations.end());
  };
  run("intervals", [&] { return history::check_intervals(*h, told, clock, o.how); });
  run("order of records", [&] { return history::check_order(*h, told, o.how); });
  if (!o.fast) run("seats, exact", [&] { return history::check_seats(*h, told, clock, o.how); });
  const auto seconds = std::chrono::duration<double>(steady::now() - begun).count();

  std::uint64_t yes = 0, no = 0;
  for (const auto& r : h->rows) (r.came == history::outcome::yes ? yes : no) += r.came != history::outcome::unknown ? 1 : 0;
  document d;
  d.add("history", wrong.empty() ? words("one correct sale explains it", tone::good) : words("violation", tone::bad));
  d.add("session", plain_number(h->session));
  d.add("seats", number(std::uint64_t{h->seats}));
  d.add("operations", number(std::uint64_t{h->rows.size()}));
  d.add("accepted", number(yes));
  d.add("refused", number(no));
  d.add("without an answer", number(std::uint64_t{h->rows.size()} - yes - no));
  d.add("holds", number(std::uint64_t{told.holds.size()}));
  d.add("seconds", decimal(seconds, 2));
  d.grids.push_back(std::move(checks));
  grid violations{"violations", {"what"}, {}};
  for (const auto& w : wrong) violations.rows.push_back({words(w, tone::bad)});
  d.grids.push_back(std::move(violations));
  return in.say(d, wrong.empty() ? exits::ok : exits::refused);
}

}  // namespace

void add_check(CLI::App& app, invocation& in) {
  auto o = std::make_shared<check_call>();
  auto* c = app.add_subcommand("check", "judge a history that `sale --history` wrote, without asking or trusting the server");
  c->add_option("file", o->file, "the history")->required();
  c->add_option("--limit", o->how.limit, "places that an account may have; default: not checked");
  c->add_option("--shifted", o->shifted, "by how much deadlines may have moved: outages, freezes and shifts together")
      ->capture_default_str();
  c->add_flag("--others", o->others, "others sold, blocked or cancelled in this session meanwhile");
  c->add_flag("--fast", o->fast, "leave out the exact search on each seat");
  c->callback([&in, o] { in.todo = [&in, o] { return check(in, *o); }; });
}

}  // namespace holdfast::cli
