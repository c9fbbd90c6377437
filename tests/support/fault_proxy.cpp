#include "tests/support/fault_proxy.hpp"

#include <algorithm>
#include <cerrno>
#include <queue>
#include <unordered_map>
#include <utility>
#include <vector>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.hpp"
#include "base/check.hpp"

namespace holdfast::tests {

namespace {

using steady = std::chrono::steady_clock;

constexpr std::size_t queue_bytes_max = 256 * 1024;  // more is not read until some has gone: a slow side slows the other
constexpr std::size_t read_bytes = 64 * 1024;
constexpr std::size_t gathered_bytes = 64 * 1024;
constexpr auto gathered_for = std::chrono::milliseconds(3);

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_port = htons(port);
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return a;
}

void at_once(int fd) {
  const int one = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

void close_with_reset(int fd) {
  const linger hard{1, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  ::close(fd);
}

// A direction is named by the side that its bytes come from.
enum side : std::uint8_t { client = 0, server = 1 };
constexpr side other(side s) { return s == client ? server : client; }

struct direction {
  base::bytes waiting;
  std::size_t gone = 0;              // of `waiting`
  std::uint64_t carried = 0;         // bytes that have left
  steady::time_point not_before{};   // of the next piece
  bool drawn = false;                // not_before has been drawn for the piece at the front
  bool blocked = false;              // the peer takes no more for now
  bool ended = false, told_end = false;
  [[nodiscard]] std::size_t size() const { return waiting.size() - gone; }
};

struct pair {
  std::uint64_t number = 0;
  int fd[2] = {-1, -1};
  std::uint32_t watched[2] = {0, 0};
  bool connecting = true, cut = false, silent = false, stopped = false;
  connection_faults faults;
  base::random chance{0};
  direction from[2];
};

}  // namespace

class fault_proxy::carrier {
 public:
  carrier(std::uint16_t server_port, std::uint64_t seed, plan what)
      : server_port_(server_port), seed_(seed), plan_(std::move(what)), swizzle_chance_(seed ^ 0x5377697aU) {
    listen_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    wake_ = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    poll_ = ::epoll_create1(EPOLL_CLOEXEC);
    auto a = loopback(0);
    HOLDFAST_CHECK(listen_ >= 0 && wake_ >= 0 && poll_ >= 0, "the proxy gets no sockets");
    HOLDFAST_CHECK(::bind(listen_, reinterpret_cast<sockaddr*>(&a), sizeof a) == 0 && ::listen(listen_, 4'096) == 0, "the proxy cannot listen");
    socklen_t n = sizeof a;
    ::getsockname(listen_, reinterpret_cast<sockaddr*>(&a), &n);
    port_ = ntohs(a.sin_port);
    add(listen_, listening);
    add(wake_, waking);
  }
  ~carrier() {
    for (auto& [n, p] : pairs_)
      for (const int fd : p.fd)
        if (fd >= 0) ::close(fd);
    for (const int fd : {listen_, wake_, poll_}) ::close(fd);
  }

  void run() {
    epoll_event events[256];
    while (!stop_) {
      const int n = ::epoll_wait(poll_, events, 256, next_wait());
      for (int i = 0; i < n; ++i) happened(events[i]);
      if (heal_.exchange(false)) heal_all();
      const auto now = steady::now();
      while (!timers_.empty() && timers_.top().first <= now) {
        const auto number = timers_.top().second;
        timers_.pop();
        pump_both(number);
      }
      swizzle_some(now);
    }
  }
  void wake() const {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto n = ::write(wake_, &one, sizeof one);
  }

  std::atomic<bool> stop_{false}, heal_{false};
  std::atomic<std::int64_t> swizzle_us_{0};
  std::atomic<std::uint64_t> connections_{0}, unreachable_{0}, cuts_{0}, silenced_{0}, stopped_{0}, to_server_{0}, to_client_{0};
  std::uint16_t port_ = 0;

 private:
  static constexpr std::uint64_t listening = ~std::uint64_t{0}, waking = listening - 1;

  void add(int fd, std::uint64_t key) const {
    epoll_event e{};
    e.events = EPOLLIN;
    e.data.u64 = key;
    HOLDFAST_CHECK(::epoll_ctl(poll_, EPOLL_CTL_ADD, fd, &e) == 0, "epoll takes no more");
  }
  [[nodiscard]] int next_wait() const {
    auto until = steady::time_point::max();
    if (!timers_.empty()) until = timers_.top().first;
    if (swizzle_us_ != 0) until = std::min(until, next_swizzle_);
    if (until == steady::time_point::max()) return -1;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - steady::now()).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
  }

  void happened(const epoll_event& e) {
    if (e.data.u64 == listening) return accept_all();
    if (e.data.u64 == waking) {
      std::uint64_t ignored = 0;
      [[maybe_unused]] const auto n = ::read(wake_, &ignored, sizeof ignored);
      return;
    }
    const auto number = e.data.u64 / 2;
    const auto s = static_cast<side>(e.data.u64 % 2);
    auto it = pairs_.find(number);
    if (it == pairs_.end() || it->second.fd[s] < 0) return;
    if (s == server && it->second.connecting) {
      int wrong = 0;
      socklen_t n = sizeof wrong;
      ::getsockopt(it->second.fd[server], SOL_SOCKET, SO_ERROR, &wrong, &n);
      if (wrong != 0) {
        ++unreachable_;
        return reset(number);
      }
      it->second.connecting = false;
    }
    if ((e.events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0 && !read(it->second, s)) return;
    if ((e.events & EPOLLOUT) != 0) it->second.from[other(s)].blocked = false;
    pump_both(number);
  }

  void accept_all() {
    for (;;) {
      const int fd = ::accept4(listen_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) return;
      const int up = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
      HOLDFAST_CHECK(up >= 0, "the proxy gets no sockets");
      at_once(fd);
      at_once(up);
      const auto to = loopback(server_port_);
      const int connected = ::connect(up, reinterpret_cast<const sockaddr*>(&to), sizeof to);
      const auto number = connections_++;
      if (connected != 0 && errno != EINPROGRESS) {
        ++unreachable_;
        ::close(up);
        close_with_reset(fd);
        continue;
      }
      auto& p = pairs_[number];
      p.number = number;
      p.fd[client] = fd;
      p.fd[server] = up;
      p.chance = base::random(seed_ ^ (number + 1) * 0x9e3779b97f4a7c15ULL);
      if (!healed_) p.faults = plan_(number, p.chance);
      for (const auto s : {client, server}) {
        add(p.fd[s], number * 2 + s);
        p.watched[s] = EPOLLIN;
      }
      watch(p);
    }
  }

  /// False: the connection is gone.
  bool read(pair& p, side s) {
    auto& d = p.from[s];
    while (!d.ended && d.size() < queue_bytes_max) {
      d.waiting.erase(d.waiting.begin(), d.waiting.begin() + static_cast<std::ptrdiff_t>(d.gone));
      d.gone = 0;
      const auto had = d.waiting.size();
      if (had == 0 && p.faults.cut_into == connection_faults::pieces::gathered) d.not_before = steady::now() + gathered_for;
      d.waiting.resize(had + read_bytes);
      const auto n = ::recv(p.fd[s], d.waiting.data() + had, read_bytes, MSG_DONTWAIT);
      d.waiting.resize(had + static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
      if (n == 0) d.ended = true;
      if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return true;
      if (n < 0) {
        if (!p.silent && !p.cut) return reset(p.number), false;
        d.ended = true;
      }
      if (p.cut || p.silent || (d.ended && s == client && p.faults.forget_when_left)) d.waiting.clear(), d.gone = 0;
      if (n >= 0 && n < static_cast<ssize_t>(read_bytes)) return true;
    }
    return true;
  }

  void pump_both(std::uint64_t number) {
    for (const auto s : {client, server}) {
      const auto it = pairs_.find(number);
      if (it == pairs_.end() || !pump(it->second, s)) return;
    }
    auto& p = pairs_.find(number)->second;
    // A connection is over when both sides have ended theirs and know it, or never will.
    const bool both_know = p.cut || p.silent || (p.from[client].told_end && p.from[server].told_end);
    if (p.from[client].ended && p.from[server].ended && both_know) return close(number);
    watch(p);
  }

  [[nodiscard]] std::size_t piece(pair& p, const direction& d) {
    using pieces = connection_faults::pieces;
    switch (p.faults.cut_into) {
      case pieces::as_they_come: break;
      case pieces::single_bytes: return 1;
      case pieces::random: return std::min<std::size_t>(d.size(), 1 + p.chance.below(p.chance.chance(50) ? 8 : 2'000));
      case pieces::gathered: return std::min(d.size(), gathered_bytes);
    }
    return d.size();
  }

  /// Carries what may go now. False: the connection is gone.
  bool pump(pair& p, side s) {
    auto& d = p.from[s];
    if (p.connecting || p.stopped) return true;
    const auto& f = p.faults;
    const auto cut_at = s == client ? f.cut_to_server : f.cut_to_client;
    while (!p.cut && !p.silent) {
      if (d.carried >= cut_at) return cut(p);
      if (p.from[client].carried + p.from[server].carried >= f.silent_after) return silence(p);
      if (d.size() == 0 || d.blocked) break;
      const auto now = steady::now();
      const bool gathers = f.cut_into == connection_faults::pieces::gathered && d.size() < gathered_bytes && !d.ended;
      if (f.delay_max.count() != 0 && !std::exchange(d.drawn, true))
        d.not_before = std::max(d.not_before, now + std::chrono::microseconds(p.chance.below(static_cast<std::uint64_t>(f.delay_max.count()) + 1)));
      const bool waits = gathers || f.delay_max.count() != 0 || (s == client && f.piece_every.count() != 0);
      if (waits && now < d.not_before) {
        timers_.emplace(d.not_before, p.number);
        break;
      }
      auto n = std::min<std::uint64_t>(piece(p, d), cut_at - d.carried);
      n = std::min(n, f.silent_after - p.from[client].carried - p.from[server].carried);
      const auto sent = ::send(p.fd[other(s)], d.waiting.data() + d.gone, n, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
        d.blocked = true;
        break;
      }
      if (sent < 0) return reset(p.number), false;
      d.gone += static_cast<std::size_t>(sent);
      d.carried += static_cast<std::uint64_t>(sent);
      (s == client ? to_server_ : to_client_) += static_cast<std::uint64_t>(sent);
      d.drawn = false;
      if (f.piece_every.count() != 0) d.not_before = now + f.piece_every;
    }
    if (d.ended && d.size() == 0 && !p.cut && !p.silent && !std::exchange(d.told_end, true)) ::shutdown(p.fd[other(s)], SHUT_WR);
    return true;
  }

  bool cut(pair& p) {
    ++cuts_;
    if (p.faults.cut_by == connection_faults::ending::reset) return reset(p.number), false;
    // Both sides hear the end of the stream; what they go on sending is thrown away.
    p.cut = true;
    for (const auto s : {client, server}) {
      ::shutdown(p.fd[s], SHUT_WR);
      p.from[s].waiting.clear();
      p.from[s].gone = 0;
    }
    return true;
  }
  bool silence(pair& p) {
    ++silenced_;
    p.silent = true;
    for (auto& d : p.from) {
      d.waiting.clear();
      d.gone = 0;
    }
    return true;
  }
  void reset(std::uint64_t number) {
    const auto it = pairs_.find(number);
    if (it == pairs_.end()) return;
    for (const int fd : it->second.fd)
      if (fd >= 0) close_with_reset(fd);
    pairs_.erase(it);
  }
  void close(std::uint64_t number) {
    const auto it = pairs_.find(number);
    for (const int fd : it->second.fd) ::close(fd);
    pairs_.erase(it);
  }

  void watch(pair& p) const {
    for (const auto s : {client, server}) {
      std::uint32_t want = 0;
      if (!p.from[s].ended && p.from[s].size() < queue_bytes_max && !p.stopped) want |= EPOLLIN;
      if (p.from[other(s)].blocked || (s == server && p.connecting)) want |= EPOLLOUT;
      if (want == p.watched[s]) continue;
      p.watched[s] = want;
      epoll_event e{};
      e.events = want;
      e.data.u64 = p.number * 2 + s;
      // Not watched at all when nothing is wanted: an error or hang-up would be told again and again.
      if (want == 0) ::epoll_ctl(poll_, EPOLL_CTL_DEL, p.fd[s], &e);
      else if (::epoll_ctl(poll_, EPOLL_CTL_MOD, p.fd[s], &e) != 0) ::epoll_ctl(poll_, EPOLL_CTL_ADD, p.fd[s], &e);
    }
  }

  void heal_all() {
    healed_ = true;
    swizzle_us_ = 0;
    std::vector<std::uint64_t> all;
    for (auto& [n, p] : pairs_) {
      // What was cut or silenced stays so: those bytes are gone.
      p.stopped = false;
      p.faults = {};
      all.push_back(n);
    }
    for (const auto n : all) pump_both(n);
  }

  void swizzle_some(steady::time_point now) {
    const std::chrono::microseconds every(swizzle_us_);
    if (every.count() == 0 || now < next_swizzle_) return;
    next_swizzle_ = now + every;
    std::vector<std::uint64_t> running, stopped;
    for (auto& [n, p] : pairs_)
      if (!p.cut && !p.silent) (p.stopped ? stopped : running).push_back(n);
    if (stopped.size() >= running.size()) stopping_ = false;
    if (stopped.empty()) stopping_ = true;
    auto& which = stopping_ ? running : stopped;
    if (which.empty()) return;
    std::ranges::sort(which);  // the table's own order is not the seed's
    const auto number = which[swizzle_chance_.below(which.size())];
    auto& p = pairs_.find(number)->second;
    p.stopped = stopping_;
    if (stopping_) ++stopped_;
    pump_both(number);
  }

  const std::uint16_t server_port_;
  const std::uint64_t seed_;
  const plan plan_;
  int listen_ = -1, wake_ = -1, poll_ = -1;
  bool healed_ = false, stopping_ = true;
  base::random swizzle_chance_;
  steady::time_point next_swizzle_{};
  std::unordered_map<std::uint64_t, pair> pairs_;
  using timer = std::pair<steady::time_point, std::uint64_t>;
  std::priority_queue<timer, std::vector<timer>, std::greater<>> timers_;
};

fault_proxy::fault_proxy(std::uint16_t server_port, std::uint64_t seed, plan what)
    : carrier_(std::make_unique<carrier>(server_port, seed, std::move(what))), port_(carrier_->port_), thread_([this] { carrier_->run(); }) {}

fault_proxy::~fault_proxy() {
  carrier_->stop_ = true;
  carrier_->wake();
  thread_.join();
}

fault_proxy::counts fault_proxy::seen() const {
  const auto& c = *carrier_;
  return {c.connections_, c.unreachable_, c.cuts_, c.silenced_, c.stopped_, c.to_server_, c.to_client_};
}

void fault_proxy::swizzle(std::chrono::microseconds every) {
  carrier_->swizzle_us_ = every.count();
  carrier_->wake();
}

void fault_proxy::heal() {
  carrier_->heal_ = true;
  carrier_->wake();
}

}  // namespace holdfast::tests
