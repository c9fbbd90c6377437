// To be preloaded into the real server: its calls that write to the data directory go through here, and fail when the test says so. What was
// written since the last sync is undone when a sync fails, as a disk would that never took it: the kernel calls such pages clean, so
// neither a second sync nor the next start brings them back.
#include <cerrno>
#include <climits>
#include <cstdarg>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include <dlfcn.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "tests/system/disk_fault_block.hpp"

namespace holdfast::system_test {
namespace {

template <class F>
F next(F, const char* name) {
  return reinterpret_cast<F>(::dlsym(RTLD_NEXT, name));
}
#define HOLDFAST_NEXT(name) static const auto real = next(&::name, #name)

disk_fault_block* block() {
  static disk_fault_block* const shared = []() -> disk_fault_block* {
    const char* path = std::getenv(disk_fault_variable);
    const int fd = path == nullptr ? -1 : static_cast<int>(::syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0));
    if (fd < 0) return nullptr;
    void* at = ::mmap(nullptr, sizeof(disk_fault_block), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    ::close(fd);
    return at == MAP_FAILED ? nullptr : static_cast<disk_fault_block*>(at);
  }();
  return shared;
}

bool concerns(const char* path) {
  const auto* b = block();
  return b != nullptr && std::strncmp(path, b->under, std::strlen(b->under)) == 0;
}

/// Whether `fd` is a file or directory of the data directory; `path` is its name then.
bool concerns(int fd, char (&path)[PATH_MAX]) {
  if (block() == nullptr) return false;
  char link[64];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const auto n = ::readlink(link, path, sizeof path - 1);
  if (n <= 0) return false;
  path[n] = 0;
  return concerns(path);
}

/// Counts a call; what shall become of it.
disk_fault judge(const char* call, const char* path, bool writes) {
  auto& b = *block();
  const auto kind = b.kind.load();
  if (!writes && (kind == disk_fault::short_write || kind == disk_fault::interrupted)) return disk_fault::none;
  const auto n = ++b.calls;
  const auto at = b.at_call.load();
  if (at == 0 || n < at || (n > at && !b.for_ever)) return disk_fault::none;
  if (++b.failed == 1) {
    timespec t{};
    ::clock_gettime(CLOCK_MONOTONIC, &t);
    std::strncpy(b.call, call, sizeof b.call - 1);
    std::strncpy(b.path, path, sizeof b.path - 1);
    b.first_failed_ns = t.tv_sec * 1'000'000'000LL + t.tv_nsec;
  }
  return kind;
}

int error_of(disk_fault f) { return f == disk_fault::io_error ? EIO : f == disk_fault::interrupted ? EINTR : ENOSPC; }

/// What was written to a file since its last sync, so that it can be undone.
struct unsynced {
  struct piece {
    off_t at;
    std::vector<char> before;
  };
  ino_t file = 0;
  off_t size = 0;  ///< as of the last sync
  std::vector<piece> pieces;
};

std::mutex undo_lock;
std::map<int, unsynced>& undo() {
  static auto* const all = new std::map<int, unsynced>;
  return *all;
}

ssize_t put(int fd, const void* data, std::size_t n, off_t at) {
  return ::syscall(SYS_pwrite64, fd, data, n, at);
}

void remember(int fd, off_t at, std::size_t n) {
  struct ::stat now {};
  if (::fstat(fd, &now) != 0 || !S_ISREG(now.st_mode)) return;
  const std::lock_guard held(undo_lock);
  auto& u = undo()[fd];
  if (u.file != now.st_ino || u.pieces.empty()) u = {now.st_ino, now.st_size, {}};
  unsynced::piece p{at, {}};
  if (at < u.size) {
    p.before.resize(std::min(n, static_cast<std::size_t>(u.size - at)));
    // Files that are only written have no descriptor to read from.
    const int reader = static_cast<int>(::syscall(SYS_openat, AT_FDCWD, ("/proc/self/fd/" + std::to_string(fd)).c_str(), O_RDONLY | O_CLOEXEC, 0));
    const auto got = reader < 0 ? -1 : ::pread(reader, p.before.data(), p.before.size(), at);
    if (reader >= 0) ::close(reader);
    p.before.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
  }
  u.pieces.push_back(std::move(p));
}

void forget(int fd) {
  const std::lock_guard held(undo_lock);
  undo().erase(fd);
}

/// The disk did not take it; of a torn sync the older half got there.
void lose(int fd, bool half) {
  struct ::stat now {};
  if (::fstat(fd, &now) != 0) return;
  const std::lock_guard held(undo_lock);
  const auto found = undo().find(fd);
  if (found == undo().end() || found->second.file != now.st_ino) return;
  auto& u = found->second;
  const std::size_t kept = half ? u.pieces.size() / 2 : 0;
  for (auto i = u.pieces.size(); i-- > kept;)
    if (!u.pieces[i].before.empty()) static_cast<void>(put(fd, u.pieces[i].before.data(), u.pieces[i].before.size(), u.pieces[i].at));
  if (kept == 0 && now.st_size > u.size) static_cast<void>(::syscall(SYS_ftruncate, fd, u.size));
  undo().erase(found);
}

void wait_while_stalled() {
  auto& b = *block();
  if (b.stall == 0) return;
  ++b.stalled;
  for (std::uint32_t s = 0; (s = b.stall.load()) != 0;) ::syscall(SYS_futex, &b.stall, FUTEX_WAIT, s, nullptr, nullptr, 0);
  --b.stalled;
}

template <class Write>
ssize_t written(const char* call, int fd, std::size_t n, off_t at, const Write& write) {
  char path[PATH_MAX];
  if (!concerns(fd, path)) return write(n);
  const auto f = judge(call, path, true);
  if (f == disk_fault::none) {
    remember(fd, at < 0 ? ::lseek(fd, 0, SEEK_CUR) : at, n);
    return write(n);
  }
  if (f == disk_fault::short_write || f == disk_fault::torn) {
    const auto half = std::max<std::size_t>(n / 2, f == disk_fault::short_write ? 1 : 0);
    remember(fd, at < 0 ? ::lseek(fd, 0, SEEK_CUR) : at, half);
    const auto got = half == 0 ? 0 : write(half);
    if (f == disk_fault::short_write) return got;
  }
  errno = error_of(f);
  return -1;
}

template <class Sync>
int synced(const char* call, int fd, const Sync& sync) {
  char path[PATH_MAX];
  if (!concerns(fd, path)) return sync();
  wait_while_stalled();
  const auto f = judge(call, path, false);
  if (f == disk_fault::none) {
    const int done = sync();
    if (done == 0) forget(fd);
    return done;
  }
  lose(fd, f == disk_fault::torn);
  errno = error_of(f);
  return -1;
}

/// A call that either happens or fails, of a file known by its path.
template <class Act>
int named(const char* call, const char* path, const Act& act) {
  if (!concerns(path)) return act();
  const auto f = judge(call, path, false);
  if (f == disk_fault::none) return act();
  errno = error_of(f);
  return -1;
}

/// The same of an open one.
template <class Act>
int changed(const char* call, int fd, const Act& act) {
  char path[PATH_MAX];
  return concerns(fd, path) ? named(call, path, act) : act();
}

}  // namespace
/// RocksDB opens to append what is there already: here a log that was closed, to take its length off.
const char* name_of_open(int flags) noexcept { return (flags & O_APPEND) != 0 ? "reopen" : "open"; }

}  // namespace holdfast::system_test

using namespace holdfast::system_test;

extern "C" {

ssize_t write(int fd, const void* data, size_t n) {
  HOLDFAST_NEXT(write);
  return written("write", fd, n, -1, [&](std::size_t some) { return real(fd, data, some); });
}
ssize_t pwrite(int fd, const void* data, size_t n, off_t at) {
  HOLDFAST_NEXT(pwrite);
  return written("pwrite", fd, n, at, [&](std::size_t some) { return real(fd, data, some, at); });
}
ssize_t pwrite64(int fd, const void* data, size_t n, off64_t at) {
  HOLDFAST_NEXT(pwrite64);
  return written("pwrite", fd, n, at, [&](std::size_t some) { return real(fd, data, some, at); });
}
int fsync(int fd) {
  HOLDFAST_NEXT(fsync);
  return synced("fsync", fd, [&] { return real(fd); });
}
int fdatasync(int fd) {
  HOLDFAST_NEXT(fdatasync);
  return synced("fdatasync", fd, [&] { return real(fd); });
}
int ftruncate(int fd, off_t to) noexcept {
  HOLDFAST_NEXT(ftruncate);
  return changed("ftruncate", fd, [&] { return real(fd, to); });
}
int ftruncate64(int fd, off64_t to) noexcept {
  HOLDFAST_NEXT(ftruncate64);
  return changed("ftruncate", fd, [&] { return real(fd, to); });
}
int rename(const char* from, const char* to) noexcept {
  HOLDFAST_NEXT(rename);
  return named("rename", to, [&] { return real(from, to); });
}
int mkdir(const char* path, mode_t mode) noexcept {
  HOLDFAST_NEXT(mkdir);
  // What is there already costs nothing.
  if (::access(path, F_OK) == 0) return real(path, mode);
  return named("mkdir", path, [&] { return real(path, mode); });
}

// Only what may make a new file can meet a full disk.
int open(const char* path, int flags, ...) {
  HOLDFAST_NEXT(open);
  va_list rest;
  va_start(rest, flags);
  const auto mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  if ((flags & O_CREAT) == 0) return real(path, flags, mode);
  return named(name_of_open(flags), path, [&] { return real(path, flags, mode); });
}
int open64(const char* path, int flags, ...) {
  HOLDFAST_NEXT(open64);
  va_list rest;
  va_start(rest, flags);
  const auto mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  if ((flags & O_CREAT) == 0) return real(path, flags, mode);
  return named(name_of_open(flags), path, [&] { return real(path, flags, mode); });
}

}  // extern "C"
