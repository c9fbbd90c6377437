// The list of faulted sessions.
#include <doctest/doctest.h>

#include <fstream>

#include "persistence/data_directory.hpp"
#include "tests/persistence_records/story.hpp"

using namespace holdfast;
using namespace holdfast::tests;

TEST_CASE("faulted sessions are noted once, kept, and forgotten") {
  const temporary_directory t;
  const data_directory d{t.path()};
  CHECK(good(read_faulted(d)).empty());
  good(forget_faulted(d, core::session_id{4}));
  const faulted_session a{core::session_id{4}, core::log_time{noon}}, b{core::session_id{11}, core::log_time{noon + 7}};
  good(note_faulted(d, a));
  good(note_faulted(d, b));
  good(note_faulted(d, {core::session_id{4}, core::log_time{noon + second}}));  // its clock stopped the first time
  CHECK(good(read_faulted(d)) == std::vector<faulted_session>{a, b});
  good(forget_faulted(d, core::session_id{4}));
  CHECK(good(read_faulted(d)) == std::vector<faulted_session>{b});
}

TEST_CASE("a list that nobody can read is refused, and the line named") {
  const temporary_directory t;
  const data_directory d{t.path()};
  for (const char* line : {"4", "4 x", "x 4", "4  5", "0 5", "4 5 6", "-4 5"}) {
    std::ofstream(d.faulted()) << "7 8\n" << line << "\n";
    const auto r = read_faulted(d);
    REQUIRE_MESSAGE(!r.ok(), line);
    CHECK(r.failure().kind == base::trouble::bad_input);
    CHECK(says(r.failure().text, "line 2"));
  }
}
