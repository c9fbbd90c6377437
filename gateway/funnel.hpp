// Refuses early what the session would refuse anyway, so that a rush does not reach the actors: the order is
//
//   broken frame, not authenticated, not allowed, impossible, [over its rate], unknown session, sale not open,
//   [not eligible], sold out or seats gone, busy
//
// The first two are the connection's. Those in brackets have their place in `judge` and refuse nobody until tokens come.
// From "sale not open" on only *new holds and added lines* are judged: payment, confirm, release, cancel, fate and looks go
// on to the session. A request flagged `retry` skips these stages too: a winner whose answer was lost must never be told that
// his own seat is gone. Money is refused neither by rate nor as `busy`.
//
// Pure: time, view and credits are arguments.
#pragma once

#include <cstdint>

#include "core/answer.hpp"
#include "core/view.hpp"
#include "gateway/credits.hpp"
#include "gateway/stats.hpp"
#include "protocol/kinds.hpp"
#include "protocol/messages.hpp"

namespace holdfast::gateway {

/// Whether who comes through `on` may ask this at all. `kind` as in frames, without the direction bit.
[[nodiscard]] bool may_ask(protocol::listener_kind on, std::uint16_t kind);

/// What it takes from the connection's credits.
[[nodiscard]] weight weight_of(std::uint16_t kind);

/// A session as the funnel sees it.
struct stall {
  const core::sale_view* view = nullptr;
  std::uint64_t opens_at = ~std::uint64_t{0};  ///< wall clock, us: past it holds pass whatever the view says of the sale
  session_credits* credits = nullptr;
};

struct verdict {
  stage at = stage::passed;
  core::answer said;  ///< unless passed
};

/// `where` is null for a session that nobody knows. If it says `passed`, credits were taken from both; else none.
/// Needs: connection.money_left(), without which no request may be read.
[[nodiscard]] verdict judge(const protocol::request& asked, protocol::listener_kind on, const stall* where, std::uint64_t wall_us,
                            connection_credits& connection, core::interval_ms busy_retry_after);

}  // namespace holdfast::gateway
