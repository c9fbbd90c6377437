#include "apps/holdfast/program.hpp"

#include <ostream>

#include "apps/holdfast/invocation.hpp"

namespace holdfast::cli {

namespace {

constexpr const char* about = "Holdfast, the seat-reservation server: the operator's and the box office's program.";

constexpr const char* footer =
    "Places are written as seat numbers (12, 10-13), as Zone/Row/Number, or as Area=COUNT for standing room.\n"
    "Ids are 32 hexadecimal digits; where one is not given, it is made up and printed. Intervals: 90s, 15m, 2h.\n"
    "\n"
    "Exit codes:\n"
    "   0  done\n"
    "   1  the server refused, or an audit, a check, a sale or a simulation found a violation\n"
    "   2  the command line is wrong\n"
    "  65  a file, id, name or place does not read, or bytes do not decode\n"
    "  69  no server answers, or it went away: the outcome is unknown\n"
    "  74  a file or the disk failed\n"
    "  75  somebody else has the data directory\n"
    "  78  an address does not read\n";

}  // namespace

int run(int argc, const char* const* argv, surroundings& around) {
  invocation in{around};
  CLI::App app{about, "holdfast"};
  app.footer(footer);
  app.fallthrough();
  app.require_subcommand(1);
  app.set_help_all_flag("--help-all", "help of all subcommands");
  app.add_flag("--json", in.json, "say it in JSON: times in microseconds UTC since 1970");
  app.add_option("--server", in.server, std::string("a shop's listener, host:port; default ") + default_server)->envname("HOLDFAST_SERVER");
  app.add_option("--admin", in.admin, std::string("the operators' Unix socket; default ") + default_admin)->envname("HOLDFAST_ADMIN");
  app.add_flag("--buyer", in.buyer, "--server is a buyers' listener; --owner and --key are said when connecting");
  app.add_option("--channel", in.channel, "the channel that a command comes through, as a number")->check(CLI::Range(0, 15));
  app.add_option("--attempts", in.attempts, "connections tried before a request is given up")->check(CLI::Range(1, 1000));

  app.add_option("--answer-within", in.answer_within, "how long an answer may take; then the connection counts as lost")->capture_default_str();
  add_plan(app, in);
  add_session(app, in);
  add_hold(app, in);
  add_payment(app, in);
  add_operator(app, in);
  add_seats(app, in);
  add_looks(app, in);
  add_find(app, in);
  add_actors(app, in);
  add_stats(app, in);
  add_audit(app, in);
  add_sale(app, in);
  add_bench(app, in);
  add_check(app, in);
  add_simulate(app, in);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e, around.out, around.err) == 0 ? exits::ok : exits::usage;
  }
  // An address is configuration: it is wrong whatever is asked.
  if (!in.server.empty()) {
    if (const auto a = client::parse_address(in.server); !a) return in.fail(a.failure()), exits::config;
  }
  return in.todo ? in.todo() : exits::usage;
}

}  // namespace holdfast::cli
