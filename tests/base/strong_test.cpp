#include "base/strong.hpp"

#include <concepts>
#include <cstdint>
#include <type_traits>
#include <unordered_set>

#include <doctest/doctest.h>

using namespace holdfast::base;

namespace {

using seat = strong<struct seat_tag, std::uint32_t>;
using row = strong<struct row_tag, std::uint32_t>;

template <class A, class B>
concept comparable = requires(const A& a, const B& b) { a == b; };

// What the type is for is what does not compile.
static_assert(!std::convertible_to<std::uint32_t, seat>);
static_assert(!std::convertible_to<seat, std::uint32_t>);
static_assert(!std::convertible_to<seat, row>);
static_assert(!std::constructible_from<seat, row>);
static_assert(!std::assignable_from<seat&, row>);
static_assert(!comparable<seat, row>);
static_assert(!comparable<seat, std::uint32_t>);
static_assert(comparable<seat, seat>);

static_assert(sizeof(seat) == sizeof(std::uint32_t));
static_assert(std::is_trivially_copyable_v<seat>);
static_assert(std::same_as<seat::rep, std::uint32_t>);
static_assert(seat{} == seat{0});
static_assert(sizeof(id128) == 16);
static_assert(std::is_trivially_copyable_v<id128>);

}  // namespace

TEST_CASE("a strong number compares by its value") {
  CHECK(seat{1} == seat{1});
  CHECK(seat{1} != seat{2});
  CHECK(seat{1} < seat{2});
  CHECK(seat{2} >= seat{2});
  CHECK(seat{7}.value == 7);
}

TEST_CASE("an id is zero only if all of it is") {
  CHECK(id128{}.zero());
  CHECK_FALSE(id128{0, 1}.zero());
  CHECK_FALSE(id128{1, 0}.zero());
}

TEST_CASE("ids compare by the high half first") {
  CHECK(id128{1, 2} == id128{1, 2});
  CHECK(id128{1, 2} != id128{2, 1});
  CHECK(id128{1, 9} < id128{2, 0});
  CHECK(id128{1, 1} < id128{1, 2});
}

TEST_CASE("both can be keys of a hash table") {
  std::unordered_set<seat> seats;
  std::unordered_set<id128> ids;
  for (std::uint32_t i = 0; i < 1'000; ++i) {
    seats.insert(seat{i % 100});
    ids.insert(id128{i % 100, i % 7});
  }
  CHECK(seats.size() == 100);
  CHECK(ids.size() == 700);
  CHECK(seats.contains(seat{99}));
  CHECK_FALSE(seats.contains(seat{100}));
}
