// The file system below the journal's RocksDB, which gives it log files that are written in place.
//
// A log that grows makes each sync wait for the file system's own journal as well (the new length, the new blocks), and with it for
// whatever other files have put in there. A file that has its full length and its blocks already needs the data alone on the disk.
// So while one log is written, a thread makes the next: `spare`, zeros from end to end and synced. A new log takes it over by
// its name. RocksDB's reader passes over zeros, so a log that a crash left ends where its last record ends; a log that is
// closed is cut there.
//
// Must stay true: a spare is nothing but zeros when it becomes a log, so that no bytes of an earlier life can be taken for records. It
// gets its name after it was synced, and loses it, synced, before the first byte is written.
//
// A spare is for speed alone: if it cannot be made (the disk is full), logs grow as usual, and the next log tries again. Everything
// else passes through. (RocksDB's own recycling of logs is not allowed with the recovery mode that the journal needs.)
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include <rocksdb/file_system.h>

namespace holdfast::persistence {

struct log_files_options {
  std::string directory;          ///< where the spare lies: on the same file system as the logs
  std::uint64_t log_bytes = 0;    ///< length of a spare
  std::uint64_t first_bytes = 0;  ///< length of one that somebody has to wait for, at most log_bytes
};

class log_files final : public rocksdb::FileSystemWrapper {
 public:
  log_files(std::shared_ptr<rocksdb::FileSystem> below, log_files_options options);
  ~log_files() override;
  [[nodiscard]] const char* Name() const override { return "holdfast log files"; }

  /// Waits for a short spare unless one is left from an earlier life, and begins to make more. Call it once, before the database is
  /// opened for writing.
  void begin();
  /// Whether the log has no more room in place and a new one would: time to begin a new log. True once a log.
  [[nodiscard]] bool should_switch();

  rocksdb::IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& how, std::unique_ptr<rocksdb::FSWritableFile>* file,
                                    rocksdb::IODebugContext* debug) override;

 private:
  friend class log_in_place;

  [[nodiscard]] std::string spare_name() const { return options_.directory + "/spare"; }
  bool make_spare(std::uint64_t bytes, bool waited_for);
  rocksdb::IOStatus sync_directory_of(const std::string& name);
  void make_spares();

  log_files_options options_;
  std::atomic<bool> full_ = false;   // the log in use
  std::atomic<bool> ready_ = false;  // a spare lies there
  std::mutex mutex_;
  std::condition_variable changed_;
  bool wanted_ = false;
  bool stopping_ = false;
  std::thread maker_;
};

}  // namespace holdfast::persistence
