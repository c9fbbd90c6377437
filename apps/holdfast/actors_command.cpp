// actors: every actor and gateway loop, or the inside of one. Looking never waits for those who work.
#include <chrono>
#include <ostream>
#include <thread>

#include "apps/holdfast/invocation.hpp"
#include "apps/holdfast/shown.hpp"

namespace holdfast::cli {

namespace {

struct actors_options {
  std::optional<std::uint64_t> id;
  bool watch = false;
  double every = 1;
};

/// One picture; an error goes to the caller.
base::result<document> look(client::blocking& c, const actors_options& o, int& code) {
  code = exits::ok;
  if (o.id) {
    const auto inside = c.actor_inside(*o.id);
    if (!inside) return inside.failure();
    if (inside->seen) return shown(*inside->seen);
    if (inside->said.refused == core::refusal::no_such_page)
      return base::error{base::trouble::bad_input, "there is no actor " + std::to_string(*o.id) + ": `holdfast actors` lists all"};
    code = exits::refused;
    return tell(inside->said, inside->now);
  }
  std::vector<protocol::actor_row> rows;
  protocol::look_actors from;
  do {
    auto page = c.actors(from);
    if (!page) return page.failure();
    if (!page->seen) {
      code = exits::refused;
      return tell(page->said, page->now);
    }
    std::ranges::move(page->seen->rows, std::back_inserter(rows));
    from.from = page->seen->next_from;
  } while (from.from != 0);
  return shown(rows);
}

int actors(invocation& in, const actors_options& o) {
  auto c = in.connect(door::admin);
  HOLDFAST_CLI_TRY(in, c);
  for (;;) {
    int code = exits::ok;
    const auto d = look(*c, o, code);
    HOLDFAST_CLI_TRY(in, d);
    if (o.watch && in.around.out_style.terminal && !in.json) in.around.out << "\x1b[H\x1b[2J";
    in.say(*d);
    if (!o.watch || code != exits::ok || !in.around.out) return code;
    if (!in.around.out_style.terminal && !in.json) in.around.out << '\n';
    std::this_thread::sleep_for(std::chrono::duration<double>(o.every));
  }
}

}  // namespace

void add_actors(CLI::App& app, invocation& in) {
  auto o = std::make_shared<actors_options>();
  auto* c = app.add_subcommand("actors", "what every actor and loop of the server is doing");
  c->add_option("id", o->id, "look inside this one");
  c->add_flag("--watch", o->watch, "again and again, until stopped");
  c->add_option("--every", o->every, "seconds between two looks")->check(CLI::Range(0.1, 3'600.0))->capture_default_str();
  c->callback([&in, o] { in.todo = [&in, o] { return actors(in, *o); }; });
}

}  // namespace holdfast::cli
