// A disk whose power can be cut: an ext4 file system in a file, shut down without writing back anything (EXT4_IOC_SHUTDOWN with
// NOLOGFLUSH). What was not synced is gone, as after a real power cut. Needs root and loop devices.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.hpp"

namespace holdfast::system_test {

class cuttable_disk {
 public:
  /// Makes and mounts one of `mib` MiB under `folder`, all of it for anybody: nothing is kept back for root. Error: io, says which step failed.
  static base::result<cuttable_disk> make(const std::filesystem::path& folder, unsigned mib);
  ~cuttable_disk();
  cuttable_disk(cuttable_disk&& other) noexcept;
  cuttable_disk& operator=(cuttable_disk&&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return mount_; }
  /// The power goes. Nothing on the disk works any more until `restore`.
  [[nodiscard]] base::result<void> cut();
  /// The power is back: mounts again what had reached the disk. All who had files open on it must be gone.
  [[nodiscard]] base::result<void> restore();

 private:
  cuttable_disk() = default;
  std::filesystem::path image_, mount_;
  bool mounted_ = false;
};

}  // namespace holdfast::system_test
