// The house rules as a program: which room may include which, who may know CAF and RocksDB, what the core
// must not touch, and what must not be left lying about. Debian puts all headers into one directory, so the
// build cannot enforce any of this.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::tests {

/// One broken rule. `line` counts from 1; 0 means the whole file.
struct finding {
  std::string file;  ///< path from the root of the tree, with '/'
  int line = 0;
  std::string what;

  friend bool operator==(const finding&, const finding&) = default;
};

/// Judges the text of one file of the house. `path` is relative to the root and decides which rules apply.
std::vector<finding> inspect_file(std::string_view path, std::string_view text);

/// Judges every source file, script and build file under `root`, in the order of their paths. Skips hidden
/// folders but .ci, and what is built. Files that cannot be read are findings, too.
std::vector<finding> inspect_tree(const std::filesystem::path& root);

/// How many files `inspect_tree` looks at: an inspection of nothing must not count as a clean house.
std::size_t count_inspected(const std::filesystem::path& root);

}  // namespace holdfast::tests
