// The few things a durable program does with files: every one ends on the disk or in an error that names the path.
// Interrupted and short calls are continued; nothing else is retried.
#pragma once

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <utility>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace holdfast::persistence {

/// Owns a file descriptor.
class file_handle {
 public:
  file_handle() = default;
  explicit file_handle(int fd) : fd_(fd) {}
  file_handle(file_handle&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  file_handle& operator=(file_handle&& other) noexcept;
  ~file_handle() { close(); }

  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool open() const { return fd_ >= 0; }
  void close() noexcept;

 private:
  int fd_ = -1;
};

/// Added to whatever fails because the disk is full.
inline constexpr const char* disk_full_remedy = "; free some room there, then start again: nothing that was acknowledged is lost";

/// Error with the operating system's present reason (errno).
base::error system_error(const char* what, const std::filesystem::path& path);

base::result<file_handle> open_for_update(const std::filesystem::path& path);
/// All bytes of a file. Error: io.
base::result<base::bytes> read_file(const std::filesystem::path& path);
/// The same, replaces the content of `into`: for many files after each other.
base::result<void> read_file(const std::filesystem::path& path, base::bytes& into);
/// The whole content, atomically: after a crash the file is as before or has all of `parts`. The name `path`.tmp is used;
/// what could not be written is removed again, for on a full disk it takes room that others need.
base::result<void> replace_file(const std::filesystem::path& path, std::initializer_list<base::byte_view> parts);
base::result<void> write_at(const file_handle& file, std::uint64_t offset, base::byte_view bytes,
                            const std::filesystem::path& path);
base::result<void> sync_data(const file_handle& file, const std::filesystem::path& path);
/// Makes names durable that were created, renamed or removed in the directory.
base::result<void> sync_directory(const std::filesystem::path& directory);
/// Creates the directory unless it is there, and makes its name durable. Its parent must exist.
base::result<void> make_directory(const std::filesystem::path& directory);
/// Locks a directory until the handle closes, without making or changing any file in it. Error: busy, if another
/// process holds it (exclusive: in any way; shared: exclusively).
base::result<file_handle> lock_directory(const std::filesystem::path& directory, bool exclusive);

}  // namespace holdfast::persistence
