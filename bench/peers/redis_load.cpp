// Load for Redis: one script call an operation, or plain SETs.
#include "bench/peers/closed_loop.hpp"

namespace holdfast::peers {
namespace {

struct redis {
  std::string hold, confirm, release;  ///< SHA-1 of the scripts
  bool plain_set = false;

  void greet(int) {}

  static void argument(std::string& out, std::string_view a) {
    out += '$';
    out += std::to_string(a.size());
    out += "\r\n";
    out += a;
    out += "\r\n";
  }
  void encode(const operation& op, std::string& out) const {
    const auto seat = std::to_string(op.seat), user = std::to_string(op.user);
    if (plain_set) {
      out += "*3\r\n$3\r\nSET\r\n";
      argument(out, "key:" + user);
      argument(out, "xxx");
      return;
    }
    const auto tag = "{" + std::to_string(op.session) + "}";
    const bool holds = op.what == asks::hold, confirms = op.what == asks::confirm;
    out += holds ? "*9\r\n" : confirms ? "*8\r\n" : "*7\r\n";
    argument(out, "EVALSHA");
    argument(out, holds ? hold : confirms ? confirm : release);
    argument(out, confirms ? "3" : "2");
    argument(out, tag + "seats");
    argument(out, tag + "users");
    if (confirms) argument(out, tag + "orders");
    argument(out, seat);
    argument(out, user);
    if (holds) {
      argument(out, "120000");
      argument(out, "6");
    }
  }
  /// ":1\r\n", "+OK\r\n" or "-ERR ...\r\n".
  static reply parse(const char* p, std::size_t n) {
    const auto* end = static_cast<const char*>(std::memchr(p, '\n', n));
    if (end == nullptr) return {};
    return {static_cast<std::size_t>(end - p) + 1, p[0] == '+' || (p[0] == ':' && p[1] == '1'), p[0] == '-'};
  }
};

}  // namespace
}  // namespace holdfast::peers

int main(int argc, char** argv) {
  using namespace holdfast::peers;
  CLI::App app{"Load for Redis; bench/compare calls it"};
  load_options o;
  redis r;
  add_options(app, o);
  app.add_option("--hold", r.hold);
  app.add_option("--confirm", r.confirm);
  app.add_option("--release", r.release);
  CLI11_PARSE(app, argc, argv);
  r.plain_set = o.work == "set";
  return closed_loop<redis>(o, r).run();
}
