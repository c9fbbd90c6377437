#include "persistence/files.hpp"

#include <cerrno>
#include <cstring>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/planted.hpp"

namespace holdfast::persistence {

namespace fs = std::filesystem;

namespace {

fs::path directory_of(const fs::path& path) { return path.has_parent_path() ? path.parent_path() : fs::path("."); }

file_handle open_file(const fs::path& path, int flags, mode_t mode = 0640) {
  int fd = -1;
  do fd = ::open(path.c_str(), flags | O_CLOEXEC, mode);
  while (fd < 0 && errno == EINTR);
  return file_handle(fd);
}

}  // namespace

file_handle& file_handle::operator=(file_handle&& other) noexcept {
  if (this != &other) {
    close();
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

void file_handle::close() noexcept {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

base::error system_error(const char* what, const fs::path& path) {
  const auto why = errno;
  return {base::trouble::io, fmt::format("cannot {} {}: {}{}", what, path.string(), std::generic_category().message(why),
                                         why == ENOSPC ? disk_full_remedy : "")};
}

base::result<file_handle> open_for_update(const fs::path& path) {
  auto file = open_file(path, O_RDWR);
  if (!file.open()) return system_error("open", path);
  return file;
}

base::result<base::bytes> read_file(const fs::path& path) {
  base::bytes all;
  if (auto ok = read_file(path, all); !ok) return ok.failure();
  return all;
}

base::result<void> read_file(const fs::path& path, base::bytes& into) {
  const auto file = open_file(path, O_RDONLY);
  if (!file.open()) return system_error("open", path);
  struct ::stat info {};
  if (::fstat(file.get(), &info) != 0) return system_error("look at", path);
  into.resize(static_cast<std::size_t>(info.st_size));
  std::size_t have = 0;
  while (have < into.size()) {
    const auto n = ::read(file.get(), into.data() + have, into.size() - have);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return system_error("read", path);
    if (n == 0) break;
    have += static_cast<std::size_t>(n);
  }
  into.resize(have);
  return {};
}

base::result<void> replace_file(const fs::path& path, std::initializer_list<base::byte_view> parts) {
  const fs::path temporary = path.string() + ".tmp";
  const auto file = open_file(temporary, O_WRONLY | O_CREAT | O_TRUNC);
  if (!file.open()) return system_error("create", temporary);
  const auto give_up = [&](base::result<void> why) {
    ::unlink(temporary.c_str());
    return why;
  };
  std::uint64_t offset = 0;
  for (const auto part : parts) {
    if (auto ok = write_at(file, offset, part, temporary); !ok) return give_up(ok);
    offset += part.size();
  }
  if (::fsync(file.get()) != 0) return give_up(system_error("sync", temporary));
  if (::rename(temporary.c_str(), path.c_str()) != 0) return system_error("rename a file to", path);
  return sync_directory(directory_of(path));
}

base::result<void> write_at(const file_handle& file, std::uint64_t offset, base::byte_view bytes, const fs::path& path) {
  while (!bytes.empty()) {
    const auto n = ::pwrite(file.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return system_error("write", path);
    bytes = bytes.subspan(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
  return {};
}

base::result<void> sync_data(const file_handle& file, const fs::path& path) {
  if (::fdatasync(file.get()) != 0) return system_error("sync", path);
  return {};
}

base::result<void> sync_directory(const fs::path& directory) {
  const auto handle = open_file(directory, O_RDONLY | O_DIRECTORY);
  if (!handle.open()) return system_error("open", directory);
  if (::fsync(handle.get()) != 0) return system_error("sync", directory);
  return {};
}

base::result<void> make_directory(const fs::path& directory) {
  if (::mkdir(directory.c_str(), 0750) != 0) {
    if (errno != EEXIST) return system_error("create directory", directory);
    std::error_code ignored;
    if (!fs::is_directory(directory, ignored))
      return base::error{base::trouble::bad_input, fmt::format("{} is not a directory", directory.string())};
    return {};
  }
  return sync_directory(directory_of(directory));
}

base::result<file_handle> lock_directory(const fs::path& directory, bool exclusive) {
  auto handle = open_file(directory, O_RDONLY | O_DIRECTORY);
  if (!handle.open()) return system_error("open", directory);
  int done = 0;
  do done = ::flock(handle.get(), (exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB);
  while (done != 0 && errno == EINTR);
  if (done == 0 || planted(bug::second_server_let_in)) return handle;
  if (errno == EWOULDBLOCK)
    return base::error{base::trouble::busy,
                       fmt::format("{} is in use by another process: stop it, or give this one a directory of its own", directory.string())};
  return system_error("lock", directory);
}

}  // namespace holdfast::persistence
