// Flipped bits, cut files and missing files in copies of a data directory. Two promises: never a start with fewer
// acknowledged records than the witness knows, and a refusal changes no byte.
#include <csignal>
#include <cstdio>
#include <functional>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/persistence/rocksdb_fixture.hpp"
#include "tests/support/instrumented.hpp"

namespace holdfast::tests {

namespace {

/// How a start on a damaged copy ended.
enum class ending { accepted, refused, refused_as_disk_trouble, acknowledged_lost, process_ended, crashed };

/// What a process that ended by itself says about a start in it. Debian's RocksDB is built with assertions, and a few
/// damaged bits of a table meet one of them before they meet a checksum. That is a refusal too, though no error comes
/// back from it: exit 65.
ending of_process(int status) {
  return WIFEXITED(status) && WEXITSTATUS(status) == 65 ? ending::process_ended : ending::crashed;
}

/// A process that answers questions, each a letter, with `act(letter)`. One that ended is followed by the next: a process
/// for every question took most of the test's time, the sanitizers' eight minutes.
class own_process {
 public:
  explicit own_process(std::function<ending(char)> act) : act_(std::move(act)) {}
  ~own_process() { end(); }
  own_process(const own_process&) = delete;
  own_process& operator=(const own_process&) = delete;

  ending ask(char question) {
    if (child_ == 0) begin();
    REQUIRE(::write(to_, &question, 1) == 1);
    char answer = 0;
    if (::read(from_, &answer, 1) == 1) return static_cast<ending>(answer);
    return of_process(end());
  }

 private:
  void begin() {
    int to[2];
    int from[2];
    REQUIRE(::pipe(to) == 0);
    REQUIRE(::pipe(from) == 0);
    std::fflush(nullptr);
    child_ = ::fork();
    REQUIRE(child_ >= 0);
    if (child_ == 0) {
      ::close(to[1]);
      ::close(from[0]);
      answer_questions(to[0], from[1]);
    }
    ::close(to[0]);
    ::close(from[1]);
    to_ = to[1];
    from_ = from[0];
  }
  [[noreturn]] void answer_questions(int in, int out) {
    const rlimit no_core{0, 0};
    ::setrlimit(RLIMIT_CORE, &no_core);
    std::signal(SIGABRT, SIG_DFL);
    ::dup2(::open("/dev/null", O_WRONLY), STDERR_FILENO);
    for (char question = 0; ::read(in, &question, 1) == 1;) {
      const auto answer = static_cast<char>(act_(question));
      if (::write(out, &answer, 1) != 1) break;
    }
    std::_Exit(0);
  }
  /// Waits for its end; the status that wait() gives, 0 if there was none.
  int end() {
    if (child_ == 0) return 0;
    ::close(to_);
    ::close(from_);
    int status = 0;
    if (::waitpid(std::exchange(child_, 0), &status, 0) < 0) std::abort();
    return status;
  }

  std::function<ending(char)> act_;
  pid_t child_ = 0;
  int to_ = -1;
  int from_ = -1;
};

std::vector<note> told_in(block_store& store, const journal_state& state) {
  std::vector<note> all;
  chain c(0, state.journal);
  const auto ok = scan_chain(store, c, 1, state.tip.block.number, [&](const block_view& b) -> base::result<bool> {
    for (const auto& r : b)
      if (r.session != system_session) all.push_back({r.session, r.sequence, std::string(base::as_text(r.bytes))});
    return true;
  });
  return ok ? all : std::vector<note>();
}

ending of(const base::error& e) {
  return e.kind == base::trouble::corrupt ? ending::refused : ending::refused_as_disk_trouble;
}

ending check_at(const fs::path& dir, const std::vector<note>& told) {
  auto store = rocksdb_block_store::open({.data_dir = dir});
  if (!store) return of(store.failure());
  const auto state = check_journal(**store, {});
  if (!state) return of(state.failure());
  return state->exists && told_in(**store, *state) == told ? ending::accepted : ending::acknowledged_lost;
}

/// What a check accepts must also open for writing with all that was told and take more, or be refused there.
ending start_at(const fs::path& dir, const std::vector<note>& told) {
  auto store = rocksdb_block_store::open({.data_dir = dir});
  if (!store) return of(store.failure());
  auto o = journal_log::open(std::move(*store), options_at(noon + 9 * second));
  if (!o) return of(o.failure());
  if (read_all(*o->journal) != told || !write(*o->journal, {nth(99)}, noon + 10 * second)) return ending::acknowledged_lost;
  return ending::accepted;
}

/// A directory with table files, a log and both witness slots in use, and what was acknowledged in it.
class damaged_copies {
 public:
  damaged_copies() {
    // Not in this process: it forks later and must have no threads of RocksDB's.
    // It dies in the end, so that the last log has its zeros behind it.
    own_process writer([&](char) -> ending {
      fill(whole_.path(), 2, 5);
      const auto o = good(journal_log::open(rocksdb_at(whole_.path()), options_at(noon + 2 * second)));
      for (std::uint64_t i = 11; i <= 15; ++i) good(write(*o.journal, {nth(i)}, noon + 2 * second));
      std::_Exit(65);
    });
    REQUIRE(writer.ask('w') == ending::process_ended);
    for (std::uint64_t i = 1; i <= 15; ++i) told_.push_back(nth(i));
    copy_files(whole_.path(), copy_.path());
    REQUIRE(starter_.ask(check) == ending::accepted);
    undamaged_ = fingerprint(whole_.path());
    REQUIRE(fingerprint(copy_.path()) == undamaged_);
  }

  [[nodiscard]] std::vector<fs::path> files() const {
    std::vector<fs::path> all;
    for (const auto& e : fs::recursive_directory_iterator(whole_.path()))
      if (e.is_regular_file()) all.push_back(e.path().lexically_relative(whole_.path()));
    std::ranges::sort(all);
    return all;
  }
  [[nodiscard]] const fs::path& whole() const { return whole_.path(); }

  /// Puts `bytes` (nothing: no file) in the place of one file, tries to start, and heals the copy again.
  void try_with(const fs::path& file, const base::bytes* bytes, const std::string& what) {
    const auto path = copy_.path() / file;
    fs::remove(path);
    if (bytes != nullptr) write_file(path, *bytes);
    auto before = undamaged_;
    before.erase(file.string());
    if (bytes != nullptr) before[file.string()] = sha256().of(*bytes);
    const auto end = starter_.ask(check);
    REQUIRE_MESSAGE(end != ending::acknowledged_lost, what);
    REQUIRE_MESSAGE(end != ending::crashed, what);
    REQUIRE_MESSAGE((end != ending::process_ended || file.extension() == ".sst"), what);
    REQUIRE_MESSAGE(fingerprint(copy_.path()) == before, what);
    ++ends_[end];
    if (end == ending::accepted && ends_[end] % 8 == 0) {
      fs::remove_all(once_.path() / "data");
      fs::create_directories(once_.path() / "data");
      copy_files(copy_.path(), once_.path() / "data");
      REQUIRE_MESSAGE(starter_.ask(start) != ending::acknowledged_lost, what);
    }
    fs::remove(path);
    write_file(path, good(read_file(whole_.path() / file)));
  }

  void report(const char* name) {
    MESSAGE(std::string(name) << ": " << ends_[ending::refused] << " refused as damage, "
                              << ends_[ending::refused_as_disk_trouble] << " refused as trouble with the disk, "
                              << ends_[ending::process_ended] << " stopped by an assertion of RocksDB, "
                              << ends_[ending::accepted] << " harmless and accepted, 0 acknowledged records lost, 0 bytes changed");
  }

 private:
  static void write_file(const fs::path& path, const base::bytes& bytes) {
    std::FILE* f = std::fopen(path.c_str(), "wb");
    REQUIRE(f != nullptr);
    if (!bytes.empty()) REQUIRE(std::fwrite(bytes.data(), 1, bytes.size(), f) == bytes.size());
    std::fclose(f);
  }

  static constexpr char check = 'c';
  static constexpr char start = 's';

  temporary_directory whole_;
  temporary_directory copy_;
  temporary_directory once_;
  std::map<std::string, digest> undamaged_;
  std::vector<note> told_;
  std::map<ending, std::uint64_t> ends_;
  own_process starter_{[this](char question) {
    return question == check ? check_at(copy_.path(), told_) : start_at(once_.path() / "data", told_);
  }};
};

bool is_info_log(const fs::path& file) { return file.filename().string().starts_with("LOG"); }

/// Every byte of the log and the witness; of the files that RocksDB checks itself enough to see that it does; a fifth of
/// each with the address sanitizer. With HOLDFAST_EVERY_BYTE in the environment every byte of all.
std::size_t stride_of(const fs::path& file) {
  if (std::getenv("HOLDFAST_EVERY_BYTE") != nullptr) return 1;
  constexpr std::size_t every = instrumented ? 5 : 1;
  if (file.extension() == ".log" || file == "witness") return every;
  if (file.extension() == ".sst") return 11 * every;
  return file.filename().string().starts_with("OPTIONS") ? 503 : 7 * every;
}

}  // namespace

TEST_CASE("a flipped bit in any byte of log, witness, tables and manifest") {
  damaged_copies d;
  for (const auto& file : d.files()) {
    if (is_info_log(file)) continue;
    const auto bytes = good(read_file(d.whole() / file));
    for (std::size_t at = 0; at < bytes.size(); at += stride_of(file)) {
      if (file == "witness" && at % witness_slot_stride >= witness_bytes + 8) continue;  // zeros that nobody reads
      auto bent = bytes;
      bent[at] ^= static_cast<std::uint8_t>(1U << (at % 8));
      d.try_with(file, &bent, fmt::format("{}, bit {} of byte {}", file.string(), at % 8, at));
    }
    // How a block is laid out stands in the top bit of its last number, which RocksDB reads before the checksum of a table's properties.
    for (std::size_t at = bytes.size() - 200; file.extension() == ".sst" && at < bytes.size(); ++at) {
      auto bent = bytes;
      bent[at] ^= 0x80;
      d.try_with(file, &bent, fmt::format("{}, bit 7 of byte {}", file.string(), at));
    }
  }
  d.report("flipped bits");
}

TEST_CASE("any file cut at any length") {
  damaged_copies d;
  for (const auto& file : d.files()) {
    if (is_info_log(file)) continue;
    const auto bytes = good(read_file(d.whole() / file));
    for (std::size_t n = 0; n < bytes.size(); n += stride_of(file) * (file == "witness" ? 61 : 5)) {
      const base::bytes cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(n));
      d.try_with(file, &cut, fmt::format("{} cut at {}", file.string(), n));
    }
  }
  d.report("cuts");
}

TEST_CASE("any file missing, and a directory swapped for an older one") {
  damaged_copies d;
  for (const auto& file : d.files()) d.try_with(file, nullptr, fmt::format("{} missing", file.string()));
  d.report("missing files");

  // The blocks of yesterday beside the witness of today.
  const temporary_directory dir;
  fill(dir.path(), 1, 5);
  const temporary_directory older;
  copy_files(dir.path(), older.path());
  fill(dir.path(), 1, 5);
  good(replace_file(older.path() / "witness", {good(read_file(dir.path() / "witness"))}));
  const auto before = fingerprint(older.path());
  const auto refused = journal_log::open(rocksdb_at(older.path()), options_at(noon + second));
  REQUIRE(!refused.ok());
  CHECK(refused.failure().kind == base::trouble::corrupt);
  CHECK(says(refused.failure().text, "the journal ends at block 6, but block 12 was acknowledged"));
  CHECK(fingerprint(older.path()) == before);
  fs::remove_all(older.path() / "journal");
  const auto gone = journal_log::open(rocksdb_at(older.path()), options_at(noon + second));
  REQUIRE(!gone.ok());
  CHECK(says(gone.failure().text, "the journal ends at block 0, but block 12 was acknowledged"));
}

}  // namespace holdfast::tests
