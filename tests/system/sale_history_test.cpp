// holdfast sale --history over a server that is killed in the middle, judged by holdfast check; and the control run: a server that
// was put back to an earlier state, and has forgotten what it said since, must be found out.
#include <doctest/doctest.h>

#include <optional>
#include <thread>

#include "plans/generate.hpp"
#include "tests/support/instrumented.hpp"
#include "tests/system/program_call.hpp"
#include "tests/system/server.hpp"

namespace holdfast::system_test {
namespace {

/// Asks until the sale has come so far: a kill is to meet it at work, on fast machines and slow ones.
void wait_for_records(server& s, std::uint64_t enough) {
  const auto to = client::to_text(s.shop().to);
  const auto last = [&]() -> std::uint64_t {
    const auto shown = call({"--server", to, "session", "show", "night"});
    return shown.code == 0 ? shown.is["last_record"].get<std::uint64_t>() : 0;
  };
  while (last() < enough) {
  }
}

/// A sale whose server is killed twice and comes back; what its clients saw lies in `history`.
called sell_over_two_kills(const scratch_folder& folder, const std::string& history, bool forget) {
  const auto data = folder.path() / "data", earlier = folder.path() / "earlier";
  server_options how{.program = HOLDFAST_SERVER, .data = data, .folder = folder.path(), .sync = true, .more = {}, .shop_port = free_port()};
  std::optional<server> s(how);
  REQUIRE(s->ready());
  open_session(*s, "night", plans::generate_hall({.seats = instrumented ? 12'000 : 30'000}));
  called sale;
  {
    const std::jthread selling([&, to = client::to_text(s->shop().to)] {
      sale = call({"--server", to, "sale", "night", "--connections", "20", "--ask-again", "5", "--walk-away", "20", "--give-back", "20",
                   "--accounts", "20000", "--give-up-after", "2s", "--history", history});
    });
    for (int kill = 0; kill < 2; ++kill) {
      wait_for_records(*s, 4'000 * (kill + 1));
      s->kill9();
      if (forget && kill == 0) std::filesystem::copy(data, earlier, std::filesystem::copy_options::recursive);
      if (forget && kill == 1) {
        std::filesystem::remove_all(data);
        std::filesystem::rename(earlier, data);
      }
      s.emplace(how);
      REQUIRE(s->ready());
    }
  }
  CHECK(sale.is["connections_lost"] > 0);
  CHECK(sale.is["asked_again"] > 0);
  return sale;
}

}  // namespace

TEST_CASE("what clients saw over two kills is one correct sale") {
  const scratch_folder folder;
  const auto history = (folder.path() / "history").string();
  const auto sale = sell_over_two_kills(folder, history, false);
  CHECK(sale.code == 0);
  const auto checked = call({"check", history, "--limit", "6"});
  CHECK_MESSAGE(checked.code == 0, checked.is.dump(2));
  CHECK(checked.is["violations_found"] == 0);
  CHECK(checked.is["operations"] > 1'000);
  for (const auto& row : checked.is["checks"]) CHECK(row["left_out"] == 0);
  // Nobody may be taken to have had twice what he had once.
  CHECK(call({"check", history, "--limit", "1"}).code == 1);
}

TEST_CASE("a server that forgot what it said is found out") {
  const scratch_folder folder;
  const auto history = (folder.path() / "history").string();
  sell_over_two_kills(folder, history, true);
  const auto checked = call({"check", history});
  CHECK(checked.code == 1);
  CHECK(checked.is["history"] == "violation");
  CHECK(!checked.is["violations"].empty());
  for (const auto& row : checked.is["checks"])
    if (row["check"] != "each hold") CHECK(row["violations"] > 0);
}

}  // namespace holdfast::system_test
