// seats: a session drawn as text.
#include "apps/holdfast/invocation.hpp"
#include "apps/holdfast/seat_drawing.hpp"

namespace holdfast::cli {

namespace {

int seats(invocation& in, const std::string& name) {
  auto c = in.connect(door::shop);
  HOLDFAST_CLI_TRY(in, c);
  const auto s = find_session(*c, name);
  HOLDFAST_CLI_TRY(in, s);
  const auto p = fetch_plan(*c, s->id, s->plan_revision);
  HOLDFAST_CLI_TRY(in, p);
  std::vector<std::uint8_t> states;
  std::vector<core::area_seen> areas;
  bool pending = false;
  for (std::uint32_t page = 0, pages = 1; page < pages; ++page) {
    const auto seen = c->seats(s->id, {page});
    HOLDFAST_CLI_TRY(in, seen);
    if (!seen->seen) return in.say(tell(seen->said, seen->now), exits::refused);
    pages = seen->seen->pages;
    pending = pending || seen->seen->expiries_pending;
    states.insert(states.end(), seen->seen->states.begin(), seen->seen->states.end());
    if (page == 0) areas = seen->seen->areas;
  }
  auto plain = in.around.out_style;
  if (in.json) plain.colour = false;
  auto d = seats_document(*p, states, areas, plain);
  if (pending) d.add("expiries pending", yes_no(true));
  return in.say(d);
}

}  // namespace

void add_seats(CLI::App& app, invocation& in) {
  auto name = std::make_shared<std::string>();
  auto* c = app.add_subcommand("seats", "draw a session's seats as text");
  c->add_option("session", *name, "name, or #number")->required();
  c->callback([&in, name] { in.todo = [&in, name] { return seats(in, *name); }; });
}

}  // namespace holdfast::cli
