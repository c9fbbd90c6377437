// check FILE: can what the clients of a sale saw have been one correct sale? Reads a history, asks no server.
#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
#include <future>

#include "apps/holdfast/invocation.hpp"
#include "apps/holdfast/progress_bar.hpp"
#include "history/check.hpp"

namespace holdfast::cli {

namespace {

using steady = std::chrono::steady_clock;

struct check_call {
  std::string file, shifted;
  history::check_options how;
  bool fast = false;
  bool others = false;
};

double seconds_since(steady::time_point t) { return std::chrono::duration<double>(steady::now() - t).count(); }

struct verdict {
  grid checks{"checks", {"check", "looked at", "left out", "violations", "M operations a second"}, {}};
  std::vector<std::string> violations;
  std::uint64_t found = 0;
};

struct one_check {
  one_check(const char* called, std::function<history::findings(const history::check_options&)> how) : name(called), look(std::move(how)) {}

  const char* name;
  std::function<history::findings(const history::check_options&)> look;
  std::atomic<double> done{0};
  double took = 0;
};

/// All checks, each on a thread of its own, for they share only what none of them changes; the bar shows how far all are.
verdict judge(const history::history& h, const history::stories& told, const history::clock_map& clock, const history::check_options& how, bool fast,
              progress_bar& bar) {
  std::deque<one_check> all;
  all.emplace_back("intervals", [&](const auto& o) { return history::check_intervals(h, told, clock, o); });
  all.emplace_back("each hold", [&](const auto& o) { return history::check_holds(h, told, clock, o); });
  all.emplace_back("order of records", [&](const auto& o) { return history::check_order(h, told, o); });
  if (!fast) all.emplace_back("each seat, exact", [&](const auto& o) { return history::check_seats(h, told, clock, o); });

  std::vector<std::future<history::findings>> under_way;
  for (auto& c : all)
    under_way.push_back(std::async(std::launch::async, [&c, how] {
      const auto from = steady::now();
      auto o = how;
      o.tell = [&c](double done) { c.done.store(done, std::memory_order_relaxed); };
      auto f = c.look(o);
      c.took = seconds_since(from);
      c.done.store(1, std::memory_order_relaxed);
      return f;
    }));
  verdict v;
  for (std::size_t i = 0; i < all.size(); ++i) {
    while (under_way[i].wait_for(std::chrono::milliseconds(50)) != std::future_status::ready) {
      double done = 0;
      for (const auto& c : all) done += c.done.load(std::memory_order_relaxed);
      if (bar.due()) bar.show(done / static_cast<double>(all.size()), all[i].name);
    }
    const auto f = under_way[i].get();
    const auto took = all[i].took;
    v.checks.rows.push_back({words(all[i].name), number(f.looked_at), number(f.left_out), number(f.found),
                             decimal(took > 0 ? static_cast<double>(h.rows.size()) / took / 1e6 : 0, 2)});
    v.violations.insert(v.violations.end(), f.violations.begin(), f.violations.end());
    v.found += f.found;
  }
  return v;
}

int check(invocation& in, check_call o) {
  o.how.alone = !o.others;
  progress_bar bar(in.around.err, in.around.err_is_terminal && !in.json);
  const auto from = steady::now();
  const auto h = history::read(o.file, [&](double done) {
    if (bar.due()) bar.show(done, "reading");
  });
  HOLDFAST_CLI_TRY(in, h);
  const auto reading = seconds_since(from);
  // The session's own word for the shift is taken unless the caller knows better; without it nothing is held against the server.
  o.how.shift_us = history::shift_told(*h).value_or(history::any_shift);
  if (!o.shifted.empty()) {
    const auto shifted = read_interval(o.shifted);
    HOLDFAST_CLI_TRY(in, shifted);
    o.how.shift_us = static_cast<std::uint64_t>(std::chrono::microseconds(*shifted).count());
  }
  const auto begun = steady::now();
  auto map = std::async(std::launch::async, [&] { return history::clock_map(*h); });
  const auto told = history::tell(*h);
  const auto clock = map.get();
  auto v = judge(*h, told, clock, o.how, o.fast, bar);
  const auto seconds = seconds_since(begun);
  bar.clear();

  std::uint64_t yes = 0, no = 0, again = 0, late = 0;
  for (const auto& r : h->rows) {
    (r.came == history::outcome::yes ? yes : no) += r.came != history::outcome::unknown ? 1 : 0;
    again += r.again;
    late += history::may_come_late(r) ? 1 : 0;
  }
  const auto n = std::uint64_t{h->rows.size()};
  document d;
  d.add("history", v.found == 0 ? words("one correct sale explains it", tone::good) : words("violation", tone::bad));
  d.add("session", plain_number(h->session));
  d.add("seats", number(std::uint64_t{h->seats}));
  d.add("operations", number(n));
  d.add("accepted", number(yes));
  d.add("refused", number(no));
  d.add("refused while a copy was under way", number(late));
  d.add("without an answer", number(n - yes - no));
  d.add("asked again", number(again));
  d.add("holds", number(std::uint64_t{told.holds.size()}));
  d.add("deadlines moved at most", o.how.shift_us == history::any_shift ? words("no word of it") : micros(o.how.shift_us));
  d.add("limit", o.how.limit == 0 ? words("not checked") : number(std::uint64_t{o.how.limit}));
  d.add("violations found", number(v.found));
  d.add("seconds reading", decimal(reading, 2));
  d.add("seconds checking", decimal(seconds, 2));
  d.add("operations a second", number(static_cast<std::uint64_t>(seconds > 0 ? static_cast<double>(n) / seconds : 0)));
  d.grids.push_back(std::move(v.checks));
  grid violations{"violations", {"what"}, {}};
  for (const auto& w : v.violations) violations.rows.push_back({words(w, tone::bad)});
  d.grids.push_back(std::move(violations));
  return in.say(d, v.found == 0 ? exits::ok : exits::refused);
}

}  // namespace

void add_check(CLI::App& app, invocation& in) {
  auto o = std::make_shared<check_call>();
  auto* c = app.add_subcommand("check", "judge a history that `sale --history` wrote, without asking or trusting the server. Exit code 0: one "
                                        "correct sale explains it; 1: a violation; 65: no history, or one that is damaged or was not finished");
  c->add_option("file", o->file, "the history")->required();
  c->add_option("--limit", o->how.limit, "places that an account may have at a time; default: not checked");
  c->add_option("--shifted", o->shifted,
                "by how much deadlines may have moved: outages, freezes and shifts together; default: what the session said at the end");
  c->add_flag("--others", o->others, "others sold, blocked or cancelled in this session meanwhile; leaves out the search on each seat");
  c->add_flag("--fast", o->fast, "leave out the exact search on each seat");
  c->callback([&in, o] { in.todo = [&in, o] { return check(in, *o); }; });
}

}  // namespace holdfast::cli
