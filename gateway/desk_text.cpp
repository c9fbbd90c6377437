#include "gateway/desk_text.hpp"

#include <string>
#include <string_view>

#include <fmt/format.h>

#include "base/bytes.hpp"

namespace holdfast::gateway {

namespace {

using named = std::pair<std::string, std::uint64_t>;

/// What a loop, or all of them, counted; gauges apart.
std::vector<named> counters_of(const stats_seen& s) {
  std::vector<named> all;
  all.emplace_back("funnel.received", s.received);
  for (std::size_t i = 0; i < stages; ++i) all.emplace_back(fmt::format("funnel.{}", name_of(static_cast<stage>(i))), s.by_stage[i]);
  all.emplace_back("funnel.retries", s.retries);
  all.emplace_back("gateway.answers", s.answers);
  all.emplace_back("gateway.answers_lost", s.answers_lost);
  all.emplace_back("gateway.accepted", s.accepted);
  all.emplace_back("gateway.accept_errors", s.accept_errors);
  all.emplace_back("gateway.handshakes", s.handshakes);
  for (std::size_t i = 0; i < closings; ++i) all.emplace_back(fmt::format("gateway.closed.{}", name_of(static_cast<closing>(i))), s.closed[i]);
  all.emplace_back("gateway.credit_pauses", s.credit_pauses);
  all.emplace_back("gateway.output_pauses", s.output_pauses);
  all.emplace_back("gateway.reads", s.reads);
  all.emplace_back("gateway.writes", s.writes);
  all.emplace_back("gateway.bytes_in", s.bytes_in);
  all.emplace_back("gateway.bytes_out", s.bytes_out);
  all.emplace_back("gateway.turns", s.turns);
  all.emplace_back("gateway.batches", s.batches);
  all.emplace_back("gateway.busy_us", s.busy_ns / 1'000);
  return all;
}

std::vector<named> gauges_of(const stats_seen& s) {
  return {{"gateway.connections", s.connections},
          {"gateway.in_flight", s.in_flight},
          {"gateway.waiting", s.waiting},
          {"gateway.output_waiting", s.output_waiting}};
}

std::vector<protocol::latency_row> latencies_of(const stats_seen& s) {
  return {latency_of("gateway.request", s.request_ns), latency_of("gateway.turn", s.turn_ns), latency_of("gateway.queue", s.queue_ns)};
}

std::uint32_t to_ppm(double share) { return share <= 0 ? 0U : share >= 1 ? 1'000'000U : static_cast<std::uint32_t>(share * 1e6); }

/// Seconds of log time with milliseconds, as UTC seconds since 1970.
std::string at(core::log_time t) {
  if (t.value == 0) return "-";
  return fmt::format("{}.{:03}", t.value / core::us_per_s, t.value % core::us_per_s / core::us_per_ms);
}

}  // namespace

protocol::latency_row latency_of(std::string name, const base::histogram_seen& h) {
  const auto us = [&](std::uint64_t per_million) { return h.percentile(per_million) / 1'000; };
  protocol::latency_row r;
  r.name = std::move(name);
  r.count = h.total;
  r.p50_us = us(500'000);
  r.p90_us = us(900'000);
  r.p99_us = us(990'000);
  r.p999_us = us(999'000);
  r.max_us = us(1'000'000);
  return r;
}

protocol::actor_row row_of(const actors::inspection_row& row) {
  protocol::actor_row r;
  r.id = row.id;
  r.kind = row.kind;
  r.name = row.name;
  r.waiting = row.now.waiting;
  r.handled = row.now.handled;
  r.handled_per_s = row.messages_per_s > 0 ? static_cast<std::uint64_t>(row.messages_per_s + 0.5) : 0;
  r.busy_ppm = to_ppm(row.busy);
  r.oldest_waiting_us = row.now.oldest_ns / 1'000;
  return r;
}

void tell_stats(const loops_seen& loops, protocol::stats_seen& to) {
  stats_seen sum;
  for (const auto& l : loops) sum += l.stats;
  for (auto& [name, value] : counters_of(sum)) to.values.push_back({std::move(name), false, static_cast<std::int64_t>(value)});
  for (auto& [name, value] : gauges_of(sum)) to.values.push_back({std::move(name), true, static_cast<std::int64_t>(value)});
  for (auto& row : latencies_of(sum)) to.latencies.push_back(std::move(row));
}

void tell_loop(const stats_seen& of, protocol::actor_inside_seen& to) {
  for (auto& [name, value] : gauges_of(of)) to.facts.emplace_back(std::move(name), std::to_string(value));
  for (auto& [name, value] : counters_of(of)) to.facts.emplace_back(std::move(name), std::to_string(value));
  protocol::text_table t;
  t.title = "latency in microseconds";
  t.columns = {"what", "count", "p50", "p90", "p99", "p99.9", "max"};
  for (const auto& l : latencies_of(of))
    t.rows.push_back({l.name, std::to_string(l.count), std::to_string(l.p50_us), std::to_string(l.p90_us), std::to_string(l.p99_us),
                      std::to_string(l.p999_us), std::to_string(l.max_us)});
  to.tables.push_back(std::move(t));
}

void tell_session(const core::session_seen& s, protocol::actor_inside_seen& to) {
  const auto fact = [&](std::string_view name, std::string value) { to.facts.emplace_back(std::string(name), std::move(value)); };
  fact("name", s.name);
  fact("class", s.kind == core::session_class::real ? "real" : "rehearsal");
  fact("sale", std::string(core::name_of(s.sale)) + (s.frozen ? ", frozen" : "") + (s.faulted ? ", faulted" : ""));
  fact("open channels", fmt::format("{:#x}", s.open_channels));
  fact("last record", std::to_string(s.last.value));
  fact("live holds", std::to_string(s.live_holds));
  fact("orders", std::to_string(s.orders));
  fact("ended holds remembered", std::to_string(s.ended_holds));
  fact("ids forgotten early", std::to_string(s.forgotten_early));
  fact("refunds open", std::to_string(s.refunds_open));
  fact("refunds in all", std::to_string(s.refunds_total));
  fact("amount paid, minor units", std::to_string(s.amount_paid));
  fact("refunds due, minor units", std::to_string(s.amount_refunds_due));
  fact("shift, ms", std::to_string(s.shift_us / core::us_per_ms));
  fact("of it for downtime, ms", std::to_string(s.downtime_shift_us / core::us_per_ms));
  fact("next deadline", at(s.next_deadline));
  fact("expiries pending", s.expiries_pending ? "yes" : "no");
  const auto& p = s.places;
  protocol::text_table t;
  t.title = "places";
  t.columns = {"free", "held", "paying", "sold", "blocked", "withdrawn"};
  t.rows.push_back({std::to_string(p.free), std::to_string(p.held), std::to_string(p.paying), std::to_string(p.sold),
                    std::to_string(p.blocked), std::to_string(p.withdrawn)});
  to.tables.push_back(std::move(t));
}

void tell_holds(const core::holds_seen& holds, protocol::actor_inside_seen& to) {
  protocol::text_table t;
  t.title = holds.next_from == 0 ? "live holds" : fmt::format("live holds, the first {}", holds.items.size());
  t.columns = {"number", "hold", "owner", "state", "channel", "lines", "deadline", "lifetime end"};
  for (const auto& h : holds.items)
    t.rows.push_back({std::to_string(h.number.value), base::to_hex(h.id.value), base::to_hex(h.owner.value), std::string(core::name_of(h.state)),
                      std::to_string(h.channel), std::to_string(h.lines.size()), at(h.deadline), at(h.lifetime_end)});
  to.tables.push_back(std::move(t));
}

}  // namespace holdfast::gateway
