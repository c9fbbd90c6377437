#include "tests/system/server.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <fstream>

#include <fmt/format.h>

#include "client/ids.hpp"

namespace holdfast::system_test {

scratch_folder::scratch_folder() {
  std::string name = (std::filesystem::temp_directory_path() / "holdfast-XXXXXX").string();
  HOLDFAST_CHECK(mkdtemp(name.data()) != nullptr, "no temporary folder can be made");
  path_ = name;
}
scratch_folder::~scratch_folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::uint16_t free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  HOLDFAST_CHECK(::bind(fd, reinterpret_cast<sockaddr*>(&a), sizeof a) == 0, "no free port");
  socklen_t n = sizeof a;
  getsockname(fd, reinterpret_cast<sockaddr*>(&a), &n);
  ::close(fd);
  return ntohs(a.sin_port);
}

server::server(server_options o) : options_(std::move(o)), shop_port_(options_.shop_port != 0 ? options_.shop_port : free_port()), buyer_port_(free_port()) {
  const auto config = options_.folder / "server.toml";
  std::ofstream(config) << fmt::format(
      "[data]\ndirectory = \"{}\"\n[journal]\nunsafe_no_sync = {}\n{}\n[listen.shop]\nport = {}\n{}\n[listen.buyer]\nport = {}\n"
      "[listen.admin]\npath = \"{}\"\n{}\n",
      options_.data.string(), !options_.sync, options_.journal_more, shop_port_, options_.shop_more, buyer_port_, (options_.folder / "admin.sock").string(), options_.more);
  int pipe_ends[2];
  HOLDFAST_CHECK(::pipe2(pipe_ends, O_CLOEXEC) == 0, "no pipe");
  pid_ = ::fork();
  HOLDFAST_CHECK(pid_ >= 0, "no child process");
  if (pid_ == 0) {
    ::dup2(pipe_ends[1], STDERR_FILENO);
    if (options_.files_max != 0) {
      const rlimit few{options_.files_max, options_.files_max};
      ::setrlimit(RLIMIT_NOFILE, &few);
    }
    for (auto& e : options_.environment) ::putenv(e.data());
    std::string name = options_.program.string(), flag = "--config", file = config.string();
    std::vector<char*> words{name.data(), flag.data(), file.data()};
    for (auto& a : options_.arguments) words.push_back(a.data());
    words.push_back(nullptr);
    ::execv(name.c_str(), words.data());
    ::_exit(127);
  }
  if (options_.log_unread) err_in_ = pipe_ends[1];
  else ::close(pipe_ends[1]);
  err_ = pipe_ends[0];
  listen_until_ready();
}

server::~server() {
  if (pid_ > 0) kill9();
  for (const int fd : {err_, err_in_})
    if (fd >= 0) ::close(fd);
}

void server::listen_until_ready() {
  char buffer[4096];
  while (!ready_) {
    const auto n = ::read(err_, buffer, sizeof buffer);
    if (n <= 0) {
      exit_code_ = wait();
      return;
    }
    said_.append(buffer, static_cast<std::size_t>(n));
    ready_ = said_.find(" ready\n") != std::string::npos;
  }
  if (options_.log_unread) return;
  // What it says later must not fill the pipe.
  const int fd = err_;
  err_ = -1;
  const int kept = ::open(said_later().c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  HOLDFAST_CHECK(kept >= 0, "no file for what the server says");
  listener_ = ::fork();
  HOLDFAST_CHECK(listener_ >= 0, "no child process");
  if (listener_ == 0) {
    for (ssize_t n = 0; (n = ::read(fd, buffer, sizeof buffer)) > 0;)
      if (::write(kept, buffer, static_cast<std::size_t>(n)) != n) ::_exit(1);
    ::_exit(0);
  }
  ::close(kept);
  ::close(fd);
}

int server::wait() {
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {}
  pid_ = -1;
  if (listener_ > 0) {
    // Ends when the server's end of the pipe is closed.
    while (::waitpid(listener_, nullptr, 0) < 0 && errno == EINTR) {}
    listener_ = -1;
    std::ifstream in(said_later(), std::ios::binary);
    said_.append(std::istreambuf_iterator<char>(in), {});
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int server::end() {
  HOLDFAST_CHECK(pid_ > 0, "a server that runs");
  return wait();
}

void server::kill9() {
  ::kill(pid_, SIGKILL);
  const int code = wait();
  // 74: the disk under it went a moment before. Anything else, a sanitizer's abort above all, must not pass for our kill.
  HOLDFAST_CHECK(code == 128 + SIGKILL || code == 74, "the server ended before it was killed");
}

void server::fill_log() const {
  const std::string line(512, '.');
  for (pollfd p{err_in_, POLLOUT, 0}; ::poll(&p, 1, 0) == 1;)
    HOLDFAST_CHECK(::write(err_in_, line.data(), line.size()) > 0, "the pipe takes no more, and did not say so");
}

int server::terminate() {
  ::kill(pid_, SIGTERM);
  return wait();
}

client::options server::shop() const {
  client::options o;
  o.to = {"127.0.0.1", shop_port_, {}};
  return o;
}
client::options server::buyer(core::owner_id owner, std::vector<core::limit_key> keys) const {
  client::options o;
  o.to = {"127.0.0.1", buyer_port_, {}};
  o.listener = protocol::listener_kind::buyer;
  o.owner = owner;
  o.keys = std::move(keys);
  return o;
}
client::options server::admin() const {
  client::options o;
  o.to = client::unix_socket((options_.folder / "admin.sock").string());
  o.listener = protocol::listener_kind::admin;
  return o;
}

core::session_id open_session(const server& s, const std::string& name, const core::plan& hall, const core::policy& rules) {
  auto op = client::blocking::connect(s.admin());
  HOLDFAST_CHECK(op.ok(), op.ok() ? "" : op.failure().text.c_str());
  auto terms = std::make_shared<core::session_terms>();
  terms->name = name;
  terms->currency = "EUR";
  terms->zone = "Europe/Berlin";
  terms->rules = rules;
  base::bytes plan;
  base::byte_writer w(plan);
  core::encode_plan(hall, w);
  const auto made = op->create_session({op->envelope(core::command_id{client::random_id()}), terms, plan});
  HOLDFAST_CHECK(made.ok() && made->seen, "the session is created");
  const auto id = made->seen->id;
  const auto opened = op->open_sale(id, op->envelope(core::command_id{client::random_id()}));
  HOLDFAST_CHECK(opened.ok() && opened->said.refused == core::refusal::none, "the sale opens");
  return id;
}

std::int64_t counter(const server& s, std::string_view name) {
  auto op = client::blocking::connect(s.admin());
  HOLDFAST_CHECK(op.ok(), op.ok() ? "" : op.failure().text.c_str());
  const auto told = op->stats();
  HOLDFAST_CHECK(told.ok() && told->seen, "the server tells its counters");
  for (const auto& row : told->seen->values)
    if (row.name == name) return row.value;
  HOLDFAST_CHECK(false, std::string(name).c_str());
  return 0;
}

std::uint64_t resident_bytes(pid_t process) {
  std::uint64_t all = 0, resident = 0;
  std::ifstream(fmt::format("/proc/{}/statm", process)) >> all >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace holdfast::system_test
