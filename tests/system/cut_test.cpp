// Between the real server and its clients stands a proxy that cuts, chops, delays and stops. Whatever it does: who asks again with the same
// id is told the one truth, nothing is lost or done twice, and the journal says the same.
#include <doctest/doctest.h>

#include <cstdlib>
#include <map>
#include <mutex>
#include <optional>

#include "persistence/audit.hpp"
#include "plans/generate.hpp"
#include "tests/support/fault_proxy.hpp"
#include "tests/support/instrumented.hpp"
#include "tests/system/box_office.hpp"
#include "tests/system/program_call.hpp"

namespace holdfast::system_test {
namespace {

using tests::connection_faults;
using tests::fault_proxy;

/// What happens to the next connection alone.
class next_only {
 public:
  void set(const connection_faults& f) {
    const std::scoped_lock lock(mutex_);
    next_ = f;
  }
  fault_proxy::plan plan() {
    return [this](std::uint64_t, base::random&) {
      const std::scoped_lock lock(mutex_);
      return std::exchange(next_, {}).value_or(connection_faults{});
    };
  }

 private:
  std::mutex mutex_;
  std::optional<connection_faults> next_;
};

/// Every byte in turn takes a minute: of so many bytes one is cut, with HOLDFAST_EVERY_BYTE set each.
std::uint64_t stride() {
  if (std::getenv("HOLDFAST_EVERY_BYTE") != nullptr) return 1;
  return instrumented ? 17 : 5;
}

/// Does `story` with a cut after so many bytes, and `stride` more each time, until one is so late that it does not happen any more. Returns how many cuts.
template <class Story>
std::uint64_t cut_everywhere(fault_proxy& proxy, next_only& next, base::random& chance, Story story) {
  const auto begun = proxy.seen().cuts;
  for (const auto by : {connection_faults::ending::reset, connection_faults::ending::end_of_stream})
    for (const bool to_server : {true, false})
      for (std::uint64_t at = chance.below(stride());; at += stride()) {
        CAPTURE(to_server);
        CAPTURE(at);
        const auto before = proxy.seen().cuts;
        connection_faults f;
        f.cut_by = by;
        (to_server ? f.cut_to_server : f.cut_to_client) = at;
        next.set(f);
        story();
        if (proxy.seen().cuts == before) break;
      }
  return proxy.seen().cuts - begun;
}

std::uint64_t seed_of_this_run() {
  const char* given = std::getenv("HOLDFAST_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : client::random_seed();
}

const persistence::session_audit& only(const persistence::audit_report& r) {
  REQUIRE_MESSAGE(r.clean(), (r.wrong ? r.wrong->what : std::string()));
  REQUIRE(r.sessions.size() == 1);
  return r.sessions[0];
}

}  // namespace

TEST_CASE("a connection cut at any byte of request or answer: asked again, the server has done it once") {
  const scratch_folder folder;
  const auto data = folder.path() / "data";
  // Nobody cuts the power here, and twenty thousand syncs one after the other would take minutes.
  server s({HOLDFAST_SERVER, data, folder.path(), false, {}});
  REQUIRE_MESSAGE(s.ready(), s.said());
  const auto session = open_session(s, "cut", plans::generate_hall({.seats = 20'000}));
  const auto seed = seed_of_this_run();
  MESSAGE("HOLDFAST_SEED=" << seed);
  base::random chance(seed);
  std::uint32_t seat = 1, repeated = 0, holds = 0;
  std::uint64_t cuts = 0;
  {
    next_only next;
    fault_proxy proxy(s.shop_port(), 1, next.plan());
    const auto over = by_way_of(s.shop(), proxy.port());
    cuts = cut_everywhere(proxy, next, chance, [&] {
      auto link = connected(over);
      const auto came = buy_and_return(link, session, seat++, 0);
      CHECK_MESSAGE(came.wrong.empty(), came.wrong);
      repeated += came.repeated;
    });
  }
  const auto orders = seat - 1;
  {
    next_only next;
    fault_proxy proxy(s.buyer_port(), 1, next.plan());
    const core::owner_id me{client::random_id()};
    const auto over = by_way_of(s.buyer(me, {{core::key_kind::account, me.value}}), proxy.port());
    cuts += cut_everywhere(proxy, next, chance, [&] {
      auto link = connected(over);
      const core::line line{core::place_kind::seat, 0, 1, 1};
      const core::hold_id id{client::random_id()};
      const auto held = link.hold_seats(session, link.envelope(id), {{}, {}, {&line, 1}, 60'000, 1, {}});
      const auto given = link.release_hold(session, link.envelope(core::command_id{client::random_id()}), {{}, id, {}, false});
      REQUIRE((held.ok() && given.ok()));
      CHECK(held->said.refused == core::refusal::none);
      CHECK(given->said.refused == core::refusal::none);
      repeated += held->said.repeated + given->said.repeated;
      ++holds;
    });
  }
  MESSAGE(cuts << " cuts, " << repeated << " answers said again");
  CHECK(cuts * stride() > 2'000);  // a story is several hundred bytes each way, cut in two manners
  CHECK(repeated * stride() > 500);
  CHECK(s.terminate() == 0);
  const auto audit = persistence::audit_directory({data}, {});
  REQUIRE(audit.ok());
  const auto& told = only(*audit);
  CHECK(told.orders_confirmed == orders);
  CHECK(told.places.sold == orders);
  CHECK(told.places.held + told.places.paying == 0);
  CHECK(told.holds_placed == 2 * orders + holds);
  CHECK(told.holds_released == orders + holds);
  CHECK(told.refunds_due == 0);
}

TEST_CASE("sales over connections that are chopped, delayed, stopped and cut are correct sales") {
  const auto seed = seed_of_this_run();
  MESSAGE("HOLDFAST_SEED=" << seed);
  using pieces = connection_faults::pieces;
  struct way {
    const char* name;
    fault_proxy::plan plan;
    std::chrono::microseconds swizzle{0};
  };
  const auto chopped = [](pieces p) {
    return [p](std::uint64_t, base::random&) {
      connection_faults f;
      f.cut_into = p;
      return f;
    };
  };
  const way ways[] = {
      {"bytes", chopped(pieces::single_bytes)},
      {"pieces", chopped(pieces::random)},
      {"gathered", chopped(pieces::gathered)},
      {"late",
       [](std::uint64_t, base::random& chance) {
         connection_faults f;
         f.delay_max = std::chrono::microseconds(chance.below(8'000));
         return f;
       }},
      {"swizzled", {}, std::chrono::microseconds(500)},
      {"everything",
       [](std::uint64_t, base::random& chance) {
         connection_faults f;
         if (chance.chance(40)) f.cut_to_server = chance.below(3'000);
         else if (chance.chance(60)) f.cut_to_client = chance.below(3'000);
         f.cut_by = chance.chance(50) ? connection_faults::ending::reset : connection_faults::ending::end_of_stream;
         f.cut_into = chance.chance(50) ? pieces::random : chance.chance(50) ? pieces::gathered : pieces::as_they_come;
         f.delay_max = std::chrono::microseconds(chance.below(2'000));
         return f;
       },
       std::chrono::microseconds(1'000)},
  };
  const scratch_folder folder;
  const auto data = folder.path() / "data";
  server s({HOLDFAST_SERVER, data, folder.path(), true, {}});
  REQUIRE_MESSAGE(s.ready(), s.said());
  for (const auto& w : ways) {
    CAPTURE(std::string(w.name));
    open_session(s, w.name, plans::generate_hall({.seats = 2'000}));
    const auto history = (folder.path() / w.name).string();
    fault_proxy proxy(s.shop_port(), seed, w.plan ? w.plan : [](std::uint64_t, base::random&) { return connection_faults{}; });
    proxy.swizzle(w.swizzle);
    const auto sale = call({"--server", "127.0.0.1:" + std::to_string(proxy.port()), "--attempts", "100", "sale", w.name, "--connections", "16",
                            "--money-connections", "4", "--at-once", "4", "--buyers", "1500", "--ask-again", "10", "--walk-away", "20", "--give-back", "20",
                            "--walk-away-after", "200ms", "--accounts", "300", "--seed", std::to_string(seed), "--history", history});
    CHECK_MESSAGE(sale.code == 0, sale.is.dump(2));
    const auto seen = proxy.seen();
    CHECK(seen.connections >= 20);
    if (std::string_view(w.name) == "everything") CHECK(seen.cuts > 10);
    if (w.swizzle.count() != 0) CHECK(seen.stopped > 20);
    const auto checked = call({"check", history, "--limit", "6"});
    CHECK_MESSAGE(checked.code == 0, checked.is.dump(2));
    CHECK(checked.is["operations"] > 3'000);
    for (const auto& row : checked.is["checks"]) CHECK(row["left_out"] == 0);
  }
  CHECK(s.terminate() == 0);
  const auto audit = call({"audit", "verify", data.string()});
  CHECK_MESSAGE(audit.code == 0, audit.is.dump(2));
}

}  // namespace holdfast::system_test
