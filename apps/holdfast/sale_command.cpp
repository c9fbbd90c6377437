// sale: a rush on one session, or with --pipeline a race of holds alone.
#include <algorithm>
#include <chrono>
#include <numeric>
#include <optional>
#include <thread>

#include <fmt/format.h>

#include "apps/holdfast/invocation.hpp"
#include "apps/holdfast/progress_bar.hpp"
#include "apps/holdfast/sale_report.hpp"
#include "client/ids.hpp"

namespace holdfast::cli {

namespace {

using steady = std::chrono::steady_clock;

struct sale_options {
  std::string session, hold_for = "2m", leave_after = "1s", give_up_after = "10s", area, history;
  rush_options rush;
  std::uint32_t connections = 0;        // 0: 1,000 for a rush, 16 for a race
  std::uint32_t money_connections = 4;
  std::uint32_t pipeline = 0;           // depth of a race; 0: a rush
  std::uint64_t holds = 0;
  bool no_wait = false;
};

double seconds_since(steady::time_point t) { return std::chrono::duration<double>(steady::now() - t).count(); }

base::result<std::unique_ptr<client::pipelined>> open(invocation& in, const sale_options& o, std::uint32_t depth, client::receiver& to) {
  auto link = in.options_for(in.door_for(door::shop));
  if (!link) return link.failure();
  client::pipelined_options p;
  p.link = std::move(*link);
  p.link.name = "holdfast sale";
  p.link.attempts = std::max(in.attempts, 20U);
  p.connections = o.connections;
  p.depth = depth;
  p.money_connections = o.money_connections;
  p.link.money_apart = o.money_connections != 0;
  return client::pipelined::open(std::move(p), to);
}

/// Drives `crowd` until it is over.
template <class Crowd, class Text>
void drive(invocation& in, client::pipelined& over, Crowd& crowd, Text text) {
  progress_bar bar(in.around.err, in.around.err_is_terminal);
  while (!crowd.over()) {
    over.turn(std::chrono::milliseconds(20));
    if constexpr (requires { crowd.tend(); }) crowd.tend();
    if (bar.due()) bar.show(crowd.done(), text());
  }
}

base::result<core::session_seen> state_of(client::blocking& c, core::session_id s) {
  auto seen = c.session_state(s);
  if (!seen) return seen.failure();
  if (!seen->seen) return base::error{base::trouble::unavailable, fmt::format("the session cannot be looked at: {}", core::name_of(seen->said.refused))};
  return std::move(*seen->seen);
}

/// All seats as they are, for the history: a page of them at an instant. With them by how much deadlines have moved.
base::result<void> look_at_all(client::blocking& c, const protocol::session_brief& s, history::recorder& to) {
  constexpr int tries = 200;  // looks at one page while holds that are over are still counted
  const auto state = state_of(c, s.id);
  if (!state) return state.failure();
  for (std::uint32_t page = 0; page * core::seats_per_page < s.seats; ++page)
    for (int i = 0; i < tries; ++i) {
      const auto asked_at = history::monotonic_ns();
      const auto seen = c.seats(s.id, {page});
      if (!seen) return seen.failure();
      if (!seen->seen)
        return base::error{base::trouble::unavailable, fmt::format("the seats cannot be looked at: {}", core::name_of(seen->said.refused))};
      note_look(to, *seen->seen, seen->said, seen->now, asked_at, state->shift_us);
      if (!seen->seen->expiries_pending) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  return {};
}

base::result<history::recorder> begin_history(client::blocking& c, const protocol::session_brief& s, const core::plan& p, const std::string& file) {
  std::vector<std::uint64_t> areas;
  for (const auto& a : p.areas) areas.push_back(std::accumulate(a.capacity.begin(), a.capacity.end(), std::uint64_t{0}));
  auto made = history::recorder::create(file, s.id.value, static_cast<std::uint32_t>(p.seats.size()), areas);
  if (!made) return made.failure();
  if (const auto looked = look_at_all(c, s, *made); !looked) return looked.failure();
  return made;
}

/// A history without its last looks is one all the same: of a server that did not come back.
base::result<void> end_history(client::blocking& c, const protocol::session_brief& s, history::recorder& to) {
  // Twice: what nobody was answered about is over by the second time.
  bool there = true;
  for (int i = 0; i < 2 && there; ++i) there = look_at_all(c, s, to).ok();
  return to.close();
}

/// Looks until the holds that nobody came back to have ended.
base::result<void> wait_for_expiry(client::blocking& c, core::session_id s, core::log_time last, sale_frame& f) {
  using expiry = sale_frame::expiry;
  constexpr auto grace = std::chrono::seconds(5);
  const bool in_time = last > c.now();
  if (in_time) std::this_thread::sleep_for(std::chrono::microseconds(last.value - c.now().value));
  const auto begun = steady::now();
  while (steady::now() - begun < grace) {
    const auto seen = c.session_state(s);
    if (!seen) return seen.failure();
    if (seen->seen && seen->seen->places.held == 0) {
      f.expired = in_time ? expiry::seen : expiry::over_before;
      if (in_time && seen->now > last) f.expired_after_s = static_cast<double>(seen->now.value - last.value) / 1e6;
      return {};
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  f.expired = expiry::live_on;
  return {};
}

int race(invocation& in, const sale_options& o, client::blocking& c, const protocol::session_brief& s) {
  std::int64_t area = -1;
  if (!o.area.empty()) {
    const auto p = fetch_plan(c, s.id, s.plan_revision);
    HOLDFAST_CLI_TRY(in, p);
    for (std::size_t i = 0; i < p->areas.size(); ++i)
      if (p->areas[i].name == o.area) area = static_cast<std::int64_t>(i);
    if (area < 0) return in.fail({base::trouble::bad_input, fmt::format("the plan has no area '{}'", o.area)});
  } else if (o.holds > s.seats) {
    return in.fail({base::trouble::bad_input, fmt::format("{} holds need as many seats, and the session has {}: ask for fewer, or for --area", o.holds, s.seats)});
  }
  hold_race r(s.id, s.plan_revision, static_cast<core::channel_no>(in.channel), o.holds, area, o.rush.seed);
  auto over = open(in, o, o.pipeline, r);
  HOLDFAST_CLI_TRY(in, over);
  sale_frame f;
  f.session = s.name;
  f.connections = o.connections;
  f.depth = (*over)->depth();
  const auto begun = steady::now();
  r.start(**over);
  drive(in, **over, r, [&] { return fmt::format("{} holds, {:.0f} a second", grouped(r.accepted()), static_cast<double>(r.accepted()) / seconds_since(begun)); });
  f.seconds = seconds_since(begun);
  f.wire = (*over)->counted();
  if (r.unknown() != 0) return in.say(report_of(r, f), exits::unavailable);
  return in.say(report_of(r, f), r.refused() == 0 ? exits::ok : exits::refused);
}

int rush_on(invocation& in, const sale_options& o, client::blocking& c, const protocol::session_brief& s) {
  const auto p = fetch_plan(c, s.id, s.plan_revision);
  HOLDFAST_CLI_TRY(in, p);
  sale_frame f;
  f.session = s.name;
  f.connections = o.connections;
  f.money_connections = o.money_connections;
  f.give_up_after = o.rush.give_up_after;
  const auto before = state_of(c, s.id);
  HOLDFAST_CLI_TRY(in, before);
  f.before = *before;
  rush r(o.rush, s.id, s.plan_revision, *p);
  auto over = open(in, o, o.rush.at_once + 1, r);
  HOLDFAST_CLI_TRY(in, over);
  f.depth = (*over)->depth();
  std::optional<history::recorder> recorder;
  if (!o.history.empty()) {
    auto begun = begin_history(c, s, *p, o.history);
    HOLDFAST_CLI_TRY(in, begun);
    r.record_in(recorder.emplace(std::move(*begun)));
  }
  const auto begun = steady::now();
  r.start(**over);
  drive(in, **over, r, [&] {
    return fmt::format("{} requests, {:.0f} a second, {} places sold, {} seats free", grouped(r.counts().asked),
                       static_cast<double>(r.counts().asked) / seconds_since(begun), grouped(r.counts().places_sold), grouped(r.hall().free_seats()));
  });
  f.seconds = seconds_since(begun);
  f.wire = (*over)->counted();
  over->reset();
  base::result<void> waited;
  if (r.counts().places_left != 0 && !o.no_wait && r.counts().unknown_outcome == 0) waited = wait_for_expiry(c, s.id, r.counts().last_left, f);
  if (recorder) {
    const auto closed = end_history(c, s, *recorder);
    HOLDFAST_CLI_TRY(in, closed);
  }
  HOLDFAST_CLI_TRY(in, waited);
  const auto after = state_of(c, s.id);
  HOLDFAST_CLI_TRY(in, after);
  f.after = *after;
  if (r.counts().unknown_outcome != 0) return in.say(report_of(r, f), exits::unavailable);
  return in.say(report_of(r, f), violations_of(r, f).empty() ? exits::ok : exits::refused);
}

int sale(invocation& in, sale_options o) {
  if (in.buyer) return in.fail({base::trouble::bad_input, "a sale acts for many buyers: it needs a shop's listener"});
  const auto hold_for = read_interval(o.hold_for);
  HOLDFAST_CLI_TRY(in, hold_for);
  const auto leave_after = read_interval(o.leave_after);
  HOLDFAST_CLI_TRY(in, leave_after);
  const auto give_up_after = read_interval(o.give_up_after);
  HOLDFAST_CLI_TRY(in, give_up_after);
  o.rush.give_up_after = *give_up_after;
  o.rush.hold_for = *hold_for;
  o.rush.leave_after = *leave_after;
  o.rush.channel = static_cast<core::channel_no>(in.channel);
  if (o.rush.seed == 0) o.rush.seed = client::random_seed();
  if (o.connections == 0) o.connections = o.pipeline != 0 ? 16 : 1'000;
  if (o.pipeline != 0) o.money_connections = 0;
  auto c = in.connect(door::shop);
  HOLDFAST_CLI_TRY(in, c);
  const auto s = find_session(*c, o.session);
  HOLDFAST_CLI_TRY(in, s);
  if (o.pipeline != 0) {
    if (o.holds == 0) o.holds = s->seats;
    return race(in, o, *c, *s);
  }
  return rush_on(in, o, *c, *s);
}

}  // namespace

void add_sale(CLI::App& app, invocation& in) {
  auto o = std::make_shared<sale_options>();
  o->rush.seed = 0;
  auto* c = app.add_subcommand("sale", "a rush: many buyers fight for the places of a session. Ends when all is sold or nobody gets anything any more, or as said");
  c->add_option("session", o->session, "name, or #number")->required();
  c->add_option("--requests", o->rush.requests, "as many requests at least: buyers go on asking when all is sold");
  c->add_option("--buyers", o->rush.buyers, "as many buyers in all");
  c->add_option("--connections", o->connections, "default: 1000, with --pipeline 16")->check(CLI::Range(1, 50'000));
  c->add_option("--at-once", o->rush.at_once, "buyers at work a connection")->capture_default_str()->check(CLI::Range(1, 1'000));
  c->add_option("--money-connections", o->money_connections, "more connections, for money alone; 0: none")->capture_default_str()->check(CLI::Range(0, 1'000));
  c->add_option("--places", o->rush.places_max, "places a buyer wants at most")->capture_default_str()->check(CLI::Range(1, 8));
  const auto percent = [&](const char* name, unsigned& to, const char* what) {
    c->add_option(name, to, what)->capture_default_str()->check(CLI::Range(0, 100));
  };
  percent("--blind", o->rush.blind_percent, "percent of buyers who pick without looking what is free");
  percent("--walk-away", o->rush.leave_percent, "percent whose holds are left to expire");
  percent("--give-back", o->rush.give_back_percent, "percent who release");
  percent("--extend", o->rush.extend_percent, "percent who extend before they pay");
  percent("--fail", o->rush.fail_percent, "percent whose first payment fails");
  percent("--ask-again", o->rush.again_percent, "percent of accepted requests that are sent once more, with the same id; the answer must be the same");
  c->add_option("--accounts", o->rush.accounts, "so many accounts share the buying, and the purchase limits with it; default: one a buyer");
  c->add_option("--for", o->hold_for, "how long a hold lasts")->capture_default_str();
  c->add_option("--walk-away-after", o->leave_after, "how long the holds last that are left to expire")->capture_default_str();
  c->add_option("--give-up-after", o->give_up_after, "without --buyers: end when for so long nobody got a hold")->capture_default_str();
  c->add_option("--price", o->rush.price, "a place, in minor units")->capture_default_str()->check(CLI::Range(std::int64_t{0}, std::int64_t{1'000'000'000}));
  c->add_option("--seed", o->rush.seed, "of all chances; default: another one each time");
  auto* history = c->add_option("--history", o->history, "write every operation as its client saw it to this file, for `holdfast check`");
  c->add_flag("--no-wait", o->no_wait, "do not wait until what was left has expired");
  auto* pipeline = c->add_option("--pipeline", o->pipeline, "instead of a rush: only holds of one place each, so many in flight a connection");
  pipeline->check(CLI::Range(1, 1'000'000))->excludes(history);
  c->add_option("--holds", o->holds, "with --pipeline: how many; default: a hold a seat")->needs(pipeline);
  c->add_option("--area", o->area, "with --pipeline: hold standing room of this area instead of seats")->needs(pipeline);
  c->callback([&in, o] { in.todo = [&in, o] { return sale(in, *o); }; });
}

}  // namespace holdfast::cli
