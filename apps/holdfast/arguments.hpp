// What people write on a command line, as values: ids, intervals, times and places. Errors are bad_input, one line with the remedy.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "core/command.hpp"
#include "core/plan.hpp"

namespace holdfast::cli {

using std::chrono::milliseconds;

/// 32 hexadecimal digits, not all zero.
[[nodiscard]] base::result<base::id128> read_id(std::string_view what, std::string_view text);
/// "90s", "15m", "2h", "500ms"; a bare number is seconds. More than 0 and at most 49 days.
[[nodiscard]] base::result<milliseconds> read_interval(std::string_view text);
/// "2026-06-01T19:30" or "2026-06-01", as UTC. Seconds since 1970.
[[nodiscard]] base::result<std::int64_t> read_time(std::string_view text);
/// "account=32 digits"; kinds are account, email, card, device, code.
[[nodiscard]] base::result<core::limit_key> read_key(std::string_view text);
[[nodiscard]] base::result<core::payment_kind> read_payment_kind(std::string_view text);

// ---- places ----

struct seats_meant { std::uint32_t first = 0, last = 0; };  ///< 12, 10-13
struct label_meant { std::string zone, row, number; };      ///< Stalls/A/12
struct area_meant { std::string name; std::uint32_t count = 0; };  ///< Pit=3
using place_meant = std::variant<seats_meant, label_meant, area_meant>;

/// Any of the three forms.
[[nodiscard]] base::result<place_meant> read_place(std::string_view text);
/// Whether the plan is needed to know which place it is.
[[nodiscard]] inline bool needs_plan(const place_meant& p) { return !std::holds_alternative<seats_meant>(p); }

/// As lines of a hold at one price, in the order given. `p` may be null if no place needs it. At most core::limits::lines_max.
[[nodiscard]] base::result<std::vector<core::line>> as_lines(const std::vector<place_meant>& places, const core::plan* p, core::price_ref price);
/// As ranges of an operator's command; `allocation` is where the places of areas are meant.
[[nodiscard]] base::result<std::vector<core::place_range>> as_ranges(const std::vector<place_meant>& places, const core::plan* p,
                                                                     std::uint8_t allocation);

/// "Stalls/A/12", "Pit"; just the number if there is no plan.
[[nodiscard]] std::string name_of_seat(std::uint32_t seat, const core::plan* p);
[[nodiscard]] std::string name_of_line(const core::line& l, const core::plan* p);

}  // namespace holdfast::cli
