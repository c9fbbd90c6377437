#include "tests/system/disk.hpp"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>

#include <fmt/format.h>

namespace holdfast::system_test {
namespace {

constexpr unsigned long ext4_ioc_shutdown = 0x8004587D;  // _IOR('X', 125, __u32), linux/fs/ext4/ext4.h
constexpr std::uint32_t no_log_flush = 2;

base::result<void> run(const std::string& command) {
  if (std::system((command + " >/dev/null 2>&1").c_str()) == 0) return {};
  return base::error{base::trouble::io, fmt::format("`{}` failed (root and loop devices are needed)", command)};
}

}  // namespace

base::result<cuttable_disk> cuttable_disk::make(const std::filesystem::path& folder, unsigned mib) {
  cuttable_disk d;
  d.image_ = folder / "disk.img";
  d.mount_ = folder / "disk";
  std::filesystem::create_directories(d.mount_);
  if (auto done = run(fmt::format("truncate -s {}M {}", mib, d.image_.string())); !done) return done.failure();
  if (auto done = run(fmt::format("mkfs.ext4 -q -F -m 0 {}", d.image_.string())); !done) return done.failure();
  if (auto done = d.restore(); !done) return done.failure();
  return d;
}

cuttable_disk::cuttable_disk(cuttable_disk&& other) noexcept
    : image_(std::move(other.image_)), mount_(std::move(other.mount_)), mounted_(other.mounted_) {
  other.mounted_ = false;
}

cuttable_disk::~cuttable_disk() {
  if (mounted_) static_cast<void>(run(fmt::format("umount {}", mount_.string())));
}

base::result<void> cuttable_disk::cut() {
  const int fd = ::open(mount_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return base::error{base::trouble::io, fmt::format("{}: {}", mount_.string(), std::strerror(errno))};
  std::uint32_t how = no_log_flush;
  const int done = ::ioctl(fd, ext4_ioc_shutdown, &how);
  const int why = errno;
  ::close(fd);
  if (done != 0) return base::error{base::trouble::io, fmt::format("{}: EXT4_IOC_SHUTDOWN: {}", mount_.string(), std::strerror(why))};
  return {};
}

base::result<void> cuttable_disk::restore() {
  if (mounted_)
    if (auto done = run(fmt::format("umount {}", mount_.string())); !done) return done;
  mounted_ = false;
  if (auto done = run(fmt::format("mount -o loop {} {}", image_.string(), mount_.string())); !done) return done;
  mounted_ = true;
  return {};
}

}  // namespace holdfast::system_test
