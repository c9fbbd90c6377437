// What a test and the library that it puts into the server (disk_fault_library.cpp) share: a file that both have mapped. The test says what
// shall fail, the library says what did.
#pragma once

#include <atomic>
#include <cstdint>

namespace holdfast::system_test {

inline constexpr const char* disk_fault_variable = "HOLDFAST_DISK_FAULTS";  ///< path of the file

enum class disk_fault : std::uint32_t {
  none,
  io_error,     ///< EIO
  no_space,     ///< ENOSPC
  torn,         ///< half of it is done, then ENOSPC
  short_write,  ///< half is written and that is what the call says: no error, whoever writes has to go on
  interrupted,  ///< EINTR, of writes alone
};

struct disk_fault_block {
  // Written by the test.
  char under[256] = {};  ///< only what lies below this path
  std::atomic<disk_fault> kind = disk_fault::none;
  std::atomic<bool> for_ever = false;
  std::atomic<std::uint64_t> at_call = 0;       ///< counted from 1; 0: never
  std::atomic<std::uint32_t> stall = 0;         ///< not 0: syncs wait on this word (futex)
  // Written by the library.
  std::atomic<std::uint64_t> calls = 0;         ///< that could have failed
  std::atomic<std::uint64_t> failed = 0;
  std::atomic<std::int64_t> first_failed_ns = 0;  ///< CLOCK_MONOTONIC
  std::atomic<std::uint32_t> stalled = 0;       ///< syncs that wait now
  char call[24] = {}, path[256] = {};           ///< of the first that failed
};

}  // namespace holdfast::system_test
