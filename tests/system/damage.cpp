// Damages copies of a data directory in every way that a bad disk can, starts the real server on each, and checks that it either
// starts with everything that was acknowledged or refuses, naming a block, with no byte changed:
//
//   holdfast_damage --flips 300
#include <cstdio>
#include <fstream>
#include <map>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "client/ids.hpp"
#include "persistence/files.hpp"
#include "persistence/sha256.hpp"
#include "plans/generate.hpp"
#include "tests/system/rush.hpp"

namespace holdfast::system_test {
namespace {

namespace fs = std::filesystem;

struct settings {
  fs::path program = "build/release/bin/holdfastd";
  unsigned flips = 300;
  unsigned cuts = 40;
  std::uint64_t seed = 1;
};

std::map<std::string, persistence::digest> hashes(const fs::path& root) {
  std::map<std::string, persistence::digest> all;
  persistence::sha256 hasher;
  for (const auto& e : fs::recursive_directory_iterator(root)) {
    if (!e.is_regular_file()) continue;
    const auto bytes = persistence::read_file(e.path());
    if (!bytes) {
      fmt::print(stderr, "holdfast_damage: {}\n", bytes.failure().text);
      std::exit(1);
    }
    all[fs::relative(e.path(), root).string()] = hasher.of(*bytes);
  }
  return all;
}

struct outcome {
  unsigned whole = 0, refused = 0, fewer = 0, touched = 0, nameless = 0;
};

/// Starts the server on `copy` and sorts what happens into `out`.
void judge(const settings& s, const fs::path& copy, const fs::path& folder, std::uint64_t acknowledged, core::session_id session,
           const std::string& what, outcome& out) {
  const auto before = hashes(copy);
  server started({s.program, copy, folder, true, {}});
  if (!started.ready()) {
    ++out.refused;
    if (hashes(copy) != before) {
      ++out.touched;
      fmt::print("{}: refused, but bytes have changed\n", what);
    }
    // Where RocksDB cannot even list its tables there is no block to name; then it says which file is wrong.
    const auto names = [&](const char* word) { return started.said().find(word) != std::string::npos; };
    if (started.exit_code() != 65) {
      ++out.nameless;
      fmt::print("{}: ended with {} instead of 65: {}\n", what, *started.exit_code(), started.said());
    } else if (!names("block") && !names("witness") && !names("nothing was changed: RocksDB")) {
      ++out.nameless;
      fmt::print("{}: refused without a block's name: {}\n", what, started.said());
    }
    return;
  }
  auto shop = client::blocking::connect(started.shop());
  HOLDFAST_CHECK(shop.ok(), "a ready server is connected to");
  const auto seen = shop->session_state(session);
  const auto has = seen.ok() && seen->seen ? seen->seen->last.value : 0;
  if (has >= acknowledged) {
    ++out.whole;
  } else {
    ++out.fewer;
    fmt::print("{}: STARTED WITH {} OF {} ACKNOWLEDGED RECORDS\n", what, has, acknowledged);
  }
}

int run(const settings& s) {
  scratch_folder folder;
  const auto original = folder.path() / "original", copy = folder.path() / "copy";
  core::session_id session;
  std::uint64_t acknowledged = 0;
  {
    server first({s.program, original, folder.path(), true, {}});
    HOLDFAST_CHECK(first.ready(), "the server starts on an empty directory");
    session = open_session(first, "damaged", plans::generate_hall({.seats = 2'000}));
    auto shop = client::blocking::connect(first.shop());
    base::random random(s.seed);
    for (std::uint32_t seat = 0; seat < 400; ++seat) {  // a block each
      const core::line l{core::place_kind::seat, seat, 1, 1};
      const core::owner_id owner{random.id()};
      const core::limit_key key{core::key_kind::account, owner.value};
      const auto held = shop->hold_seats(session, shop->envelope(core::command_id{random.id()}), {owner, {&key, 1}, {&l, 1}, 600'000, 1, {}});
      HOLDFAST_CHECK(held.ok() && held->said.refused == core::refusal::none, "a seat is held");
      acknowledged = std::max(acknowledged, held->said.tells_of.value);
    }
    first.kill9();
  }
  fs::remove_all(original / "index");  // derived: the server makes it anew
  std::vector<std::pair<fs::path, std::uintmax_t>> files;
  fs::path wal;
  for (const auto& e : fs::recursive_directory_iterator(original)) {
    if (!e.is_regular_file() || e.file_size() == 0) continue;
    const auto name = fs::relative(e.path(), original);
    if (name.extension() == ".log") wal = name;
    files.emplace_back(name, e.file_size());
  }
  const auto renew = [&] {
    fs::remove_all(copy);
    fs::copy(original, copy, fs::copy_options::recursive);
  };
  outcome flips, cuts, deletions;
  base::random random(s.seed);
  for (unsigned i = 0; i < s.flips; ++i) {
    // Half of the flips in the live log, where the newest records are; the rest anywhere.
    const auto& [name, size] = i % 2 == 0 ? *std::find_if(files.begin(), files.end(), [&](const auto& f) { return f.first == wal; })
                                          : files[random.below(files.size())];
    const auto at = random.below(size);
    const auto bit = static_cast<unsigned>(random.below(8));
    renew();
    std::fstream f(copy / name, std::ios::in | std::ios::out | std::ios::binary);
    f.seekg(static_cast<std::streamoff>(at));
    const auto c = static_cast<char>(f.get() ^ (1 << bit));
    f.seekp(static_cast<std::streamoff>(at));
    f.put(c);
    f.close();
    judge(s, copy, folder.path(), acknowledged, session, fmt::format("flip {} bit {} of byte {}", name.string(), bit, at), flips);
  }
  const auto wal_size = fs::file_size(original / wal);
  for (unsigned i = 0; i < s.cuts; ++i) {
    renew();
    const auto to = random.below(wal_size);
    fs::resize_file(copy / wal, to);
    judge(s, copy, folder.path(), acknowledged, session, fmt::format("log cut to {} of {} bytes", to, wal_size), cuts);
  }
  for (const auto& [name, size] : files) {
    renew();
    fs::remove(copy / name);
    judge(s, copy, folder.path(), acknowledged, session, fmt::format("{} deleted", name.string()), deletions);
  }
  fmt::print("{} records acknowledged; each damage in a fresh copy, started by the real server\n", acknowledged);
  fmt::print("{:<12} {:>6} {:>22} {:>8} {:>14} {:>16}\n", "damage", "tried", "started with all", "refused", "LOST RECORDS", "CHANGED BYTES");
  bool good = true;
  for (const auto& [name, o] : {std::pair{"bit flips", flips}, {"cut logs", cuts}, {"deletions", deletions}}) {
    fmt::print("{:<12} {:>6} {:>22} {:>8} {:>14} {:>16}\n", name, o.whole + o.refused + o.fewer, o.whole, o.refused, o.fewer, o.touched);
    good = good && o.fewer == 0 && o.touched == 0 && o.nameless == 0;
  }
  return good ? 0 : 1;
}

}  // namespace
}  // namespace holdfast::system_test

int main(int argc, char** argv) {
  using namespace holdfast::system_test;
  settings s;
  CLI::App app{"Starts the server on damaged copies of its data directory: never fewer records than were acknowledged."};
  app.add_option("--server", s.program, "holdfastd")->capture_default_str();
  app.add_option("--flips", s.flips, "single bits flipped, one a copy")->capture_default_str();
  app.add_option("--cuts", s.cuts, "logs cut off somewhere, one a copy")->capture_default_str();
  app.add_option("--seed", s.seed)->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  return run(s);
}
