#include <doctest/doctest.h>

#include <string>

#include "apps/holdfast/policy_file.hpp"

using namespace holdfast;

namespace {

core::plan small_plan() {
  core::plan p;
  p.categories = {{"Stalls", ""}, {"Balcony", ""}};
  p.allocations = {"public", "sponsor"};
  return p;
}

core::policy read(const std::string& text) {
  const auto p = cli::parse_policy(text, "p.toml", small_plan());
  REQUIRE_MESSAGE(p.ok(), p.failure().text);
  return *p;
}

std::string error_of(const std::string& text) {
  const auto p = cli::parse_policy(text, "p.toml", small_plan());
  REQUIRE_FALSE(p.ok());
  CHECK(p.failure().kind == base::trouble::bad_input);
  return p.failure().text;
}

}  // namespace

TEST_CASE("the sample policy is the shipped one") {
  const auto p = cli::read_policy(HOLDFAST_SOURCE_DIR "/configs/policy.toml", small_plan());
  REQUIRE_MESSAGE(p.ok(), p.failure().text);
  CHECK(*p == core::default_policy());
}

TEST_CASE("what is left away has the shipped value") {
  const auto p = read("[[channel]]\nname = 'web'\n");
  core::policy same;
  same.channels.emplace_back().name = "web";
  CHECK(p == same);
}

TEST_CASE("categories and allocations are named as in the plan") {
  const auto p = read(
      "pay_min = '0s'\nid_min = '2m'\n"
      "[[channel]]\nname = 'web'\nhold_max = '90s'\n"
      "[[channel.limit]]\nkey = 'email'\nplaces_max = 4\ncategories = ['Balcony']\n"
      "[[channel.limit]]\nkey = 'card'\nplaces_max = 8\n"
      "[[channel]]\nname = 'sponsor'\nallocations = ['sponsor', 'public']\n");
  CHECK(p.pay_min == 0);
  CHECK(p.id_min == 120'000);
  REQUIRE(p.channels.size() == 2);
  CHECK(p.channels[0].hold_max == 90'000);
  CHECK(p.channels[0].allocations == 1);
  CHECK(p.channels[0].rules == std::vector<core::limit_rule>{{core::key_kind::email, 2, 4}, {core::key_kind::card, ~std::uint64_t{0}, 8}});
  CHECK(p.channels[1].allocations == 3);
}

TEST_CASE("a wrong policy is one line with the key and the remedy") {
  const std::string web = "[[channel]]\nname = 'web'\n";
  CHECK(error_of("") == "p.toml: channel: there is none; write at least [[channel]] and under it name = \"public\"");
  CHECK(error_of("[channel]\nname = 'web'\n") == "p.toml: channel must be a list of tables, each begun with [[channel]]");
  CHECK(error_of("[[channel]]\n") == "p.toml: channel[1].name is missing: write name = \"public\"");
  CHECK(error_of(web + "hold_max = 900\n") == "p.toml: channel[1].hold_max must be an interval in quotes, e.g. hold_max = \"15m\"");
  CHECK(error_of(web + "hold_max = 'soon'\n") == "p.toml: channel[1].hold_max: 'soon' is no interval: write 90s, 15m, 2h or 500ms");
  CHECK(error_of(web + "lines_max = 501\n") == "p.toml: channel[1].lines_max is 501, but must be between 1 and 500");
  CHECK(error_of(web + "allocations = ['house']\n") == "p.toml: channel[1].allocations names \"house\", but the plan's allocations are: public, sponsor");
  CHECK(error_of(web + "limit = 6\n") == "p.toml: channel[1].limit must be a list of tables, each begun with [[channel.limit]]");
  CHECK(error_of(web + "[[channel.limit]]\nkey = 'phone'\n") ==
        "p.toml: channel[1].limit[1].key is \"phone\", but must be account, email, card, device or code");
  CHECK(error_of(web + "[[channel.limit]]\nkey = 'card'\n") == "p.toml: channel[1].limit[1].places_max is missing: write places_max = 6");
  CHECK(error_of(web + "[[channel.limit]]\nkey = 'card'\nplaces_max = 2\ncategories = 'Stalls'\n") ==
        "p.toml: channel[1].limit[1].categories must be a list of names, e.g. [\"Stalls\"], or be left away");
  CHECK(error_of(web + web) == "p.toml: policy channel 'web': name is used twice");
  CHECK(error_of(web + "hold_mx = '1m'\n").starts_with("p.toml: unknown key channel[1].hold_mx (line 3); [channel[1]] has: allocations, "));
  CHECK(error_of("pay_min = ").starts_with("p.toml:1:"));
  const auto gone = cli::read_policy("no-such-policy.toml", small_plan());
  REQUIRE_FALSE(gone.ok());
  CHECK(gone.failure().text == "no-such-policy.toml: cannot be read; configs/policy.toml is an example");
}
