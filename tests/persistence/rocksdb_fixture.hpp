// Data directories on the real file system: to fill, copy, compare and damage.
#pragma once

#include <filesystem>
#include <map>

#include "persistence/files.hpp"
#include "persistence/journal_check.hpp"
#include "persistence/rocksdb_block_store.hpp"
#include "tests/persistence/fixture.hpp"

namespace holdfast::tests {

namespace fs = std::filesystem;

/// With little room for each log, so that some are written in place and some run over.
inline std::unique_ptr<rocksdb_block_store> rocksdb_at(const fs::path& dir, bool read_only = false) {
  return good(rocksdb_block_store::open({.data_dir = dir, .read_only = read_only, .log_room_bytes = 4'096}));
}

/// Copies a data directory, also of a running journal: RocksDB may remove old files meanwhile.
inline void copy_files(const fs::path& from, const fs::path& to) {
  for (const auto& e : fs::recursive_directory_iterator(from)) {
    const auto target = to / e.path().lexically_relative(from);
    std::error_code gone;
    if (e.is_directory(gone)) {
      fs::create_directories(target);
    } else if (!fs::copy_file(e.path(), target, fs::copy_options::overwrite_existing, gone)) {
      REQUIRE(gone == std::errc::no_such_file_or_directory);
    }
  }
}

/// SHA-256 of every file, by path.
inline std::map<std::string, digest> fingerprint(const fs::path& dir) {
  std::map<std::string, digest> all;
  sha256 hasher;
  for (const auto& e : fs::recursive_directory_iterator(dir))
    if (e.is_regular_file()) all[e.path().lexically_relative(dir).string()] = hasher.of(good(read_file(e.path())));
  return all;
}

/// Starts `epochs` times and appends `appends` notes each time, as a process that is killed in the end. Returns what
/// was acknowledged.
inline std::vector<note> fill(const fs::path& dir, std::uint64_t epochs, std::uint64_t appends) {
  std::vector<note> told;
  for (std::uint64_t epoch = 0; epoch < epochs; ++epoch) {
    const auto o = good(journal_log::open(rocksdb_at(dir), options_at(noon + epoch * second)));
    for (std::uint64_t i = 0; i < appends; ++i) {
      told.push_back(nth(told.size() + 1));
      good(write(*o.journal, {told.back()}, noon + epoch * second + i * ms));
    }
  }
  return told;
}

inline std::vector<fs::path> logs_in(const fs::path& dir) {
  std::vector<fs::path> logs;
  for (const auto& e : fs::directory_iterator(dir / "journal"))
    if (e.path().extension() == ".log") logs.push_back(e.path());
  std::ranges::sort(logs);
  return logs;
}

inline bool starts_with(const std::vector<note>& all, const std::vector<note>& part) {
  return all.size() >= part.size() && std::equal(part.begin(), part.end(), all.begin());
}

}  // namespace holdfast::tests
