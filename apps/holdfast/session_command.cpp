// session create|list|show|open|pause|resume|close|freeze|clear
#include <fmt/format.h>

#include "apps/holdfast/invocation.hpp"
#include "apps/holdfast/options.hpp"
#include "apps/holdfast/policy_file.hpp"
#include "apps/holdfast/shown.hpp"
#include "client/ids.hpp"
#include "core/plan.hpp"
#include "core/policy.hpp"
#include "plans/generate.hpp"
#include "plans/load.hpp"

namespace holdfast::cli {

namespace {

struct create_options {
  std::string name, plan, side, policy, kind = "real", currency = "EUR", organiser, starts, zone = "UTC", id;
  std::uint32_t hall = 0;
  std::uint32_t standing = 0;
  bool open = false;
};

base::result<core::plan> plan_of(const create_options& o) {
  if (o.hall != 0) {
    plans::hall_shape shape;
    shape.seats = o.hall;
    shape.zones = std::min(shape.zones, o.hall);
    shape.standing_places = o.standing;
    return plans::generate_hall(shape);
  }
  auto report = plans::load_plan(o.plan, {o.side, {}, plans::identity_rule::automatic});
  if (!report) return report.failure();
  return std::move(report->plan);
}

int create(invocation& in, const create_options& o) {
  auto plan = plan_of(o);
  HOLDFAST_CLI_TRY(in, plan);
  core::session_terms terms;
  terms.name = o.name;
  terms.kind = o.kind == "real" ? core::session_class::real : core::session_class::rehearsal;
  terms.currency = o.currency;
  terms.organiser_ref = o.organiser;
  terms.zone = o.zone;
  if (o.policy.empty()) {
    terms.rules = core::default_policy();
  } else {
    auto rules = read_policy(o.policy, *plan);
    HOLDFAST_CLI_TRY(in, rules);
    terms.rules = std::move(*rules);
  }
  if (!o.starts.empty()) {
    const auto at = read_time(o.starts);
    HOLDFAST_CLI_TRY(in, at);
    terms.starts_at = *at;
  }
  base::bytes bytes;
  base::byte_writer out(bytes);
  core::encode_plan(*plan, out);

  auto c = in.connect(door::admin);
  HOLDFAST_CLI_TRY(in, c);
  protocol::create_session asked;
  asked.terms = std::make_shared<const core::session_terms>(std::move(terms));
  asked.plan = bytes;
  const auto s = c->create_session(asked);
  HOLDFAST_CLI_TRY(in, s);
  if (!s->seen) return in.say(tell(s->said, s->now), exits::refused);
  auto brief = *s->seen;
  if (o.open) {
    const auto opened = c->open_sale(brief.id, c->envelope(core::command_id{client::random_id()}));
    HOLDFAST_CLI_TRY(in, opened);
    if (opened->said.refused != core::refusal::none) return in.say(tell(opened->said, opened->now), exits::refused);
    brief.sale = core::sale_state::open;
  }
  document d;
  d.add("session", words(brief.name));
  d.add("number", plain_number(brief.id.value));
  d.add("sale", words(core::name_of(brief.sale)));
  d.add("seats", number(brief.seats));
  d.add("areas", number(brief.areas));
  d.add("places", number(brief.places));
  if (s->said.repeated) d.add("repeated", yes_no(true));
  return in.say(d);
}

int list(invocation& in) {
  auto c = in.connect(door::admin);
  HOLDFAST_CLI_TRY(in, c);
  document d;
  d.grids.push_back({"sessions", {"number", "name", "class", "sale", "starts", "seats", "areas", "places"}, {}});
  protocol::list_sessions from;
  do {
    const auto page = c->list_sessions(from);
    HOLDFAST_CLI_TRY(in, page);
    if (!page->seen) return in.say(tell(page->said, page->now), exits::refused);
    for (const auto& s : page->seen->items)
      d.grids[0].rows.push_back({plain_number(s.id.value), words(s.name), words(s.kind == core::session_class::real ? "real" : "rehearsal"),
                                 sale_value(s.sale, s.frozen, s.faulted), s.starts_at == 0 ? none() : moment_of_seconds(s.starts_at), number(s.seats),
                                 number(s.areas), number(s.places)});
    from.from = page->seen->next_from;
  } while (from.from.value != 0);
  return in.say(d);
}

int show(invocation& in, const std::string& name) {
  auto c = in.connect(door::shop);
  HOLDFAST_CLI_TRY(in, c);
  const auto s = find_session(*c, name);
  HOLDFAST_CLI_TRY(in, s);
  const auto seen = c->session_state(s->id);
  HOLDFAST_CLI_TRY(in, seen);
  if (!seen->seen) return in.say(tell(seen->said, seen->now), exits::refused);
  return in.say(shown(s->id, *seen->seen, seen->now));
}

struct control_options {
  std::string session, id;
  std::vector<unsigned> channels;
  [[nodiscard]] core::channel_set set() const {
    if (channels.empty()) return core::all_channels;
    core::channel_set s = 0;
    for (const auto n : channels) s |= core::channel_set{1} << n;
    return s;
  }
};

using control = base::result<client::answered> (*)(client::blocking&, core::session_id, const core::envelope&, core::channel_set);

void add_control(CLI::App& session, invocation& in, const char* name, const char* what, bool channels, control ask) {
  auto o = std::make_shared<control_options>();
  auto* c = session.add_subcommand(name, what);
  c->add_option("session", o->session, "name, or #number")->required();
  c->add_option("--id", o->id, "the command's id; default: made up");
  if (channels) one_each(c->add_option("--for", o->channels, "a channel by its number; default: all")->check(CLI::Range(0, 15)));
  c->callback([&in, o, ask] {
    in.todo = [&in, o, ask] {
      return ask_on_session(in, o->session, o->id, [&](client::blocking& cl, core::session_id s, const core::envelope& e) { return ask(cl, s, e, o->set()); });
    };
  });
}

}  // namespace

void add_session(CLI::App& app, invocation& in) {
  auto* session = app.add_subcommand("session", "create, list, show and steer sessions");
  session->require_subcommand(1);
  {
    auto o = std::make_shared<create_options>();
    auto* c = session->add_subcommand("create", "a session from a seating plan");
    c->add_option("name", o->name, "unique for ever: letters, digits, '.', '_' and '-'")->required();
    auto* file = c->add_option("--plan", o->plan, "a seating plan: a pretix drawing or CSV");
    c->add_option("--side", o->side, "what the drawing does not say, TOML or CSV")->needs(file);
    auto* hall = c->add_option("--hall", o->hall, "instead: a made-up hall with so many seats")->check(CLI::Range(1, 1'000'000))->excludes(file);
    c->add_option("--standing", o->standing, "with --hall: so many standing places")->check(CLI::Range(0, 1'000'000))->needs(hall);
    c->add_option("--policy", o->policy, "channels and limits, TOML (configs/policy.toml); default: the shipped ones, which that file shows");
    c->add_option("--class", o->kind, "real or rehearsal; no rule reads it")->check(CLI::IsMember({"real", "rehearsal"}))->capture_default_str();
    c->add_option("--currency", o->currency, "three capital letters")->capture_default_str();
    c->add_option("--organiser", o->organiser, "the organiser's reference");
    c->add_option("--starts", o->starts, "2026-06-01T19:30, in UTC; for display");
    c->add_option("--zone", o->zone, "the hall's time zone, for display")->capture_default_str();
    c->add_flag("--open", o->open, "open the sale at once");
    c->callback([&in, o, file, hall] {
      if (file->empty() && hall->empty()) throw CLI::RequiredError("--plan or --hall");
      in.todo = [&in, o] { return create(in, *o); };
    });
  }
  session->add_subcommand("list", "all sessions of the server")->callback([&in] { in.todo = [&in] { return list(in); }; });
  {
    auto name = std::make_shared<std::string>();
    auto* c = session->add_subcommand("show", "state, places and money of a session");
    c->add_option("session", *name, "name, or #number")->required();
    c->callback([&in, name] { in.todo = [&in, name] { return show(in, *name); }; });
  }
  using core::channel_set;
  using core::envelope;
  using core::session_id;
  add_control(*session, in, "open", "open the sale", true,
              [](client::blocking& c, session_id s, const envelope& e, channel_set on) { return c.open_sale(s, e, {on}); });
  add_control(*session, in, "pause", "no new holds for a while", false,
              [](client::blocking& c, session_id s, const envelope& e, channel_set) { return c.pause_sale(s, e); });
  add_control(*session, in, "resume", "lift a pause or a freeze", false,
              [](client::blocking& c, session_id s, const envelope& e, channel_set) { return c.resume_sale(s, e); });
  add_control(*session, in, "close", "no new holds for good", true,
              [](client::blocking& c, session_id s, const envelope& e, channel_set on) { return c.close_sale(s, e, {on}); });
  add_control(*session, in, "freeze", "stop the hold clock: nothing expires", false,
              [](client::blocking& c, session_id s, const envelope& e, channel_set) { return c.freeze_sale(s, e); });
  add_control(*session, in, "clear", "put a faulted session back into service", false,
              [](client::blocking& c, session_id s, const envelope& e, channel_set) { return c.clear_fault(s, e); });
}

}  // namespace holdfast::cli
