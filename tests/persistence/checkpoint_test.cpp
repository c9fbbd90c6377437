#include "persistence/checkpoint.hpp"

#include <csignal>

#include <sys/resource.h>

#include "persistence/files.hpp"
#include "tests/persistence/fixture.hpp"

namespace holdfast::tests {

namespace {

namespace fs = std::filesystem;

checkpoint_mark at_block(std::uint64_t number) {
  checkpoint_mark m{journal_id, {number, {}}};
  m.block.hash.fill(static_cast<std::uint8_t>(number));
  return m;
}

/// Writes a checkpoint at `block` with new snapshots of sessions 0, 1 and 5.
checkpoint make(checkpoint_files& files, std::uint64_t block) {
  checkpoint c{0, at_block(block), {}};
  for (const std::uint64_t session : {0, 1, 5})
    c.snapshots.push_back(good(files.write_snapshot(0, c.at, session, block * 10 + session,
                                                    base::as_bytes(fmt::format("state of {} after {}", session, block)))));
  good(files.write_checkpoint(c));
  return c;
}

std::vector<std::string> payloads(const checkpoint_files& files, const checkpoint& c) {
  std::vector<std::string> all;
  good(files.load(c, [&](const snapshot_entry&, base::byte_view payload) -> base::result<void> {
    all.emplace_back(base::as_text(payload));
    return {};
  }));
  return all;
}

std::vector<std::string> names(const fs::path& directory) {
  std::vector<std::string> all;
  for (const auto& e : fs::directory_iterator(directory)) all.push_back(e.path().filename().string());
  std::ranges::sort(all);
  return all;
}

void flip(const fs::path& path, std::size_t at, unsigned bit = 3) {
  auto bytes = good(read_file(path));
  bytes.at(at) ^= static_cast<std::uint8_t>(1U << bit);
  good(replace_file(path, {bytes}));
}

}  // namespace

TEST_CASE("no directory holds no checkpoints") {
  const temporary_directory dir;
  CHECK(good(checkpoint_files(dir.path() / "snapshots").list()).checkpoints.empty());
}

TEST_CASE("a checkpoint gives back what went in") {
  const temporary_directory dir;
  checkpoint_files files(dir.path() / "snapshots");
  const auto c = make(files, 10);
  const auto all = good(files.list());
  REQUIRE(all.checkpoints == std::vector{c});
  CHECK(all.skipped.empty());
  CHECK(payloads(files, c) == std::vector<std::string>{"state of 0 after 10", "state of 1 after 10", "state of 5 after 10"});
}

TEST_CASE("checkpoint and snapshot have these bytes") {
  const temporary_directory dir;
  checkpoint_files files(dir.path());
  const auto entry = good(files.write_snapshot(2, at_block(3), 7, 70, base::as_bytes("state")));
  CHECK(base::to_hex(good(read_file(dir.path() / "3-7.snap"))) ==
        "4846736e01000200"
        "887766554433221100ffeeddccbbaa99"
        "0300000000000000"
        "0303030303030303030303030303030303030303030303030303030303030303"
        "070000000000000046000000000000000500000000000000"
        "7374617465"
        "a828fd742e2a9e1c7e3f8cb11657b7cfe23f8304492a2bb366f2a39fe970caf3");
  base::bytes b;
  encode_checkpoint({2, at_block(4), {entry}}, b);
  CHECK(base::to_hex(b) ==
        "4846637001000200"
        "887766554433221100ffeeddccbbaa99"
        "0400000000000000"
        "0404040404040404040404040404040404040404040404040404040404040404"
        "01000000"
        "070000000000000046000000000000000300000000000000"
        "a828fd742e2a9e1c7e3f8cb11657b7cfe23f8304492a2bb366f2a39fe970caf3"
        "cc7353d892e1f19426b97700a41fd4529fd6acf2e7daf2187daeb93d1b2f974f");
}

TEST_CASE("the newest two are kept with all they name, and an old snapshot serves on") {
  const temporary_directory dir;
  checkpoint_files files(dir.path());
  make(files, 10);
  const auto second_one = make(files, 20);
  checkpoint third{0, at_block(30), second_one.snapshots};  // only session 5 changed
  third.snapshots[2] = good(files.write_snapshot(0, third.at, 5, 305, base::as_bytes("new")));
  good(replace_file(dir.path() / "31-1.snap.tmp", {base::as_bytes("left by a crash")}));
  good(replace_file(dir.path() / "README", {base::as_bytes("not ours")}));
  good(files.write_checkpoint(third));
  CHECK(names(dir.path()) == std::vector<std::string>{"20-0.snap", "20-1.snap", "20-5.snap", "20.checkpoint", "30-5.snap",
                                                      "30.checkpoint", "README"});
  CHECK(payloads(files, third) == std::vector<std::string>{"state of 0 after 20", "state of 1 after 20", "new"});
  CHECK(good(files.list()).checkpoints == std::vector{third, second_one});
}

TEST_CASE("a damaged checkpoint is skipped with its reason, and is not one of the two kept") {
  const temporary_directory dir;
  checkpoint_files files(dir.path());
  const auto older = make(files, 10);
  make(files, 20);
  const auto size = fs::file_size(dir.path() / "20.checkpoint");
  for (std::size_t at = 0; at < size; ++at) {
    flip(dir.path() / "20.checkpoint", at);
    const auto all = good(files.list());
    REQUIRE(all.checkpoints == std::vector{older});
    REQUIRE(all.skipped.size() == 1);
    REQUIRE(says(all.skipped[0], "20.checkpoint"));
    flip(dir.path() / "20.checkpoint", at);
  }
  fs::resize_file(dir.path() / "20.checkpoint", size / 2);
  CHECK(good(files.list()).checkpoints == std::vector{older});
  make(files, 30);
  CHECK(good(files.list()).checkpoints.size() == 2);
  CHECK(payloads(files, older).size() == 3);
}

TEST_CASE("a snapshot damaged, cut, gone or taken from elsewhere fails the load and names the file") {
  const temporary_directory dir;
  checkpoint_files files(dir.path());
  const auto older = make(files, 10);
  const auto c = make(files, 20);
  const auto path = dir.path() / "20-1.snap";
  const auto whole = good(read_file(path));
  const auto fails = [&] {
    const auto r = files.load(c, [](const snapshot_entry&, base::byte_view) -> base::result<void> { return {}; });
    REQUIRE(!r.ok());
    REQUIRE(says(r.failure().text, "20-1.snap"));
  };
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    flip(path, bit / 8, bit % 8);
    fails();
    flip(path, bit / 8, bit % 8);
  }
  for (std::size_t n = 0; n < whole.size(); n += 7) {
    good(replace_file(path, {base::byte_view(whole).first(n)}));
    fails();
  }
  fs::copy_file(dir.path() / "10-1.snap", path, fs::copy_options::overwrite_existing);  // whole, but an older state
  fails();
  fs::copy_file(dir.path() / "20-5.snap", path, fs::copy_options::overwrite_existing);  // another session's
  fails();
  fs::remove(path);
  fails();
  CHECK(payloads(files, older).size() == 3);  // the one before serves
}

TEST_CASE("a directory opens for one, or for readers") {
  const temporary_directory dir;
  {
    const auto writer = good(lock_directory(dir.path(), true));
    const auto second_one = lock_directory(dir.path(), true);
    REQUIRE(!second_one.ok());
    CHECK(second_one.failure().kind == base::trouble::busy);
    CHECK(!lock_directory(dir.path(), false).ok());
  }
  const auto reader = good(lock_directory(dir.path(), false));
  CHECK(lock_directory(dir.path(), false).ok());
  CHECK(!lock_directory(dir.path(), true).ok());
  CHECK(names(dir.path()).empty());
}

TEST_CASE("a snapshot that cannot be written leaves nothing behind, and the next one is written") {
  const temporary_directory dir;
  checkpoint_files files(dir.path());
  const base::bytes state(100'000, 7);
  // The kernel's own limit of a file's length stands for a full disk: the first part is written, the rest is not.
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{50'000, before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  const auto written = files.write_snapshot(0, at_block(3), 1, 1, state);
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
  std::signal(SIGXFSZ, handler);
  REQUIRE(!written.ok());
  CHECK(written.failure().kind == base::trouble::io);
  CHECK(names(dir.path()).empty());
  CHECK(files.write_snapshot(0, at_block(3), 1, 1, state).ok());
  CHECK(names(dir.path()).size() == 1);
}

}  // namespace holdfast::tests
