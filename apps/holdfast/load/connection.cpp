#include "apps/holdfast/load/connection.hpp"

#include <algorithm>
#include <cstring>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>

#include "client/link.hpp"
#include "protocol/codec.hpp"

namespace holdfast::cli::load {

using base::trouble;
using moved = client::socket::moved;

base::result<connection> connection::open(const client::options& o, std::span<const client::endpoint> to) {
  const base::error mute{trouble::unavailable, "the server at " + client::to_text(o.to) + " does not welcome a connection in time"};
  auto s = client::socket::connect(to, o.connect_patience);
  if (!s) return base::error{s.failure().kind, "no server at " + client::to_text(o.to) + ": " + s.failure().text};
  connection c(std::move(*s));
  base::bytes hello;
  protocol::encode_hello(1, o.hello(), hello);
  if (!c.write(hello)) return mute;
  protocol::frame_buffer in(protocol::direction::from_server, protocol::limits::hello_bytes_max, protocol::limits::hello_bytes_max);
  for (;;) {
    const auto next = in.next();
    if (next.is == protocol::cut::what::broken) return base::error{trouble::bad_bytes, "what answers is no Holdfast server"};
    if (next.is == protocol::cut::what::whole) {
      protocol::from_server_message m;
      if (protocol::decode_from_server(next.frame, m) != protocol::protocol_error::none)
        return base::error{trouble::bad_bytes, "the server's welcome does not decode"};
      if (const auto* p = std::get_if<protocol::problem>(&m)) return client::error_of(*p);
      if (const auto* g = std::get_if<protocol::goodbye>(&m)) return client::error_of(*g);
      if (auto* w = std::get_if<protocol::welcome>(&m)) {
        c.greeting_ = std::move(*w);
        return c;
      }
      return mute;
    }
    std::size_t n = 0;
    if (!c.socket_.wait_readable(o.connect_patience) || c.socket_.read(in.room(), n) != moved::some) return mute;
    in.filled(n);
  }
}

bool connection::write(base::byte_view what) {
  if (waits()) {
    unsent_.insert(unsent_.end(), what.begin(), what.end());
    return false;
  }
  while (!what.empty()) {
    std::size_t n = 0;
    const auto how = socket_.write(what, n);
    if (how == moved::ended) lost_ = true;
    if (how != moved::some) {
      unsent_.assign(what.begin(), what.end());
      return false;
    }
    what = what.subspan(n);
  }
  return true;
}

bool connection::push() {
  base::bytes rest;
  rest.swap(unsent_);
  return write(rest);
}

base::byte_view connection::read(std::span<std::uint8_t> room) {
  const auto before = half_.size();
  if (before != 0) std::memcpy(room.data(), half_.data(), before);
  std::size_t n = 0;
  const auto how = socket_.read(room.subspan(before), n);
  if (how == moved::ended) lost_ = true;
  if (how != moved::some) return {};
  half_.clear();
  return room.first(before + n);
}

void connection::keep(base::byte_view half) {
  if (half.size() > half_max) lost_ = true;
  else half_.assign(half.begin(), half.end());
}

std::uint64_t connection::retransmitted() const {
  tcp_info i{};
  socklen_t size = sizeof i;
  return ::getsockopt(fd(), IPPROTO_TCP, TCP_INFO, &i, &size) == 0 ? i.tcpi_total_retrans : 0;
}

void raise_descriptor_limit(std::uint64_t connections) {
  constexpr rlim_t others = 128;
  rlimit l{};
  if (::getrlimit(RLIMIT_NOFILE, &l) != 0 || l.rlim_cur >= connections + others) return;
  l.rlim_cur = std::min<rlim_t>(l.rlim_max, connections + others);
  ::setrlimit(RLIMIT_NOFILE, &l);
}

}  // namespace holdfast::cli::load
