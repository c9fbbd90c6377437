// A small hall with everything that a plan can have, and a sale in it: what fuzz targets and their seeds take for granted.
#pragma once

#include <cstdint>
#include <memory>

#include "core/plan.hpp"
#include "core/policy.hpp"
#include "simulation/random_commands.hpp"

namespace holdfast::fuzz {

inline constexpr std::uint64_t noon = 1'700'000'000'000'000;

/// The terms number `n`: hall and policy of the simulation's crowd. The same for ever, or old inputs lose their meaning.
inline std::shared_ptr<const core::session_terms> terms(std::uint64_t n) {
  simulation::mix how;
  how.forgetting = n % 2 == 0;
  how.few_expiries = n % 2 != 0;
  return simulation::random_terms(n, how);
}

/// Seats in three categories and allocations, and two areas.
inline std::shared_ptr<const core::plan> small_hall() {
  auto p = std::make_shared<core::plan>();
  p->name = "hall";
  p->categories = {{"stalls", "#112233"}, {"circle", ""}, {"floor", ""}};
  p->allocations = {"public", "presale", "guests"};
  p->zones = {"main", "left"};
  p->rows = {{0, "A"}, {0, "B"}, {1, "A"}};
  for (std::uint32_t i = 0; i < 12; ++i) {
    core::plan_seat s;
    s.row = i / 4;
    s.number = std::to_string(i % 4 + 1);
    s.identity = "seat-" + std::to_string(i + 1);
    s.category = static_cast<std::uint8_t>(i % 3);
    s.allocation = static_cast<std::uint8_t>(i == 3 ? 1 : i == 7 ? 2 : 0);
    s.x = static_cast<float>(i % 4);
    s.y = static_cast<float>(i / 4);
    p->seats.push_back(s);
  }
  p->areas = {{"floor", "floor", 2, {10, 5}}, {"bar", "bar", 1, {0, 0, 3}}};
  return p;
}

}  // namespace holdfast::fuzz
