// How actors, loops and counters read to operators: facts and tables of the protocol made from what the house knows.
#pragma once

#include "actors/interfaces.hpp"
#include "base/histogram.hpp"
#include "core/look.hpp"
#include "gateway/desk.hpp"
#include "protocol/messages.hpp"

namespace holdfast::gateway {

[[nodiscard]] protocol::actor_row row_of(const actors::inspection_row& row);

/// `h` counts nanoseconds.
[[nodiscard]] protocol::latency_row latency_of(std::string name, const base::histogram_seen& h);

/// Appends the sum over `loops`: funnel.*, gateway.*, and latencies.
void tell_stats(const loops_seen& loops, protocol::stats_seen& to);

// Append to the facts and tables of one actor.
void tell_loop(const stats_seen& of, protocol::actor_inside_seen& to);
void tell_session(const core::session_seen& s, protocol::actor_inside_seen& to);
void tell_holds(const core::holds_seen& holds, protocol::actor_inside_seen& to);

}  // namespace holdfast::gateway
