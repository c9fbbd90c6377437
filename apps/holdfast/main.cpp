#include <cstdlib>
#include <iostream>

#include <sys/ioctl.h>
#include <unistd.h>

#include "apps/holdfast/program.hpp"

namespace {

unsigned width_of(int fd) {
  winsize w{};
  return ::ioctl(fd, TIOCGWINSZ, &w) == 0 && w.ws_col > 0 ? w.ws_col : 80;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace holdfast;
  std::ios::sync_with_stdio(false);
  const bool out = ::isatty(STDOUT_FILENO) == 1, err = ::isatty(STDERR_FILENO) == 1;
  // https://no-color.org: whoever sets it, to whatever, wants none.
  const char* plain = std::getenv("NO_COLOR");
  cli::surroundings around{std::cout, std::cerr, {out, out && (plain == nullptr || *plain == '\0'), width_of(STDOUT_FILENO)}, err};
  return cli::run(argc, argv, around);
}
