#include <doctest/doctest.h>

#include <sstream>

#include <nlohmann/json.hpp>

#include "apps/holdfast/program.hpp"
#include "tests/client/small_server.hpp"

using namespace holdfast;

namespace {

struct said {
  int code = 0;
  std::string out, err;
};

said run(std::vector<std::string> words) {
  std::ostringstream out, err;
  cli::surroundings around{out, err, {}, false};
  words.insert(words.begin(), "holdfast");
  std::vector<const char*> argv;
  for (const auto& w : words) argv.push_back(w.c_str());
  const int code = cli::run(static_cast<int>(argv.size()), argv.data(), around);
  return {code, out.str(), err.str()};
}

const std::string some_id(32, '7');

}  // namespace

TEST_CASE("a wrong command line is told apart from everything else") {
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {}, {"fly"}, {"hold"}, {"plan"}, {"session", "create", "x"}, {"find"}, {"find", "--owner", some_id, "--basket", some_id},
           {"sale", "x", "--connections", "0"}, {"sale", "x", "--pipeline", "4", "--history", "file"}, {"check"}, {"bench", "--workload", "f4"}, {"bench", "--p999-max", "5ms"}, {"hold", "x", "12", "--frobnicate"}, {"--channel", "16", "stats"}, {"confirm", "x", "--owner", some_id}}) {
    const auto s = run(words);
    CHECK(s.code == cli::exits::usage);
    CHECK(s.out.empty());
    CHECK(!s.err.empty());
  }
}

TEST_CASE("help names every subcommand and every exit code") {
  const auto s = run({"--help"});
  CHECK(s.code == 0);
  for (const auto* word : {"plan", "session", "hold", "change", "extend", "pay", "payment-failed", "confirm", "release", "cancel", "settle", "block", "unblock",
                           "allocate", "shift", "seats", "order", "fate", "mine", "actors", "stats", "find", "audit", "sale", "check", "simulate", "bench", "--json", "--server", "--admin"})
    CHECK_MESSAGE(s.out.find(word) != std::string::npos, word);
  for (const auto* code : {"   0  ", "   1  ", "   2  ", "  65  ", "  69  ", "  74  ", "  75  ", "  78  "})
    CHECK_MESSAGE(s.out.find(code) != std::string::npos, code);
}

TEST_CASE("what does not read is one line with the remedy, and asks nobody") {
  auto s = run({"hold", "gala", "12", "--owner", "me"});
  CHECK(s.code == cli::exits::bad_data);
  CHECK(s.err == "holdfast: 'me' is no id of an owner: write its 32 hexadecimal digits\n");
  s = run({"hold", "gala", "twelve"});
  CHECK(s.code == cli::exits::bad_data);
  CHECK(s.err == "holdfast: 'twelve' is no place: write a seat as 12, 10-13 or Zone/Row/Number, standing room as Area=COUNT\n");
  s = run({"hold", "gala", "12", "--for", "soon", "--json"});
  CHECK(s.code == cli::exits::bad_data);
  CHECK(nlohmann::json::parse(s.out)["error"] == "'soon' is no interval: write 90s, 15m, 2h or 500ms");
  s = run({"bench", "--workload", "f1", "--warmup", "1s"});
  CHECK(s.code == cli::exits::bad_data);
  s = run({"stats", "--server", "here"});
  CHECK(s.code == cli::exits::config);
  s = run({"plan", "check", "no-such-file.csv"});
  CHECK(s.code == cli::exits::bad_data);
  CHECK(s.err.find("no-such-file.csv") != std::string::npos);
  s = run({"session", "create", "x", "--hall", "10", "--policy", "no-such-policy.toml"});
  CHECK(s.code == cli::exits::bad_data);
  CHECK(s.err.find("no-such-policy.toml") != std::string::npos);
  s = run({"check", "no-such-history"});
  CHECK(s.code == cli::exits::io);
  CHECK(s.err.find("no-such-history") != std::string::npos);
  s = run({"audit", "verify", "no-such-directory"});
  CHECK(s.code != 0);
  CHECK(s.err.find("no-such-directory") != std::string::npos);
}

TEST_CASE("no server is another matter than a wrong question") {
  std::string nobody;
  {
    const tests::small_server gone;
    nobody = client::to_text(gone.where());
  }
  const auto s = run({"--server", nobody, "session", "show", "gala"});
  CHECK(s.code == cli::exits::unavailable);
  CHECK(s.err.find(nobody) != std::string::npos);
  CHECK(run({"--admin", "no-such.sock", "stats"}).code == cli::exits::unavailable);
}

TEST_CASE("a plan is read as a session would be made of it") {
  const auto s = run({"plan", "check", HOLDFAST_SOURCE_DIR "/configs/plans/demo.csv", "--json"});
  REQUIRE(s.code == 0);
  const auto j = nlohmann::json::parse(s.out);
  CHECK(j["format"] == "csv");
  CHECK(j["seats"] == 120);
  CHECK(j["standing_places"] == 60);
  CHECK(j["zones"][0]["zone"] == "Stalls");
  const auto text = run({"plan", "check", HOLDFAST_SOURCE_DIR "/configs/plans/stadium.pretix.json"}).out;
  CHECK(text.find("seats            738\n") != std::string::npos);
}

TEST_CASE("a hold from the command line to the answer") {
  const tests::small_server server;
  const auto at = client::to_text(server.where());
  auto s = run({"--server", at, "hold", "gala", "12", "--seat", "3", "--seats", "20-22", "--for", "5m", "--id", some_id, "--json"});
  REQUIRE(s.code == 0);
  auto j = nlohmann::json::parse(s.out);
  CHECK(j["session"] == "gala");
  CHECK(j["hold"] == some_id);
  CHECK(j["owner"].get<std::string>().size() == 32);
  CHECK(j["outcome"] == "accepted");
  CHECK(j["state"] == "held");
  CHECK(j["record"] == 1);
  s = run({"--server", at, "confirm", "gala", "--owner", some_id, "--hold", some_id, "--payment", "p1", "--amount", "4200"});
  CHECK(s.code == 0);
  s = run({"session", "show", "#7", "--server", at});
  CHECK(s.code == 0);
  CHECK(s.out.find("session                 gala\n") != std::string::npos);
  const auto heard = server.all();
  CHECK(heard.back().kind == protocol::kinds::look_base);
}

TEST_CASE("a session that is not there") {
  const tests::small_server server;
  const auto s = run({"--server", client::to_text(server.where()), "hold", "opera", "12"});
  CHECK(s.code == cli::exits::bad_data);
  CHECK(s.err == "holdfast: there is no session 'opera': `holdfast session list` shows all\n");
}

TEST_CASE("a simulation is the same each time, and a disk that lies is found out") {
  const auto once = run({"--json", "simulate", "--seed", "11", "--steps", "80"});
  const auto twice = run({"--json", "simulate", "--seed", "11", "--steps", "80"});
  CHECK(once.code == cli::exits::ok);
  CHECK(nlohmann::json::parse(once.out)["digest"] == nlohmann::json::parse(twice.out)["digest"]);
  const auto many = run({"simulate", "--from-seed", "1", "--to-seed", "3", "--steps", "60"});
  CHECK(many.code == cli::exits::ok);
  CHECK(many.out.find("every invariant held") != std::string::npos);
  const auto liar = run({"simulate", "--from-seed", "1", "--to-seed", "100", "--lying-disk"});
  CHECK(liar.code == cli::exits::refused);
  CHECK(liar.out.find("shortest failing prefix") != std::string::npos);
  CHECK(run({"simulate", "--from-seed", "1"}).code == cli::exits::usage);
}
