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
  unsigned again_percent = 0;     ///< of acceptances are asked for once more
  unsigned resent_percent = 0;    ///< are answered over a second connection; what the first one carried comes later
  std::uint64_t accounts = 0;     ///< so many share a limit; 0: everybody has his own
  std::uint32_t limit = 0;        ///< places an account may have; 0: no rule
  std::uint32_t standing = 0;     ///< places of an area beside the seats
  bool looks_last = true;
};

[[nodiscard]] history::history true_history(const crowd_options& o);

}  // namespace holdfast::tests
