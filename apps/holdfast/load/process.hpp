// What the operating system knows of a process: CPU time and memory, of the server beside which the generator runs and of itself.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <sys/types.h>

namespace holdfast::cli::load {

struct process_seen {
  double cpu_s = 0;               ///< user and system, all threads
  std::uint64_t resident = 0;     ///< bytes
};

/// Who listens at a Unix socket, as the kernel tells who connects; nothing if nobody does.
[[nodiscard]] std::optional<pid_t> listener_at(const std::string& path);
/// Nothing if there is no such process here, or it may not be looked at.
[[nodiscard]] std::optional<process_seen> look_at(pid_t pid);

}  // namespace holdfast::cli::load
