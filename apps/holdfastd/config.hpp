// The server's configuration: one TOML file, every key of which is explained in configs/holdfast.toml.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "actors/house.hpp"
#include "base/result.hpp"
#include "gateway/options.hpp"
#include "persistence/snapshotter.hpp"

namespace holdfast::server {

struct config {
  std::filesystem::path data_directory;
  std::size_t write_buffer_bytes = 64U << 20U;
  bool logs_in_place = true;
  std::size_t block_bytes_max = 64U << 20U;
  bool sync = true;                          ///< false loses acknowledged sales in a power cut; for the control run of a test only
  std::uint64_t clock_gap_max_us = 24ULL * 3600 * 1'000'000;
  gateway::options gateway;
  actors::scheduling scheduling;
  std::size_t sessions_max = 10'000;
  std::uint32_t changes_ring = 16'384;
  std::vector<actors::session_schedule> schedules;
  persistence::snapshot_policy snapshots;
  bool index = true;
  std::string log_level = "info";
};

/// Reads `file`. Relative paths in it are relative to the working directory. Error: bad_input; names file, key and remedy.
[[nodiscard]] base::result<config> read_config(const std::filesystem::path& file);
/// The same from text; `name` stands in for the file in messages.
[[nodiscard]] base::result<config> parse_config(std::string_view text, std::string_view name);

}  // namespace holdfast::server
