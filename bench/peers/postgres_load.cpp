// Load for PostgreSQL: one function call, one transaction an operation, as prepared statements in the extended protocol. Several in flight
// on one connection are what libpq calls pipeline mode; each has its own Sync, so each is a transaction of its own.
#include "bench/peers/closed_loop.hpp"

namespace holdfast::peers {
namespace {

void put16(std::string& out, std::uint16_t v) {
  out += static_cast<char>(v >> 8U);
  out += static_cast<char>(v);
}
void put32(std::string& out, std::uint32_t v) {
  put16(out, static_cast<std::uint16_t>(v >> 16U));
  put16(out, static_cast<std::uint16_t>(v));
}
std::uint32_t get32(const char* p) {
  std::uint32_t v = 0;
  std::memcpy(&v, p, sizeof v);
  return ntohl(v);
}
/// A message: its type, its length with these four bytes, its body.
void put_message(std::string& out, char type, const std::string& body) {
  out += type;
  put32(out, static_cast<std::uint32_t>(body.size() + 4));
  out += body;
}

struct postgres {
  void greet(int fd) const {
    std::string body;
    put32(body, 196'608);  // protocol 3.0
    body += std::string("user\0bench\0database\0postgres\0\0", 30);
    std::string out;
    put32(out, static_cast<std::uint32_t>(body.size() + 4));
    out += body;
    for (const auto& [name, call] : {std::pair{"h", "hold"}, {"c", "confirm"}, {"r", "release"}}) {
      body = std::string(name) + '\0' + "SELECT " + call + "($1, $2, $3)" + '\0';
      put16(body, 3);
      for (int i = 0; i < 3; ++i) put32(body, 23);  // int4
      put_message(out, 'P', body);
    }
    put_message(out, 'S', "");
    send_all(fd, out);
    // Ready twice: after the greeting and after the statements.
    std::string in;
    char some[4'096];
    for (int ready = 0; ready < 2;) {
      while (in.size() >= 5 && in.size() >= 1 + get32(in.data() + 1)) {
        if (in[0] == 'E') die("PostgreSQL refuses: " + in.substr(5, get32(in.data() + 1) - 4));
        if (in[0] == 'Z') ++ready;
        in.erase(0, 1 + get32(in.data() + 1));
      }
      if (ready == 2) break;
      const auto n = ::recv(fd, some, sizeof some, 0);
      if (n <= 0) die("PostgreSQL closed a connection");
      in.append(some, static_cast<std::size_t>(n));
    }
  }
  static void encode(const operation& op, std::string& out) {
    std::string body;
    body += '\0';  // the unnamed portal
    body += op.what == asks::hold ? 'h' : op.what == asks::confirm ? 'c' : 'r';
    body += '\0';
    put16(body, 1);
    put16(body, 1);  // all parameters binary
    put16(body, 3);
    for (const auto v : {op.session, op.seat, op.user}) {
      put32(body, 4);
      put32(body, v);
    }
    put16(body, 1);
    put16(body, 1);  // the result, too
    put_message(out, 'B', body);
    put_message(out, 'E', std::string(5, '\0'));
    put_message(out, 'S', "");
  }
  /// Everything up to the next ReadyForQuery.
  static reply parse(const char* p, std::size_t n) {
    reply r;
    for (std::size_t at = 0; n - at >= 5;) {
      const auto length = 1 + std::size_t{get32(p + at + 1)};
      if (n - at < length) break;
      if (p[at] == 'D') r.won = get32(p + at + 11) == 1;
      if (p[at] == 'E') r.failed = true;
      at += length;
      if (p[at - length] == 'Z') {
        r.length = at;
        break;
      }
    }
    return r;
  }
};

}  // namespace
}  // namespace holdfast::peers

int main(int argc, char** argv) {
  using namespace holdfast::peers;
  CLI::App app{"Load for PostgreSQL; bench/compare calls it"};
  load_options o;
  postgres p;
  add_options(app, o);
  CLI11_PARSE(app, argc, argv);
  return closed_loop<postgres>(o, p).run();
}
