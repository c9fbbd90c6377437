#include "apps/holdfast/shown.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "apps/holdfast/arguments.hpp"
#include "protocol/kinds.hpp"

namespace holdfast::cli {

namespace {

constexpr const char* payment_names[] = {"card", "cash", "invoice", "comp", "other"};

value payment_value(core::payment_kind k) {
  const auto i = static_cast<std::size_t>(k);
  return words(i < std::size(payment_names) ? payment_names[i] : "unknown");
}

value outcome_value(core::money_outcome o) {
  switch (o) {
    case core::money_outcome::sold: return words("sold", tone::good);
    case core::money_outcome::refund_due: return words("refund due", tone::bad);
    case core::money_outcome::none: break;
  }
  return none();
}

value command_value(core::command_tag t) { return words(protocol::name_of_kind(protocol::kind_of(t))); }

std::string lines_text(const std::vector<core::line_seen>& lines, const core::plan* p) {
  constexpr std::size_t shown_max = 4;
  std::string s;
  for (std::size_t i = 0; i < lines.size() && i < shown_max; ++i) s += (i == 0 ? "" : ", ") + name_of_line(lines[i].what, p);
  if (lines.size() > shown_max) s += fmt::format(" and {} more", lines.size() - shown_max);
  return s;
}

/// Only a hold that may still end by itself has one; of others it is the last they had.
value deadline_of(const core::hold_seen& h, core::log_time now) {
  const bool live = h.state == core::hold_state::held || h.state == core::hold_state::paying;
  return live ? deadline(h.deadline, now) : moment(h.deadline);
}

grid refunds_grid(const std::vector<core::refund_seen>& refunds) {
  grid g{"refunds", {"number", "reason", "amount", "settled", "hold"}, {}};
  for (const auto& r : refunds)
    g.rows.push_back({plain_number(r.number.value), words(core::name_of(r.reason)), number(r.amount),
                      yes_no(r.settled, tone::good), hex(r.hold.value)});
  return g;
}

}  // namespace

value sale_value(core::sale_state s, bool frozen, bool faulted) {
  std::string text(core::name_of(s));
  if (frozen) text += ", frozen";
  if (faulted) text += ", faulted";
  return words(text, faulted ? tone::bad : s == core::sale_state::open && !frozen ? tone::good : tone::plain);
}

value state_value(core::hold_state s) {
  return words(core::name_of(s), s == core::hold_state::sold ? tone::good : s == core::hold_state::none ? tone::faint : tone::plain);
}

value moment_of_seconds(std::int64_t seconds) {
  if (seconds < 0) return {seconds, fmt::format("{} s before 1970", -seconds), false, tone::plain};
  auto text = utc_text(static_cast<std::uint64_t>(seconds) * core::us_per_s);
  text.replace(text.size() - 5, 5, "Z");
  return {seconds, std::move(text), false, tone::plain};
}

document shown(core::session_id id, const core::session_seen& s, core::log_time now) {
  document d;
  d.add("session", words(s.name));
  d.add("number", plain_number(id.value));
  d.add("class", words(s.kind == core::session_class::real ? "real" : "rehearsal"));
  d.add("sale", sale_value(s.sale, s.frozen, s.faulted));
  d.add("open channels", s.open_channels == core::all_channels ? words("all") : words(fmt::format("{:#x}", s.open_channels)));
  d.add("starts", s.starts_at == 0 ? none() : moment_of_seconds(s.starts_at));
  d.add("zone", words(s.zone));
  d.add("currency", words(s.currency));
  d.add("organiser", s.organiser_ref.empty() ? none() : words(s.organiser_ref));
  d.add("seats", number(s.seats));
  d.add("areas", number(s.areas));
  d.add("live holds", number(s.live_holds));
  d.add("orders", number(s.orders));
  d.add("ended holds remembered", number(s.ended_holds));
  d.add("forgotten early", number(s.forgotten_early));
  d.add("amount paid", number(s.amount_paid));
  d.add("refunds", number(s.refunds_total));
  d.add("refunds open", number(s.refunds_open));
  d.add("amount of refunds due", number(s.amount_refunds_due));
  d.add("deadlines shifted", micros(s.shift_us));
  d.add("for downtime", micros(s.downtime_shift_us));
  d.add("next deadline", deadline(s.next_deadline, now));
  d.add("expiries pending", yes_no(s.expiries_pending));
  d.add("plan revision", plain_number(s.plan_revision));
  d.add("last record", plain_number(s.last.value));
  const auto& p = s.places;
  d.grids.push_back({"places",
                     {"free", "held", "paying", "sold", "blocked", "withdrawn"},
                     {{number(p.free), number(p.held), number(p.paying), number(p.sold), number(p.blocked), number(p.withdrawn)}}});
  return d;
}

document shown(const core::hold_seen& h, const core::plan* p, core::log_time now) {
  document d;
  d.add("hold", hex(h.id.value));
  d.add("number", plain_number(h.number.value));
  d.add("owner", hex(h.owner.value));
  d.add("state", state_value(h.state));
  d.add("channel", plain_number(h.channel));
  d.add("deadline", deadline_of(h, now));
  d.add("lifetime end", moment(h.lifetime_end));
  d.add("extensions", number(h.extensions));
  d.add("payment attempts", number(h.attempts));
  d.add("basket", hex(h.basket.value));
  grid lines{"lines", {"place", "number", "count", "price", "cancelled"}, {}};
  for (const auto& l : h.lines)
    lines.rows.push_back({words(name_of_line(l.what, p)), plain_number(l.what.number), number(l.what.count), plain_number(l.what.price), yes_no(l.cancelled)});
  d.grids.push_back(std::move(lines));
  grid payments{"payments", {"reference hash", "amount", "kind", "outcome", "reason", "refund"}, {}};
  for (const auto& y : h.payments)
    payments.rows.push_back({words(fmt::format("{:016x}", y.reference_hash)), number(y.amount), payment_value(y.kind), outcome_value(y.outcome),
                             y.reason == core::refund_reason::none ? none() : words(core::name_of(y.reason)),
                             y.number.value == 0 ? none() : plain_number(y.number.value)});
  d.grids.push_back(std::move(payments));
  return d;
}

document shown(const core::owner_seen& o, const core::plan* p, core::log_time now) {
  document d;
  grid g{"holds and orders", {"hold", "state", "places", "deadline"}, {}};
  for (const auto& h : o.holds) g.rows.push_back({hex(h.id.value), state_value(h.state), words(lines_text(h.lines, p)), deadline_of(h, now)});
  d.grids.push_back(std::move(g));
  d.grids.push_back(refunds_grid(o.refunds));
  if (o.more) d.add("more", words("there are more than are shown"));
  return d;
}

document shown(const core::fate_seen& f, core::log_time now) {
  document d;
  switch (f.what) {
    case core::fate::accepted: d.add("fate", words("accepted", tone::good)); break;
    case core::fate::not_so_far: d.add("fate", words("not accepted so far")); return d;
    case core::fate::older: d.add("fate", words("older than can be known", tone::bad)); return d;
  }
  d.add("command", command_value(f.command));
  if (f.first.outcome != core::money_outcome::none) d.add("outcome", outcome_value(f.first.outcome));
  if (f.first.reason != core::refund_reason::none) d.add("reason", words(core::name_of(f.first.reason)));
  if (f.first.number.value != 0) d.add("refund", plain_number(f.first.number.value));
  d.add("granted until", deadline(f.first.granted, now));
  d.add("state", state_value(f.first.state));
  d.add("deadline", deadline(f.first.deadline, now));
  d.add("record", plain_number(f.first.tells_of.value));
  return d;
}

document shown(const std::vector<protocol::found_row>& rows) {
  document d;
  grid g{"found", {"session", "at", "record", "command", "state", "hold", "owner", "basket", "payment", "amount", "refund", "reason", "settled", "lines"}, {}};
  for (const auto& r : rows)
    g.rows.push_back({words(r.session_name.empty() ? fmt::format("#{}", r.session.value) : r.session_name), moment(r.at), plain_number(r.number.value), command_value(r.command), state_value(r.state), hex(r.hold.value),
                      hex(r.owner.value), hex(r.basket.value), r.payment.empty() ? none() : words(r.payment), number(r.amount),
                      r.refund.value == 0 ? none() : plain_number(r.refund.value),
                      r.reason == core::refund_reason::none ? none() : words(core::name_of(r.reason)),
                      r.refund.value == 0 ? none() : yes_no(r.settled, tone::good), number(static_cast<std::uint64_t>(r.lines.size()))});
  d.grids.push_back(std::move(g));
  return d;
}

namespace {

std::vector<value> actor_values(const protocol::actor_row& r) {
  auto waiting = number(r.waiting);
  if (r.oldest_waiting_us > 1'000'000) waiting.tone = tone::bad;
  return {plain_number(r.id), words(r.kind), words(r.name), waiting, number(r.handled), number(r.handled_per_s), share(r.busy_ppm / 1e6),
          r.oldest_waiting_us == 0 ? none() : micros(r.oldest_waiting_us)};
}

const std::vector<std::string> actor_columns{"id", "kind", "name", "waiting", "handled", "a second", "busy", "oldest waiting"};

/// The server's cells are text already; those that are numbers stand to the right.
value cell(const std::string& s) {
  std::int64_t n = 0;
  const auto [end, ec] = std::from_chars(s.data(), s.data() + s.size(), n);
  if (!s.empty() && ec == std::errc{} && end == s.data() + s.size() && (s.size() < 2 || s[0] != '0')) return {n, s, true, tone::plain};
  return words(s);
}

}  // namespace

document shown(const std::vector<protocol::actor_row>& rows) {
  document d;
  grid g{"actors", actor_columns, {}};
  for (const auto& r : rows) g.rows.push_back(actor_values(r));
  d.grids.push_back(std::move(g));
  return d;
}

document shown(const protocol::actor_inside_seen& a) {
  document d;
  const auto values = actor_values(a.row);
  for (std::size_t i = 0; i < values.size(); ++i) d.add(actor_columns[i], values[i]);
  // A session tells its name, which the row has already.
  for (const auto& [name, text] : a.facts)
    if (std::ranges::none_of(d.facts, [&](const fact& f) { return f.name == name; })) d.add(name, cell(text));
  for (const auto& t : a.tables) {
    grid g{t.title, t.columns, {}};
    for (const auto& r : t.rows) {
      auto& row = g.rows.emplace_back();
      for (std::size_t c = 0; c < t.columns.size(); ++c) row.push_back(c < r.size() ? cell(r[c]) : none());
    }
    d.grids.push_back(std::move(g));
  }
  return d;
}

document shown(const protocol::stats_seen& s) {
  document d;
  grid funnel{"funnel", {"stage", "requests", "share"}, {}}, others{"counters", {"name", "value", "kind"}, {}};
  std::int64_t received = 0, stages = 0, retries = 0;
  for (const auto& v : s.values)
    if (v.name == "funnel.received") received = v.value;
  for (const auto& v : s.values) {
    if (v.name == "funnel.received") continue;
    if (v.name == "funnel.retries") {
      retries = v.value;
    } else if (v.name.starts_with("funnel.")) {
      stages += v.value;
      funnel.rows.push_back({words(std::string_view(v.name).substr(7)), number(v.value),
                             share(received == 0 ? 0 : static_cast<double>(v.value) / static_cast<double>(received))});
    } else {
      others.rows.push_back({words(v.name), number(v.value), words(v.gauge ? "now" : "since the start", tone::faint)});
    }
  }
  d.add("requests received", number(received));
  d.add("counted at a stage", number(stages));
  d.add("adds up", yes_no(received == stages, tone::good));
  if (received != stages) d.facts.back().what.tone = tone::bad;
  d.add("of them retries", number(retries));
  d.grids.push_back(std::move(funnel));
  grid latency{"latency", {"what", "count", "p50", "p90", "p99", "p99.9", "max"}, {}};
  for (const auto& l : s.latencies)
    latency.rows.push_back({words(l.name), number(l.count), micros(l.p50_us), micros(l.p90_us), micros(l.p99_us), micros(l.p999_us), micros(l.max_us)});
  d.grids.push_back(std::move(latency));
  d.grids.push_back(std::move(others));
  return d;
}

}  // namespace holdfast::cli
