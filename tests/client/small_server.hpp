// A server small enough to be wrong on purpose: speaks the protocol, remembers what it was asked, and breaks off as told.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "client/options.hpp"
#include "protocol/codec.hpp"

namespace holdfast::tests {

/// What it was asked, in brief.
struct heard {
  unsigned connection = 0;  ///< in the order of their coming, from 1
  std::uint16_t kind = 0;
  bool retry = false;
  base::id128 command;      ///< its id; of confirm: the hold
  core::log_time deadline;
};

struct manners {
  /// Connection n (from 1) is cut after it has heard so many requests, the last of them without an answer.
  std::map<unsigned, unsigned> cut_after;
  /// Instead of being welcomed, connection n is told this.
  std::map<unsigned, protocol::goodbye_code> turn_away;
  /// Connection n hears and never answers.
  std::map<unsigned, bool> silent;
  /// Connection n gets bytes that are no frame as its first answer.
  std::map<unsigned, bool> babbles;
  std::uint32_t inflight_max = 1'024;
  bool answers_backwards = false;  ///< of what came together
  core::refusal refuses = core::refusal::none;  ///< every command, if so
};

/// The one session it has.
inline constexpr core::session_id gala{7};

/// The log time that its welcome tells.
inline constexpr core::log_time small_server_time{1'700'000'000'000'000};

class small_server {
 public:
  explicit small_server(manners m = {});
  ~small_server();

  [[nodiscard]] client::address where() const { return {"127.0.0.1", port_, {}}; }
  [[nodiscard]] std::vector<heard> all() const;
  /// Requests that were taken, each id once.
  [[nodiscard]] std::size_t accepted() const;

 private:
  void serve();
  struct guest;
  bool hear(guest& g);
  bool answer(guest& g, const protocol::frame& f);

  manners manners_;
  int listener_ = -1;
  int stop_[2] = {-1, -1};
  std::uint16_t port_ = 0;
  mutable std::mutex mutex_;
  std::vector<heard> heard_;
  std::map<base::id128, core::sequence> taken_;
  std::thread thread_;
};

}  // namespace holdfast::tests
