// What every journal over every block store promises. A store enters with a `place`: where its bytes stay when the
// store object is gone.
#pragma once

#include "persistence/journal_check.hpp"
#include "tests/persistence/fixture.hpp"

namespace holdfast::tests {

class place {
 public:
  virtual ~place() = default;
  /// A store on the bytes as they are.
  virtual std::unique_ptr<block_store> store() = 0;
  /// What a power cut at this moment would leave, as a place of its own.
  virtual std::unique_ptr<place> after_power_cut() = 0;
};

inline journal_log::opened open_at(place& p, std::uint64_t wall_clock) {
  return good(journal_log::open(p.store(), options_at(wall_clock)));
}

inline void a_new_journal_is_empty_but_for_its_start(place& p) {
  const auto o = open_at(p, noon);
  CHECK(o.report.created);
  CHECK(o.report.time.log_time == noon);
  CHECK(o.journal->id() == journal_id);
  CHECK(o.journal->epoch() == 1);
  CHECK(o.journal->first_block() == 1);
  CHECK(o.journal->last_block().number == 1);
  CHECK(read_all(*o.journal).empty());
}

inline void what_was_appended_is_there_again(place& p) {
  std::vector<note> told;
  block_mark last;
  std::uint64_t i = 0;
  for (std::uint64_t epoch = 1; epoch <= 4; ++epoch) {
    auto o = open_at(p, noon + epoch * second);
    CHECK(o.report.created == (epoch == 1));
    CHECK(o.journal->epoch() == epoch);
    if (epoch > 1) CHECK(o.report.recovered == last);
    CHECK(read_all(*o.journal) == told);
    for (int block = 0; block < 5; ++block) {
      std::vector<note> group;
      for (std::uint64_t n = 0; n < 1 + i % 4; ++n) group.push_back(nth(++i));
      const auto done = good(write(*o.journal, group, noon + epoch * second + i));
      CHECK(done.block == o.journal->last_block().number);
      told.insert(told.end(), group.begin(), group.end());
    }
    CHECK(read_all(*o.journal) == told);
    last = o.journal->last_block();
    if (epoch % 2 == 0) good(o.journal->close(noon + epoch * second + i));  // else: as a process that is killed
  }
}

/// The heart of it: whatever is cut off at any append, everything told before is there.
inline void a_power_cut_after_any_append_loses_nothing(place& p, std::uint64_t appends) {
  auto o = open_at(p, noon);
  std::vector<note> told;
  for (std::uint64_t i = 1; i <= appends; ++i) {
    const auto now = noon + i * 40 * ms;
    good(write(*o.journal, {nth(i)}, now));
    told.push_back(nth(i));
    const auto left = p.after_power_cut();
    auto again = open_at(*left, now);
    REQUIRE(read_all(*again.journal) == told);
    // And the survivor works.
    good(write(*again.journal, {nth(i + 1)}, now + second));
    auto more = told;
    more.push_back(nth(i + 1));
    REQUIRE(read_all(*again.journal) == more);
  }
}

inline void blocks_carry_epoch_time_and_chain(place& p) {
  {
    auto o = open_at(p, noon);
    // The block takes the newest time of its records, and never goes back.
    const note early{1, 1, "early"};
    const note late{2, 1, "late"};
    const record_ref records[] = {ref(early, noon + 2), ref(late, noon + 9 * ms)};
    const auto done = good(o.journal->append(records, noon + 5 * ms));
    CHECK(done.log_time == noon + 9 * ms);
    CHECK(good(write(*o.journal, {nth(3)}, noon + ms)).log_time == noon + 9 * ms);
  }
  auto o = open_at(p, noon);  // the wall clock is behind
  CHECK(o.report.time.log_time == noon + 9 * ms);
  CHECK(o.report.time.clock_behind == 9 * ms);
  CHECK(o.report.warnings.size() == 1);
  std::vector<std::uint64_t> epochs;
  std::optional<digest> before;
  good(o.journal->scan(1, 4, [&](const block_view& b) -> base::result<bool> {
    epochs.push_back(b.header.epoch);
    if (before) CHECK(b.header.previous == *before);
    before = b.hash;
    const auto first = b.begin();
    CHECK((first->session == system_session) == (b.header.number == 1 || b.header.number == 4));
    return true;
  }));
  CHECK(epochs == std::vector<std::uint64_t>{1, 1, 1, 2});
}

inline void a_scan_shows_what_it_was_asked_for(place& p) {
  auto o = open_at(p, noon);
  for (std::uint64_t i = 1; i <= 9; ++i) good(write(*o.journal, {nth(i)}, noon + i));
  const auto numbers = [&](std::uint64_t from, std::uint64_t to, std::uint64_t stop_at) {
    std::vector<std::uint64_t> seen;
    good(o.journal->scan(from, to, [&](const block_view& b) -> base::result<bool> {
      seen.push_back(b.header.number);
      return b.header.number != stop_at;
    }));
    return seen;
  };
  CHECK(numbers(3, 5, 0) == std::vector<std::uint64_t>{3, 4, 5});
  CHECK(numbers(10, 10, 0) == std::vector<std::uint64_t>{10});
  CHECK(numbers(2, 10, 4) == std::vector<std::uint64_t>{2, 3, 4});
  CHECK(numbers(6, 5, 0).empty());
  CHECK(!o.journal->scan(0, 3, nullptr).ok());
  CHECK(!o.journal->scan(8, 11, nullptr).ok());
  const auto own = o.journal->scan(1, 10, [](const block_view& b) -> base::result<bool> {
    if (b.header.number == 7) return base::error{base::trouble::bad_bytes, "seven"};
    return true;
  });
  REQUIRE(!own.ok());
  CHECK(own.failure().text == "seven");
}

inline void an_idle_journal_remembers_that_it_lived(place& p) {
  {
    auto o = open_at(p, noon);
    CHECK(o.journal->next_due() == noon + second);
    for (auto now = noon; now <= noon + 10 * second; now = o.journal->next_due()) good(o.journal->tick(now));
  }
  const auto o = open_at(p, noon + 15 * second);
  CHECK(o.report.time.downtime == 5 * second);
}

inline void a_clock_far_ahead_is_refused_and_changes_nothing(place& p) {
  { open_at(p, noon); }
  const auto wall = noon + 2 * clock_gap_max_default;
  for (int i = 0; i < 2; ++i) {
    const auto refused = journal_log::open(p.store(), options_at(wall));
    REQUIRE(!refused.ok());
    CHECK(refused.failure().kind == base::trouble::clock);
  }
  auto accept = options_at(wall);
  accept.clock.accept_gap = true;
  const auto o = good(journal_log::open(p.store(), accept));
  CHECK(o.journal->epoch() == 2);  // the refused starts began none
  CHECK(o.report.time.log_time == wall);
}

inline void an_empty_append_writes_nothing(place& p) {
  auto o = open_at(p, noon);
  const auto before = o.journal->last_block();
  CHECK(good(o.journal->append({}, noon + 1)).block == before.number);
  CHECK(o.journal->last_block() == before);
}

inline void a_vetoed_record_stops_the_journal_before_the_disk(place& p) {
  struct only_notes final : record_guard {
    base::result<void> admit(const record_ref& r) override {
      if (base::as_text(r.bytes) == "seat 7 again") return base::error{base::trouble::corrupt, "seat 7 is sold"};
      return {};
    }
  } guard;
  {
    auto o = open_at(p, noon);
    o.journal->guard_with(guard);
    good(write(*o.journal, {{5, 1, "seat 7"}}, noon + 1));
    const auto vetoed = write(*o.journal, {{4, 1, "seat 8"}, {5, 2, "seat 7 again"}}, noon + 2);
    REQUIRE(!vetoed.ok());
    CHECK(says(vetoed.failure().text, "session 5"));
    CHECK(says(vetoed.failure().text, "seat 7 is sold"));
    REQUIRE(o.journal->failure());
    CHECK(o.journal->failure()->session == 5);
    const auto later = write(*o.journal, {{4, 1, "seat 9"}}, noon + 3);
    REQUIRE(!later.ok());
    CHECK(later.failure().text == vetoed.failure().text);
    CHECK(!o.journal->tick(noon + 4).ok());
    CHECK(!o.journal->close(noon + 5).ok());
  }
  CHECK(read_all(*open_at(p, noon).journal) == std::vector<note>{{5, 1, "seat 7"}});
}

inline void two_partitions_do_not_mix(place& p) {
  { open_at(p, noon); }
  auto options = options_at(noon);
  options.partition = 1;
  const auto refused = journal_log::open(p.store(), options);
  REQUIRE(!refused.ok());
  CHECK(says(refused.failure().text, "partition"));
}

inline void a_check_changes_nothing_and_tells_the_tip(place& p) {
  CHECK(!good(check_journal(*p.store(), {})).exists);
  block_mark last;
  {
    auto o = open_at(p, noon);
    good(write(*o.journal, {nth(1)}, noon + 1));
    last = o.journal->last_block();
  }
  for (int i = 0; i < 2; ++i) {
    const auto s = good(check_journal(*p.store(), {}));
    CHECK(s.exists);
    CHECK(s.journal == journal_id);
    CHECK(s.tip.block == last);
    CHECK(s.tip.epoch == 1);
    CHECK(s.acknowledged->block == last);
  }
}

}  // namespace holdfast::tests

/// Registers the contract for one kind of place; `Make` is an expression that yields a unique_ptr<place>.
#define HOLDFAST_JOURNAL_CONTRACT(Store, Make)                                                                                 \
  TEST_CASE(Store ": a new journal is empty but for its start") { a_new_journal_is_empty_but_for_its_start(*Make); }           \
  TEST_CASE(Store ": what was appended is there again") { what_was_appended_is_there_again(*Make); }                           \
  TEST_CASE(Store ": a power cut after any append loses nothing") { a_power_cut_after_any_append_loses_nothing(*Make, 25); }   \
  TEST_CASE(Store ": blocks carry epoch, time and chain") { blocks_carry_epoch_time_and_chain(*Make); }                        \
  TEST_CASE(Store ": a scan shows what it was asked for") { a_scan_shows_what_it_was_asked_for(*Make); }                       \
  TEST_CASE(Store ": an idle journal remembers that it lived") { an_idle_journal_remembers_that_it_lived(*Make); }             \
  TEST_CASE(Store ": a clock far ahead is refused") { a_clock_far_ahead_is_refused_and_changes_nothing(*Make); }               \
  TEST_CASE(Store ": an empty append writes nothing") { an_empty_append_writes_nothing(*Make); }                               \
  TEST_CASE(Store ": a vetoed record stops the journal") { a_vetoed_record_stops_the_journal_before_the_disk(*Make); }         \
  TEST_CASE(Store ": two partitions do not mix") { two_partitions_do_not_mix(*Make); }                                         \
  TEST_CASE(Store ": a check changes nothing and tells the tip") { a_check_changes_nothing_and_tells_the_tip(*Make); }
