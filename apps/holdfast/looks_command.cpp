// order, fate, mine: what became of a hold, of a command, and what an owner has.
#include "apps/holdfast/invocation.hpp"
#include "apps/holdfast/options.hpp"
#include "apps/holdfast/shown.hpp"

namespace holdfast::cli {

namespace {

struct look_options {
  std::string session, owner, id, deadline;
};

/// What all three begin with.
struct asker {
  client::blocking client;
  protocol::session_brief session;
  core::owner_id owner;
};
base::result<asker> begin(invocation& in, const look_options& o) {
  const auto owner = read_id("an owner", o.owner);
  if (!owner) return owner.failure();
  auto c = in.connect(door::shop, core::owner_id{*owner});
  if (!c) return c.failure();
  auto s = find_session(*c, o.session);
  if (!s) return s.failure();
  return asker{std::move(*c), std::move(*s), core::owner_id{*owner}};
}

int order(invocation& in, const look_options& o) {
  const auto id = read_id("a hold or order", o.id);
  HOLDFAST_CLI_TRY(in, id);
  auto a = begin(in, o);
  HOLDFAST_CLI_TRY(in, a);
  const auto seen = a->client.hold(a->session.id, {a->owner, core::hold_id{*id}});
  HOLDFAST_CLI_TRY(in, seen);
  if (!seen->seen) return in.say(tell(seen->said, seen->now), exits::refused);
  const auto p = fetch_plan(a->client, a->session.id, a->session.plan_revision);
  HOLDFAST_CLI_TRY(in, p);
  return in.say(shown(*seen->seen, &*p, seen->now));
}

int mine(invocation& in, const look_options& o) {
  auto a = begin(in, o);
  HOLDFAST_CLI_TRY(in, a);
  const auto seen = a->client.owner(a->session.id, {a->owner});
  HOLDFAST_CLI_TRY(in, seen);
  if (!seen->seen) return in.say(tell(seen->said, seen->now), exits::refused);
  const auto p = fetch_plan(a->client, a->session.id, a->session.plan_revision);
  HOLDFAST_CLI_TRY(in, p);
  return in.say(shown(*seen->seen, &*p, seen->now));
}

int fate(invocation& in, const look_options& o) {
  const auto id = read_id("a command", o.id);
  HOLDFAST_CLI_TRY(in, id);
  auto a = begin(in, o);
  HOLDFAST_CLI_TRY(in, a);
  core::log_time deadline;
  if (!o.deadline.empty()) {
    const auto at = read_time(o.deadline);
    HOLDFAST_CLI_TRY(in, at);
    deadline.value = static_cast<std::uint64_t>(*at) * core::us_per_s;
  }
  const auto seen = a->client.fate(a->session.id, {a->owner, core::command_id{*id}, deadline});
  HOLDFAST_CLI_TRY(in, seen);
  if (!seen->seen) return in.say(tell(seen->said, seen->now), exits::refused);
  return in.say(shown(*seen->seen, seen->now));
}

}  // namespace

void add_looks(CLI::App& app, invocation& in) {
  const auto command = [&](const char* name, const char* what, const char* id, const char* id_what, int (*run_it)(invocation&, const look_options&)) {
    auto o = std::make_shared<look_options>();
    auto* c = app.add_subcommand(name, what);
    c->add_option("session", o->session, "name, or #number")->required();
    c->add_option("--owner", o->owner, "whose")->required();
    if (id != nullptr) c->add_option(id, o->id, id_what)->required();
    if (run_it == fate) c->add_option("--deadline", o->deadline, "the client deadline that the command had, 2026-06-01T19:30:00");
    c->callback([&in, o, run_it] { in.todo = [&in, o, run_it] { return run_it(in, *o); }; });
  };
  command("order", "look at a hold or the order that it became", "--order,--hold", "its id", order);
  command("fate", "what became of a command", "--id", "the command's id", fate);
  command("mine", "holds, orders and refunds due of an owner", nullptr, nullptr, mine);
}

}  // namespace holdfast::cli
