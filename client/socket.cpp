#include "client/socket.hpp"

#include <cerrno>
#include <cstring>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <unistd.h>

namespace holdfast::client {

using base::trouble;

namespace {

bool wait(int fd, short events, milliseconds patience) {
  const auto until = std::chrono::steady_clock::now() + patience;
  for (;;) {
    pollfd p{fd, events, 0};
    const auto left = std::chrono::ceil<milliseconds>(until - std::chrono::steady_clock::now());
    const int n = ::poll(&p, 1, left.count() < 0 ? 0 : static_cast<int>(left.count()));
    if (n > 0) return true;
    if (n == 0) return false;
    if (errno != EINTR) return true;  // reading or writing will say what is wrong
  }
}

}  // namespace

base::result<socket> socket::begin(const endpoint& to) {
  socket s(::socket(to.bytes.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!s.open()) return base::error{trouble::io, std::string("no socket could be made: ") + std::strerror(errno)};
  if (to.bytes.ss_family != AF_UNIX) {
    const int on = 1;
    ::setsockopt(s.fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  int how = 0;
  do how = ::connect(s.fd_, reinterpret_cast<const sockaddr*>(&to.bytes), to.size);
  while (how != 0 && errno == EINTR);
  if (how != 0 && errno != EINPROGRESS) return base::error{trouble::unavailable, std::strerror(errno)};
  return s;
}

int socket::connected() const {
  int e = 0;
  socklen_t size = sizeof e;
  return ::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &e, &size) == 0 ? e : errno;
}

base::result<socket> socket::connect(std::span<const endpoint> to, milliseconds patience) {
  base::error last{trouble::unavailable, "nowhere to connect to"};
  for (const auto& e : to) {
    auto s = begin(e);
    if (!s) {
      last = s.failure();
      continue;
    }
    if (!s->wait_writable(patience)) {
      last = {trouble::unavailable, "no answer in time"};
      continue;
    }
    if (const int wrong = s->connected(); wrong != 0) {
      last = {trouble::unavailable, std::strerror(wrong)};
      continue;
    }
    return s;
  }
  return last;
}

socket::moved socket::read(std::span<std::uint8_t> room, std::size_t& n) {
  n = 0;
  for (;;) {
    const auto got = ::recv(fd_, room.data(), room.size(), 0);
    if (got > 0) {
      n = static_cast<std::size_t>(got);
      return moved::some;
    }
    if (got == 0) return moved::ended;
    if (errno == EAGAIN || errno == EWOULDBLOCK) return moved::would_block;
    if (errno != EINTR) return moved::ended;
  }
}

socket::moved socket::write(base::byte_view what, std::size_t& n) {
  n = 0;
  for (;;) {
    const auto put = ::send(fd_, what.data(), what.size(), MSG_NOSIGNAL);
    if (put >= 0) {
      n = static_cast<std::size_t>(put);
      return moved::some;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK) return moved::would_block;
    if (errno != EINTR) return moved::ended;
  }
}

bool socket::wait_readable(milliseconds patience) const { return wait(fd_, POLLIN, patience); }
bool socket::wait_writable(milliseconds patience) const { return wait(fd_, POLLOUT, patience); }

void socket::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

}  // namespace holdfast::client
