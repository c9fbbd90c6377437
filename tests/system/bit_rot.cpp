// Flips every bit of every file of a data directory, one at a time, and starts on it as the server does:
//
//   holdfast_bit_rot               every bit; minutes to an hour
//   holdfast_bit_rot --every 997   every 997th
//
// A start may refuse, with no byte changed, or come to exactly the sessions that were acknowledged. The directory was made by the real
// server. Each process has a copy of its own in memory, flips a bit in place and flips it back; the part of a start that reads (checkpoints,
// RocksDB, chain, witness, replay) runs for every bit, the part that writes for a sample, on a copy.
#include <csignal>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <map>
#include <thread>

#include <CLI/CLI.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.hpp"
#include "base/random.hpp"
#include "persistence/files.hpp"
#include "persistence/journal_check.hpp"
#include "persistence/recovery.hpp"
#include "persistence/rocksdb_block_store.hpp"
#include "plans/generate.hpp"
#include "tests/system/server.hpp"

namespace holdfast::system_test {
namespace {

namespace fs = std::filesystem;
namespace db = holdfast::persistence;

struct settings {
  fs::path program = "build/release/bin/holdfastd";
  std::uint64_t every = 1;
  std::uint64_t offset = 0;
  std::string only;
  unsigned workers = std::max(1U, std::thread::hardware_concurrency());
  std::uint64_t starts_every = 512;
};

enum outcome : unsigned { harmless, audit_alone, refused, ended, trouble, lost, changed, crashed, outcomes };
constexpr const char* outcome_names[outcomes] = {"harmless", "audit only", "refused", "refused*", "exit 74", "LOST", "CHANGED", "CRASHED"};

struct file {
  std::string name, kind;
  base::bytes content;
  std::uint64_t bits = 0;
};

/// What a start comes to: the end of the journal and the digest of each session.
struct sale_state {
  std::uint64_t last_block = 0;
  std::map<std::uint64_t, db::digest> sessions;
  friend bool operator==(const sale_state&, const sale_state&) = default;
};

/// What recovery needs of a journal, over a store that was opened for reading.
class read_journal final : public db::journal {
 public:
  read_journal(db::block_store& store, const db::journal_state& s) : store_(store), state_(s) {}
  base::result<db::appended> append(std::span<const db::record_ref>, std::uint64_t) override { return only_read(); }
  base::result<void> tick(std::uint64_t) override { return only_read(); }
  [[nodiscard]] std::uint64_t next_due() const override { return ~std::uint64_t{0}; }
  base::result<void> scan(std::uint64_t from, std::uint64_t to, const db::block_visitor& visit) const override {
    db::chain c(0, state_.journal);
    return db::scan_chain(store_, c, from, to, visit);
  }
  [[nodiscard]] const base::id128& id() const override { return state_.journal; }
  [[nodiscard]] std::uint64_t epoch() const override { return state_.tip.epoch; }
  [[nodiscard]] std::uint64_t first_block() const override { return state_.first_block; }
  [[nodiscard]] db::block_mark last_block() const override { return state_.tip.block; }
  [[nodiscard]] const std::optional<db::journal_failure>& failure() const override { return none_; }
  base::result<void> close(std::uint64_t) override { return only_read(); }

 private:
  static base::error only_read() { return {base::trouble::bad_input, "the journal is only read"}; }
  db::block_store& store_;
  const db::journal_state& state_;
  std::optional<db::journal_failure> none_;
};

std::map<std::uint64_t, db::digest> digests(const db::replica::sessions_map& sessions) {
  std::map<std::uint64_t, db::digest> all;
  for (const auto& [id, s] : sessions) all[id] = db::session_digest(s);
  return all;
}

/// A start up to the point where it would write. Without checkpoints every block is read.
base::result<sale_state> read_start(const fs::path& root, bool with_checkpoints) {
  const db::data_directory d{root};
  auto store = db::rocksdb_block_store::open({.data_dir = root, .opening_threads = 1});
  if (!store) return store.failure();
  const auto faulted = db::read_faulted(d);
  if (!faulted) return faulted.failure();
  const db::checkpoint_files files(d.snapshots());
  auto listed = files.list();
  if (!listed) return listed.failure();
  if (!with_checkpoints) listed->checkpoints.clear();
  db::check_options how;
  for (const auto& c : listed->checkpoints) how.checkpoints.push_back(c.at);
  auto state = db::check_journal(**store, how);
  if (!state) return state.failure();
  if (!state->exists) return sale_state{};
  const read_journal j(**store, *state);
  auto recovered = db::recover(j, with_checkpoints ? &files : nullptr, *listed, *faulted, 0, core::session_options{1, 64});
  if (!recovered) return recovered.failure();
  return sale_state{state->tip.block.number, digests(recovered->sessions)};
}

unsigned of(const base::error& e) { return e.kind == base::trouble::io ? trouble : refused; }

/// The whole start, and a second one on what it has written.
unsigned writing_start(const fs::path& root, const sale_state& told, std::uint64_t wall_clock) {
  for (int round = 0; round < 2; ++round) {
    db::start_options how;
    how.wall_clock = wall_clock;
    how.clock.accept_gap = true;
    how.program = "bit rot";
    how.sessions = {1, 64};
    how.write_buffer_bytes = 64U << 10U;
    const auto s = db::start({root}, how);
    if (!s) return of(s.failure());
    if (digests(s->state.sessions) != told.sessions) return lost;
  }
  return harmless;
}

std::vector<file> read_all(const fs::path& root) {
  std::vector<file> all;
  for (const auto& e : fs::recursive_directory_iterator(root)) {
    if (!e.is_regular_file()) continue;
    file f;
    f.name = fs::relative(e.path(), root).string();
    auto bytes = db::read_file(e.path());
    HOLDFAST_CHECK(bytes.ok(), "a file of the directory is read");
    f.content = std::move(*bytes);
    const auto leaf = e.path().filename().string();
    f.kind = e.path().extension() == ".log"          ? "log"
             : e.path().extension() == ".sst"        ? "table"
             : e.path().extension() == ".snap"       ? "snapshot"
             : e.path().extension() == ".checkpoint" ? "checkpoint"
             : leaf.starts_with("MANIFEST")          ? "manifest"
             : leaf.starts_with("OPTIONS")           ? "options"
                                                     : leaf;
    f.bits = f.content.size() * 8;
    all.push_back(std::move(f));
  }
  std::ranges::sort(all, {}, &file::name);
  return all;
}

bool as_it_was(const fs::path& root, const std::vector<file>& files, std::size_t bent, std::uint64_t bit) {
  std::size_t seen = 0;
  for (const auto& e : fs::recursive_directory_iterator(root)) seen += e.is_regular_file() ? 1 : 0;
  if (seen != files.size()) return false;
  for (std::size_t i = 0; i < files.size(); ++i) {
    auto now = db::read_file(root / files[i].name);
    if (!now) return false;
    if (i == bent && !now->empty()) (*now)[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    if (*now != files[i].content) return false;
  }
  return true;
}

struct job {
  std::uint32_t file;
  std::uint64_t bit;
};

/// Shared by all processes.
struct board {
  std::atomic<std::uint64_t> done;
  std::atomic<std::uint64_t> counts[64][outcomes];  ///< by file
  std::atomic<std::uint64_t> starts;
  std::atomic<std::uint64_t> at[64];                ///< by worker: the job under way
};

class worker {
 public:
  worker(const settings& s, const std::vector<file>& files, const std::vector<job>& jobs, const sale_state& told, board& b, unsigned number,
         fs::path root, std::uint64_t wall_clock)
      : s_(s), files_(files), jobs_(jobs), told_(told), board_(b), number_(number), root_(std::move(root)), wall_clock_(wall_clock) {}

  /// Forks a process that goes on from job to job; one that dies is judged by how it died, and the next goes on behind it.
  [[noreturn]] void supervise() {
    for (std::uint64_t next = number_; next < jobs_.size();) {
      const pid_t child = ::fork();
      if (child < 0) std::_Exit(70);
      if (child == 0) run(next);
      int status = 0;
      while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {}
      if (WIFEXITED(status) && WEXITSTATUS(status) == 0) break;
      const auto i = board_.at[number_].load();
      const auto& j = jobs_[i];
      auto end = WIFEXITED(status) && WEXITSTATUS(status) == 65 ? ended : crashed;
      if (!as_it_was(root_, files_, j.file, j.bit)) end = changed;
      count(j, end);
      flip(j);
      next = i + s_.workers;
    }
    std::_Exit(0);
  }

 private:
  [[noreturn]] void run(std::uint64_t from) {
    const rlimit no_core{0, 0};
    ::setrlimit(RLIMIT_CORE, &no_core);
    std::signal(SIGABRT, SIG_DFL);
    const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
    ::dup2(nowhere, STDERR_FILENO);
    for (auto i = from; i < jobs_.size(); i += s_.workers) {
      board_.at[number_] = i;
      flip(jobs_[i]);
      count(jobs_[i], judge(i));
      flip(jobs_[i]);
    }
    std::_Exit(0);
  }

  unsigned judge(std::uint64_t i) {
    const auto& j = jobs_[i];
    const auto got = read_start(root_, true);
    unsigned end = harmless;
    if (!got) end = of(got.failure());
    else if (*got != told_) end = lost;
    else if (const auto all = read_start(root_, false); !all || *all != told_) end = audit_alone;
    if (!as_it_was(root_, files_, j.file, j.bit)) return changed;
    if (end == harmless && ++accepted_ % s_.starts_every == 1) {
      const auto copy = root_.string() + ".copy";
      fs::remove_all(copy);
      fs::copy(root_, copy, fs::copy_options::recursive);
      const auto wrote = writing_start(copy, told_, wall_clock_);
      ++board_.starts;
      if (wrote == lost) return lost;
    }
    return end;
  }

  void flip(const job& j) {
    const int fd = ::open((root_ / files_[j.file].name).c_str(), O_RDWR | O_CLOEXEC);
    const auto at = static_cast<off_t>(j.bit / 8);
    std::uint8_t b = 0;
    if (fd < 0 || ::pread(fd, &b, 1, at) != 1) std::_Exit(71);
    b ^= static_cast<std::uint8_t>(1U << (j.bit % 8));
    if (::pwrite(fd, &b, 1, at) != 1) std::_Exit(71);
    ::close(fd);
  }

  void count(const job& j, unsigned end) {
    ++board_.counts[j.file][end];
    ++board_.done;
    if (end >= lost) {
      fmt::print("{}: {} bit {} of byte {}\n", outcome_names[end], files_[j.file].name, j.bit % 8, j.bit / 8);
      std::fflush(stdout);
    }
  }

  const settings& s_;
  const std::vector<file>& files_;
  const std::vector<job>& jobs_;
  const sale_state& told_;
  board& board_;
  unsigned number_;
  fs::path root_;
  std::uint64_t wall_clock_;
  std::uint64_t accepted_ = 0;
};

/// Sells on the real server and kills it, twice: tables, two checkpoints, a spare and a log of at least 64 KiB. Returns the log time of the end.
std::uint64_t make_directory(const settings& s, const fs::path& data, const fs::path& folder) {
  constexpr std::uint32_t seats = 64;
  base::random random(1);
  core::session_id session;
  std::uint64_t now = 0;
  const auto sell = [&](const server& on, unsigned holds) {
    auto shop = client::blocking::connect(on.shop());
    HOLDFAST_CHECK(shop.ok(), "a ready server is connected to");
    for (unsigned i = 0; i < holds; ++i) {  // a block each
      const core::line l{core::place_kind::seat, i % seats, 1, 1};
      const core::owner_id owner{random.id()};
      const core::limit_key key{core::key_kind::account, owner.value};
      const core::command_id hold{random.id()};
      const auto held = shop->hold_seats(session, shop->envelope(hold), {owner, {&key, 1}, {&l, 1}, 600'000, 1, {}});
      HOLDFAST_CHECK(held.ok() && held->said.refused == core::refusal::none, "a seat is held");
      const auto back = shop->release_hold(session, shop->envelope(core::command_id{random.id()}), {owner, hold, {}, false});
      HOLDFAST_CHECK(back.ok() && back->said.refused == core::refusal::none, "it is given back");
      now = back->now.value;
    }
  };
  const auto count = [](const fs::path& where, const std::string& extension) {
    std::error_code none;
    std::size_t n = 0;
    for (const auto& e : fs::directory_iterator(where, none)) n += e.path().extension() == extension ? 1 : 0;
    return n;
  };
  {
    server first({s.program, data, folder, true, "[snapshots]\nrecords_max = 30\n[index]\nenabled = false\n", "write_buffer_bytes = 1048576"});
    HOLDFAST_CHECK(first.ready(), first.said().c_str());
    session = open_session(first, "rot", plans::generate_hall({.seats = seats, .zones = 1}));
    sell(first, 20);
    while (count(data / "snapshots", ".checkpoint") < 1 || !fs::exists(data / "spare")) sell(first, 1);
    sell(first, 20);
    while (count(data / "snapshots", ".checkpoint") < 2) sell(first, 1);
    first.kill9();
  }
  // A log that grows has no zeros behind it.
  server second({s.program, data, folder, true, "[snapshots]\nrecords_max = 100000\n[index]\nenabled = false\n", "logs_in_place = false"});
  HOLDFAST_CHECK(second.ready(), second.said().c_str());
  const auto log_bytes = [&] {
    std::uintmax_t most = 0;
    for (const auto& e : fs::directory_iterator(data / "journal"))
      if (e.path().extension() == ".log") most = std::max(most, e.file_size());
    return most;
  };
  while (log_bytes() < (64U << 10U)) sell(second, 10);
  second.kill9();
  // One zero of a spare is like another, and its length may be any.
  fs::resize_file(data / "spare", 4'096);
  // RocksDB's diary is read by nobody.
  for (const auto& e : fs::directory_iterator(data / "journal"))
    if (e.path().filename().string().starts_with("LOG")) fs::remove(e.path());
  return now;
}

int run(const settings& s) {
  scratch_folder folder;
  const auto memory = fs::is_directory("/dev/shm") ? fs::path("/dev/shm") : fs::temp_directory_path();
  const auto place = memory / folder.path().filename();
  struct cleaner {
    fs::path what;
    ~cleaner() {
      std::error_code ignored;
      fs::remove_all(what, ignored);
    }
  } const clean{place};
  fs::create_directories(place);
  const auto original = place / "original";
  const auto wall_clock = make_directory(s, original, folder.path()) + 1'000'000;
  auto files = read_all(original);
  HOLDFAST_CHECK(files.size() <= std::size(board{}.counts) && s.workers <= std::size(board{}.at), "more files or workers than the board has room for");

  std::vector<job> jobs;
  std::uint64_t n = 0;
  for (std::uint32_t f = 0; f < files.size(); ++f) {
    if (!s.only.empty() && files[f].kind != s.only) continue;
    for (std::uint64_t bit = 0; bit < files[f].bits; ++bit)
      if (n++ % s.every == s.offset % s.every) jobs.push_back({f, bit});
  }
  if (jobs.empty()) {
    fmt::print(stderr, "no file of kind '{}'\n", s.only);
    return 64;
  }

  auto* shared = ::mmap(nullptr, sizeof(board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  HOLDFAST_CHECK(shared != MAP_FAILED, "no shared memory");
  auto& b = *new (shared) board{};

  // In a process of its own: this one forks and must have no threads of RocksDB's. Its digests come back through a pipe.
  const auto undamaged = [&] {
    int ends[2];
    HOLDFAST_CHECK(::pipe2(ends, O_CLOEXEC) == 0, "no pipe");
    const pid_t child = ::fork();
    if (child == 0) {
      const auto got = read_start(original, true);
      const auto all = read_start(original, false);
      if (!got || !all || *got != *all) std::_Exit(1);
      bool good = ::write(ends[1], &got->last_block, sizeof got->last_block) > 0;
      for (const auto& [id, d] : got->sessions) good = good && ::write(ends[1], &id, sizeof id) > 0 && ::write(ends[1], d.data(), d.size()) > 0;
      std::_Exit(good ? 0 : 1);
    }
    ::close(ends[1]);
    sale_state told;
    std::uint64_t id = 0;
    db::digest d{};
    bool good = ::read(ends[0], &told.last_block, sizeof told.last_block) == sizeof told.last_block;
    while (::read(ends[0], &id, sizeof id) == sizeof id) {
      good = good && ::read(ends[0], d.data(), d.size()) == static_cast<ssize_t>(d.size());
      told.sessions[id] = d;
    }
    ::close(ends[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    HOLDFAST_CHECK(good && status == 0 && !told.sessions.empty(), "the undamaged directory starts, with checkpoints and without");
    return told;
  }();

  fmt::print("{} blocks acknowledged; {} bits of {} files, {} at a time\n", undamaged.last_block, jobs.size(), files.size(), s.workers);
  std::fflush(stdout);
  // Held back, so that the progress is shown until one has ended and not a moment longer.
  sigset_t ended;
  sigemptyset(&ended);
  sigaddset(&ended, SIGCHLD);
  sigprocmask(SIG_BLOCK, &ended, nullptr);
  std::vector<pid_t> running;
  for (unsigned w = 0; w < s.workers; ++w) {
    const auto copy = place / fmt::format("worker{}", w);
    fs::copy(original, copy, fs::copy_options::recursive);
    const pid_t child = ::fork();
    HOLDFAST_CHECK(child >= 0, "no child process");
    if (child == 0) worker(s, files, jobs, undamaged, b, w, copy, wall_clock).supervise();
    running.push_back(child);
  }
  const bool watched = ::isatty(STDERR_FILENO) != 0;
  bool whole = true;
  for (const auto child : running) {
    int status = 0;
    while (::waitpid(child, &status, watched ? WNOHANG : 0) == 0) {
      fmt::print(stderr, "\r{:>10} of {} bits, {:.1f} %\x1b[K", b.done.load(), jobs.size(), 100.0 * static_cast<double>(b.done) / static_cast<double>(jobs.size()));
      const timespec a_while{0, 200'000'000};
      ::sigtimedwait(&ended, nullptr, &a_while);
    }
    whole = whole && status == 0;
  }
  if (watched) fmt::print(stderr, "\r\x1b[K");

  std::map<std::string, std::array<std::uint64_t, outcomes>> kinds;
  std::array<std::uint64_t, outcomes> all{};
  for (std::size_t f = 0; f < files.size(); ++f)
    for (unsigned o = 0; o < outcomes; ++o) {
      const auto c = b.counts[f][o].load();
      if (c != 0) kinds[files[f].kind][o] += c;
      all[o] += c;
    }
  fmt::print("{:<16}", "file");
  for (const auto* name : outcome_names) fmt::print(" {:>10}", name);
  fmt::print("\n");
  kinds["all"] = all;
  const auto line = [](const std::string& name, const auto& row) {
    fmt::print("{:<16}", name);
    for (const auto c : row) fmt::print(" {:>10}", c);
    fmt::print("\n");
  };
  for (const auto& [name, row] : kinds)
    if (name != "all") line(name, row);
  line("all", all);
  fmt::print("refused*: ended on the spot with 65, by an assertion of RocksDB. {} of the harmless were started for writing, twice\n", b.starts.load());
  const bool good = whole && b.done == jobs.size() && all[lost] + all[changed] + all[crashed] == 0;
  if (!whole || b.done != jobs.size()) fmt::print("{} of {} bits tried: a process of this program failed\n", b.done.load(), jobs.size());
  return good ? 0 : 1;
}

}  // namespace
}  // namespace holdfast::system_test

int main(int argc, char** argv) {
  using namespace holdfast::system_test;
  settings s;
  CLI::App app{"Starts on a data directory with each of its bits flipped: never fewer records than were acknowledged."};
  app.add_option("--server", s.program, "holdfastd, which makes the directory")->capture_default_str();
  app.add_option("--every", s.every, "only every so manieth bit")->capture_default_str()->check(CLI::PositiveNumber);
  app.add_option("--offset", s.offset, "the first of these, to do all in several runs")->capture_default_str();
  app.add_option("--only", s.only, "one kind of file: log, table, manifest, options, snapshot, checkpoint, witness, spare, CURRENT, IDENTITY");
  app.add_option("--workers", s.workers, "processes at a time")->capture_default_str()->check(CLI::Range(1, 64));
  app.add_option("--starts-every", s.starts_every, "of the harmless so manieth is started for writing")->capture_default_str()->check(CLI::PositiveNumber);
  CLI11_PARSE(app, argc, argv);
  return run(s);
}
