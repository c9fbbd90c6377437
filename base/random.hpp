// Seeded random numbers: the same seed gives the same run on every machine, which the
// distributions of the standard library do not promise.
#pragma once

#include <cstdint>

#include "base/strong.hpp"

namespace holdfast::base {

/// splitmix64 (Steele, Lea, Flood 2014): small state, good enough for tests, load and jitter; not for secrets.
class random {
 public:
  explicit random(std::uint64_t seed) : s_(seed) {}

  std::uint64_t next() {
    s_ += 0x9e3779b97f4a7c15ULL;
    std::uint64_t z = s_;
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31U);
  }
  /// Uniform in [0, n); n must not be 0.
  std::uint64_t below(std::uint64_t n) {
    __extension__ using wide = unsigned __int128;
    return static_cast<std::uint64_t>((static_cast<wide>(next()) * n) >> 64U);
  }
  /// Uniform in [lo, hi]; the range must not be all of 64 bits.
  std::uint64_t between(std::uint64_t lo, std::uint64_t hi) { return lo + below(hi - lo + 1); }
  /// True in `percent` of 100 cases.
  bool chance(unsigned percent) { return below(100) < percent; }
  id128 id() {
    const auto hi = next();
    return {hi, next() | 1U};
  }

 private:
  std::uint64_t s_;
};

}  // namespace holdfast::base
