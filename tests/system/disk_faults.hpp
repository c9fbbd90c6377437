// The real server over a disk that fails: the library that makes its calls fail, and what is held against it afterwards.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tests/system/disk_fault_block.hpp"
#include "tests/system/rush.hpp"

namespace holdfast::system_test {

struct disk_fault_settings {
  std::filesystem::path program = "build/release/bin/holdfastd";
  std::filesystem::path library = "build/release/bin/libholdfast_disk_fault.so";
  std::uint64_t seed = 1;
  std::uint64_t stride = 1;   ///< sweep: every so manieth call
  std::uint64_t acks = 4'000; ///< sweep: acceptances, at least, if nothing fails
  unsigned rounds = 3;        ///< full
};

/// The block that the server's library looks into, in a file under `folder`.
class fault_control {
 public:
  fault_control(const std::filesystem::path& folder, const std::filesystem::path& under);
  ~fault_control();
  fault_control(const fault_control&) = delete;
  fault_control& operator=(const fault_control&) = delete;

  disk_fault_block* operator->() const { return block_; }
  void reset();           ///< nothing fails and nothing was counted
  void stall_syncs();     ///< from now on syncs wait
  void resume_syncs();
  /// For server_options::environment.
  [[nodiscard]] std::vector<std::string> environment(const std::filesystem::path& library) const;

 private:
  std::filesystem::path file_;
  std::string under_;
  disk_fault_block* block_ = nullptr;
};

/// Starts on `data` without any fault and holds the server to every promise that `crowd` has; stops it in order and audits the
/// directory. Empty: all is well; else what is not.
[[nodiscard]] std::string held_to(rush& crowd, const server_options& how);

// Each prints what it did and returns 0 if every promise was kept. `disk_full` returns 77 where it cannot mount.
int disk_sweep(const disk_fault_settings& s);
int disk_full(const disk_fault_settings& s);
int disk_stall(const disk_fault_settings& s);

}  // namespace holdfast::system_test
