// The load for the systems that Holdfast is compared with: the same closed loop as `holdfast bench`, one thread, each connection with
// `depth` buyers of whom each asks the next as soon as he was answered. A dialect says how a request looks and where an answer ends;
// all systems here answer a connection in order.
//
// The program says "ready" when its connections stand, waits for a line on its standard input, drives, prints one line of JSON, and keeps
// its connections until its standard input ends: whoever measures looks at the server's processes before they go.
#pragma once

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <CLI/CLI.hpp>

#include "base/histogram.hpp"
#include "base/random.hpp"

namespace holdfast::peers {

struct load_options {
  std::string work = "f3";           ///< f1, f2, f3 as in bench/peers/README.md; other: single requests without follow-ups
  std::uint16_t port = 0;
  std::uint32_t connections = 50, depth = 1, seats = 50'000, users = 1'000'000, first_session = 1;
  std::uint64_t sessions = 0;        ///< 0: as many as it takes
  double seconds = 5;
  std::uint64_t holds_max = 0;       ///< 0: no limit
  std::uint64_t seed = 1;
};

inline void add_options(CLI::App& app, load_options& o) {
  app.add_option("--work", o.work);
  app.add_option("--port", o.port)->required();
  app.add_option("--connections", o.connections);
  app.add_option("--depth", o.depth);
  app.add_option("--seats", o.seats);
  app.add_option("--users", o.users);
  app.add_option("--first-session", o.first_session);
  app.add_option("--sessions", o.sessions);
  app.add_option("--seconds", o.seconds);
  app.add_option("--holds", o.holds_max);
  app.add_option("--seed", o.seed);
}

enum class asks : std::uint8_t { hold, confirm, release };
struct operation {
  asks what = asks::hold;
  std::uint32_t session = 0, seat = 0, user = 0;
};

/// What the next bytes of a connection are: `length` of a whole answer, or 0 if it has not all come.
struct reply {
  std::size_t length = 0;
  bool won = false, failed = false;
};

[[noreturn]] inline void die(const std::string& what) {
  std::fprintf(stderr, "%s\n", what.c_str());
  std::exit(1);
}
inline std::int64_t now_ns() {
  timespec t{};
  ::clock_gettime(CLOCK_MONOTONIC, &t);
  return std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

inline int dial(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd < 0 || ::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) die(std::string("no connection: ") + std::strerror(errno));
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}
inline void send_all(int fd, std::string_view what) {
  for (std::size_t at = 0; at < what.size();) {
    const auto n = ::send(fd, what.data() + at, what.size() - at, MSG_NOSIGNAL);
    if (n <= 0) die("the server closed a connection");
    at += static_cast<std::size_t>(n);
  }
}

/// Dialect: `void greet(int fd)`, blocking; `void encode(const operation&, std::string& out)`; `reply parse(const char*, std::size_t)`.
template <class Dialect>
class closed_loop {
 public:
  closed_loop(load_options o, Dialect& d) : o_(std::move(o)), dialect_(d), chance_(o_.seed), in_(1U << 18U) {
    rlimit l{};
    ::getrlimit(RLIMIT_NOFILE, &l);
    l.rlim_cur = std::min<rlim_t>(l.rlim_max, o_.connections + 64);
    ::setrlimit(RLIMIT_NOFILE, &l);
    any_seat_ = o_.work != "f3";
    sale_ = o_.work == "f1";
    per_session_ = std::uint64_t{o_.seats} * (sale_ ? 10 : 1);
    if (o_.sessions != 0 && o_.work != "f2") end_ = per_session_ * o_.sessions;
    if (o_.holds_max != 0) end_ = o_.holds_max;
  }

  int run() {
    poll_ = ::epoll_create1(EPOLL_CLOEXEC);
    links_.resize(o_.connections);
    for (std::uint32_t i = 0; i < o_.connections; ++i) {
      auto& l = links_[i];
      l.fd = dial(o_.port);
      dialect_.greet(l.fd);
      l.flight.resize(o_.depth);
      epoll_event e{};
      e.events = EPOLLIN;
      e.data.u32 = i;
      ::epoll_ctl(poll_, EPOLL_CTL_ADD, l.fd, &e);
    }
    std::puts("ready");
    std::fflush(stdout);
    if (std::getchar() == EOF) return 1;
    drive();
    print();
    std::fflush(stdout);
    while (std::getchar() != EOF) {}
    return failed_ == 0 ? 0 : 1;
  }

 private:
  struct sent {
    operation is;
    std::int64_t since = 0;
  };
  struct link {
    int fd = -1;
    std::vector<sent> flight;  ///< a ring of `depth`, in the order in which answers come
    std::uint32_t oldest = 0, count = 0;
    std::string half, unsent;
  };

  bool next_hold(operation& op) {
    if (next_ >= end_) return false;
    op.what = asks::hold;
    op.user = 1 + static_cast<std::uint32_t>(chance_.below(o_.users));
    const auto n = next_++;
    op.session = o_.first_session + (o_.work == "f1" || o_.work == "f3" ? static_cast<std::uint32_t>(n / per_session_) : 0);
    op.seat = static_cast<std::uint32_t>(any_seat_ ? chance_.below(o_.seats) : n % o_.seats);
    return true;
  }
  void ask(link& l, const operation& op, std::int64_t now) {
    l.flight[(l.oldest + l.count++) % o_.depth] = {op, now};
    dialect_.encode(op, l.unsent);
    ++in_flight_;
  }
  void push(link& l, std::uint32_t place) {
    while (!l.unsent.empty()) {
      const auto n = ::send(l.fd, l.unsent.data(), l.unsent.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
      if (n < 0 && errno != EAGAIN) die("the server closed a connection");
      if (n < 0) return watch(l, place, EPOLLIN | EPOLLOUT);
      l.unsent.erase(0, static_cast<std::size_t>(n));
    }
  }
  void watch(const link& l, std::uint32_t place, std::uint32_t events) const {
    epoll_event e{};
    e.events = events;
    e.data.u32 = place;
    ::epoll_ctl(poll_, EPOLL_CTL_MOD, l.fd, &e);
  }
  void answered(link& l, const reply& r, std::int64_t now) {
    const auto s = l.flight[l.oldest];
    l.oldest = (l.oldest + 1) % o_.depth;
    --l.count;
    --in_flight_;
    const auto waited = now - s.since;
    latency_.add(static_cast<std::uint64_t>(waited));
    if (waited > longest_) longest_ = waited;
    if (r.failed) ++failed_;
    ++(r.won ? won_ : refused_)[static_cast<std::size_t>(s.is.what)];
    auto next = s.is;
    if (s.is.what == asks::hold && r.won && (sale_ || o_.work == "f3"))
      next.what = sale_ && chance_.chance(10) ? asks::release : asks::confirm;
    else if (!next_hold(next))
      return;
    ask(l, next, now);
  }
  void readable(link& l, std::uint32_t place) {
    const auto before = l.half.size();
    std::memcpy(in_.data(), l.half.data(), before);
    const auto n = ::recv(l.fd, in_.data() + before, in_.size() - before, MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) die("the server closed a connection");
    const auto size = before + static_cast<std::size_t>(n);
    now_ = now_ns();
    std::size_t at = 0;
    while (l.count != 0) {
      const auto r = dialect_.parse(in_.data() + at, size - at);
      if (r.length == 0) break;
      at += r.length;
      answered(l, r, now_);
    }
    l.half.assign(in_.data() + at, size - at);
    push(l, place);
  }
  void drive() {
    begun_ = now_ = now_ns();
    const auto until = begun_ + static_cast<std::int64_t>(o_.seconds * 1e9);
    for (std::uint32_t i = 0; i < links_.size(); ++i) {
      operation op;
      while (links_[i].count < o_.depth && next_hold(op)) ask(links_[i], op, now_);
      push(links_[i], i);
    }
    bool closing = false;
    std::array<epoll_event, 512> events;
    while (in_flight_ != 0) {
      const int n = ::epoll_wait(poll_, events.data(), static_cast<int>(events.size()), 20'000);
      if (n == 0) die("the server does not answer any more");
      for (int i = 0; i < n; ++i) {
        const auto place = events[static_cast<std::size_t>(i)].data.u32;
        auto& l = links_[place];
        if ((events[static_cast<std::size_t>(i)].events & EPOLLOUT) != 0) {
          watch(l, place, EPOLLIN);
          push(l, place);
        }
        if ((events[static_cast<std::size_t>(i)].events & ~EPOLLOUT) != 0) readable(l, place);
      }
      // A sale goes on to its end: its mix changes as the seats go.
      if (!closing && now_ >= until) {
        closing = true;
        end_ = std::min(end_, sale_ ? (next_ + per_session_ - 1) / per_session_ * per_session_ : next_);
      }
    }
  }
  void print() const {
    const auto seen = latency_.read();
    const auto s = static_cast<double>(now_ - begun_) / 1e9;
    const auto us = [&](std::uint64_t per_million) {
      return static_cast<double>(std::min(seen.percentile(per_million), static_cast<std::uint64_t>(longest_))) / 1e3;
    };
    rusage u{};
    ::getrusage(RUSAGE_SELF, &u);
    const auto seconds_of = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6; };
    std::printf("{\"seconds\": %.4f, \"operations\": %lu, \"a_second\": %.0f, ", s, seen.total, static_cast<double>(seen.total) / s);
    std::printf("\"p50_us\": %.1f, \"p99_us\": %.1f, \"p999_us\": %.1f, ", us(500'000), us(990'000), us(999'000));
    std::printf("\"holds_won\": %lu, \"holds_refused\": %lu, ", won_[0], refused_[0]);
    std::printf("\"confirmed\": %lu, \"released\": %lu, ", won_[1], won_[2]);
    const auto cpu = seconds_of(u.ru_utime) + seconds_of(u.ru_stime);
    std::printf("\"failed\": %lu, \"load_cpu_s\": %.3f}\n", failed_ + refused_[1] + refused_[2], cpu);
  }

  const load_options o_;
  Dialect& dialect_;
  base::random chance_;
  int poll_ = -1;
  std::vector<link> links_;
  std::vector<char> in_;
  bool any_seat_ = false, sale_ = false;
  std::uint64_t per_session_ = 1, next_ = 0, end_ = ~std::uint64_t{0}, in_flight_ = 0, failed_ = 0;
  std::int64_t begun_ = 0, now_ = 0, longest_ = 0;
  std::array<std::uint64_t, 3> won_{}, refused_{};
  base::histogram latency_;
};

}  // namespace holdfast::peers
