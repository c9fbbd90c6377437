// block, unblock, allocate, shift: what operators do to a session's places and deadlines.
#include <fmt/format.h>

#include "apps/holdfast/invocation.hpp"
#include "apps/holdfast/options.hpp"
#include "client/ids.hpp"

namespace holdfast::cli {

namespace {

struct range_options {
  std::string session, id, from = "public", to;
  place_options places;
  unsigned reason = 0;
};

base::result<std::uint8_t> allocation_named(const std::string& name, const core::plan& p) {
  for (std::size_t i = 0; i < p.allocations.size(); ++i)
    if (p.allocations[i] == name) return static_cast<std::uint8_t>(i);
  std::string known;
  for (const auto& a : p.allocations) known += (known.empty() ? "" : ", ") + a;
  return base::error{base::trouble::bad_input, fmt::format("the plan has no allocation '{}': it has {}", name, known)};
}

using ranging = std::function<base::result<client::answered>(client::blocking&, core::session_id, const core::envelope&, core::ranges, std::uint8_t to)>;

int ask_for_ranges(invocation& in, const range_options& o, const ranging& ask) {
  const auto id = o.id.empty() ? base::result<base::id128>(client::random_id()) : read_id("a command", o.id);
  HOLDFAST_CLI_TRY(in, id);
  const auto places = read(o.places);
  HOLDFAST_CLI_TRY(in, places);
  auto c = in.connect(door::admin);
  HOLDFAST_CLI_TRY(in, c);
  const auto s = find_session(*c, o.session);
  HOLDFAST_CLI_TRY(in, s);
  std::optional<core::plan> p;
  std::uint8_t from = 0, to = 0;
  // Names of allocations stand in the plan, as labels and areas do.
  if (o.from != "public" || !o.to.empty() || std::ranges::any_of(*places, needs_plan)) {
    auto got = fetch_plan(*c, s->id, s->plan_revision);
    HOLDFAST_CLI_TRY(in, got);
    p = std::move(*got);
    const auto f = allocation_named(o.from, *p);
    HOLDFAST_CLI_TRY(in, f);
    from = *f;
    if (!o.to.empty()) {
      const auto t = allocation_named(o.to, *p);
      HOLDFAST_CLI_TRY(in, t);
      to = *t;
    }
  }
  const auto ranges = as_ranges(*places, p ? &*p : nullptr, from);
  HOLDFAST_CLI_TRY(in, ranges);
  const auto a = ask(*c, s->id, c->envelope(core::command_id{*id}, static_cast<core::channel_no>(in.channel)), *ranges, to);
  HOLDFAST_CLI_TRY(in, a);
  auto d = tell(a->said, a->now);
  if (a->said.lines != 0) {
    grid g{"offending ranges", {"range", "first place"}, {}};
    for (std::size_t i = 0; i < ranges->size() && i < 64; ++i)
      if ((a->said.lines >> i & 1U) != 0)
        g.rows.push_back({plain_number(i), words(name_of_line({(*ranges)[i].kind, (*ranges)[i].first, (*ranges)[i].count, 0}, p ? &*p : nullptr))});
    d.grids.push_back(std::move(g));
  }
  return in.say(d, code_of(a->said));
}

struct shift_options {
  std::string session, id, by;
  unsigned reason = 1;
};

int shift(invocation& in, const shift_options& o) {
  const auto by = read_interval(o.by);
  HOLDFAST_CLI_TRY(in, by);
  return ask_on_session(in, o.session, o.id, [&](client::blocking& c, core::session_id s, const core::envelope& e) {
    return c.shift_deadlines(s, e, {static_cast<core::interval_ms>(by->count()), static_cast<core::reason_code>(o.reason)});
  });
}

CLI::App* ranges_command(CLI::App& app, const char* name, const char* what, range_options& o) {
  auto* c = app.add_subcommand(name, what);
  c->add_option("session", o.session, "name, or #number")->required();
  add_options(*c, o.places);
  c->add_option("--from", o.from, "the allocation whose places of an area are meant")->capture_default_str();
  c->add_option("--id", o.id, "the command's id; default: made up");
  return c;
}

}  // namespace

void add_operator(CLI::App& app, invocation& in) {
  {
    auto o = std::make_shared<range_options>();
    auto* c = ranges_command(app, "block", "take places out of sale; occupied ones when they come back", *o);
    c->add_option("--reason", o->reason, "a reason code of the configuration")->check(CLI::Range(0, 65'535));
    c->callback([&in, o] {
      in.todo = [&in, o] {
        return ask_for_ranges(in, *o, [&](client::blocking& cl, core::session_id s, const core::envelope& e, core::ranges r, std::uint8_t) {
          return cl.block_places(s, e, {r, static_cast<core::reason_code>(o->reason)});
        });
      };
    });
  }
  {
    auto o = std::make_shared<range_options>();
    auto* c = ranges_command(app, "unblock", "put places back on sale", *o);
    c->callback([&in, o] {
      in.todo = [&in, o] {
        return ask_for_ranges(in, *o, [](client::blocking& cl, core::session_id s, const core::envelope& e, core::ranges r, std::uint8_t) {
          return cl.unblock_places(s, e, {r});
        });
      };
    });
  }
  {
    auto o = std::make_shared<range_options>();
    auto* c = ranges_command(app, "allocate", "set free places aside for another allocation", *o);
    c->add_option("--to", o->to, "the allocation that gets them; public takes them back")->required();
    c->callback([&in, o] {
      in.todo = [&in, o] {
        return ask_for_ranges(in, *o, [](client::blocking& cl, core::session_id s, const core::envelope& e, core::ranges r, std::uint8_t to) {
          return cl.allocate_places(s, e, {r, to});
        });
      };
    });
  }
  {
    auto o = std::make_shared<shift_options>();
    auto* c = app.add_subcommand("shift", "give every live hold of a session more time");
    c->add_option("session", o->session, "name, or #number")->required();
    c->add_option("--by", o->by, "how much")->required();
    c->add_option("--reason", o->reason, "a reason code of the configuration")->capture_default_str()->check(CLI::Range(1, 65'535));
    c->add_option("--id", o->id, "the command's id; default: made up");
    c->callback([&in, o] { in.todo = [&in, o] { return shift(in, *o); }; });
  }
}

}  // namespace holdfast::cli
