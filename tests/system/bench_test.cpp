// holdfast bench against the real server: every operation is answered as the workload says, and the books agree.
#include <doctest/doctest.h>

#include <sstream>

#include <nlohmann/json.hpp>

#include "apps/holdfast/program.hpp"
#include "tests/system/server.hpp"

namespace holdfast::system_test {
namespace {

nlohmann::json bench(const server& s, std::vector<std::string> words) {
  const auto to = client::to_text(s.shop().to), admin = s.admin().to.path;
  words.insert(words.begin(), {"holdfast", "--server", to, "--admin", admin, "--json", "bench"});
  std::vector<const char*> argv;
  for (const auto& w : words) argv.push_back(w.c_str());
  std::ostringstream out, err;
  cli::surroundings around{out, err, {}, false};
  const int code = cli::run(static_cast<int>(argv.size()), argv.data(), around);
  REQUIRE_MESSAGE(code == 0, err.str());
  return nlohmann::json::parse(out.str());
}

std::uint64_t count_of(const nlohmann::json& j, const std::string& operation) {
  for (const auto& row : j["latency"])
    if (row["operation"] == operation) return row["count"];
  return 0;
}

}  // namespace

TEST_CASE("a bench sells what it says, in closed and open loops") {
  const scratch_folder folder;
  server s({.program = HOLDFAST_SERVER, .data = folder.path() / "data", .folder = folder.path(), .sync = true, .more = {}});
  REQUIRE(s.ready());

  // Two threads sell 2 x 500 seats, each held and confirmed once.
  auto j = bench(s, {"--workload", "f3", "--seats", "500", "--sessions", "2", "--connections", "7", "--depth", "5", "--threads", "2",
                     "--duration", "60s"});
  CHECK(count_of(j, "hold, won") == 1'000);
  CHECK(count_of(j, "confirm") == 1'000);
  CHECK(j["operations"] == 2'000);
  CHECK(j["refusals"].empty());
  CHECK(j["refunds_due"] == 0);
  CHECK(j["server_pid"] == s.pid());

  // One whole sale: ten holds to each seat, and in the end no seat is held.
  j = bench(s, {"--workload", "f1", "--seats", "200", "--sessions", "1", "--connections", "5", "--depth", "4", "--users", "100000"});
  CHECK(count_of(j, "hold, won") + count_of(j, "hold, refused") == 2'000);
  CHECK(count_of(j, "confirm") + count_of(j, "release") == count_of(j, "hold, won"));

  j = bench(s, {"--workload", "f2", "--seats", "300", "--connections", "4", "--depth", "8", "--ops", "1000"});
  CHECK(j["operations"] == 1'000);
  CHECK(count_of(j, "hold, refused") == 1'000);
  CHECK(j["refusals"][0]["refusal"] == "sold_out");

  // Holds that were taken beforehand keep their seats: what is measured has the rest.
  j = bench(s, {"--workload", "hold", "--seats", "1000", "--sessions", "1", "--prefill", "640", "--connections", "4", "--depth", "8"});
  CHECK(count_of(j, "hold, won") == 360);
  CHECK(j["refusals"].empty());

  // An open loop asks for as much as its rate says, whatever the answers do; a depth beyond the server's is cut, and said.
  j = bench(s, {"--workload", "mix", "--rate", "1000", "--duration", "500ms", "--connections", "3", "--depth", "5000"});
  CHECK(j["operations"].get<int>() + j["never_sent"].get<int>() >= 500);
  CHECK(j["operations"] <= 650);  // what follows the last holds goes out behind the schedule
  CHECK(j["in_flight_a_connection_at_most"] == 1'024);
  CHECK(j.contains("note"));
  CHECK(s.terminate() == 0);
}

}  // namespace holdfast::system_test
