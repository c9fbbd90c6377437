#include "persistence/rocksdb_block_store.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <string>

#include <fmt/format.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/listener.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include "base/check.hpp"
#include "base/planted.hpp"
#include "persistence/files.hpp"
#include "persistence/rocksdb_assertions.hpp"
#include "persistence/rocksdb_io_watch.hpp"
#include "persistence/rocksdb_log_files.hpp"

namespace holdfast::persistence {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t protection_bytes = 8;
constexpr std::uint64_t meta_number = 0;
/// Of the very first log, which a start waits for.
constexpr std::size_t first_log_room = 8U << 20U;

struct block_key {
  static constexpr std::size_t size = 10;
  char bytes[size];

  block_key(std::uint16_t partition, std::uint64_t number) {
    for (int i = 0; i < 2; ++i) bytes[i] = static_cast<char>(partition >> (8 * (1 - i)));
    for (int i = 0; i < 8; ++i) bytes[2 + i] = static_cast<char>(number >> (8 * (7 - i)));
  }
  [[nodiscard]] rocksdb::Slice slice() const { return {bytes, size}; }
};

/// The number in a key of the partition; nothing for another partition or a foreign key.
std::optional<std::uint64_t> number_of(const rocksdb::Slice& key, std::uint16_t partition) {
  if (key.size() != block_key::size) return {};
  std::uint64_t number = 0;
  for (std::size_t i = 2; i < block_key::size; ++i) number = number << 8U | static_cast<std::uint8_t>(key[i]);
  if (key != block_key(partition, number).slice()) return {};
  return number;
}

base::byte_view view(const rocksdb::Slice& s) { return {reinterpret_cast<const std::uint8_t*>(s.data()), s.size()}; }
rocksdb::Slice slice(base::byte_view b) { return {reinterpret_cast<const char*>(b.data()), b.size()}; }

/// What RocksDB says names the file; of a full disk it is for us to say what helps.
std::string text_of(const rocksdb::Status& s) { return s.ToString() + (s.IsNoSpace() ? disk_full_remedy : ""); }

/// Damage and disk trouble apart: a missing file of RocksDB's is damage, everything else that the operating system
/// reports is not.
base::error to_error(const rocksdb::Status& s, const char* what) {
  auto kind = base::trouble::io;
  if (s.IsCorruption() || s.IsNotFound() || s.IsInvalidArgument() || s.IsNotSupported() || s.IsPathNotFound())
    kind = base::trouble::corrupt;
  return {kind, fmt::format("{}: RocksDB: {}", what, text_of(s))};
}

/// RocksDB flushes and compacts in the background and could mend some errors by itself. It must not: what it calls
/// recovered may have lost a write, so the first error is the last.
class failure_listener final : public io_watch {
 public:
  void OnBackgroundError(rocksdb::BackgroundErrorReason, rocksdb::Status* status) override {
    assertions_mean::from_now_on(blame::disk);
    const std::lock_guard lock(mutex_);
    if (!failed_) text_ = text_of(*status);
    failed_ = true;
  }
  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason, rocksdb::Status, bool* auto_recovery) override {
    *auto_recovery = false;
  }
  [[nodiscard]] base::result<void> health() const {
    if (!failed_) return {};
    const std::lock_guard lock(mutex_);
    return base::error{base::trouble::io, "RocksDB failed in the background: " + text_};
  }

 private:
  mutable std::mutex mutex_;
  std::atomic<bool> failed_ = false;
  std::string text_;
};

rocksdb::Options make_options(const rocksdb_store_options& o, const std::shared_ptr<failure_listener>& listener) {
  rocksdb::Options r;
  if (o.env != nullptr) r.env = o.env;

  // What must not happen by itself. Point-in-time recovery keeps a prefix and takes a torn tail for the end; whether
  // the end is the right one is decided by chain and witness, above.
  r.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  r.avoid_flush_during_recovery = true;
  r.recycle_log_file_num = 0;
  r.max_bgerror_resume_count = 0;
  r.best_efforts_recovery = false;
  r.manual_wal_flush = false;
  r.enable_pipelined_write = false;
  r.two_write_queues = false;
  r.unordered_write = false;
  r.listeners = {listener};

  // Check whatever can be checked.
  r.paranoid_checks = true;
  r.paranoid_file_checks = true;
  r.flush_verify_memtable_count = true;
  r.track_and_verify_wals_in_manifest = true;
  r.verify_sst_unique_id_in_manifest = true;
  r.memtable_protection_bytes_per_key = protection_bytes;

  // One large value a commit, ascending keys, never overwritten: tables do not overlap, so compaction only moves
  // them, and each byte is written twice (log, table). Records are ids and hashes for the most part; compressing
  // them would cost more time than it saves space.
  r.compression = rocksdb::kNoCompression;
  r.write_buffer_size = o.write_buffer_bytes;
  r.max_write_buffer_number = 4;
  r.bytes_per_sync = 1U << 20U;
  // A table for each 64 MiB of all that was ever sold: not all of them open at once. With the index (32), logs and manifests this must fit
  // into the descriptors that the listeners keep from guests: 256, of a small limit half (gateway/listener.cpp).
  r.max_open_files = 64;
  r.max_background_jobs = 2;
  // A commit must never wait for tables to be moved.
  r.level0_slowdown_writes_trigger = 1 << 20;
  r.level0_stop_writes_trigger = 1 << 20;
  r.soft_pending_compaction_bytes_limit = 0;
  r.hard_pending_compaction_bytes_limit = 0;
  rocksdb::BlockBasedTableOptions table;
  table.no_block_cache = true;  // read once, from end to end
  table.block_size = 64U << 10U;
  r.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));

  r.max_file_opening_threads = o.opening_threads;
  r.skip_stats_update_on_db_open = true;
  r.stats_dump_period_sec = 0;
  r.stats_persist_period_sec = 0;
  r.info_log_level = rocksdb::WARN_LEVEL;
  r.keep_log_file_num = 5;
  r.max_log_file_size = 4U << 20U;
  return r;
}

}  // namespace

struct rocksdb_block_store::state {
  rocksdb_store_options options;
  file_handle lock;  // outlives the database
  std::shared_ptr<failure_listener> listener = std::make_shared<failure_listener>();
  std::shared_ptr<log_files> logs;              // null: logs grow
  std::unique_ptr<rocksdb::Env> env_with_logs;  // both outlive the database
  std::unique_ptr<rocksdb::DB> db;
  bool writing = false;
  rocksdb::WriteBatch batch{0, 0, protection_bytes, 0};
  file_handle witness;

  ~state() {
    const assertions_mean here(blame::disk);
    db.reset();
  }
  [[nodiscard]] fs::path blocks_path() const { return options.data_dir / "journal"; }
  [[nodiscard]] fs::path witness_path() const { return options.data_dir / "witness"; }
  [[nodiscard]] rocksdb::Env* env() const { return options.env != nullptr ? options.env : rocksdb::Env::Default(); }

  base::result<void> put(std::uint64_t number, base::byte_view value) {
    HOLDFAST_CHECK(writing, "a write before begin_writing");
    batch.Clear();
    const block_key key(options.partition, number);
    auto done = batch.Put(key.slice(), slice(value));
    rocksdb::WriteOptions how;
    how.sync = options.sync && !planted(bug::sync_left_out);
    if (done.ok()) done = db->Write(how, &batch);
    if (!done.ok()) assertions_mean::from_now_on(blame::disk);
    if (!done.ok()) return base::error{base::trouble::io, fmt::format("block {}: RocksDB: {}", number, text_of(done))};
    if (logs && logs->should_switch()) {
      rocksdb::FlushOptions flush;  // begins a new log
      flush.wait = false;
      if (done = db->Flush(flush); !done.ok()) return to_error(done, "beginning a new log");
    }
    return listener->health();
  }
  [[nodiscard]] std::unique_ptr<rocksdb::Iterator> iterate(bool whole) const {
    rocksdb::ReadOptions how;
    how.verify_checksums = true;
    how.fill_cache = false;
    how.total_order_seek = true;
    if (whole) how.readahead_size = 4U << 20U;
    return std::unique_ptr<rocksdb::Iterator>(db->NewIterator(how));
  }
};

rocksdb_block_store::rocksdb_block_store(std::unique_ptr<state> s) : state_(std::move(s)) {}
rocksdb_block_store::~rocksdb_block_store() = default;

base::result<std::unique_ptr<rocksdb_block_store>> rocksdb_block_store::open(const rocksdb_store_options& options) {
  auto s = std::make_unique<state>();
  s->options = options;
  std::error_code ignored;
  if (options.read_only && !fs::is_directory(options.data_dir, ignored))
    return base::error{base::trouble::bad_input, fmt::format("{} is not a directory", options.data_dir.string())};
  if (!options.read_only)
    if (auto ok = make_directory(options.data_dir); !ok) return ok.failure();
  auto lock = lock_directory(options.data_dir, !options.read_only);
  if (!lock) return lock.failure();
  s->lock = std::move(*lock);

  if (s->env()->FileExists((s->blocks_path() / "CURRENT").string()).ok()) {
    rocksdb::DB* db = nullptr;
    const assertions_mean here(blame::damage);
    const auto opened = rocksdb::DB::OpenForReadOnly(make_options(options, s->listener), s->blocks_path().string(), &db);
    if (!opened.ok()) return to_error(opened, "the journal does not open, nothing was changed");
    s->db.reset(db);
  }
  return std::unique_ptr<rocksdb_block_store>(new rocksdb_block_store(std::move(s)));
}

bool rocksdb_block_store::pristine() const {
  if (state_->db) return false;
  // CURRENT is missing. Anything else in there but an empty directory means that it was not always so.
  std::vector<std::string> names;
  if (!state_->env()->GetChildren(state_->blocks_path().string(), &names).ok()) return true;
  return names.empty();
}

base::result<std::optional<base::bytes>> rocksdb_block_store::read_meta() {
  if (!state_->db) return std::optional<base::bytes>();
  rocksdb::ReadOptions how;
  how.verify_checksums = true;
  std::string value;
  const block_key key(state_->options.partition, meta_number);
  const auto done = state_->db->Get(how, key.slice(), &value);
  if (done.IsNotFound()) return std::optional<base::bytes>();
  if (!done.ok()) return to_error(done, "the meta record");
  const auto bytes = view(value);
  return std::optional(base::bytes(bytes.begin(), bytes.end()));
}

base::result<std::optional<std::uint64_t>> rocksdb_block_store::first() {
  if (!state_->db) return std::optional<std::uint64_t>();
  const auto it = state_->iterate(false);
  const block_key key(state_->options.partition, 1);
  it->Seek(key.slice());
  if (!it->status().ok()) return to_error(it->status(), "the first block");
  if (!it->Valid()) return std::optional<std::uint64_t>();
  return number_of(it->key(), state_->options.partition);
}

base::result<std::optional<std::uint64_t>> rocksdb_block_store::last() {
  if (!state_->db) return std::optional<std::uint64_t>();
  const auto it = state_->iterate(false);
  const block_key key(state_->options.partition, ~std::uint64_t{0});
  it->SeekForPrev(key.slice());
  if (!it->status().ok()) return to_error(it->status(), "the last block");
  if (!it->Valid()) return std::optional<std::uint64_t>();
  auto number = number_of(it->key(), state_->options.partition);
  if (number == meta_number) number.reset();
  return number;
}

base::result<void> rocksdb_block_store::scan(std::uint64_t from, const visitor& visit) {
  if (!state_->db) return {};
  const auto it = state_->iterate(true);
  const block_key key(state_->options.partition, from);
  for (it->Seek(key.slice()); it->Valid(); it->Next()) {
    const auto number = number_of(it->key(), state_->options.partition);
    if (!number) break;
    auto more = visit(*number, view(it->value()));
    if (!more) return more.failure();
    if (!*more) return {};
  }
  if (!it->status().ok()) return to_error(it->status(), "reading");
  return {};
}

base::result<std::optional<block_store::witness_content>> rocksdb_block_store::read_witness() {
  std::error_code why;
  if (!fs::exists(state_->witness_path(), why) && !why) return std::optional<witness_content>();
  auto all = read_file(state_->witness_path());
  if (!all) return all.failure();
  witness_content slots;
  for (std::size_t i = 0; i < witness_slots; ++i) {
    const auto begin = i * witness_slot_stride;
    if (all->size() < begin + witness_bytes) continue;
    const auto at = all->begin() + static_cast<std::ptrdiff_t>(begin);
    slots[i].assign(at, at + static_cast<std::ptrdiff_t>(witness_bytes));
  }
  return std::optional(std::move(slots));
}

base::result<void> rocksdb_block_store::create_witness(const witness_content& slots) {
  HOLDFAST_CHECK(!state_->options.read_only, "a reader creates a witness");
  base::bytes all(witness_slots * witness_slot_stride);
  for (std::size_t i = 0; i < witness_slots; ++i) std::memcpy(all.data() + i * witness_slot_stride, slots[i].data(), slots[i].size());
  return replace_file(state_->witness_path(), {all});
}

base::result<void> rocksdb_block_store::begin_writing() {
  HOLDFAST_CHECK(!state_->writing, "begin_writing twice");
  if (state_->options.read_only) return base::error{base::trouble::bad_input, "the journal was opened for reading only"};
  auto witness = open_for_update(state_->witness_path());
  if (!witness) return witness.failure();
  state_->witness = std::move(*witness);

  auto options = make_options(state_->options, state_->listener);
  if (const auto room = state_->options.log_room_bytes; room > 0) {
    state_->logs = std::make_shared<log_files>(
        state_->env()->GetFileSystem(), log_files_options{.directory = state_->options.data_dir.string(),
                                                          .log_bytes = room,
                                                          .first_bytes = std::min(room, first_log_room)});
    state_->logs->begin();
    state_->env_with_logs = rocksdb::NewCompositeEnv(state_->logs);
    options.env = state_->env_with_logs.get();
  }
  options.create_if_missing = !state_->db;
  state_->db.reset();
  const assertions_mean here(blame::disk);
  rocksdb::DB* db = nullptr;
  const auto opened = rocksdb::DB::Open(options, state_->blocks_path().string(), &db);
  if (!opened.ok()) return to_error(opened, "the journal does not open for writing");
  state_->db.reset(db);
  state_->writing = true;
  // What a killed process wrote but never synced was read from the page cache and would stay there: recovery leaves
  // the old log as it is, and new commits go to another one. Were the machine to lose its power then, the old log
  // would end early and recovery would stop there, before commits that were acknowledged. A sync of the old log would
  // not do either: after a sync that failed once the kernel calls lost pages clean. So the blocks are written afresh.
  rocksdb::FlushOptions flush;
  flush.wait = true;
  if (const auto flushed = db->Flush(flush); !flushed.ok()) return to_error(flushed, "writing recovered blocks to a table");
  return sync_directory(state_->options.data_dir);  // the name `journal`, in case it is new
}

base::result<void> rocksdb_block_store::write_meta(base::byte_view meta) { return state_->put(meta_number, meta); }

base::result<void> rocksdb_block_store::append_synced(std::uint64_t number, base::byte_view block) {
  HOLDFAST_CHECK(number != meta_number, "no block has number 0");
  return state_->put(number, block);
}

base::result<void> rocksdb_block_store::write_witness(unsigned slot, base::byte_view bytes) {
  HOLDFAST_CHECK(slot < witness_slots && bytes.size() <= witness_slot_stride, "a witness beyond its slot");
  return write_at(state_->witness, slot * witness_slot_stride, bytes, state_->witness_path());
}

base::result<void> rocksdb_block_store::sync_witness() { return sync_data(state_->witness, state_->witness_path()); }

base::result<void> rocksdb_block_store::health() const { return state_->listener->health(); }

base::result<void> rocksdb_block_store::close() {
  if (state_->db) {
    const assertions_mean here(blame::disk);
    const auto done = state_->db->Close();
    state_->db.reset();
    if (!done.ok()) return to_error(done, "closing");
  }
  state_->witness.close();
  state_->lock.close();
  return {};
}

}  // namespace holdfast::persistence
