// A seating plan from a file of any known format, with its side file if it has one.
#pragma once

#include <cstdint>
#include <filesystem>

#include "base/result.hpp"
#include "plans/import.hpp"

namespace holdfast::plans {

inline constexpr std::uint64_t plan_file_bytes_max = 512ULL << 20U;  ///< a million drawn seats are about 360 MB

struct load_options {
  std::filesystem::path side{};  ///< TOML or CSV; empty: none
  std::string name{};            ///< the plan's name; empty: the side file's, else the plan file's, else the file name
  identity_rule identity = identity_rule::automatic;
};

/// Reads and checks the plan in `file`: a pretix drawing if it is named .json or begins with "{", else CSV.
/// The result has at least one place and passes core::check_plan. Errors are one line: file, place in it, remedy.
[[nodiscard]] base::result<import_report> load_plan(const std::filesystem::path& file, const load_options& options = {});

}  // namespace holdfast::plans
