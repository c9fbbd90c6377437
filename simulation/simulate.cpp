#include "simulation/simulate.hpp"

#include "simulation/world.hpp"

namespace holdfast::simulation {

simulation_counts& simulation_counts::operator+=(const simulation_counts& o) {
  static_assert(sizeof(simulation_counts) % sizeof(std::uint64_t) == 0);
  // All fields are counts of one kind.
  auto* to = reinterpret_cast<std::uint64_t*>(this);
  const auto* from = reinterpret_cast<const std::uint64_t*>(&o);
  for (std::size_t i = 0; i < sizeof(simulation_counts) / sizeof(std::uint64_t); ++i) to[i] += from[i];
  return *this;
}

simulation_result simulate(const simulation_options& o) { return world(o).run(); }

simulation_result shortest_failing(const simulation_options& o, const simulation_result& r) {
  auto closer = o;
  closer.steps = r.at_turn;
  closer.compare_every = 1;
  auto found = simulate(closer);
  // Comparing changes nothing in a world, so the run fails again, and never later than before.
  return found.violation.empty() ? r : found;
}

}  // namespace holdfast::simulation
