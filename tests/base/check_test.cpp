#include "base/check.hpp"

#include <doctest/doctest.h>

#include "tests/support/dies.hpp"

using holdfast::tests::dies;

TEST_CASE("a check that holds does nothing and evaluates its condition once") {
  int asked = 0;
  HOLDFAST_CHECK(++asked == 1, "asked once");
  CHECK(asked == 1);
}

TEST_CASE("a broken check aborts and says what, why and where") {
  const auto said = dies([] {
    const int seats = 2;
    HOLDFAST_CHECK(seats == 3, "every seat is counted");
  });
  REQUIRE(said.has_value());
  CHECK(said->find("check_test.cpp:") != std::string::npos);
  CHECK(said->find("every seat is counted") != std::string::npos);
  CHECK(said->find("seats == 3") != std::string::npos);
}

TEST_CASE("only an abort counts as dying") {
  CHECK_FALSE(dies([] {}).has_value());
  CHECK_FALSE(dies([] { std::_Exit(1); }).has_value());
}
