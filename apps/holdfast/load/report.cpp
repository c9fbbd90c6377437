#include "apps/holdfast/load/report.hpp"

#include <fmt/format.h>

namespace holdfast::cli::load {

namespace {

value micros_of(std::uint64_t ns) { return micros((ns + 500) / 1'000); }
std::uint64_t rounded(double d) { return static_cast<std::uint64_t>(d + 0.5); }

void tell_frame(const bench_frame& f, document& d) {
  d.add("workload", words(f.workload));
  d.add("loop", words(f.rate > 0 ? "open" : "closed"));
  d.add("threads", number(f.threads));
  d.add("connections", number(f.connections));
  d.add(f.rate > 0 ? "in flight a connection at most" : "in flight a connection", number(f.depth));
  if (f.depth < f.depth_asked)
    d.add("note", words(fmt::format("{} were asked for, the server's inflight_max allows {}", f.depth_asked, f.depth)));
  d.add("sessions", number(f.sessions));
  if (f.idle_sessions != 0) d.add("idle sessions", number(f.idle_sessions));
  d.add("seats a session", number(f.seats));
}

void add_latency(grid& g, std::string_view name, const base::histogram_seen& h, std::int64_t longest) {
  if (h.total == 0) return;
  const auto at = [&](std::uint64_t per_million) { return micros_of(percentile_ns(h, per_million, longest)); };
  g.rows.push_back({words(name), number(h.total), at(500'000), at(900'000), at(990'000), at(999'000),
                    micros_of(static_cast<std::uint64_t>(longest))});
}

value per_operation(double cpu_s, std::uint64_t operations) {
  return operations == 0 ? none() : decimal(cpu_s * 1e6 / static_cast<double>(operations), 2);
}

}  // namespace

document report_of(const run_seen& r, const bench_frame& f) {
  const auto& c = r.counted;
  const auto n = c.operations();
  document d;
  tell_frame(f, d);
  if (f.rate > 0) d.add("rate asked for", number(rounded(f.rate)));
  d.add("seconds", decimal(r.seconds, 2));
  d.add("operations", number(n));
  d.add("operations a second", number(rounded(r.a_second())));
  d.add("orders a second", number(rounded(r.seconds > 0 ? static_cast<double>(c.count(deed::confirm)) / r.seconds : 0)));
  if (c.uncounted != 0) d.add("in the warm-up", number(c.uncounted));
  if (r.ran_out) d.add("ended", words("all seats were used: give more --sessions for a longer run"));
  if (f.rate > 0) {
    d.add("behind at the end", number(r.behind));
    d.add("never sent", number(c.never_sent));
  }
  d.add("refunds due", number(c.refunds));
  if (f.server) {
    d.add("server pid", plain_number(static_cast<std::uint64_t>(*f.server)));
    if (r.server_cpu_s) d.add("server cpu us an operation", per_operation(*r.server_cpu_s, n));
    if (r.server_cpu_s) d.add("server cpu of one core", share(r.seconds > 0 ? *r.server_cpu_s / r.seconds : 0));
    if (r.server_resident) d.add("server memory mib", number(*r.server_resident >> 20U));
  }
  d.add("own cpu us an operation", per_operation(r.own_cpu_s, n));
  d.add("operations a write", c.writes == 0 ? none() : decimal(static_cast<double>(n + c.uncounted) / static_cast<double>(c.writes), 1));
  d.add("operations a read", c.reads == 0 ? none() : decimal(static_cast<double>(n + c.uncounted) / static_cast<double>(c.reads), 1));
  d.add("retransmitted segments", number(r.retransmitted));

  grid latency{"latency", {"operation", "count", "p50", "p90", "p99", "p99.9", "max"}, {}};
  for (std::size_t i = 0; i < deeds; ++i) add_latency(latency, name_of(static_cast<deed>(i)), c.latency[i], c.longest_ns[i]);
  add_latency(latency, "all", c.all(), c.longest());
  d.grids.push_back(std::move(latency));
  grid refusals{"refusals", {"operation", "refusal", "count"}, {}};
  for (std::size_t i = 0; i < deeds; ++i)
    for (std::size_t code = 0; code < tally::codes; ++code)
      if (c.refused[i][code] != 0)
        refusals.rows.push_back({words(name_of(static_cast<deed>(i))), words(core::name_of(static_cast<core::refusal>(code))),
                                 number(c.refused[i][code])});
  d.grids.push_back(std::move(refusals));
  return d;
}

step_seen step_of(const run_seen& r, double rate) {
  const auto all = r.counted.all();
  step_seen s;
  s.rate = rate;
  s.achieved = r.a_second();
  s.p999_ns = percentile_ns(all, 999'000, r.counted.longest());
  s.behind = r.behind;
  s.operations = all.total;
  s.retransmitted = r.retransmitted;
  s.ran_out = r.ran_out;
  return s;
}

document report_of(const std::vector<step_row>& steps, const ceiling_search& search, const bench_frame& f) {
  document d;
  tell_frame(f, d);
  d.add("ceiling", number(rounded(search.held())));
  d.add("band", words(band_of(search.held())));
  d.add("stopped by", words(name_of(search.why())));
  if (search.failed() != 0) d.add("did not hold at", number(rounded(search.failed())));
  grid g{"steps", {"rate", "a second", "p50", "p99", "p99.9", "behind", "retransmitted", "server cpu us", "came to"}, {}};
  for (const auto& s : steps) {
    const auto all = s.run.counted.all();
    const auto longest = s.run.counted.longest();
    const auto at = [&](std::uint64_t per_million) { return micros_of(percentile_ns(all, per_million, longest)); };
    const auto cpu = s.run.server_cpu_s ? per_operation(*s.run.server_cpu_s, s.run.counted.operations()) : none();
    g.rows.push_back({number(rounded(s.seen.rate)), number(rounded(s.seen.achieved)), at(500'000), at(990'000), at(999'000),
                      number(s.seen.behind), number(s.seen.retransmitted), cpu,
                      words(name_of(s.said), s.said == stopper::none ? tone::good : tone::bad)});
  }
  d.grids.push_back(std::move(g));
  return d;
}

}  // namespace holdfast::cli::load
