// The real server as a child process on loopback and a directory of its own: started, asked whether it is ready, killed.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/blocking.hpp"

namespace holdfast::system_test {

/// A folder that goes when the object does.
class scratch_folder {
 public:
  scratch_folder();
  ~scratch_folder();
  scratch_folder(const scratch_folder&) = delete;
  scratch_folder& operator=(const scratch_folder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

struct server_options {
  std::filesystem::path program;     ///< holdfastd
  std::filesystem::path data;        ///< data directory
  std::filesystem::path folder;      ///< for configuration, socket and log; not in `data`
  bool sync = true;
  std::string more;                  ///< appended to the configuration
  std::string journal_more{}, shop_more{};  ///< appended to what it says of the journal, of the shops' listener
  std::uint16_t shop_port = 0;       ///< 0: any that is free. Clients that shall come back need the same after a restart
  std::vector<std::string> arguments{};    ///< besides --config
  std::vector<std::string> environment{};  ///< "NAME=value", besides the test's own
  std::uint64_t files_max = 0;       ///< descriptors that it may have; 0: as many as the test
  bool log_unread = false;           ///< nobody reads what it says after it was ready
};

class server {
 public:
  /// Starts it and waits until it says "ready" or ends.
  explicit server(server_options o);
  ~server();  ///< kills it if it runs
  server(const server&) = delete;
  server& operator=(const server&) = delete;

  [[nodiscard]] bool ready() const { return ready_; }
  /// Set if it ended by itself before it was ready.
  [[nodiscard]] const std::optional<int>& exit_code() const { return exit_code_; }
  /// What it has written to standard error until it was ready, or in all once it has ended.
  [[nodiscard]] const std::string& said() const { return said_; }

  /// Waits for it to end by itself; the exit code. Then `said` has everything that it has written.
  int end();
  void kill9();                ///< and waits
  int terminate();             ///< SIGTERM; the exit code
  [[nodiscard]] pid_t pid() const { return pid_; }

  /// With log_unread: fills what lies between the server's log and the reader that there is not.
  void fill_log() const;
  [[nodiscard]] std::uint16_t shop_port() const { return shop_port_; }
  [[nodiscard]] std::uint16_t buyer_port() const { return buyer_port_; }
  [[nodiscard]] client::options shop() const;
  [[nodiscard]] client::options buyer(core::owner_id owner, std::vector<core::limit_key> keys) const;
  [[nodiscard]] client::options admin() const;

 private:
  [[nodiscard]] std::filesystem::path said_later() const { return options_.folder / "server.said"; }
  void listen_until_ready();
  int wait();

  server_options options_;
  pid_t pid_ = -1;
  int err_ = -1, err_in_ = -1;
  pid_t listener_ = -1;  ///< keeps what it says after it was ready
  bool ready_ = false;
  std::optional<int> exit_code_;
  std::string said_;
  std::uint16_t shop_port_ = 0, buyer_port_ = 0;
};

/// Creates an open session over the admin socket. Aborts if that fails: nothing that follows could mean anything.
core::session_id open_session(const server& s, const std::string& name, const core::plan& hall, const core::policy& rules = core::default_policy());

/// One of the counters and gauges of `holdfast stats`. Aborts if the server does not tell it.
std::int64_t counter(const server& s, std::string_view name);

/// What the process has in memory.
std::uint64_t resident_bytes(pid_t process);

/// Any port that is free now.
std::uint16_t free_port();

}  // namespace holdfast::system_test
