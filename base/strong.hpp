// A number or id with a name of its own, so that the compiler keeps a seat from being passed as a hold.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <type_traits>

namespace holdfast::base {

/// Wraps `Rep`; construction is explicit, comparison is by value, `Tag` makes the type distinct.
template <class Tag, class Rep>
struct strong {
  using rep = Rep;
  Rep value{};

  constexpr strong() = default;
  constexpr explicit strong(Rep v) : value(v) {}

  friend constexpr auto operator<=>(const strong&, const strong&) = default;
};

/// 128 opaque bits. `hi` holds the first eight bytes of the wire form, read as little-endian, `lo` the rest.
/// All zero means "none" wherever an id is optional; a zero id in a required place is malformed.
struct id128 {
  std::uint64_t hi = 0;
  std::uint64_t lo = 0;

  [[nodiscard]] constexpr bool zero() const { return hi == 0 && lo == 0; }
  friend constexpr auto operator<=>(const id128&, const id128&) = default;
};

}  // namespace holdfast::base

template <class Tag, class Rep>
struct std::hash<holdfast::base::strong<Tag, Rep>> {
  std::size_t operator()(const holdfast::base::strong<Tag, Rep>& s) const noexcept { return std::hash<Rep>{}(s.value); }
};
template <>
struct std::hash<holdfast::base::id128> {
  std::size_t operator()(const holdfast::base::id128& i) const noexcept {
    return static_cast<std::size_t>((i.hi ^ (i.lo * 0x9e3779b97f4a7c15ULL)) * 0xff51afd7ed558ccdULL);
  }
};
