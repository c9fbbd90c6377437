// Histories that are true: many buyers around the real rules in one thread, each answer given at an instant between asking and
// hearing, some never heard.
#pragma once

#include <cstdint>

#include "history/history.hpp"

namespace holdfast::tests {

struct crowd_options {
  std::uint64_t seed = 1;
  std::uint32_t seats = 200;
  std::uint64_t operations = 20'000;
  std::uint32_t at_once = 64;
  unsigned unheard_per_mille = 5;
  bool looks_last = true;
};

[[nodiscard]] history::history true_history(const crowd_options& o);

}  // namespace holdfast::tests
