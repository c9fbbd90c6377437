#include "persistence/rocksdb_log_files.hpp"

#include <chrono>
#include <string_view>
#include <utility>
#include <vector>

namespace holdfast::persistence {

namespace {

constexpr std::size_t piece = 1U << 20U;
/// A piece in so much time: some 100 MiB a second, so that zeros do not crowd out what buyers wait for.
constexpr auto pause_after_piece = std::chrono::milliseconds(10);
constexpr std::string_view in_the_making = ".tmp";

}  // namespace

/// A log over a spare: writes at its place instead of at its end. It may run over the end; then it grows like any other file.
class log_in_place final : public rocksdb::FSWritableFile {
 public:
  log_in_place(log_files& all, std::string name, std::unique_ptr<rocksdb::FSRandomRWFile> file, std::uint64_t room)
      : all_(all), name_(std::move(name)), file_(std::move(file)), room_(room) {}

  using FSWritableFile::Append;
  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& how, rocksdb::IODebugContext* debug) override {
    auto done = file_->Write(size_, data, how, debug);
    failed_ |= !done.ok();
    size_ += data.size();
    if (size_ > room_) all_.full_ = true;
    return done;
  }
  rocksdb::IOStatus Flush(const rocksdb::IOOptions&, rocksdb::IODebugContext*) override { return rocksdb::IOStatus::OK(); }
  rocksdb::IOStatus Sync(const rocksdb::IOOptions& how, rocksdb::IODebugContext* debug) override {
    auto done = file_->Sync(how, debug);
    failed_ |= !done.ok();
    return done;
  }
  rocksdb::IOStatus Fsync(const rocksdb::IOOptions& how, rocksdb::IODebugContext* debug) override {
    auto done = file_->Fsync(how, debug);
    failed_ |= !done.ok();
    return done;
  }
  rocksdb::IOStatus Close(const rocksdb::IOOptions& how, rocksdb::IODebugContext* debug) override {
    auto done = file_->Close(how, debug);
    // After an error the file stays as it is: it is evidence.
    if (!done.ok() || failed_ || size_ >= room_) return done;
    std::unique_ptr<rocksdb::FSWritableFile> whole;
    done = all_.target()->ReopenWritableFile(name_, {}, &whole, debug);
    if (done.ok()) done = whole->Truncate(size_, how, debug);
    if (done.ok()) done = whole->Close(how, debug);
    return done;
  }
  [[nodiscard]] bool IsSyncThreadSafe() const override { return true; }
  std::uint64_t GetFileSize(const rocksdb::IOOptions&, rocksdb::IODebugContext*) override { return size_; }
  // The room is there already.
  rocksdb::IOStatus Allocate(std::uint64_t, std::uint64_t, const rocksdb::IOOptions&, rocksdb::IODebugContext*) override {
    return rocksdb::IOStatus::OK();
  }

 private:
  log_files& all_;
  std::string name_;
  std::unique_ptr<rocksdb::FSRandomRWFile> file_;
  std::uint64_t room_;
  std::uint64_t size_ = 0;
  bool failed_ = false;
};

log_files::log_files(std::shared_ptr<rocksdb::FileSystem> below, log_files_options options)
    : FileSystemWrapper(std::move(below)), options_(std::move(options)) {}

log_files::~log_files() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (maker_.joinable()) maker_.join();
}

void log_files::begin() {
  ready_ = target()->FileExists(spare_name(), {}, nullptr).ok() || make_spare(options_.first_bytes, true);
  maker_ = std::thread([this] { make_spares(); });
}

bool log_files::should_switch() { return full_ && ready_ && full_.exchange(false); }

rocksdb::IOStatus log_files::NewWritableFile(const std::string& name, const rocksdb::FileOptions& how,
                                             std::unique_ptr<rocksdb::FSWritableFile>* file, rocksdb::IODebugContext* debug) {
  if (!name.ends_with(".log")) return FileSystemWrapper::NewWritableFile(name, how, file, debug);
  const bool spare = ready_.exchange(false);
  full_ = false;
  {
    const std::lock_guard lock(mutex_);
    wanted_ = true;
  }
  changed_.notify_all();

  std::uint64_t room = 0;
  std::unique_ptr<rocksdb::FSRandomRWFile> in_place;
  if (spare && target()->GetFileSize(spare_name(), {}, &room, debug).ok() && target()->RenameFile(spare_name(), name, {}, debug).ok()) {
    // From here on an error is one of the journal's: a sync that failed must not be followed by one that seems to succeed.
    auto done = sync_directory_of(name);
    if (done.ok()) done = sync_directory_of(spare_name());
    if (done.ok()) done = target()->NewRandomRWFile(name, how, &in_place, debug);
    if (done.ok()) *file = std::make_unique<log_in_place>(*this, name, std::move(in_place), room);
    return done;
  }
  full_ = true;  // a spare that cannot be taken is none
  return FileSystemWrapper::NewWritableFile(name, how, file, debug);
}

rocksdb::IOStatus log_files::sync_directory_of(const std::string& name) {
  std::unique_ptr<rocksdb::FSDirectory> directory;
  auto done = target()->NewDirectory(name.substr(0, name.rfind('/')), {}, &directory, nullptr);
  return done.ok() ? directory->Fsync({}, nullptr) : done;
}

bool log_files::make_spare(std::uint64_t bytes, bool waited_for) {
  const auto name = spare_name() + std::string(in_the_making);
  const auto fill = [&]() -> bool {
    std::unique_ptr<rocksdb::FSWritableFile> file;
    if (!target()->NewWritableFile(name, {}, &file, nullptr).ok()) return false;
    const std::vector<char> zeros(piece);
    for (std::uint64_t at = 0; at < bytes;) {
      const auto n = std::min<std::uint64_t>(piece, bytes - at);
      if (!file->Append(rocksdb::Slice(zeros.data(), n), {}, nullptr).ok()) return false;
      if (!waited_for) {
        if (!file->RangeSync(at, n, {}, nullptr).ok()) return false;
        std::unique_lock lock(mutex_);
        if (changed_.wait_for(lock, pause_after_piece, [&] { return stopping_; })) return false;
      }
      at += n;
    }
    return file->Fsync({}, nullptr).ok() && file->Close({}, nullptr).ok();
  };
  if (fill() && target()->RenameFile(name, spare_name(), {}, nullptr).ok()) return true;
  (void)target()->DeleteFile(name, {}, nullptr);
  return false;
}

void log_files::make_spares() {
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return stopping_ || wanted_; });
      if (stopping_) return;
      wanted_ = false;
    }
    if (!ready_ && make_spare(options_.log_bytes, false)) ready_ = true;
  }
}

}  // namespace holdfast::persistence
