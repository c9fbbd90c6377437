// What all importers of seating plans share: how they are asked, and what they say about what they found.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/plan.hpp"

namespace holdfast::plans {

/// By what a seat of a drawn plan is recognised, now and in later revisions of the plan.
enum class identity_rule : std::uint8_t {
  automatic,  ///< each seat by its uuid, else its guid, else its path zone/row/number
  uuid,
  guid,
  path,
};

struct import_options {
  std::string source{};  ///< name of the file; stands at the head of every error
  std::string name{};    ///< the plan's name; empty: the one in the file, or the file's own
  identity_rule identity = identity_rule::automatic;    ///< pretix plans only; CSV knows paths alone
  std::map<std::string, std::string> category_names{};  ///< name in the file -> name in the plan
};

struct import_report {
  core::plan plan;                    ///< passes core::check_plan
  std::string format;                 ///< "pretix" or "csv"
  std::vector<std::string> warnings;  ///< one line each
  std::size_t decorations = 0;        ///< drawn areas: stages, bars, texts; they hold no places
  std::size_t rows_split = 0;         ///< rows of the file that an aisle cuts into several segments
};

/// What is in a plan, for people to compare with the house.
struct place_counts {
  struct zone {
    std::string name;
    std::uint64_t seats = 0;
    std::uint64_t segments = 0;
  };
  struct group {  ///< a category or an allocation
    std::string name;
    std::uint64_t seats = 0;
    std::uint64_t area_places = 0;
  };
  std::vector<zone> zones;          ///< in the order of plan::zones
  std::vector<group> categories;    ///< in the order of plan::categories
  std::vector<group> allocations;   ///< in the order of plan::allocations
  std::uint64_t seats = 0;
  std::uint64_t area_places = 0;
  std::uint64_t accessible = 0, companion = 0, restricted_view = 0;
};

/// Needs a plan that passes core::check_plan.
[[nodiscard]] place_counts count_places(const core::plan& p);

/// Counts and warnings as text for a terminal, several lines, each ending in a newline.
[[nodiscard]] std::string describe(const import_report& report);

}  // namespace holdfast::plans
