// Errors of the operating system below RocksDB, at every call that writes. RocksDB would mend some of them by itself and
// lose a write on the way; here the first error is the last, and everything that was told is there at the next start.
#include <algorithm>
#include <atomic>
#include <utility>

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include "tests/persistence/rocksdb_fixture.hpp"
#include "tests/support/instrumented.hpp"

namespace holdfast::tests {

namespace {

enum class fault_kind { error, no_space, torn };  // torn: half of the data is written, then the error

struct fault_plan {
  std::uint64_t at_call = 0;  // 0: never
  bool for_ever = false;
  bool retryable = false;     // what RocksDB would mend
  fault_kind kind = fault_kind::error;
  std::atomic<std::uint64_t> calls = 0;

  rocksdb::IOStatus judge() {
    const auto n = ++calls;
    if (at_call == 0 || n < at_call || (n > at_call && !for_ever)) return rocksdb::IOStatus::OK();
    // A full disk is what RocksDB would wait for by itself, whatever the flag says.
    auto s = kind == fault_kind::no_space ? rocksdb::IOStatus::NoSpace("injected") : rocksdb::IOStatus::IOError("injected");
    s.SetRetryable(retryable);
    return s;
  }
  /// What of `data` reaches the file although the write fails.
  [[nodiscard]] rocksdb::Slice gets_through(const rocksdb::Slice& data) const {
    return {data.data(), kind == fault_kind::torn ? data.size() / 2 : 0};
  }
};

class failing_file final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  failing_file(std::unique_ptr<rocksdb::FSWritableFile>&& file, fault_plan& plan)
      : FSWritableFileOwnerWrapper(std::move(file)), plan_(plan) {}

  using FSWritableFileOwnerWrapper::Append;
  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& o, rocksdb::IODebugContext* d) override {
    auto s = plan_.judge();
    if (s.ok()) return FSWritableFileOwnerWrapper::Append(data, o, d);
    if (const auto half = plan_.gets_through(data); !half.empty()) static_cast<void>(FSWritableFileOwnerWrapper::Append(half, o, d));
    return s;
  }
  rocksdb::IOStatus Sync(const rocksdb::IOOptions& o, rocksdb::IODebugContext* d) override {
    auto s = plan_.judge();
    return s.ok() ? FSWritableFileOwnerWrapper::Sync(o, d) : s;
  }
  rocksdb::IOStatus Fsync(const rocksdb::IOOptions& o, rocksdb::IODebugContext* d) override {
    auto s = plan_.judge();
    return s.ok() ? FSWritableFileOwnerWrapper::Fsync(o, d) : s;
  }

 private:
  fault_plan& plan_;
};

/// A log that is written in place.
class failing_room final : public rocksdb::FSRandomRWFileOwnerWrapper {
 public:
  failing_room(std::unique_ptr<rocksdb::FSRandomRWFile>&& file, fault_plan& plan) : FSRandomRWFileOwnerWrapper(std::move(file)), plan_(plan) {}

  rocksdb::IOStatus Write(std::uint64_t at, const rocksdb::Slice& data, const rocksdb::IOOptions& o, rocksdb::IODebugContext* d) override {
    auto s = plan_.judge();
    if (s.ok()) return FSRandomRWFileOwnerWrapper::Write(at, data, o, d);
    if (const auto half = plan_.gets_through(data); !half.empty()) static_cast<void>(FSRandomRWFileOwnerWrapper::Write(at, half, o, d));
    return s;
  }
  rocksdb::IOStatus Sync(const rocksdb::IOOptions& o, rocksdb::IODebugContext* d) override {
    auto s = plan_.judge();
    return s.ok() ? FSRandomRWFileOwnerWrapper::Sync(o, d) : s;
  }

 private:
  fault_plan& plan_;
};

class failing_files final : public rocksdb::FileSystemWrapper {
 public:
  explicit failing_files(fault_plan& plan) : FileSystemWrapper(rocksdb::FileSystem::Default()), plan_(plan) {}
  [[nodiscard]] const char* Name() const override { return "failing files"; }

  rocksdb::IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& o,
                                    std::unique_ptr<rocksdb::FSWritableFile>* file, rocksdb::IODebugContext* d) override {
    auto s = FileSystemWrapper::NewWritableFile(name, o, file, d);
    const bool info_log = name.find("/LOG") != std::string::npos;
    if (s.ok() && !info_log) *file = std::make_unique<failing_file>(std::move(*file), plan_);
    return s;
  }
  rocksdb::IOStatus NewRandomRWFile(const std::string& name, const rocksdb::FileOptions& o, std::unique_ptr<rocksdb::FSRandomRWFile>* file,
                                    rocksdb::IODebugContext* d) override {
    auto s = plan_.judge();
    if (s.ok()) s = FileSystemWrapper::NewRandomRWFile(name, o, file, d);
    if (s.ok()) *file = std::make_unique<failing_room>(std::move(*file), plan_);
    return s;
  }
  rocksdb::IOStatus ReopenWritableFile(const std::string& name, const rocksdb::FileOptions& o, std::unique_ptr<rocksdb::FSWritableFile>* file,
                                       rocksdb::IODebugContext* d) override {
    auto s = plan_.judge();
    return s.ok() ? FileSystemWrapper::ReopenWritableFile(name, o, file, d) : s;
  }
  rocksdb::IOStatus RenameFile(const std::string& from, const std::string& to, const rocksdb::IOOptions& o, rocksdb::IODebugContext* d) override {
    auto s = plan_.judge();
    return s.ok() ? FileSystemWrapper::RenameFile(from, to, o, d) : s;
  }

 private:
  fault_plan& plan_;
};

struct life {
  bool failed = false;
  std::vector<note> told;
};

/// Opens, appends 40 notes of 300 bytes over a write buffer of a few, so that tables are written too, and closes.
life live(const fs::path& dir, rocksdb::Env* env, std::uint64_t now, std::size_t log_room) {
  life l;
  l.failed = true;
  auto store = rocksdb_block_store::open({.data_dir = dir, .write_buffer_bytes = 64U << 10U, .log_room_bytes = log_room, .env = env});
  if (!store) return l;
  auto o = journal_log::open(std::move(*store), options_at(now));
  if (!o) return l;
  l.told = read_all(*o->journal);
  const std::string filler(4'000, 'f');
  for (int i = 0; i < 24; ++i) {
    auto n = nth(l.told.size() + 1);
    n.text += filler;
    if (!write(*o->journal, {n}, now)) {
      CHECK(!write(*o->journal, {n}, now).ok());
      CHECK(!o->journal->tick(now + second).ok());
      CHECK(!o->journal->close(now).ok());
      return l;
    }
    l.told.push_back(n);
  }
  l.failed = !o->journal->close(now).ok();
  return l;
}

/// How many bytes of RocksDB's log were written and not synced.
struct sync_watch {
  std::atomic<std::int64_t> unsynced = 0;
  std::atomic<std::uint64_t> bytes = 0;
};

class watched_log final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  watched_log(std::unique_ptr<rocksdb::FSWritableFile>&& file, sync_watch& watch)
      : FSWritableFileOwnerWrapper(std::move(file)), watch_(watch) {}

  using FSWritableFileOwnerWrapper::Append;
  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& o, rocksdb::IODebugContext* d) override {
    waiting_ += static_cast<std::int64_t>(data.size());
    watch_.unsynced += static_cast<std::int64_t>(data.size());
    watch_.bytes += data.size();
    return FSWritableFileOwnerWrapper::Append(data, o, d);
  }
  rocksdb::IOStatus Sync(const rocksdb::IOOptions& o, rocksdb::IODebugContext* d) override {
    watch_.unsynced -= std::exchange(waiting_, 0);
    return FSWritableFileOwnerWrapper::Sync(o, d);
  }
  rocksdb::IOStatus Fsync(const rocksdb::IOOptions& o, rocksdb::IODebugContext* d) override {
    watch_.unsynced -= std::exchange(waiting_, 0);
    return FSWritableFileOwnerWrapper::Fsync(o, d);
  }

 private:
  sync_watch& watch_;
  std::int64_t waiting_ = 0;
};

class watched_files final : public rocksdb::FileSystemWrapper {
 public:
  explicit watched_files(sync_watch& watch) : FileSystemWrapper(rocksdb::FileSystem::Default()), watch_(watch) {}
  [[nodiscard]] const char* Name() const override { return "watched files"; }

  rocksdb::IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& o,
                                    std::unique_ptr<rocksdb::FSWritableFile>* file, rocksdb::IODebugContext* d) override {
    auto s = FileSystemWrapper::NewWritableFile(name, o, file, d);
    if (s.ok() && name.ends_with(".log")) *file = std::make_unique<watched_log>(std::move(*file), watch_);
    return s;
  }

 private:
  sync_watch& watch_;
};

/// The most that was not synced when an append had said that it is durable.
std::int64_t most_unsynced(bool sync) {
  const temporary_directory dir;
  sync_watch watch;
  const auto env = rocksdb::NewCompositeEnv(std::make_shared<watched_files>(watch));
  auto store = rocksdb_block_store::open({.data_dir = dir.path(), .sync = sync, .env = env.get()});
  REQUIRE(store.ok());
  auto o = journal_log::open(std::move(*store), options_at(noon));
  REQUIRE(o.ok());
  std::int64_t most = watch.unsynced;
  for (std::uint64_t i = 1; i <= 20; ++i) {
    const auto before = watch.bytes.load();
    REQUIRE(write(*o->journal, {nth(i)}, noon + i).ok());
    CHECK(watch.bytes > before);  // it is this log that is written
    most = std::max(most, watch.unsynced.load());
  }
  REQUIRE(o->journal->close(noon + second).ok());
  return most;
}

}  // namespace

TEST_CASE("what an append calls durable is synced; without syncing it is not, and this would notice") {
  CHECK(most_unsynced(true) == 0);
  CHECK(most_unsynced(false) > 0);
}

TEST_CASE("an error at every writing call of RocksDB stops the journal and loses nothing") {
  struct variant {
    fault_kind kind;
    bool for_ever, retryable;
    std::uint64_t stride;
  };
  constexpr variant variants[] = {
      {fault_kind::error, false, false, 1},   {fault_kind::error, true, true, 1},     {fault_kind::error, false, true, 3},
      {fault_kind::error, true, false, 3},    {fault_kind::no_space, false, true, 2}, {fault_kind::no_space, true, false, 3},
      {fault_kind::no_space, true, true, 5},  {fault_kind::torn, false, false, 2},    {fault_kind::torn, false, true, 3},
      {fault_kind::torn, true, true, 5},
  };
  const bool each_call = std::getenv("HOLDFAST_EVERY_CALL") != nullptr;
  constexpr std::uint64_t one_in = instrumented ? 18 : 6;
  std::uint64_t errors = 0;
  // With spares it is not the same call each time that fails: another thread makes them.
  for (const std::size_t log_room : {std::size_t{0}, std::size_t{40} << 10U}) {
    const temporary_directory before;
    const auto first = live(before.path(), nullptr, noon, log_room);
    REQUIRE(!first.failed);
    for (std::size_t n = 0; n < std::size(variants); ++n) {
      const auto& v = variants[n];
      const auto before_variant = errors;
      // Each variant begins elsewhere, so that they do not all meet the same calls.
      for (std::uint64_t call = each_call ? 1 : 1 + n % one_in; ; call += each_call ? 1 : one_in * v.stride) {
        const temporary_directory dir;
        copy_files(before.path(), dir.path());
        fault_plan plan;
        plan.for_ever = v.for_ever;
        plan.retryable = v.retryable;
        plan.kind = v.kind;
        life broken;
        {
          const auto env = rocksdb::NewCompositeEnv(std::make_shared<failing_files>(plan));
          plan.at_call = call;
          broken = live(dir.path(), env.get(), noon + second, log_room);
        }
        const auto& told = broken.told.empty() ? first.told : broken.told;
        const auto o = journal_log::open(rocksdb_at(dir.path()), options_at(noon + 2 * second));
        REQUIRE_MESSAGE(o.ok(), "call " << call << ": " << (o.ok() ? "" : o.failure().text));
        REQUIRE_MESSAGE(starts_with(read_all(*o->journal), told), "call " << call);
        if (plan.calls < call) break;  // the plan lies beyond the end
        ++errors;
      }
      CHECK_MESSAGE(errors > before_variant, "variant " << n << " met no call");
    }
  }
  MESSAGE(errors << " errors injected");
}

}  // namespace holdfast::tests
