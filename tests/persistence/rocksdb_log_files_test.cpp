// Logs that are written in place: what a spare becomes, what a crash may leave of one, and what happens without.
#include <rocksdb/env.h>

#include "base/random.hpp"
#include "persistence/rocksdb_log_files.hpp"
#include "tests/persistence/rocksdb_fixture.hpp"

namespace holdfast::tests {

namespace {

constexpr std::size_t room = 256U << 10U;
constexpr std::size_t page = 4096;

struct journal_log::opened open_with_room(const fs::path& dir, std::uint64_t now, std::size_t log_room = room, std::size_t write_buffer = 64U << 20U) {
  auto store = good(rocksdb_block_store::open({.data_dir = dir, .write_buffer_bytes = write_buffer, .log_room_bytes = log_room}));
  return good(journal_log::open(std::move(store), options_at(now)));
}

note long_note(std::uint64_t i, std::size_t bytes) {
  auto n = nth(i);
  n.text += std::string(bytes, static_cast<char>('a' + i % 26));
  return n;
}

bool all_zero(const base::bytes& b) {
  return std::ranges::all_of(b, [](std::uint8_t byte) { return byte == 0; });
}

/// The log as a crash in the middle of the last append may leave it: of each page that the append touched either the old or
/// the new bytes.
base::bytes torn(const base::bytes& before, const base::bytes& after, base::random& random) {
  auto left = before;
  left.resize(after.size());
  for (std::size_t at = 0; at < after.size(); at += page) {
    if (random.below(2) == 0) continue;
    const auto end = std::min(at + page, after.size());
    std::copy(after.begin() + static_cast<std::ptrdiff_t>(at), after.begin() + static_cast<std::ptrdiff_t>(end), left.begin() + static_cast<std::ptrdiff_t>(at));
  }
  return left;
}

}  // namespace

TEST_CASE("a log has its length before its first record, and is cut to what it holds when it is closed") {
  const temporary_directory dir;
  std::vector<note> told;
  {
    auto o = open_with_room(dir.path(), noon);
    for (std::uint64_t i = 1; i <= 5; ++i) {
      told.push_back(nth(i));
      good(write(*o.journal, {told.back()}, noon));
      REQUIRE(logs_in(dir.path()).size() == 1);
      CHECK(fs::file_size(logs_in(dir.path()).front()) == room);
    }
    good(o.journal->close(noon));
  }
  CHECK(fs::file_size(logs_in(dir.path()).front()) < 4096);
  const auto o = open_with_room(dir.path(), noon + second);
  CHECK(read_all(*o.journal) == told);
}

TEST_CASE("more than its room: the log grows on, and the next one begins as soon as there is a spare") {
  const temporary_directory dir;
  std::vector<note> told;
  {
    auto o = open_with_room(dir.path(), noon, 16U << 10U);
    const auto first_log = logs_in(dir.path()).back();
    for (std::uint64_t i = 1; logs_in(dir.path()).back() == first_log; ++i) {
      told.push_back(long_note(i, 3'000));
      good(write(*o.journal, {told.back()}, noon));
    }
    CHECK(told.size() >= 5);
    good(o.journal->close(noon));
  }
  const auto o = open_with_room(dir.path(), noon + second);
  CHECK(read_all(*o.journal) == told);
}

TEST_CASE("the spare that a crash left is taken over by the next start, as zeros") {
  const temporary_directory dir;
  for (std::uint64_t epoch = 0; epoch < 4; ++epoch) {
    auto o = open_with_room(dir.path(), noon + epoch * second, 64U << 10U);
    good(write(*o.journal, {nth(epoch + 1)}, noon + epoch * second));
    CHECK(o.journal->epoch() == epoch + 1);
    if (fs::exists(dir.path() / "spare")) CHECK(all_zero(good(read_file(dir.path() / "spare"))));
  }
  CHECK(read_all(*open_with_room(dir.path(), noon + 9 * second).journal).size() == 4);
}

TEST_CASE("whatever pages of the last append a crash leaves in place, all before it is there and nothing is made up") {
  base::random random(23);
  std::uint64_t whole = 0;
  std::uint64_t without = 0;
  for (const std::size_t bytes : {100U, 5'000U, 40'000U, 100'000U}) {
    const temporary_directory dir;
    std::vector<note> told;
    auto o = open_with_room(dir.path(), noon);
    for (std::uint64_t i = 1; i <= 3; ++i) {
      told.push_back(long_note(i, bytes / 3));
      good(write(*o.journal, {told.back()}, noon));
    }
    const temporary_directory before;
    copy_files(dir.path(), before.path());
    const auto log = logs_in(dir.path()).back().filename();
    const auto old_bytes = good(read_file(before.path() / "journal" / log));
    const auto last = long_note(4, bytes);
    good(write(*o.journal, {last}, noon));
    const auto new_bytes = good(read_file(dir.path() / "journal" / log));
    REQUIRE(old_bytes != new_bytes);
    for (int i = 0; i < 12; ++i) {
      const temporary_directory crashed;
      copy_files(before.path(), crashed.path());
      good(replace_file(crashed.path() / "journal" / log, {torn(old_bytes, new_bytes, random)}));
      const auto again = open_with_room(crashed.path(), noon + second);
      auto all = read_all(*again.journal);
      REQUIRE(starts_with(all, told));
      all.erase(all.begin(), all.begin() + 3);
      REQUIRE((all.empty() || all == std::vector{last}));
      ++(all.empty() ? without : whole);
      good(write(*again.journal, {nth(99)}, noon + second));
    }
  }
  CHECK(whole > 0);
  CHECK(without > 0);
}

TEST_CASE("without a spare everything goes on, only slower") {
  const temporary_directory dir;
  fs::create_directory(dir.path() / "spare.tmp");  // so none can be made
  std::vector<note> told;
  {
    auto o = open_with_room(dir.path(), noon, 64U << 10U, 64U << 10U);
    for (std::uint64_t i = 1; i <= 40; ++i) {
      told.push_back(long_note(i, 8'000));
      good(write(*o.journal, {told.back()}, noon));
    }
    CHECK(!fs::exists(dir.path() / "spare"));
  }
  CHECK(read_all(*open_with_room(dir.path(), noon + second).journal) == told);
}

}  // namespace holdfast::tests
