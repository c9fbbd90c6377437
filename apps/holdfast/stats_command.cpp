// stats: what the server counted.
#include "apps/holdfast/invocation.hpp"
#include "apps/holdfast/shown.hpp"

namespace holdfast::cli {

void add_stats(CLI::App& app, invocation& in) {
  app.add_subcommand("stats", "the funnel's counters with their sum check, latency, journal, clock")->callback([&in] {
    in.todo = [&in] {
      auto c = in.connect(door::admin);
      HOLDFAST_CLI_TRY(in, c);
      const auto s = c->stats();
      HOLDFAST_CLI_TRY(in, s);
      if (!s->seen) return in.say(tell(s->said, s->now), exits::refused);
      return in.say(shown(*s->seen));
    };
  });
}

}  // namespace holdfast::cli
