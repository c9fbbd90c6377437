#include "gateway/options.hpp"

#include <fmt/format.h>
#include <sys/un.h>

#include <boost/asio/ip/address.hpp>

namespace holdfast::gateway {

using base::error;
using base::trouble;

listener_options defaults_of(listener_kind kind) {
  listener_options o;
  o.kind = kind;
  switch (kind) {
    case listener_kind::buyer:
      o.connections_per_address_max = 64;
      o.inflight_max = 64;
      o.pages_inflight_max = 4;
      o.output_bytes_max = 64 * 1024;
      break;
    case listener_kind::shop:
      o.times.idle = milliseconds{600'000};
      break;
    case listener_kind::admin:
      // A plan of a million seats comes in one frame, by hand, over a local socket.
      o.address = "holdfast.sock";
      o.connections_max = 64;
      o.frame_bytes_max = protocol::limits::admin_request_bytes_max;
      o.output_bytes_max = 16 * 1024 * 1024;
      o.times.frame = milliseconds{30'000};
      o.times.idle = milliseconds{600'000};
      o.times.stalled = milliseconds{30'000};
      break;
  }
  return o;
}

namespace {

base::result<void> check_listener(const listener_options& l, bool insecure_bind) {
  const auto wrong = [&](const char* key, const std::string& why) -> base::result<void> {
    return error{trouble::bad_input, fmt::format("{}.{}: {}", protocol::name_of(l.kind), key, why)};
  };
  if (l.kind == listener_kind::admin) {
    if (l.address.empty()) return wrong("address", "is empty; give the path of the Unix socket");
    if (l.address.size() >= sizeof(sockaddr_un{}.sun_path))
      return wrong("address", fmt::format("is longer than {} bytes; choose a shorter path", sizeof(sockaddr_un{}.sun_path) - 1));
  } else {
    boost::system::error_code bad;
    const auto address = boost::asio::ip::make_address(l.address, bad);
    if (bad) return wrong("address", fmt::format("'{}' is no numeric IP address; write one, as 127.0.0.1 or ::1", l.address));
    if (!address.is_loopback() && !insecure_bind)
      return wrong("address", fmt::format("'{}' is not a loopback address; bind to 127.0.0.1, or set insecure_bind = true "
                                          "if the network in front keeps strangers out", l.address));
  }
  if (l.channel >= core::limits::channels_max)
    return wrong("channel", fmt::format("{} is more than {}", l.channel, core::limits::channels_max - 1));
  if (l.connections_max == 0) return wrong("connections_max", "is 0; leave the listener out instead");
  if (l.handshake_bytes_max < 256) return wrong("handshake_bytes_max", "is less than 256, too little for a handshake");
  if (l.frame_bytes_max < l.handshake_bytes_max) return wrong("frame_bytes_max", "is less than handshake_bytes_max");
  if (l.frame_bytes_max > protocol::limits::admin_request_bytes_max)
    return wrong("frame_bytes_max", fmt::format("is more than {}", protocol::limits::admin_request_bytes_max));
  if (l.inflight_max == 0) return wrong("inflight_max", "is 0; every request would be refused");
  if (l.money_inflight_max == 0) return wrong("money_inflight_max", "is 0; money would wait behind everything else");
  if (l.output_bytes_max < 4'096) return wrong("output_bytes_max", "is less than 4096, less than one answer may take");
  return {};
}

}  // namespace

base::result<void> check_options(const options& o) {
  const auto wrong = [](const char* key, const std::string& why) -> base::result<void> {
    return error{trouble::bad_input, fmt::format("{}: {}", key, why)};
  };
  if (o.listeners.empty()) return wrong("listeners", "there is none; configure at least one of shop, buyer and admin");
  if (o.loops == 0 || o.loops > 256) return wrong("loops", fmt::format("{} is not in 1 .. 256", o.loops));
  if (o.session_inflight_max == 0) return wrong("session_inflight_max", "is 0; every request would be refused");
  if (o.turn_requests_max == 0) return wrong("turn_requests_max", "is 0; no turn could collect a request");
  if (o.sweep_every.count() <= 0) return wrong("sweep_every", "must be at least 1 ms; time limits are seen to then");
  if (o.accept_pause.count() <= 0) return wrong("accept_pause", "must be at least 1 ms");
  for (const auto& l : o.listeners)
    if (auto r = check_listener(l, o.insecure_bind); !r) return r;
  return {};
}

}  // namespace holdfast::gateway
