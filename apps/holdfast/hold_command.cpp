// hold, change, extend, release: what buyers do, too.
#include "apps/holdfast/invocation.hpp"
#include "apps/holdfast/options.hpp"

namespace holdfast::cli {

namespace {

int hold(invocation& in, const hold_options& o) {
  const auto asked = read(o);
  HOLDFAST_CLI_TRY(in, asked);
  auto c = in.connect(door::shop, asked->owner, asked->keys);
  HOLDFAST_CLI_TRY(in, c);
  const auto s = find_session(*c, o.session);
  HOLDFAST_CLI_TRY(in, s);
  const auto p = plan_for(*c, *s, asked->places);
  HOLDFAST_CLI_TRY(in, p);
  const auto* plan = *p ? &**p : nullptr;
  const auto lines = as_lines(asked->places, plan, o.places.price);
  HOLDFAST_CLI_TRY(in, lines);
  const auto a = c->hold_seats(s->id, c->envelope(asked->id, static_cast<core::channel_no>(in.channel)),
                               {asked->owner, asked->keys, *lines, asked->interval, s->plan_revision, asked->basket});
  HOLDFAST_CLI_TRY(in, a);
  auto d = tell(a->said, a->now);
  d.facts.insert(d.facts.begin(), {{"session", words(s->name)}, {"owner", hex(asked->owner.value)}, {"hold", hex(asked->id.value)}});
  tell_lines(a->said, *lines, plan, d);
  return in.say(d, code_of(a->said));
}

struct change_options {
  on_hold_options hold;
  std::vector<std::string> add, drop;
  core::price_ref price = 0;
};

int change(invocation& in, const change_options& o) {
  const auto on = read(o.hold, in);
  HOLDFAST_CLI_TRY(in, on);
  const auto adding = read_places(o.add);
  HOLDFAST_CLI_TRY(in, adding);
  const auto dropping = read_places(o.drop);
  HOLDFAST_CLI_TRY(in, dropping);
  auto c = in.connect(door::shop, on->owner);
  HOLDFAST_CLI_TRY(in, c);
  const auto s = find_session(*c, o.hold.session);
  HOLDFAST_CLI_TRY(in, s);
  auto all = *adding;
  all.insert(all.end(), dropping->begin(), dropping->end());
  const auto p = plan_for(*c, *s, all);
  HOLDFAST_CLI_TRY(in, p);
  const auto* plan = *p ? &**p : nullptr;
  const auto add = as_lines(*adding, plan, o.price);
  HOLDFAST_CLI_TRY(in, add);
  const auto drop = as_lines(*dropping, plan, o.price);
  HOLDFAST_CLI_TRY(in, drop);
  const auto a = c->change_hold(s->id, c->envelope(on->id, on->channel), {on->owner, on->hold, *add, *drop, s->plan_revision});
  HOLDFAST_CLI_TRY(in, a);
  auto d = tell(a->said, a->now);
  // not_in_hold counts the lines to drop, everything else those to add.
  tell_lines(a->said, a->said.refused == core::refusal::not_in_hold ? *drop : *add, plan, d);
  return in.say(d, code_of(a->said));
}

struct extend_options {
  on_hold_options hold;
  std::string interval = "10m";
};

int extend(invocation& in, const extend_options& o) {
  const auto on = read(o.hold, in);
  HOLDFAST_CLI_TRY(in, on);
  const auto interval = read_interval(o.interval);
  HOLDFAST_CLI_TRY(in, interval);
  return ask_on_hold(in, o.hold.session, *on, [&](client::blocking& c, core::session_id s, const core::envelope& e) {
    return c.extend_hold(s, e, {on->owner, on->hold, static_cast<core::interval_ms>(interval->count())});
  });
}

struct release_options {
  on_hold_options hold;
  place_options places;
  bool withdrawn = false;
};

int release(invocation& in, const release_options& o) {
  const auto on = read(o.hold, in);
  HOLDFAST_CLI_TRY(in, on);
  const auto places = read(o.places);
  HOLDFAST_CLI_TRY(in, places);
  auto c = in.connect(o.withdrawn ? door::admin : door::shop, on->owner);
  HOLDFAST_CLI_TRY(in, c);
  const auto s = find_session(*c, o.hold.session);
  HOLDFAST_CLI_TRY(in, s);
  const auto p = plan_for(*c, *s, *places);
  HOLDFAST_CLI_TRY(in, p);
  const auto* plan = *p ? &**p : nullptr;
  const auto lines = as_lines(*places, plan, o.places.price);
  HOLDFAST_CLI_TRY(in, lines);
  const auto a = c->release_hold(s->id, c->envelope(on->id, on->channel), {on->owner, on->hold, *lines, o.withdrawn});
  HOLDFAST_CLI_TRY(in, a);
  auto d = tell(a->said, a->now);
  tell_lines(a->said, *lines, plan, d);
  return in.say(d, code_of(a->said));
}

}  // namespace

void add_hold(CLI::App& app, invocation& in) {
  {
    auto o = std::make_shared<hold_options>();
    auto* c = app.add_subcommand("hold", "hold places for an owner until a deadline");
    add_options(*c, *o);
    c->callback([&in, o] { in.todo = [&in, o] { return hold(in, *o); }; });
  }
  {
    auto o = std::make_shared<change_options>();
    auto* c = app.add_subcommand("change", "drop places of a hold and add others, all or nothing");
    add_options(*c, o->hold);
    one_each(c->add_option("--add", o->add, "a place to add"));
    one_each(c->add_option("--drop", o->drop, "a place to drop"));
    c->add_option("--price", o->price, "price reference of these lines");
    c->callback([&in, o] { in.todo = [&in, o] { return change(in, *o); }; });
  }
  {
    auto o = std::make_shared<extend_options>();
    auto* c = app.add_subcommand("extend", "give a hold a later deadline");
    add_options(*c, o->hold);
    c->add_option("--for", o->interval, "from now on")->capture_default_str();
    c->callback([&in, o] { in.todo = [&in, o] { return extend(in, *o); }; });
  }
  {
    auto o = std::make_shared<release_options>();
    auto* c = app.add_subcommand("release", "give a hold back, or only these places of it");
    add_options(*c, o->hold);
    add_options(*c, o->places);
    c->add_flag("--withdrawn", o->withdrawn, "operators: the places come back blocked");
    c->callback([&in, o] { in.todo = [&in, o] { return release(in, *o); }; });
  }
}

}  // namespace holdfast::cli
