// What looks show, as documents.
#pragma once

#include "apps/holdfast/document.hpp"
#include "core/look.hpp"
#include "core/plan.hpp"
#include "protocol/messages.hpp"

namespace holdfast::cli {

[[nodiscard]] value sale_value(core::sale_state s, bool frozen, bool faulted);
[[nodiscard]] value state_value(core::hold_state s);
/// Seconds since 1970, without fractions.
[[nodiscard]] value moment_of_seconds(std::int64_t seconds);

[[nodiscard]] document shown(core::session_id id, const core::session_seen& s, core::log_time now);
/// `p` names the places; null: by number.
[[nodiscard]] document shown(const core::hold_seen& h, const core::plan* p, core::log_time now);
[[nodiscard]] document shown(const core::owner_seen& o, const core::plan* p, core::log_time now);
[[nodiscard]] document shown(const core::fate_seen& f, core::log_time now);
[[nodiscard]] document shown(const std::vector<protocol::found_row>& rows);
[[nodiscard]] document shown(const std::vector<protocol::actor_row>& rows);
[[nodiscard]] document shown(const protocol::actor_inside_seen& a);
/// With the sum check of the funnel: every request received was counted at exactly one stage.
[[nodiscard]] document shown(const protocol::stats_seen& s);

}  // namespace holdfast::cli
