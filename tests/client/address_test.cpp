#include <doctest/doctest.h>

#include "base/bytes.hpp"
#include "client/address.hpp"
#include "client/ids.hpp"
#include "client/options.hpp"

using namespace holdfast;
using namespace holdfast::client;

TEST_CASE("addresses read as people write them") {
  CHECK(*parse_address("127.0.0.1:7411") == address{"127.0.0.1", 7411, {}});
  CHECK(*parse_address("hall.example:1") == address{"hall.example", 1, {}});
  CHECK(*parse_address("[::1]:65535") == address{"::1", 65535, {}});
  CHECK(*parse_address(":80") == address{"127.0.0.1", 80, {}});
  CHECK(to_text(*parse_address("[::1]:80")) == "[::1]:80");
  CHECK(to_text(*parse_address("a:80")) == "a:80");
  CHECK(to_text(unix_socket("/run/x")) == "/run/x");
}

TEST_CASE("what is no address is an error that names it") {
  for (const auto* text : {"", "host", "host:", "host:0", "host:65536", "host:1x", "host:-1", "::1:80", "[::1:80"}) {
    const auto a = parse_address(text);
    REQUIRE_MESSAGE(!a, text);
    CHECK(a.failure().kind == base::trouble::bad_input);
    CHECK(a.failure().text.find("'" + std::string(text) + "'") != std::string::npos);
  }
  CHECK(resolve(unix_socket(std::string(200, 'x'))).failure().kind == base::trouble::bad_input);
  CHECK(resolve(*parse_address("127.0.0.1:80"))->size() == 1);
}

TEST_CASE("ids come back from their 32 digits") {
  const auto id = random_id();
  CHECK(parse_id(base::to_hex(id)) == id);
  CHECK(random_id() != id);
  CHECK(parse_id("000000000000000000000000000000ff") == base::id128{0, 0xff00000000000000ULL});
  CHECK(parse_id("ABCDEF00000000000000000000000000") == parse_id("abcdef00000000000000000000000000"));
  CHECK(!parse_id(""));
  CHECK(!parse_id("000000000000000000000000000000f"));
  CHECK(!parse_id("000000000000000000000000000000fff"));
  CHECK(!parse_id("000000000000000000000000000000fg"));
}

TEST_CASE("waits between attempts double up to their longest and differ by chance") {
  base::random chance(1);
  const backoff b{std::chrono::milliseconds(50), std::chrono::milliseconds(2'000)};
  for (unsigned attempt = 0; attempt < 70; ++attempt) {
    const auto whole = std::min<std::int64_t>(2'000, attempt < 16 ? 50LL << attempt : 2'000);
    const auto w = b.before(attempt, chance).count();
    CHECK(w >= whole / 2);
    CHECK(w <= whole);
  }
}

TEST_CASE("a client's picture of the server's clock moves on by its own") {
  using namespace std::chrono_literals;
  server_clock c;
  const auto t = server_clock::steady::now();
  c.set(core::log_time{1'000'000}, t);
  CHECK(c.at(t) == core::log_time{1'000'000});
  CHECK(c.at(t + 1500ms) == core::log_time{2'500'000});
  CHECK(c.at(t - 1s) == core::log_time{1'000'000});
}
