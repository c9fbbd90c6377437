#include "gateway/listener.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/check.hpp"

namespace holdfast::gateway {

using base::error;
using base::trouble;

namespace {

constexpr int backlog = 4'096;
constexpr int accepts_per_wake = 256;  // others in the loop want their turn, too

// A peer that is gone without a word is noticed within 15 s: by keepalive when nothing is under way, by the user
// timeout when answers are. Its holds stay until their deadlines.
constexpr int keepalive_idle_s = 5, keepalive_interval_s = 3, keepalive_count = 3;
constexpr int user_timeout_ms = 15'000;

// Descriptors that guests never get: the journal opens a new file now and then in the middle of a sale, and must not fail for their sake.
constexpr int kept_descriptors = 256;

/// The kernel gives the lowest free number, so a number from here on says that few are left. Of a small limit guests get half.
bool few_left_after(int fd) {
  rlimit now{};
  if (::getrlimit(RLIMIT_NOFILE, &now) != 0 || now.rlim_cur == RLIM_INFINITY) return false;
  const auto limit = static_cast<std::int64_t>(now.rlim_cur);
  return fd >= limit - std::min<std::int64_t>(kept_descriptors, limit / 2);
}

struct address {
  sockaddr_storage bytes{};
  socklen_t size = 0;
};

base::result<address> address_of(const listener_options& o) {
  address a;
  if (o.kind == listener_kind::admin) {
    auto* un = reinterpret_cast<sockaddr_un*>(&a.bytes);
    un->sun_family = AF_UNIX;
    std::memcpy(un->sun_path, o.address.c_str(), o.address.size() + 1);
    a.size = sizeof(sockaddr_un);
    return a;
  }
  auto* v4 = reinterpret_cast<sockaddr_in*>(&a.bytes);
  if (::inet_pton(AF_INET, o.address.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(o.port);
    a.size = sizeof(sockaddr_in);
    return a;
  }
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&a.bytes);
  if (::inet_pton(AF_INET6, o.address.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(o.port);
    a.size = sizeof(sockaddr_in6);
    return a;
  }
  return error{trouble::bad_input, fmt::format("{}.address: '{}' is no numeric IP address", protocol::name_of(o.kind), o.address)};
}

remote_address remote_of(const sockaddr_storage& from) {
  remote_address r{};
  if (from.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(from);
    if ((ntohl(v4.sin_addr.s_addr) >> 24U) == 127) return r;
    r[10] = r[11] = 0xff;
    std::memcpy(&r[12], &v4.sin_addr, 4);
  } else if (from.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(from);
    if (IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr)) return r;
    std::memcpy(r.data(), &v6.sin6_addr, 16);
  }
  return r;
}

std::string key_of(const remote_address& a) { return {reinterpret_cast<const char*>(a.data()), a.size()}; }

// Options set on a listening socket are inherited by what it accepts: no system calls for each connection.
void set_tcp_options(int fd) {
  const auto set = [fd](int level, int name, int value) { ::setsockopt(fd, level, name, &value, sizeof value); };
  set(SOL_SOCKET, SO_REUSEADDR, 1);
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  set(IPPROTO_TCP, TCP_NODELAY, 1);
  set(IPPROTO_TCP, TCP_KEEPIDLE, keepalive_idle_s);
  set(IPPROTO_TCP, TCP_KEEPINTVL, keepalive_interval_s);
  set(IPPROTO_TCP, TCP_KEEPCNT, keepalive_count);
  set(IPPROTO_TCP, TCP_USER_TIMEOUT, user_timeout_ms);
}

/// Removes a Unix socket that a server left behind; an error if somebody still answers there or it is something else.
base::result<void> clear_path(const listener_options& o, const address& a) {
  struct stat st {};
  if (::lstat(o.address.c_str(), &st) != 0) return {};
  if (!S_ISSOCK(st.st_mode))
    return error{trouble::bad_input, fmt::format("admin.address: '{}' exists and is no socket; choose another path", o.address)};
  const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (probe < 0) return error{trouble::io, fmt::format("socket: {}", std::strerror(errno))};
  const int connected = ::connect(probe, reinterpret_cast<const sockaddr*>(&a.bytes), a.size);
  ::close(probe);
  if (connected == 0)
    return error{trouble::busy, fmt::format("admin.address: another server answers on '{}'; stop it or choose another path", o.address)};
  ::unlink(o.address.c_str());
  return {};
}

error cannot_listen(const listener_options& o, int why) {
  if (why == EADDRINUSE)
    return {trouble::busy, fmt::format("{} listener: {} port {} is in use; stop who uses it or choose another port",
                                       protocol::name_of(o.kind), o.address, o.port)};
  return {why == EADDRNOTAVAIL || why == EACCES || why == ENOENT ? trouble::bad_input : trouble::io,
          fmt::format("{} listener: cannot listen on {} port {}: {}", protocol::name_of(o.kind), o.address, o.port, std::strerror(why))};
}

/// A socket bound to the address; it does not listen. The caller closes it.
base::result<int> bound_socket(const listener_options& o) {
  auto where = address_of(o);
  if (!where) return where.failure();
  const bool local = o.kind == listener_kind::admin;
  if (local)
    if (auto r = clear_path(o, *where); !r) return r.failure();

  const int fd = ::socket(where->bytes.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return error{trouble::io, fmt::format("socket: {}", std::strerror(errno))};
  if (local) {
    // Before bind, so that there is no moment in which the path has wider rights.
    ::fchmod(fd, 0660);
  } else {
    set_tcp_options(fd);
  }
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&where->bytes), where->size) != 0) {
    const int why = errno;
    ::close(fd);
    return cannot_listen(o, why);
  }
  return fd;
}

}  // namespace

base::result<void> listener::try_address(const listener_options& o) {
  const auto fd = bound_socket(o);
  if (!fd) return fd.failure();
  ::close(*fd);
  if (o.kind == listener_kind::admin) ::unlink(o.address.c_str());
  return {};
}

base::result<std::unique_ptr<listener>> listener::open(boost::asio::io_context& io, const listener_options& o, milliseconds accept_pause,
                                                       base::bytes farewell, arrived_fn arrived, trouble_fn trouble) {
  const auto bound = bound_socket(o);
  if (!bound) return bound.failure();
  const int fd = *bound;
  if (::listen(fd, backlog) != 0) {
    const int why = errno;
    ::close(fd);
    return cannot_listen(o, why);
  }
  return std::unique_ptr<listener>(
      new listener(io, fd, o, accept_pause, std::move(farewell), std::move(arrived), std::move(trouble)));
}

listener::listener(boost::asio::io_context& io, int fd, const listener_options& o, milliseconds accept_pause, base::bytes farewell,
                   arrived_fn arrived, trouble_fn trouble)
    : socket_(io, fd), pause_(io), options_(o), accept_pause_(accept_pause), farewell_(std::move(farewell)),
      arrived_(std::move(arrived)), trouble_(std::move(trouble)) {
  if (o.kind != listener_kind::admin) {
    sockaddr_storage self{};
    socklen_t size = sizeof self;
    if (::getsockname(fd, reinterpret_cast<sockaddr*>(&self), &size) == 0)
      port_ = ntohs(self.ss_family == AF_INET ? reinterpret_cast<sockaddr_in&>(self).sin_port : reinterpret_cast<sockaddr_in6&>(self).sin6_port);
  }
  reserve_ = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
}

listener::~listener() {
  if (reserve_ >= 0) ::close(reserve_);
  if (!stopped_ && options_.kind == listener_kind::admin) ::unlink(options_.address.c_str());
}

void listener::start() { wait(); }

void listener::stop() {
  if (std::exchange(stopped_, true)) return;
  boost::system::error_code ignored;
  socket_.close(ignored);
  pause_.cancel();
  if (options_.kind == listener_kind::admin) ::unlink(options_.address.c_str());
}

void listener::wait() {
  socket_.async_wait(boost::asio::posix::stream_descriptor::wait_read, [this](const boost::system::error_code& failed) {
    if (failed || stopped_) return;
    accept_waiting();
  });
}

void listener::accept_waiting() {
  for (int i = 0; i < accepts_per_wake; ++i) {
    sockaddr_storage from{};
    socklen_t size = sizeof from;
    const int fd = ::accept4(socket_.native_handle(), reinterpret_cast<sockaddr*>(&from), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      const auto remote = remote_of(from);
      if (options_.kind != listener_kind::admin && few_left_after(fd)) {
        trouble_(trouble_kind::out_of_descriptors);
        turn_away(fd);
      } else if (admit(remote)) {
        arrived_(*this, fd, remote);
      } else {
        turn_away(fd);
        trouble_(trouble_kind::refused);
      }
      continue;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK) break;
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      trouble_(trouble_kind::out_of_descriptors);
      accept_with_reserve();
      // What still waits is accepted after a while, instead of spinning on an error that stays.
      pause_.expires_after(accept_pause_);
      pause_.async_wait([this](const boost::system::error_code& failed) {
        if (!failed && !stopped_) accept_waiting();
      });
      return;
    }
    // ECONNABORTED, EPROTO and the like: this peer went away while it waited; the next may be fine.
  }
  wait();
}

void listener::accept_with_reserve() {
  if (reserve_ >= 0) {
    ::close(std::exchange(reserve_, -1));
    const int fd = ::accept4(socket_.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) turn_away(fd);
  }
  reserve_ = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
}

void listener::turn_away(int fd) const {
  // A new connection's send buffer has room for this; if not, closing says enough.
  [[maybe_unused]] const auto sent = ::send(fd, farewell_.data(), farewell_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  ::shutdown(fd, SHUT_WR);
  // Closing over unread bytes would reset the connection and take the farewell back.
  char unread[4'096];
  [[maybe_unused]] const auto got = ::recv(fd, unread, sizeof unread, MSG_DONTWAIT);
  ::close(fd);
}

bool listener::admit(const remote_address& from) {
  if (open_.load(std::memory_order_relaxed) >= options_.connections_max) return false;
  if (options_.connections_per_address_max != 0 && from != remote_address{}) {
    const std::scoped_lock lock(mutex_);
    auto& n = per_address_[key_of(from)];
    if (n >= options_.connections_per_address_max) return false;
    ++n;
  }
  open_.fetch_add(1, std::memory_order_relaxed);
  return true;
}

void listener::left(const remote_address& from) {
  open_.fetch_sub(1, std::memory_order_relaxed);
  if (options_.connections_per_address_max == 0 || from == remote_address{}) return;
  const std::scoped_lock lock(mutex_);
  const auto it = per_address_.find(key_of(from));
  HOLDFAST_CHECK(it != per_address_.end(), "a connection left that never came");
  if (--it->second == 0) per_address_.erase(it);
}

}  // namespace holdfast::gateway
