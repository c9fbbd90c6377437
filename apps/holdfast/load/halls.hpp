// The sessions that a bench makes for itself before its clock starts, under names that nobody else has.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "client/blocking.hpp"

namespace holdfast::cli::load {

struct halls_wanted {
  std::string name;             ///< each is called this and "-" and its number
  std::uint32_t count = 1;
  std::uint32_t seats = 50'000;
};

/// Creates and opens them over an operator's connection. `made` is told how many there are so far.
[[nodiscard]] base::result<std::vector<core::session_id>> make_halls(client::blocking& op, const halls_wanted& w,
                                                                     const std::function<void(std::uint32_t)>& made);

}  // namespace holdfast::cli::load
