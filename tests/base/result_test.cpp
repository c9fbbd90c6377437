#include "base/result.hpp"

#include <memory>
#include <string>
#include <utility>

#include <doctest/doctest.h>

#include "tests/support/dies.hpp"

using namespace holdfast::base;
using holdfast::tests::dies;

namespace {

result<int> row_number(const std::string& text) {
  if (text.empty()) return error{trouble::bad_input, "row is empty; give a number"};
  return static_cast<int>(text.size());
}

result<void> only(bool good) {
  if (!good) return error{trouble::io, "disk is full"};
  return {};
}

}  // namespace

TEST_CASE("a good result holds its value") {
  auto r = row_number("abc");
  REQUIRE(r.ok());
  CHECK(static_cast<bool>(r));
  CHECK(r.value() == 3);
  *r = 4;
  CHECK(std::as_const(r).value() == 4);
  CHECK(*std::as_const(r) == 4);
}

TEST_CASE("a bad result holds its error") {
  const auto r = row_number("");
  REQUIRE_FALSE(r.ok());
  CHECK_FALSE(static_cast<bool>(r));
  CHECK(r.failure().kind == trouble::bad_input);
  CHECK(r.failure().text == "row is empty; give a number");
}

TEST_CASE("a result of an error's own value type is still told apart") {
  const result<std::string> good{std::string("text")};
  const result<std::string> bad{error{trouble::bad_bytes, "text"}};
  CHECK(good.ok());
  CHECK_FALSE(bad.ok());
  CHECK(good->size() == 4);
}

TEST_CASE("a value moves out of a result") {
  result<std::unique_ptr<int>> r{std::make_unique<int>(7)};
  CHECK(**r == 7);
  const auto taken = std::move(r).value();
  REQUIRE(taken);
  CHECK(*taken == 7);
}

TEST_CASE("a result without a value is success or an error") {
  CHECK(only(true).ok());
  const auto bad = only(false);
  REQUIRE_FALSE(bad.ok());
  CHECK_FALSE(static_cast<bool>(bad));
  CHECK(bad.failure().kind == trouble::io);
  CHECK(bad.failure().text == "disk is full");
}

TEST_CASE("taking the value of a bad result aborts and repeats its error") {
  const auto said = dies([] {
    auto r = row_number("");
    r.value() = 1;
  });
  REQUIRE(said.has_value());
  CHECK(said->find("row is empty; give a number") != std::string::npos);
}

TEST_CASE("asking a good result for its error aborts") {
  CHECK(dies([] { static_cast<void>(row_number("a").failure()); }).has_value());
  CHECK(dies([] { static_cast<void>(only(true).failure()); }).has_value());
}
