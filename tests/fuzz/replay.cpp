// main() of a fuzz target without a fuzzer: runs all files of the given folders, and every prefix of each, through it. So past
// findings stay regression tests in every build, with every compiler.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include <unistd.h>

#include "tests/fuzz/target.hpp"

namespace fs = std::filesystem;

int main(int argc, char** argv) {
  std::vector<fs::path> files;
  for (int i = 1; i < argc; ++i) {
    if (fs::is_directory(argv[i])) {
      for (const auto& f : fs::directory_iterator(argv[i])) files.push_back(f.path());
    } else {
      files.emplace_back(argv[i]);
    }
  }
  std::sort(files.begin(), files.end());
  if (files.empty()) {
    std::fprintf(stderr, "usage: %s FILE-OR-FOLDER...: no file to replay\n", argv[0]);
    return 1;
  }
  std::size_t runs = 0;
  for (const auto& f : files) {
    std::ifstream in(f, std::ios::binary);
    const std::vector<char> all{std::istreambuf_iterator<char>(in), {}};
    if (!in.is_open() || in.bad()) {
      std::fprintf(stderr, "%s cannot be read\n", f.c_str());
      return 1;
    }
    std::printf("%s\n", f.c_str());
    std::fflush(stdout);  // the last line printed names the file that stopped the program
    // What a fuzzer would try first. Long files are cut at some forty places, short ones everywhere.
    const auto step = std::max<std::size_t>(1, all.size() / 40);
    for (std::size_t n = 0;; n = std::min(n + step, all.size())) {
      // In memory of its own size, so that the address sanitizer sees a read beyond the end.
      const std::vector<std::uint8_t> bytes(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(n));
      LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
      ++runs;
      if (n == all.size()) break;
    }
  }
  std::printf("%zu files, %zu runs, no property violated\n", files.size(), runs);
  return 0;
}
