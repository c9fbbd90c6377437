// plan check FILE, plan show SESSION
#include "apps/holdfast/invocation.hpp"
#include "plans/load.hpp"

namespace holdfast::cli {

namespace {

void tell_counts(const core::plan& p, document& d) {
  const auto n = plans::count_places(p);
  d.add("seats", number(n.seats));
  d.add("standing places", number(n.area_places));
  d.add("accessible", number(n.accessible));
  d.add("companion", number(n.companion));
  d.add("restricted view", number(n.restricted_view));
  grid zones{"zones", {"zone", "seats", "segments"}, {}};
  for (const auto& z : n.zones) zones.rows.push_back({words(z.name), number(z.seats), number(z.segments)});
  d.grids.push_back(std::move(zones));
  const auto groups = [&](const char* name, const std::vector<plans::place_counts::group>& of) {
    grid g{name, {"name", "seats", "standing places"}, {}};
    for (const auto& c : of) g.rows.push_back({words(c.name), number(c.seats), number(c.area_places)});
    d.grids.push_back(std::move(g));
  };
  groups("categories", n.categories);
  groups("allocations", n.allocations);
}

struct check_options {
  std::string file, side, identity = "automatic";
};

int check(invocation& in, const check_options& o) {
  using plans::identity_rule;
  const auto rule = o.identity == "uuid" ? identity_rule::uuid : o.identity == "guid" ? identity_rule::guid
                    : o.identity == "path" ? identity_rule::path : identity_rule::automatic;
  const auto r = plans::load_plan(o.file, {o.side, {}, rule});
  HOLDFAST_CLI_TRY(in, r);
  document d;
  d.add("plan", words(r->plan.name));
  d.add("format", words(r->format));
  tell_counts(r->plan, d);
  grid warnings{"warnings", {"warning"}, {}};
  for (const auto& w : r->warnings) warnings.rows.push_back({words(w)});
  d.grids.push_back(std::move(warnings));
  return in.say(d);
}

struct show_options {
  std::string session;
  bool seats = false;
};

int show(invocation& in, const show_options& o) {
  auto c = in.connect(door::shop);
  HOLDFAST_CLI_TRY(in, c);
  const auto s = find_session(*c, o.session);
  HOLDFAST_CLI_TRY(in, s);
  const auto p = fetch_plan(*c, s->id, s->plan_revision);
  HOLDFAST_CLI_TRY(in, p);
  document d;
  d.add("session", words(s->name));
  d.add("plan", words(p->name));
  d.add("revision", plain_number(s->plan_revision));
  tell_counts(*p, d);
  grid areas{"areas", {"number", "area", "category", "places"}, {}};
  for (std::size_t i = 0; i < p->areas.size(); ++i) {
    const auto& a = p->areas[i];
    std::uint64_t places = 0;
    for (const auto n : a.capacity) places += n;
    areas.rows.push_back({plain_number(i), words(a.name), words(p->categories[a.category].name), number(places)});
  }
  d.grids.push_back(std::move(areas));
  if (o.seats) {
    grid seats{"all seats", {"number", "place", "category", "allocation", "flags", "identity"}, {}};
    for (std::uint32_t i = 0; i < p->seats.size(); ++i) {
      const auto& seat = p->seats[i];
      std::string flags;
      if ((seat.flags & core::seat_accessible) != 0) flags += "accessible ";
      if ((seat.flags & core::seat_companion) != 0) flags += "companion ";
      if ((seat.flags & core::seat_restricted_view) != 0) flags += "restricted ";
      if (!flags.empty()) flags.pop_back();
      seats.rows.push_back({plain_number(i), words(name_of_seat(i, &*p)), words(p->categories[seat.category].name),
                            words(p->allocations[seat.allocation]), flags.empty() ? none() : words(flags), words(seat.identity)});
    }
    d.grids.push_back(std::move(seats));
  }
  return in.say(d);
}

}  // namespace

void add_plan(CLI::App& app, invocation& in) {
  auto* plan = app.add_subcommand("plan", "check a seating plan's file, or show a session's plan");
  plan->require_subcommand(1);
  {
    auto o = std::make_shared<check_options>();
    auto* c = plan->add_subcommand("check", "read a plan as `session create` would, and count its places");
    c->add_option("file", o->file, "a pretix drawing or CSV")->required();
    c->add_option("--side", o->side, "what the drawing does not say, TOML or CSV");
    c->add_option("--identity", o->identity, "by what seats of a drawing are told apart")
        ->check(CLI::IsMember({"automatic", "uuid", "guid", "path"}))
        ->capture_default_str();
    c->callback([&in, o] { in.todo = [&in, o] { return check(in, *o); }; });
  }
  {
    auto o = std::make_shared<show_options>();
    auto* c = plan->add_subcommand("show", "the plan of a session");
    c->add_option("session", o->session, "name, or #number")->required();
    c->add_flag("--seats", o->seats, "list every seat");
    c->callback([&in, o] { in.todo = [&in, o] { return show(in, *o); }; });
  }
}

}  // namespace holdfast::cli
