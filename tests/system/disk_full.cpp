// A disk that runs full under load, is freed, and runs full again.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/check.hpp"
#include "plans/generate.hpp"
#include "tests/system/disk.hpp"
#include "tests/system/disk_faults.hpp"

namespace holdfast::system_test {

namespace fs = std::filesystem;

namespace {

constexpr unsigned disk_mib = 96;
constexpr std::uint32_t seats = 400'000;  // more than fits on the disk

std::uint64_t free_bytes(const fs::path& at) {
  struct statvfs v {};
  HOLDFAST_CHECK(::statvfs(at.c_str(), &v) == 0, "the disk can be asked");
  return std::uint64_t{v.f_bavail} * v.f_frsize;
}

/// Takes all but about `left` bytes.
void fill(const fs::path& ballast, std::uint64_t left) {
  const int fd = ::open(ballast.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  HOLDFAST_CHECK(fd >= 0, "a ballast file");
  const auto free = free_bytes(ballast.parent_path());
  if (free > left) HOLDFAST_CHECK(::posix_fallocate(fd, 0, static_cast<off_t>(free - left)) == 0, "ballast");
  ::close(fd);
}

}  // namespace

int disk_full(const disk_fault_settings& s) {
  scratch_folder folder;
  auto disk = cuttable_disk::make(folder.path(), disk_mib);
  if (!disk) {
    fmt::print("skipped: {}\n", disk.failure().text);
    return 77;
  }
  const auto data = disk->path() / "data", ballast = disk->path() / "ballast";
  // The index stays away: what it takes is not the journal's, and the sum would be another one each time.
  const server_options how{s.program, data, folder.path(), true, "[index]\nenabled = false\n", "write_buffer_bytes = 1048576"};
  unsigned broken = 0;
  std::optional<rush> crowd;
  for (unsigned n = 1; n <= s.rounds; ++n) {
    tally done;
    int code = 0;
    std::string said, wrong;
    std::uint64_t room = 0;
    {
      server on(how);
      HOLDFAST_CHECK(on.ready(), on.said().c_str());
      crowd.emplace(open_session(on, fmt::format("full-{}", n), plans::generate_hall({.seats = seats})), seats, s.seed * 1'000 + n);
      // Sometimes with room for the next log, sometimes without.
      fill(ballast, (std::uint64_t{n % 3} + 1) << 20U);
      room = free_bytes(data);
      // More than fits; the server is to end by itself.
      const auto ran = crowd->run(on.shop(), ~std::uint64_t{0}, 1, [&] { code = on.end(); });
      HOLDFAST_CHECK(ran.ok(), ran.ok() ? "" : ran.failure().text.c_str());
      done = *ran;
      said = on.said();
    }
    const auto last_line = said.substr(said.find_last_of('\n', said.size() - 2) + 1);
    if (code != 74) wrong = fmt::format("exit {}", code);
    else if (last_line.find(data.string()) == std::string::npos || last_line.find("free") == std::string::npos) wrong = "names no directory or no remedy";
    // As long as nothing is freed it refuses, or starts and stops again; it does neither harm.
    {
      server again(how);
      if (!again.ready() && again.exit_code() != 74) wrong = fmt::format("on a full disk exit {}", *again.exit_code());
      if (!again.ready() && again.said().find("free") == std::string::npos) wrong = "on a full disk: no remedy: " + again.said();
    }
    fs::remove(ballast);
    if (const auto later = held_to(*crowd, how); wrong.empty()) wrong = later;
    fmt::print("round {}: {:>5} KiB free, {:>6} acknowledged, then exit {}: {}{}\n", n, room >> 10U, done.acknowledged, code, last_line,
               wrong.empty() ? "         freed: everything is there and it goes on" : "         " + wrong);
    std::fflush(stdout);
    broken += wrong.empty() ? 0 : 1;
    for (const auto& e : fs::directory_iterator(data)) fs::remove_all(e);
  }
  fmt::print("{} rounds, {} with a promise broken\n", s.rounds, broken);
  return broken == 0 ? 0 : 1;
}

}  // namespace holdfast::system_test
