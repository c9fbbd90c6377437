// What a program says when it stops itself: for tests of HOLDFAST_CHECK and of what relies on it.
#pragma once

#include <csignal>
#include <cstdlib>
#include <optional>
#include <string>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace holdfast::tests {

/// Runs `act` in a forked child. Returns the child's standard error if it aborted, nothing if it ended in any
/// other way. The calling process must have no other threads.
template <class Act>
std::optional<std::string> dies(Act act) {
  int ends[2];
  if (::pipe(ends) != 0) return std::nullopt;
  const pid_t child = ::fork();
  if (child < 0) {
    ::close(ends[0]);
    ::close(ends[1]);
    return std::nullopt;
  }
  if (child == 0) {
    const rlimit no_core{0, 0};
    ::setrlimit(RLIMIT_CORE, &no_core);
    std::signal(SIGABRT, SIG_DFL);  // the test framework's own handler would report a failed test
    ::dup2(ends[1], STDERR_FILENO);
    act();
    std::_Exit(0);
  }
  ::close(ends[1]);
  std::string said;
  char piece[512];
  for (ssize_t n = 0; (n = ::read(ends[0], piece, sizeof piece)) > 0;) said.append(piece, static_cast<std::size_t>(n));
  ::close(ends[0]);
  int status = 0;
  if (::waitpid(child, &status, 0) != child || !WIFSIGNALED(status) || WTERMSIG(status) != SIGABRT) return std::nullopt;
  return said;
}

}  // namespace holdfast::tests
