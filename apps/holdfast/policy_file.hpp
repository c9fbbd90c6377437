// A session's policy as people write it: TOML, every key of which stands in configs/policy.toml.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "core/plan.hpp"
#include "core/policy.hpp"

namespace holdfast::cli {

/// Categories and allocations are named as in `seating`. Error: bad_input; names file, key and remedy.
[[nodiscard]] base::result<core::policy> read_policy(const std::string& file, const core::plan& seating);
/// The same from text; `name` stands in for the file in messages.
[[nodiscard]] base::result<core::policy> parse_policy(std::string_view text, std::string_view name, const core::plan& seating);

}  // namespace holdfast::cli
