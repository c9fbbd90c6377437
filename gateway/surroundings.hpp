// What the gateway is given by who builds it: the server's main, or a test.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "actors/interfaces.hpp"
#include "base/result.hpp"
#include "gateway/door.hpp"
#include "gateway/patience.hpp"
#include "protocol/messages.hpp"

namespace holdfast::gateway {

struct surroundings {
  /// Log time and wall clock; outlives the gateway.
  const actors::time_source* time = nullptr;
  /// Makes a loop's door, in the thread that builds the gateway. The bridge in a server:
  ///   [&](inbox& in) { return std::make_unique<bridge>(system, house.registry(), house.inspector(), in); }
  std::function<std::unique_ptr<door>(inbox&)> attach;
  /// Whether `start` waits for the directory of sessions before it lets anybody in. True in a server.
  bool sessions_first = false;
  /// Where loops hang out their meters; may be null.
  std::shared_ptr<actors::board> board;
  /// For time limits and latencies.
  std::function<time_point()> now = [] { return std::chrono::steady_clock::now(); };
  /// What the welcome says of the server.
  std::string server = "holdfast";
  /// One line for the server's log, without newline and without any byte that a client sent; may be null. Called by all loops.
  std::function<void(std::string_view)> log;

  // Operators' questions that others answer. Called by the thread that serves operators, and may take their time; may be null.
  /// The sessions' names are added here.
  std::function<base::result<protocol::found>(const protocol::find&)> find;
  std::function<void(protocol::stats_seen&)> more_stats;
  /// Facts about an actor that is neither session nor loop.
  std::function<void(const actors::inspection_row&, protocol::actor_inside_seen&)> inside;
};

}  // namespace holdfast::gateway
