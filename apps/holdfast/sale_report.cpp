#include "apps/holdfast/sale_report.hpp"

#include <fmt/format.h>

namespace holdfast::cli {

namespace {

void add_latency(grid& g, std::string_view name, const base::histogram_seen& h) {
  if (h.total == 0) return;
  const auto at = [&](std::uint64_t per_million) { return micros(h.percentile(per_million) / 1'000); };
  g.rows.push_back({words(name), number(h.total), at(500'000), at(900'000), at(990'000), at(999'000), at(1'000'000)});
}
const std::vector<std::string> latency_columns{"request", "count", "p50", "p90", "p99", "p99.9", "max"};

void tell_run(const sale_frame& f, std::uint64_t requests, document& d) {
  d.add("session", words(f.session));
  d.add("connections", number(f.connections));
  if (f.money_connections != 0) d.add("connections for money", number(f.money_connections));
  d.add("requests", number(requests));
  d.add("seconds", decimal(f.seconds, 2));
  d.add("requests a second", number(static_cast<std::uint64_t>(f.seconds > 0 ? static_cast<double>(requests) / f.seconds : 0)));
}

void tell_wire(const sale_frame& f, document& d) {
  d.add("connections lost", number(f.wire.lost_connections));
  d.add("sent again", number(f.wire.retried));
}

std::string text_of(ending e, const sale_frame& f) {
  switch (e) {
    case ending::none: return "not over";
    case ending::all_gone: return "nothing is left to sell";
    case ending::as_many_as_asked: return "as many came as were asked for";
    case ending::nothing_to_be_had: {
      const auto kept = f.after.places.held + f.after.places.paying;
      const auto seconds = static_cast<double>(f.give_up_after.count()) / 1'000;
      return fmt::format("nobody got a hold for {:g} s{}", seconds, kept == 0 ? "" : fmt::format("; others' holds keep {} places", kept));
    }
    case ending::no_answer: return "an answer did not come";
  }
  return "";
}

std::uint64_t all_places(const core::session_seen& s) { return s.places.free + s.places.held + s.places.paying + s.places.sold + s.places.blocked; }

}  // namespace

document report_of(const rush& r, const sale_frame& f) {
  const auto& c = r.counts();
  document d;
  tell_run(f, c.asked, d);
  d.add("ended because", words(text_of(r.ended(), f)));
  d.add("places", number(all_places(f.after)));
  d.add("sold before", number(f.before.places.sold));
  d.add("sold to these buyers", number(c.places_sold));
  d.add("sold now", number(f.after.places.sold));
  d.add("free now", number(f.after.places.free));
  d.add("orders", number(c.orders));
  d.add("refunds due", number(c.late_refunds));
  d.add("seats sold twice", number(c.seats_sold_twice));
  if (c.seats_sold_twice != 0) d.facts.back().what.tone = tone::bad;
  tell_wire(f, d);
  if (c.asked_again != 0) d.add("asked again", number(c.asked_again));
  if (c.unknown_outcome != 0) d.add("without an answer", number(c.unknown_outcome));
  d.add("left to expire", number(c.places_left));
  if (f.expired == sale_frame::expiry::seen) d.add("last one expired after", micros(static_cast<std::uint64_t>(f.expired_after_s * 1e6)));
  if (f.expired == sale_frame::expiry::over_before) d.add("last one expired", words("before the end"));
  if (f.expired == sale_frame::expiry::live_on) d.add("last one expired", words("not seen: other holds live on", tone::bad));

  grid buyers{"buyers", {"what became of them", "buyers"}, {}};
  const auto buyer = [&](const char* what, std::uint64_t n) { buyers.rows.push_back({words(what), number(n)}); };
  buyer("bought", c.satisfied);
  buyer("turned away", c.turned_away);
  buyer("gave their places back", c.gave_back);
  buyer("walked away", c.walked_away);
  buyer("lost their hold on the way", c.failed_on_the_way);
  buyer("all", c.buyers);
  d.grids.push_back(std::move(buyers));

  grid answers{"answers", {"request", "answer", "count"}, {}};
  grid latency{"latency", latency_columns, {}};
  base::histogram_seen all;
  for (std::size_t s = 0; s < steps; ++s) {
    const auto name = name_of(static_cast<step>(s));
    if (c.accepted[s] != 0) answers.rows.push_back({words(name), words("accepted", tone::good), number(c.accepted[s])});
    for (std::size_t code = 0; code < rush_counts::codes; ++code)
      if (c.refused[s][code] != 0)
        answers.rows.push_back({words(name), words(core::name_of(static_cast<core::refusal>(code))), number(c.refused[s][code])});
    const auto seen = r.latency(static_cast<step>(s)).read();
    add_latency(latency, name, seen);
    all += seen;
  }
  add_latency(latency, "all", all);
  d.grids.push_back(std::move(answers));
  d.grids.push_back(std::move(latency));
  grid wrong{"violations", {"violation"}, {}};
  for (const auto& v : violations_of(r, f)) wrong.rows.push_back({words(v, tone::bad)});
  d.grids.push_back(std::move(wrong));
  return d;
}

std::vector<std::string> violations_of(const rush& r, const sale_frame& f) {
  std::vector<std::string> all;
  const auto& c = r.counts();
  if (c.seats_sold_twice != 0) all.push_back(fmt::format("{} seats were sold twice", c.seats_sold_twice));
  if (c.other_answers != 0) all.push_back(fmt::format("{} requests were answered otherwise when they were asked again", c.other_answers));
  if (f.after.places.sold > all_places(f.after)) all.push_back("more is sold than there is");
  // Others may sell, too, and nobody cancels; so the server's books have at least what the buyers were told.
  if (f.after.places.sold < f.before.places.sold + c.places_sold)
    all.push_back(fmt::format("buyers were told of {} places sold, the server counts {}", c.places_sold, f.after.places.sold - f.before.places.sold));
  return all;
}

document report_of(const hold_race& r, const sale_frame& f) {
  const auto n = r.accepted() + r.refused();
  document d;
  tell_run(f, n, d);
  d.add("in flight a connection", number(f.depth));
  d.add("held", number(r.accepted()));
  d.add("refused", number(r.refused()));
  if (r.refused() != 0) d.add("last refusal", words(core::name_of(r.last_refusal())));
  d.add("holds a second", number(static_cast<std::uint64_t>(f.seconds > 0 ? static_cast<double>(r.accepted()) / f.seconds : 0)));
  tell_wire(f, d);
  if (r.unknown() != 0) d.add("without an answer", number(r.unknown()));
  grid latency{"latency", latency_columns, {}};
  add_latency(latency, "hold_seats", r.latency().read());
  d.grids.push_back(std::move(latency));
  return d;
}

}  // namespace holdfast::cli
