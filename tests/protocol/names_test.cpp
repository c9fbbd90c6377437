#include <set>

#include <doctest/doctest.h>

#include "core/answer.hpp"
#include "protocol/error.hpp"
#include "protocol/kinds.hpp"

using namespace holdfast;

TEST_CASE("every kind has a family and a name of its own, and nothing else has") {
  std::set<std::string_view> names;
  for (std::uint32_t k = 0; k < protocol::direction_bit; ++k) {
    const auto kind = static_cast<std::uint16_t>(k);
    const auto name = protocol::name_of_kind(kind);
    const bool known = protocol::family_of(kind) != protocol::family::unknown || kind == protocol::kinds::problem;
    REQUIRE((name != "unknown") == known);
    if (known) REQUIRE(names.insert(name).second);
    REQUIRE(protocol::name_of_kind(static_cast<std::uint16_t>(kind | protocol::direction_bit)) == name);
  }
  CHECK(names.size() == 4 + (core::command_tags - 1) + std::variant_size_v<core::look> + 1 + 5);
}

TEST_CASE("money is five commands") {
  std::set<std::string_view> money;
  for (std::uint32_t k = 0; k < protocol::direction_bit; ++k)
    if (protocol::is_money(static_cast<std::uint16_t>(k)))
      money.insert(protocol::name_of_kind(static_cast<std::uint16_t>(k)));
  CHECK(money ==
        std::set<std::string_view>{"begin_payment", "payment_failed", "confirm_hold", "cancel_order", "settle_refund"});
}

TEST_CASE("long answers are known by their kind") {
  std::set<std::string_view> paged;
  for (std::uint32_t k = 0; k < protocol::direction_bit; ++k)
    if (protocol::is_paged(static_cast<std::uint16_t>(k)) &&
        protocol::family_of(static_cast<std::uint16_t>(k)) != protocol::family::unknown)
      paged.insert(protocol::name_of_kind(static_cast<std::uint16_t>(k)));
  CHECK(paged == std::set<std::string_view>{"look_owner", "look_plan", "look_seats", "look_changes", "look_holds",
                                            "list_sessions", "actors", "actor_inside", "stats", "find"});
}

TEST_CASE("numbers outside the enums are unknown, not undefined") {
  CHECK(core::name_of(static_cast<core::refusal>(9999)) == "unknown");
  CHECK(core::name_of(static_cast<core::hold_state>(200)) == "unknown");
  CHECK(core::name_of(static_cast<core::sale_state>(200)) == "unknown");
  CHECK(core::name_of(static_cast<core::seat_state>(200)) == "unknown");
  CHECK(core::name_of(static_cast<core::refund_reason>(200)) == "unknown");
  CHECK(protocol::name_of(static_cast<protocol::protocol_error>(9999)) == "unknown");
  CHECK(protocol::explain(static_cast<protocol::protocol_error>(9999)) == "unknown");
  CHECK(protocol::name_of(static_cast<protocol::goodbye_code>(9999)) == "unknown");
}

TEST_CASE("every protocol error can be explained in one line") {
  for (std::uint16_t n = 1; n < 100; ++n) {
    const auto e = static_cast<protocol::protocol_error>(n);
    if (protocol::name_of(e) == "unknown") continue;
    CHECK(protocol::explain(e) != "unknown");
    CHECK(protocol::explain(e).size() < 120);
  }
}
