#include "tests/house/house.hpp"

#include <fstream>
#include <string>
#include <string_view>

#include <stdlib.h>

#include <doctest/doctest.h>

using namespace holdfast::tests;
namespace fs = std::filesystem;

namespace {

/// What the inspection says first about one line in one file; empty if nothing.
std::string verdict(std::string_view path, const std::string& line) {
  const auto found = inspect_file(path, "#pragma once\n" + line + "\n");
  if (found.empty()) return {};
  CHECK(found[0].line == 2);
  return found[0].what;
}

bool allowed(std::string_view path, const std::string& header) {
  return verdict(path, "#include " + header).empty();
}

/// A folder of its own for a test, removed with all it holds.
class scratch_tree {
 public:
  scratch_tree() {
    auto pattern = (fs::temp_directory_path() / "holdfast-house-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    root_ = pattern;
  }
  ~scratch_tree() { fs::remove_all(root_); }
  scratch_tree(const scratch_tree&) = delete;
  scratch_tree& operator=(const scratch_tree&) = delete;

  void write(const std::string& path, const std::string& text) const {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }
  [[nodiscard]] const fs::path& root() const { return root_; }

 private:
  fs::path root_;
};

// In halves, because this file is inspected, too.
const std::string a_note = std::string("TO") + "DO";
const std::string a_path = std::string("/wo") + "rk/main";

}  // namespace

TEST_CASE("the house is tidy") {
  const fs::path root(HOLDFAST_SOURCE_DIR);
  for (const auto& f : inspect_tree(root)) FAIL_CHECK(f.file, ":", f.line, ": ", f.what);
  // This folder and the base alone are more than ten files: fewer means that the inspection saw nothing.
  CHECK(count_inspected(root) > 10);
}

TEST_CASE("rooms include downwards only") {
  CHECK(allowed("core/session.cpp", "\"base/bytes.hpp\""));
  CHECK_FALSE(allowed("base/bytes.hpp", "\"core/types.hpp\""));
  CHECK_FALSE(allowed("core/session.cpp", "\"persistence/journal.hpp\""));
  CHECK_FALSE(allowed("core/session.cpp", "\"plans/pretix.hpp\""));
  CHECK(allowed("plans/pretix.cpp", "\"core/plan.hpp\""));
  CHECK_FALSE(allowed("plans/pretix.cpp", "\"persistence/block.hpp\""));
  CHECK_FALSE(allowed("protocol/frame.cpp", "\"persistence/block.hpp\""));
  CHECK_FALSE(allowed("persistence/block.cpp", "\"protocol/frame.hpp\""));
  CHECK(allowed("client/client.cpp", "\"protocol/frame.hpp\""));
  CHECK_FALSE(allowed("client/client.cpp", "\"gateway/connection.hpp\""));
  CHECK(allowed("actors/journal_actor.hpp", "\"persistence/journal.hpp\""));
  CHECK_FALSE(allowed("actors/journal_actor.hpp", "\"persistence/block.hpp\""));
  CHECK_FALSE(allowed("actors/registry.cpp", "\"gateway/connection.hpp\""));
  CHECK(allowed("gateway/funnel.hpp", "\"core/view.hpp\""));
  CHECK(allowed("gateway/funnel.hpp", "\"actors/interfaces.hpp\""));
  CHECK_FALSE(allowed("gateway/funnel.hpp", "\"core/engine.hpp\""));
  CHECK_FALSE(allowed("gateway/funnel.hpp", "\"actors/session_actor.hpp\""));
  CHECK(allowed("apps/holdfast/main.cpp", "\"persistence/block.hpp\""));
  CHECK_FALSE(allowed("apps/holdfast/main.cpp", "\"tests/support/dies.hpp\""));
  CHECK(allowed("tests/core/session_test.cpp", "\"core/session.hpp\""));
}

TEST_CASE("the rule that was broken is named with both sides") {
  CHECK(verdict("base/bytes.hpp", "#include \"core/types.hpp\"") == "'base/' must not include 'core/types.hpp'");
}

TEST_CASE("our headers are included from the root, in quotes, and only headers are") {
  CHECK_FALSE(allowed("core/session.cpp", "\"types.hpp\""));
  CHECK_FALSE(allowed("core/session.cpp", "\"../core/types.hpp\""));
  CHECK_FALSE(allowed("core/session.cpp", "<core/types.hpp>"));
  CHECK_FALSE(allowed("core/session.cpp", "\"core/engine.cpp\""));
}

TEST_CASE("an odd spelling of an include does not hide it") {
  CHECK_FALSE(verdict("core/session.cpp", "  #  include<chrono>").empty());
  CHECK_FALSE(verdict("base/bytes.hpp", "#include\t\"core/types.hpp\" // just this once").empty());
}

TEST_CASE("CAF stays in its rooms") {
  for (const std::string path : {"actors/session_actor.cpp", "gateway/bridge.cpp", "gateway/bridge.hpp",
                           "apps/holdfastd/main.cpp", "tests/actors/session_actor_test.cpp"}) {
    CAPTURE(path);
    CHECK(allowed(path, "<caf/all.hpp>"));
  }
  for (const std::string path : {"base/bytes.hpp", "core/session.cpp", "persistence/journal.hpp", "protocol/frame.cpp",
                           "client/client.cpp", "gateway/connection.cpp", "gateway/bridge_queue.cpp",
                           "apps/holdfast/main.cpp", "tests/core/session_test.cpp"}) {
    CAPTURE(path);
    CHECK_FALSE(allowed(path, "<caf/all.hpp>"));
  }
}

TEST_CASE("RocksDB stays in the block store and the index") {
  for (const std::string path : {"persistence/rocksdb_block_store.cpp", "persistence/index.cpp"}) {
    CAPTURE(path);
    CHECK(allowed(path, "<rocksdb/db.h>"));
  }
  for (const std::string path : {"persistence/journal.hpp", "persistence/recovery.cpp", "actors/journal_actor.cpp",
                           "core/session.cpp", "apps/holdfastd/main.cpp"}) {
    CAPTURE(path);
    CHECK_FALSE(allowed(path, "<rocksdb/db.h>"));
  }
}

TEST_CASE("the core has no clock, file, socket, thread, chance or text formatting") {
  for (const std::string header : {"<chrono>", "<ctime>", "<fstream>", "<filesystem>", "<iostream>", "<cstdio>", "<thread>",
                             "<mutex>", "<random>", "<sys/socket.h>", "<unistd.h>", "<fmt/format.h>",
                             "<spdlog/spdlog.h>", "<boost/asio.hpp>", "<boost/asio/ip/tcp.hpp>"}) {
    CAPTURE(header);
    CHECK_FALSE(allowed("core/session.cpp", header));
    CHECK(allowed("apps/holdfastd/main.cpp", header));
  }
  for (const std::string header : {"<vector>", "<cstdint>", "<algorithm>", "<boost/unordered/unordered_flat_map.hpp>"}) {
    CAPTURE(header);
    CHECK(allowed("core/session.cpp", header));
  }
  CHECK_FALSE(verdict("core/session.cpp", "const auto t = std::chrono::steady_clock::now();").empty());
  CHECK(verdict("core/session.cpp", "// driven by the boot clock, not by system_clock").empty());
  CHECK(verdict("core/session.cpp", "const auto left = hold_clock - now;").empty());
}

TEST_CASE("forgotten notes and paths of a machine are found") {
  CHECK_FALSE(verdict("actors/registry.cpp", "// " + a_note + ": close it").empty());
  CHECK_FALSE(verdict("scripts/test", "# " + a_note).empty());
  CHECK_FALSE(verdict("core/CMakeLists.txt", "# " + a_note).empty());
  CHECK_FALSE(verdict("docs/RULES.md", "see " + a_path).empty());
  CHECK(verdict("core/session.cpp", "int " + a_note + "S = 0;").empty());
  CHECK(verdict("docs/RULES.md", "home" + a_path).empty());
}

TEST_CASE("a header guards itself and a source file lives in a room") {
  CHECK(inspect_file("core/types.hpp", "int x;\n").size() == 1);
  CHECK(inspect_file("core/types.cpp", "int x;\n").empty());
  CHECK(inspect_file("attic/old.cpp", "int x;\n").size() == 1);
  CHECK(inspect_file("old.cpp", "int x;\n").size() == 1);
}

TEST_CASE("a bad tree is found out, file and line") {
  const scratch_tree tree;
  tree.write("base/bytes.hpp", "#pragma once\n#include <vector>\n");
  tree.write("core/clock.cpp", "#include \"base/bytes.hpp\"\n#include <chrono>\n");
  tree.write("gateway/connection.cpp", "\n\n#include <caf/actor.hpp>\n");
  tree.write(".ci/run", "# " + a_note + "\n");
  tree.write("build/generated.cpp", "// " + a_note + "\n");
  tree.write(".git/hook.sh", "# " + a_note + "\n");
  tree.write("configs/plans/hall.json", "\"" + a_note + "\"\n");

  CHECK(count_inspected(tree.root()) == 4);
  const auto found = inspect_tree(tree.root());
  REQUIRE(found.size() == 3);
  CHECK(found[0].file == ".ci/run");
  CHECK(found[0].line == 1);
  CHECK(found[1].file == "core/clock.cpp");
  CHECK(found[1].line == 2);
  CHECK(found[2].file == "gateway/connection.cpp");
  CHECK(found[2].line == 3);
}

TEST_CASE("a good tree is left in peace") {
  const scratch_tree tree;
  tree.write("core/types.hpp", "#pragma once\n#include \"base/strong.hpp\"\n");
  tree.write("actors/registry.cpp", "#include <caf/all.hpp>\n#include \"persistence/journal.hpp\"\n");
  tree.write("persistence/rocksdb_block_store.cpp", "#include <rocksdb/db.h>\n");
  CHECK(count_inspected(tree.root()) == 3);
  CHECK(inspect_tree(tree.root()).empty());
}
