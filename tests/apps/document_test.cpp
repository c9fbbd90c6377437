#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "apps/holdfast/document.hpp"
#include "apps/holdfast/progress_bar.hpp"
#include "apps/holdfast/shown.hpp"

using namespace holdfast;
using namespace holdfast::cli;

namespace {

document sample() {
  document d;
  d.add("session", words("gala"));
  d.add("next deadline", deadline(core::log_time{1'780'342'200'123'000}, core::log_time{1'780'342'140'123'000}));
  d.add("faulted", yes_no(true, tone::bad));
  d.add("refund", none());
  grid g{"all seats", {"zone", "seats", "share"}, {}};
  g.rows.push_back({words("Süd"), number(1'234'567), share(0.5)});
  g.rows.push_back({words("Parterre"), number(8), share(1)});
  d.grids.push_back(g);
  d.grids.push_back({"warnings", {"warning"}, {}});
  return d;
}

}  // namespace

TEST_CASE("a document in a pipe is plain columns") {
  CHECK(to_text(sample(), {}) ==
        "session        gala\n"
        "next deadline  2026-06-01T19:30:00.123Z (in 1 min 0 s)\n"
        "faulted        yes\n"
        "refund         -\n"
        "\n"
        "all seats\n"
        "zone          seats    share\n"
        "Süd       1,234,567   50.0 %\n"
        "Parterre          8  100.0 %\n"
        "\n"
        "warnings: none\n");
}

TEST_CASE("a document on a terminal has rules, and colour if that is wanted") {
  document d;
  d.grids.push_back({"", {"a", "b"}, {{words("x", tone::good), words("y")}}});
  CHECK(to_text(d, {true, false, 80}) == "a  b\n────\nx  y\n");
  CHECK(to_text(d, {true, true, 80}) == "\x1b[2ma\x1b[0m  \x1b[2mb\x1b[0m\n\x1b[2m────\x1b[0m\n\x1b[32mx\x1b[0m  y\n");
}

TEST_CASE("a document for programs is JSON, with numbers as numbers") {
  const auto j = to_json(sample());
  CHECK(j.dump() ==
        R"({"session":"gala","next_deadline":1780342200123000,"faulted":true,"refund":null,)"
        R"("all_seats":[{"zone":"Süd","seats":1234567,"share":0.5},{"zone":"Parterre","seats":8,"share":1.0}],"warnings":[]})");
}

TEST_CASE("intervals and numbers as people say them") {
  CHECK(interval_text(0) == "0 us");
  CHECK(interval_text(999) == "999 us");
  CHECK(interval_text(1'500) == "1.5 ms");
  CHECK(interval_text(2'500'000) == "2.5 s");
  CHECK(interval_text(200'000'000) == "3 min 20 s");
  CHECK(interval_text(7'500'000'000) == "2 h 5 min");
  CHECK(grouped(0) == "0");
  CHECK(grouped(999) == "999");
  CHECK(grouped(1'000) == "1,000");
  CHECK(number(std::int64_t{-1'234}).text == "-1,234");
  CHECK(utc_text(0) == "1970-01-01T00:00:00.000Z");
  CHECK(moment_of_seconds(1'780'342'200).text == "2026-06-01T19:30:00Z");
  CHECK(bar_text(0.5, "half", 10) == "[#####.....]  50 %  half");
  CHECK(bar_text(7, "", 4) == "[####] 100 %  ");
}

TEST_CASE("the funnel's counters are added up for the reader") {
  protocol::stats_seen s;
  s.values = {{"funnel.received", false, 10}, {"funnel.gone", false, 4}, {"funnel.passed", false, 6}, {"funnel.retries", false, 1}, {"journal.bytes", false, 4'096}};
  s.latencies = {{"gateway.request", 6, 900, 1'500, 2'000, 3'000, 4'000}};
  const auto text = to_text(shown(s), {});
  CHECK(text ==
        "requests received   10\n"
        "counted at a stage  10\n"
        "adds up             yes\n"
        "of them retries     1\n"
        "\n"
        "funnel\n"
        "stage   requests   share\n"
        "gone           4  40.0 %\n"
        "passed         6  60.0 %\n"
        "\n"
        "latency\n"
        "what             count     p50     p90   p99  p99.9   max\n"
        "gateway.request      6  900 us  1.5 ms  2 ms   3 ms  4 ms\n"
        "\n"
        "counters\n"
        "name           value  kind\n"
        "journal.bytes  4,096  since the start\n");
  s.values[1].value = 3;
  CHECK(to_text(shown(s), {}).find("adds up             no\n") != std::string::npos);
}

TEST_CASE("the inside of an actor") {
  protocol::actor_inside_seen a;
  a.row = {3, "session", "gala", 2, 1'000, 50, 125'000, 1'500'000};
  a.facts = {{"name", "gala"}, {"live holds", "12"}};
  a.tables = {{"places", {"free", "held"}, {{"100", "12"}}}};
  CHECK(to_text(shown(a), {}) ==
        "id              3\n"
        "kind            session\n"
        "name            gala\n"
        "waiting         2\n"
        "handled         1,000\n"
        "a second        50\n"
        "busy            12.5 %\n"
        "oldest waiting  1.5 s\n"
        "live holds      12\n"
        "\n"
        "places\n"
        "free  held\n"
        " 100    12\n");
}
