// How a client connects, how long it waits, and how often it tries again.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "client/address.hpp"
#include "protocol/messages.hpp"

namespace holdfast::client {

using std::chrono::milliseconds;

/// Waits that double from `first` to `longest`, each shortened by up to a half at random, so that the clients of a server that
/// went away do not come back all at once.
struct backoff {
  milliseconds first{50};
  milliseconds longest{2'000};

  [[nodiscard]] milliseconds before(unsigned attempt, base::random& chance) const {
    const auto whole = std::min<std::int64_t>(longest.count(), first.count() << std::min(attempt, 16U));
    return milliseconds(whole - static_cast<std::int64_t>(chance.below(static_cast<std::uint64_t>(whole) / 2 + 1)));
  }
};

struct options {
  address to;
  protocol::listener_kind listener = protocol::listener_kind::shop;  ///< what listens there; admin: a Unix socket
  core::owner_id owner;                 ///< buyers' listener only, like the keys
  std::vector<core::limit_key> keys;
  std::string credential;
  std::string name = "holdfast-client"; ///< for the operator's list; at most 64 bytes
  milliseconds connect_patience{3'000}; ///< to connect, and again to be welcomed
  milliseconds answer_patience{30'000}; ///< for one answer; then the connection counts as lost
  unsigned attempts = 8;                ///< connections tried in a row until a request is given up; at least 1
  client::backoff backoff;
  /// Money commands go over a connection of their own, so that they never stand behind anything else.
  bool money_apart = false;

  [[nodiscard]] protocol::hello hello() const {
    protocol::hello h;
    h.listener = listener;
    h.credential = credential;
    h.owner = owner;
    h.keys = keys;
    h.client = name;
    return h;
  }
};

/// The server's log time as far as a client can know it: the handshake's, moved on by the client's own steady clock.
/// It runs behind by the time that the welcome travelled, so a client deadline made from it is never later than meant.
class server_clock {
 public:
  using steady = std::chrono::steady_clock;

  void set(core::log_time at, steady::time_point when = steady::now()) {
    at_ = at;
    when_ = when;
  }
  [[nodiscard]] core::log_time at(steady::time_point when) const {
    const auto passed = std::chrono::duration_cast<std::chrono::microseconds>(when - when_).count();
    return core::log_time{at_.value + static_cast<std::uint64_t>(std::max<std::int64_t>(0, passed))};
  }
  [[nodiscard]] core::log_time now() const { return at(steady::now()); }

 private:
  core::log_time at_;
  steady::time_point when_{};
};

}  // namespace holdfast::client
