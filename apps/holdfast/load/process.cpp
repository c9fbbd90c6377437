#include "apps/holdfast/load/process.hpp"

#include <fstream>
#include <sstream>

#include <sys/socket.h>
#include <unistd.h>

#include "client/address.hpp"
#include "client/socket.hpp"

namespace holdfast::cli::load {

std::optional<pid_t> listener_at(const std::string& path) {
  const auto to = client::resolve(client::unix_socket(path));
  if (!to) return std::nullopt;
  const auto s = client::socket::connect(*to, std::chrono::milliseconds(500));
  if (!s) return std::nullopt;
  ucred who{};
  socklen_t size = sizeof who;
  if (::getsockopt(s->fd(), SOL_SOCKET, SO_PEERCRED, &who, &size) != 0 || who.pid <= 0) return std::nullopt;
  return who.pid;
}

std::optional<process_seen> look_at(pid_t pid) {
  const auto folder = "/proc/" + std::to_string(pid);
  std::ifstream stat(folder + "/stat");
  std::string all;
  if (!std::getline(stat, all)) return std::nullopt;
  // The name in parentheses may hold anything; behind it user time is field 14, system time field 15.
  const auto after = all.rfind(')');
  if (after == std::string::npos) return std::nullopt;
  std::istringstream fields(all.substr(after + 1));
  std::string skipped;
  for (int field = 3; field < 14; ++field) fields >> skipped;
  std::uint64_t user = 0, system = 0;
  if (!(fields >> user >> system)) return std::nullopt;
  process_seen seen;
  seen.cpu_s = static_cast<double>(user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
  std::ifstream statm(folder + "/statm");
  std::uint64_t size = 0, resident = 0;
  if (statm >> size >> resident) seen.resident = resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  return seen;
}

}  // namespace holdfast::cli::load
