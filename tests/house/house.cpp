#include "tests/house/house.hpp"

#include <algorithm>
#include <fstream>
#include <functional>
#include <initializer_list>
#include <iterator>
#include <regex>
#include <span>

namespace holdfast::tests {
namespace {

namespace fs = std::filesystem;

/// A pattern ending in '/' or '.' or '_' stands for all paths that begin with it, any other for itself.
bool matches(std::string_view path, std::string_view pattern) {
  const char last = pattern.back();
  return last == '/' || last == '.' || last == '_' ? path.starts_with(pattern) : path == pattern;
}
bool matches_any(std::string_view path, std::span<const std::string_view> patterns) {
  return std::ranges::any_of(patterns, [&](auto p) { return matches(path, p); });
}

// --- Who may include whom -------------------------------------------------------------------------------

struct room {
  std::string_view folder;
  std::vector<std::string_view> may_include;
};

const std::vector<room>& rooms() {
  static const std::vector<room> all{
      {"base/", {"base/"}},
      {"core/", {"base/", "core/"}},
      {"plans/", {"base/", "core/", "plans/"}},
      // Protocol and persistence do not know each other: the wire and the disk change for different reasons.
      {"persistence/", {"base/", "core/", "persistence/"}},
      {"protocol/", {"base/", "core/", "protocol/"}},
      {"client/", {"base/", "core/", "protocol/", "client/"}},
      {"actors/", {"base/", "core/", "protocol/", "persistence/journal.hpp", "actors/"}},
      // The gateway sees what the core says, never what it decides with.
      {"gateway/",
       {"base/", "core/types.hpp", "core/plan.hpp", "core/policy.hpp", "core/command.hpp", "core/answer.hpp",
        "core/event.hpp", "core/look.hpp", "core/view.hpp", "protocol/", "actors/interfaces.hpp", "gateway/"}},
      // The rules told twice, and a house of make-believe around them: real rules and journal, no thread, socket or actor.
      {"simulation/", {"base/", "core/", "persistence/", "simulation/"}},
      // Judges what clients saw, so it knows nothing of those whom it judges.
      {"history/", {"base/", "history/"}},
      {"apps/",
       {"base/", "core/", "plans/", "persistence/", "protocol/", "client/", "actors/", "gateway/", "simulation/", "history/",
        "apps/"}},
      {"bench/",
       {"base/", "core/", "plans/", "persistence/", "protocol/", "client/", "actors/", "gateway/", "bench/"}},
      {"tests/",
       {"base/", "core/", "plans/", "persistence/", "protocol/", "client/", "actors/", "gateway/", "simulation/", "history/",
        "apps/", "bench/", "tests/"}},
  };
  return all;
}

const room* room_of(std::string_view path) {
  const auto& all = rooms();
  const auto it = std::ranges::find_if(all, [&](const room& r) { return path.starts_with(r.folder); });
  return it == all.end() ? nullptr : &*it;
}

// --- Who may know the two large libraries ----------------------------------------------------------------

constexpr std::string_view caf_places[] = {"actors/",           "gateway/bridge.", "apps/holdfastd/",
                                           "apps/holdfastd.cpp", "tests/actors/",   "tests/gateway/"};
constexpr std::string_view rocksdb_places[] = {"persistence/rocksdb_", "persistence/index.", "persistence/index_",
                                               "tests/persistence/"};

// --- What the core must not touch: clocks, files, sockets, threads, chance, formatted text -----------------

// <atomic> is not among them: the core publishes a view that other threads read, but starts and awaits none.

constexpr std::string_view core_banned_headers[] = {
    "chrono",        "ctime",      "time.h",     "fstream",  "filesystem", "iostream", "istream",
    "ostream",       "sstream",    "iomanip",    "cstdio",   "stdio.h",    "thread",   "mutex",
    "shared_mutex",  "future",     "latch",    "barrier",    "semaphore", "stop_token",
    "random",        "csignal",    "signal.h",   "poll.h",   "netdb.h",    "fcntl.h",  "unistd.h",
    "condition_variable", "pthread.h", "syslog.h", "print",  "format",     "locale",
    "sys/",          "netinet/",   "arpa/",      "linux/",   "fmt/",       "spdlog/",  "openssl/",
    "caf/",          "rocksdb/",   "boost/asio.", "boost/asio/", "boost/beast/", "boost/thread/", "prometheus/",
};
constexpr std::string_view core_banned_names =
    R"(\b(system_clock|steady_clock|high_resolution_clock|random_device|clock_gettime|gettimeofday|getenv)\b)";

// --- What must not be left lying about ----------------------------------------------------------------------

// Written in halves, because this file is inspected, too.
const std::string forgotten_notes = std::string(R"(\b(TO)") + R"(DO|FIX)" + R"(ME|XX)" + R"(X|HA)" + R"(CK)\b)";
const std::string foreign_path = std::string(R"((^|[^\w.-])/wo)") + "rk/";

bool in_folder_of_scripts(std::string_view path) { return path.starts_with("scripts/") || path.starts_with(".ci/"); }

bool is_cpp(const fs::path& p) { return p.extension() == ".cpp" || p.extension() == ".hpp"; }

bool is_code(const fs::path& p) {
  constexpr std::string_view endings[] = {".cmake", ".toml", ".sh", ".py", ".service"};
  return is_cpp(p) || p.filename() == "CMakeLists.txt" || p.filename() == "CMakePresets.json" ||
         std::ranges::find(endings, p.extension().string()) != std::end(endings) ||
         (p.extension().empty() && in_folder_of_scripts(p.generic_string()));
}

bool is_inspected(const fs::path& p) { return is_code(p) || p.extension() == ".md"; }

std::string in_quotes(std::string_view s) { return "'" + std::string(s) + "'"; }

/// The rules for one include line.
void inspect_include(std::string_view path, const room& home, char kind, std::string_view target,
                     const std::function<void(std::string)>& report) {
  const bool ours = room_of(target) != nullptr;
  if (kind == '"') {
    if (!ours) return report(in_quotes(target) + " is not written from the root of the repository");
    if (!matches_any(target, home.may_include)) {
      report(in_quotes(home.folder) + " must not include " + in_quotes(target));
    }
    if (!target.ends_with(".hpp")) report(in_quotes(target) + " is no header");
    return;
  }
  if (ours) report("our own header " + in_quotes(target) + " stands in angle brackets");
  if (target.starts_with("caf/") && !matches_any(path, caf_places)) {
    report("CAF has no place here: " + in_quotes(target));
  }
  if (target.starts_with("rocksdb/") && !matches_any(path, rocksdb_places)) {
    report("RocksDB has no place here: " + in_quotes(target));
  }
  if (home.folder == "core/" && matches_any(target, core_banned_headers)) {
    report("the core is pure and must not include " + in_quotes(target));
  }
}

/// All inspected files under `root`, relative to it and sorted.
std::vector<fs::path> inspected_files(const fs::path& root) {
  std::vector<fs::path> files;
  for (auto it = fs::recursive_directory_iterator(root); it != fs::recursive_directory_iterator(); ++it) {
    const auto name = it->path().filename().string();
    if (it->is_directory()) {
      const bool hidden = name.starts_with('.') && name != ".ci";
      const bool built = it.depth() == 0 && name.starts_with("build");
      if (hidden || built) it.disable_recursion_pending();
      continue;
    }
    auto relative = fs::relative(it->path(), root);
    if (is_inspected(relative)) files.push_back(std::move(relative));
  }
  std::ranges::sort(files);
  return files;
}

}  // namespace

std::vector<finding> inspect_file(std::string_view path, std::string_view text) {
  static const std::regex include_line(R"(^\s*#\s*include\s*([<"])([^>"]+)[>"])");
  static const std::regex core_names{std::string(core_banned_names)};
  static const std::regex notes(forgotten_notes);
  static const std::regex foreign(foreign_path);

  std::vector<finding> found;
  int line_number = 0;
  const auto report = [&](std::string what) { found.push_back({std::string(path), line_number, std::move(what)}); };

  const fs::path file(path);
  const bool cpp = is_cpp(file);
  const room* home = cpp ? room_of(path) : nullptr;
  if (cpp && home == nullptr) {
    report("no room of the house: add its folder to the table in tests/house/house.cpp, or move the file");
  }
  if (file.extension() == ".hpp" && text.find("#pragma once") == std::string_view::npos) report("no #pragma once");

  for (std::size_t begin = 0; begin < text.size();) {
    const auto end = std::min(text.find('\n', begin), text.size());
    const std::string line(text.substr(begin, end - begin));
    begin = end + 1;
    ++line_number;

    std::smatch m;
    if (home != nullptr && std::regex_search(line, m, include_line)) {
      const std::string target = m[2].str();
      inspect_include(path, *home, *m[1].first, target, report);
    }
    if (home != nullptr && home->folder == "core/") {
      const auto code = line.substr(0, line.find("//"));
      if (std::regex_search(code, m, core_names)) report("the core is pure and must not use " + in_quotes(m[1].str()));
    }
    if (is_code(file) && std::regex_search(line, m, notes)) report("a forgotten note: " + in_quotes(m[1].str()));
    if (std::regex_search(line, m, foreign)) report("a path of somebody's machine");
  }
  return found;
}

std::vector<finding> inspect_tree(const fs::path& root) {
  std::vector<finding> all;
  for (const auto& file : inspected_files(root)) {
    std::ifstream in(root / file, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    if (!in.is_open() || in.bad()) {
      all.push_back({file.generic_string(), 0, "cannot be read"});
      continue;
    }
    const auto found = inspect_file(file.generic_string(), text);
    all.insert(all.end(), found.begin(), found.end());
  }
  return all;
}

std::size_t count_inspected(const fs::path& root) { return inspected_files(root).size(); }

}  // namespace holdfast::tests
