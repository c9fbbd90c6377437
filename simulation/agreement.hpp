// What engine and model must agree about, compared by what they show. Each comparison returns the first disagreement, or nothing.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/look.hpp"
#include "core/view.hpp"
#include "simulation/model.hpp"

namespace holdfast::simulation {

/// Asks the engine for a look at the present instant; `said`, if given, gets the answer that comes with it.
using looker = std::function<std::shared_ptr<const core::seen>(const core::look&, core::answer* said)>;

/// The answers without what only the engine knows.
[[nodiscard]] bool same_body(const core::answer& a, const core::answer& b);

/// Two sights of one hold; `where` begins the text of what they differ in.
[[nodiscard]] std::optional<std::string> compare(const std::string& where, const core::hold_seen& engine, const core::hold_seen& model);
/// The session as a whole, each seat and each area.
[[nodiscard]] std::optional<std::string> compare_places(const looker& look, const model& second);
/// Every hold that is remembered.
[[nodiscard]] std::optional<std::string> compare_holds(const looker& look, const model& second);
/// What owners have, and the fate of the ids of `recent`.
[[nodiscard]] std::optional<std::string> compare_memory(const looker& look, const model& second, const std::deque<asked>& recent,
                                                        const std::vector<core::owner_id>& owners);
/// What the funnel would say to each channel of each place: the view that records have `built`, and one begun `fresh` from the
/// state.
[[nodiscard]] std::optional<std::string> compare_view(const core::sale_view& built, const core::sale_view& fresh, const model& second);

}  // namespace holdfast::simulation
