// What the machine gives at most: a server that does nothing but echo, and appends that are synced one by one.
//
//   limits echo PORT      serves 64-byte messages on one thread until it is killed; says "ready"
//   limits load ...       the closed loop against it, as against any peer
//   limits append FOLDER BYTES SECONDS
#include <fcntl.h>

#include "bench/peers/closed_loop.hpp"

namespace holdfast::peers {
namespace {

constexpr std::size_t message = 64;

struct echo {
  void greet(int) {}
  static void encode(const operation&, std::string& out) { out.append(message, 'x'); }
  static reply parse(const char*, std::size_t n) { return n < message ? reply{} : reply{message, true, false}; }
};

int serve(std::uint16_t port) {
  const int l = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1, poll = ::epoll_create1(EPOLL_CLOEXEC);
  ::setsockopt(l, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(port);
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(l, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0 || ::listen(l, 1'024) != 0) die("echo: the port cannot be had");
  epoll_event e{};
  e.events = EPOLLIN;
  e.data.fd = l;
  ::epoll_ctl(poll, EPOLL_CTL_ADD, l, &e);
  std::puts("ready");
  std::fflush(stdout);
  std::vector<char> bytes(1U << 16U);
  std::array<epoll_event, 512> events;
  for (;;) {
    const int n = ::epoll_wait(poll, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < n; ++i) {
      const int fd = events[static_cast<std::size_t>(i)].data.fd;
      if (fd == l) {
        e.data.fd = ::accept4(l, nullptr, nullptr, SOCK_CLOEXEC);
        ::setsockopt(e.data.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        ::epoll_ctl(poll, EPOLL_CTL_ADD, e.data.fd, &e);
        continue;
      }
      const auto got = ::recv(fd, bytes.data(), bytes.size(), 0);
      if (got <= 0) ::close(fd);
      else send_all(fd, {bytes.data(), static_cast<std::size_t>(got)});
    }
  }
}

int append(const std::string& folder, std::size_t bytes, double seconds) {
  const auto path = folder + "/appended";
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  std::vector<char> block(bytes);
  base::random chance(1);
  for (auto& c : block) c = static_cast<char>(chance.next());
  base::histogram latency;
  const auto begun = now_ns();
  auto now = begun;
  while (now - begun < static_cast<std::int64_t>(seconds * 1e9)) {
    const auto since = now;
    const bool written = ::write(fd, block.data(), bytes) == static_cast<ssize_t>(bytes) && ::fdatasync(fd) == 0;
    if (!written) die(std::string("append: ") + std::strerror(errno));
    now = now_ns();
    latency.add(static_cast<std::uint64_t>(now - since));
  }
  ::close(fd);
  ::unlink(path.c_str());
  const auto seen = latency.read();
  const auto us = [&](std::uint64_t per_million) { return static_cast<double>(seen.percentile(per_million)) / 1e3; };
  std::printf("{\"a_second\": %.0f, \"p50_us\": %.1f, \"p99_us\": %.1f, \"p999_us\": %.1f}\n",
              static_cast<double>(seen.total) * 1e9 / static_cast<double>(now - begun), us(500'000), us(990'000), us(999'000));
  return 0;
}

}  // namespace
}  // namespace holdfast::peers

int main(int argc, char** argv) {
  using namespace holdfast::peers;
  CLI::App app{"The machine's limits; bench/compare calls it"};
  app.require_subcommand(1);
  load_options o;
  std::uint16_t port = 0;
  std::string folder;
  std::size_t bytes = 4'096;
  double seconds = 3;
  auto* serving = app.add_subcommand("echo");
  serving->add_option("port", port)->required();
  auto* loading = app.add_subcommand("load");
  add_options(*loading, o);
  auto* appending = app.add_subcommand("append");
  appending->add_option("folder", folder)->required();
  appending->add_option("bytes", bytes);
  appending->add_option("seconds", seconds);
  CLI11_PARSE(app, argc, argv);
  if (serving->parsed()) return serve(port);
  if (appending->parsed()) return append(folder, bytes, seconds);
  o.work = "echo";
  echo e;
  return closed_loop<echo>(o, e).run();
}
