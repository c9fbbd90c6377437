// The journal's contract over RocksDB, and what is RocksDB's alone: locks, bytes that stay as they are, torn tails.
#include "tests/persistence/rocksdb_fixture.hpp"

#include <rocksdb/env.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/random.hpp"
#include "persistence/journal_meta.hpp"
#include "tests/persistence/journal_contract.hpp"

namespace holdfast::tests {

namespace {

class rocksdb_place final : public place {
 public:
  std::unique_ptr<block_store> store() override { return rocksdb_at(dir_.path()); }
  /// A copy of the files. Between two appends everything but the witness is synced, so this is what a power cut leaves;
  /// rocksdb_damage_test.cpp cuts and bends the files, a real power cut is a test of the whole server.
  std::unique_ptr<place> after_power_cut() override {
    auto left = std::make_unique<rocksdb_place>();
    copy_files(dir_.path(), left->dir_.path());
    return left;
  }

 private:
  temporary_directory dir_;
};

}  // namespace

HOLDFAST_JOURNAL_CONTRACT("rocksdb", std::make_unique<rocksdb_place>())

TEST_CASE("a check leaves every byte of the directory as it is") {
  const temporary_directory dir;
  fill(dir.path(), 2, 8);
  const auto before = fingerprint(dir.path());
  CHECK(good(check_journal(*rocksdb_at(dir.path()), {})).exists);
  CHECK(fingerprint(dir.path()) == before);
  {
    const auto reader = rocksdb_at(dir.path(), true);
    CHECK(good(check_journal(*reader, {})).exists);
    const auto refused = reader->begin_writing();
    REQUIRE(!refused.ok());
    CHECK(refused.failure().kind == base::trouble::bad_input);
  }
  CHECK(fingerprint(dir.path()) == before);
}

TEST_CASE("a refused start leaves every byte of the directory as it is") {
  const temporary_directory dir;
  fill(dir.path(), 2, 8);
  fs::remove(dir.path() / "witness");
  const auto before = fingerprint(dir.path());
  const auto refused = journal_log::open(rocksdb_at(dir.path()), options_at(noon + 9 * second));
  REQUIRE(!refused.ok());
  CHECK(refused.failure().kind == base::trouble::corrupt);
  CHECK(fingerprint(dir.path()) == before);
}

TEST_CASE("a second process on one directory is told so, and touches nothing") {
  const temporary_directory dir;
  fill(dir.path(), 1, 3);
  int ready[2];
  int stop[2];
  REQUIRE(::pipe(ready) == 0);
  REQUIRE(::pipe(stop) == 0);
  const pid_t server = ::fork();
  REQUIRE(server >= 0);
  if (server == 0) {
    auto store = rocksdb_block_store::open({.data_dir = dir.path()});
    const char word = store.ok() ? 'y' : 'n';
    (void)!::write(ready[1], &word, 1);
    char c;
    (void)!::read(stop[0], &c, 1);
    std::_Exit(0);
  }
  char word = 0;
  REQUIRE(::read(ready[0], &word, 1) == 1);
  CHECK(word == 'y');
  const auto before = fingerprint(dir.path());
  for (const bool read_only : {false, true}) {
    const auto second_one = rocksdb_block_store::open({.data_dir = dir.path(), .read_only = read_only});
    REQUIRE(!second_one.ok());
    CHECK(second_one.failure().kind == base::trouble::busy);
    CHECK(says(second_one.failure().text, dir.path().string()));
  }
  CHECK(fingerprint(dir.path()) == before);
  CHECK(::write(stop[1], "x", 1) == 1);
  ::waitpid(server, nullptr, 0);
  CHECK(good(journal_log::open(rocksdb_at(dir.path()), options_at(noon + 9 * second))).journal->epoch() == 2);
  for (const int fd : {ready[0], ready[1], stop[0], stop[1]}) ::close(fd);
}

TEST_CASE("directories that are none") {
  const temporary_directory dir;
  const auto missing = rocksdb_block_store::open({.data_dir = dir.path() / "no", .read_only = true});
  REQUIRE(!missing.ok());
  CHECK(missing.failure().kind == base::trouble::bad_input);
  const auto too_deep = rocksdb_block_store::open({.data_dir = dir.path() / "no" / "parent"});
  REQUIRE(!too_deep.ok());
  CHECK(too_deep.failure().kind == base::trouble::io);
  good(replace_file(dir.path() / "file", {base::as_bytes("x")}));
  CHECK(!rocksdb_block_store::open({.data_dir = dir.path() / "file"}).ok());
}

TEST_CASE("a torn tail behind the witness is normal, start after start") {
  // Of a log that grows; what is left of one that is written in place is in rocksdb_log_files_test.cpp.
  base::random random(7);
  std::vector<note> told;
  auto dir = std::make_unique<temporary_directory>();
  for (std::uint64_t round = 1; round <= 8; ++round) {
    auto torn = std::make_unique<temporary_directory>();
    {
      auto o = good(journal_log::open(good(rocksdb_block_store::open({.data_dir = dir->path()})), options_at(noon + round * second)));
      REQUIRE(starts_with(read_all(*o.journal), told));
      told = read_all(*o.journal);
      for (int i = 0; i < 3; ++i) {
        told.push_back(nth(told.size() + 1));
        good(write(*o.journal, {told.back()}, noon + round * second));
      }
      const auto witness = good(read_file(dir->path() / "witness"));
      const auto log = logs_in(dir->path()).back();
      const auto from = fs::file_size(log);
      good(write(*o.journal, {nth(told.size() + 1)}, noon + round * second));  // on its way, not acknowledged
      const auto to = fs::file_size(log);
      REQUIRE(to > from);
      copy_files(dir->path(), torn->path());
      good(replace_file(torn->path() / "witness", {witness}));
      fs::resize_file(torn->path() / log.lexically_relative(dir->path()), random.between(from, to - 1));
    }
    dir = std::move(torn);
  }
  const auto o = good(journal_log::open(rocksdb_at(dir->path()), options_at(noon + 20 * second)));
  CHECK(read_all(*o.journal) == told);
  CHECK(told.size() == 24);
}

TEST_CASE("what only the page cache knew is made durable before anything is put on top") {
  const temporary_directory dir;
  auto told = fill(dir.path(), 1, 4);
  {
    // The process was killed after it wrote its last block and before it synced it: to the next one all looks well.
    const auto old_logs = logs_in(dir.path());
    REQUIRE(!old_logs.empty());
    auto o = good(journal_log::open(rocksdb_at(dir.path()), options_at(noon + second)));
    told.push_back(nth(5));
    good(write(*o.journal, {told.back()}, noon + second));
    // Now the power goes, and the unsynced end of the old log with it.
    for (const auto& log : old_logs)
      if (fs::exists(log)) fs::resize_file(log, fs::file_size(log) - 40);
  }
  const auto o = good(journal_log::open(rocksdb_at(dir.path()), options_at(noon + 2 * second)));
  CHECK(read_all(*o.journal) == told);
}

TEST_CASE("a creation that was cut short is continued") {
  for (const bool store_files : {false, true}) {
    const temporary_directory dir;
    {
      auto store = rocksdb_at(dir.path());
      block_store::witness_content slots;
      sha256 hasher;
      for (std::uint64_t i = 0; i < witness_slots; ++i)
        encode_witness({0, i, journal_id, 0, {0, genesis_hash(journal_id, hasher)}, noon}, hasher, slots[i]);
      good(store->create_witness(slots));
      if (store_files) good(store->begin_writing());
    }
    const auto o = good(journal_log::open(rocksdb_at(dir.path()), options_at(noon + second)));
    CHECK(o.report.created);
    CHECK(o.journal->id() == journal_id);
    CHECK(o.journal->last_block().number == 1);
  }
}

TEST_CASE("an environment is passed on to RocksDB") {
  const temporary_directory dir;
  const std::unique_ptr<rocksdb::Env> memory(rocksdb::NewMemEnv(rocksdb::Env::Default()));
  std::vector<note> told;
  for (int epoch = 1; epoch <= 2; ++epoch) {
    auto store = good(rocksdb_block_store::open({.data_dir = dir.path(), .env = memory.get()}));
    auto o = good(journal_log::open(std::move(store), options_at(noon)));
    CHECK(read_all(*o.journal) == told);
    told.push_back(nth(static_cast<std::uint64_t>(epoch)));
    good(write(*o.journal, {told.back()}, noon));
  }
  CHECK(!fs::exists(dir.path() / "journal" / "CURRENT"));
}

}  // namespace holdfast::tests
