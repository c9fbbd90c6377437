#include "gateway/funnel.hpp"

#include <optional>

#include "base/check.hpp"
#include "base/planted.hpp"

namespace holdfast::gateway {

using core::command_tag;
using core::refusal;
using protocol::kind_of;
using protocol::listener_kind;

namespace {

/// The position in core::look.
template <class Look>
constexpr std::uint16_t look_kind() {
  return static_cast<std::uint16_t>(protocol::kinds::look_base + core::look(std::in_place_type<Look>).index());
}

bool buyers_may(std::uint16_t kind) {
  switch (kind) {
    case kind_of(command_tag::hold_seats):
    case kind_of(command_tag::change_hold):
    case kind_of(command_tag::extend_hold):
    case kind_of(command_tag::release_hold):
    case protocol::kinds::ping:
    case protocol::kinds::session_named:
      return true;
    default:
      return kind >= protocol::kinds::look_base && kind < protocol::kinds::session_named && kind != look_kind<core::look_changes>() &&
             kind != look_kind<core::look_holds>();
  }
}

bool shops_may(std::uint16_t kind) {
  return buyers_may(kind) || protocol::is_money(kind) || kind == look_kind<core::look_changes>();
}

/// The lines that the funnel may judge; none if the request is no new hold and adds nothing.
std::optional<core::lines> new_lines(const protocol::request& asked) {
  const auto* c = std::get_if<core::command>(&asked.asked);
  if (c == nullptr) return std::nullopt;
  if (const auto* hold = std::get_if<core::hold_seats>(c)) return hold->lines;
  if (const auto* change = std::get_if<core::change_hold>(c); change != nullptr && !change->add.empty()) return change->add;
  return std::nullopt;
}

stage stage_of(refusal r) {
  switch (r) {
    case refusal::not_open:
    case refusal::paused:
    case refusal::closed:
    case refusal::frozen:
    case refusal::faulted:
      return stage::not_open;
    case refusal::none:
      return stage::passed;
    default:
      return stage::gone;
  }
}

}  // namespace

bool may_ask(listener_kind on, std::uint16_t kind) {
  switch (on) {
    case listener_kind::buyer: return buyers_may(kind);
    case listener_kind::shop: return shops_may(kind);
    case listener_kind::admin: return true;
  }
  return false;
}

weight weight_of(std::uint16_t kind) {
  if (protocol::is_money(kind) && !planted(bug::money_told_busy)) return weight::money;
  return protocol::is_paged(kind) ? weight::page : weight::plain;
}

verdict judge(const protocol::request& asked, listener_kind on, const stall* where, std::uint64_t wall_us, connection_credits& connection,
              core::interval_ms busy_retry_after) {
  // One verdict, made where the caller has it: it is long, and copied just after it was written in parts it costs more than it took to find.
  verdict v;
  const auto refuse = [&](stage at, refusal why) {
    v.at = at;
    v.said.refused = why;
    if (where != nullptr) v.said.tells_of = where->view->durable();
  };
  if (!may_ask(on, asked.kind)) {
    refuse(stage::not_allowed, refusal::not_allowed);
    return v;
  }
  if (asked.impossible != refusal::none) {
    refuse(stage::impossible, asked.impossible);
    return v;
  }
  // Rate: here, for all but money.
  if (where == nullptr) {
    refuse(stage::unknown_session, refusal::unknown_session);
    return v;
  }

  const auto lines = new_lines(asked);
  if (lines && (!asked.retry || planted(bug::funnel_judges_retries))) {
    const auto seen = where->view->judge(asked.head.channel, *lines);
    const auto at = stage_of(seen.refused);
    // Past a scheduled opening the view is behind: the session takes the schedule's command before this hold.
    const bool opened_since = at == stage::not_open && seen.refused != refusal::faulted && wall_us >= where->opens_at;
    // Eligibility: here, between these two.
    if (at != stage::passed && !opened_since) {
      v.at = at;
      v.said.refused = seen.refused;
      v.said.lines = seen.lines;
      v.said.tells_of = seen.tells_of;
      return v;
    }
  }

  const auto w = weight_of(asked.kind);
  const bool connection_has = connection.take(w);
  HOLDFAST_CHECK(connection_has || w != weight::money, "a connection without credit for money was read from");
  if (connection_has && where->credits->take(w)) return v;
  if (connection_has) connection.give_back(w);
  refuse(stage::busy, refusal::busy);
  v.said.retry_after = busy_retry_after;
  return v;
}

}  // namespace holdfast::gateway
