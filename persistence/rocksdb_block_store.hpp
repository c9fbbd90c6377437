// The server's block store: RocksDB for the blocks, a file beside it for the witness.
//
//   <data_dir>/journal/   RocksDB, one column family; key: partition u16, number u64, both big-endian, so that
//                         blocks lie in their order; number 0 is the meta record
//   <data_dir>/witness    two slots (witness.hpp)
//   <data_dir>/spare      the next log file, zeros (rocksdb_log_files.hpp); may be deleted while nobody runs
//
// The directory itself carries the lock, taken before RocksDB is touched: exclusive for a server, shared for a
// reader. It opens read-only and changes no byte until `begin_writing`.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>

#include "persistence/block_store.hpp"

namespace rocksdb {
class Env;
}

namespace holdfast::persistence {

struct rocksdb_store_options {
  std::filesystem::path data_dir;
  std::uint16_t partition = 0;
  bool read_only = false;  ///< for auditors: creates nothing, `begin_writing` fails
  /// Memory for blocks on their way to a table file; also bounds how much log a start has to read again.
  std::size_t write_buffer_bytes = 64U << 20U;
  /// Room that is made ahead for each log file, so that it is written in place (rocksdb_log_files.hpp); 0: logs grow. More than
  /// write_buffer_bytes, at which a new log begins, by a few per cent for what stands around the blocks.
  std::size_t log_room_bytes = 0;
  /// False: blocks are not synced, so a power cut loses acknowledged records. For the control run of the power-cut test, which
  /// must lose; the server warns at its start.
  bool sync = true;
  /// Where faults are injected: the file system that RocksDB uses. Not owned; null: the machine's own.
  int opening_threads = 16;       ///< that open table files, at a start; less for who starts half a million times
  rocksdb::Env* env = nullptr;
};

class rocksdb_block_store final : public block_store {
 public:
  /// Creates the data directory if it is missing and not `read_only`. Errors: busy (another process), bad_input (no
  /// such directory), corrupt (RocksDB finds its own files damaged; nothing was changed), io.
  static base::result<std::unique_ptr<rocksdb_block_store>> open(const rocksdb_store_options& options);
  ~rocksdb_block_store() override;

  [[nodiscard]] bool pristine() const override;
  base::result<std::optional<base::bytes>> read_meta() override;
  base::result<std::optional<std::uint64_t>> first() override;
  base::result<std::optional<std::uint64_t>> last() override;
  base::result<void> scan(std::uint64_t from, const visitor& visit) override;
  base::result<std::optional<witness_content>> read_witness() override;
  base::result<void> create_witness(const witness_content& slots) override;
  base::result<void> begin_writing() override;
  base::result<void> write_meta(base::byte_view meta) override;
  base::result<void> append_synced(std::uint64_t number, base::byte_view block) override;
  base::result<void> write_witness(unsigned slot, base::byte_view bytes) override;
  base::result<void> sync_witness() override;
  [[nodiscard]] base::result<void> health() const override;
  base::result<void> close() override;

 private:
  struct state;
  explicit rocksdb_block_store(std::unique_ptr<state> s);
  std::unique_ptr<state> state_;
};

}  // namespace holdfast::persistence
