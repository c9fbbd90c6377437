// The stories in scenarios/: commands above, what is answered below. HOLDFAST_REGENERATE=1 writes the answers anew; read the
// difference before you keep it.
//
// A file is a list of blocks: lines that happen, "----", an answer for each line that is answered, a blank line. Lines that begin
// with "# " explain. A file of precedence/ gives "# order: refusal refusal ..." and must show these, in this order.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "tests/core/storyteller.hpp"

namespace holdfast::tests {

namespace {

const std::filesystem::path here = std::filesystem::path(HOLDFAST_SOURCE_DIR) / "tests" / "core";

std::vector<std::filesystem::path> stories_in(const char* folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& e : std::filesystem::directory_iterator(here / folder))
    if (e.path().extension() == ".txt") files.push_back(e.path());
  std::sort(files.begin(), files.end());
  return files;
}

std::string read(const std::filesystem::path& p) {
  std::ifstream in(p);
  std::stringstream s;
  s << in.rdbuf();
  return s.str();
}

bool regenerate() { return std::getenv("HOLDFAST_REGENERATE") != nullptr; }

struct told {
  std::string text;                   ///< the file as it should be
  std::vector<std::string> refusals;  ///< in the order in which they were given
  std::string trouble;
};

/// Tells the story again and writes down what is answered.
told tell_again(const std::string& file) {
  told out;
  storyteller teller;
  std::istringstream in(file);
  enum { lines, answers } part = lines;
  std::string answered;
  for (std::string line; std::getline(in, line);) {
    if (part == answers) {
      if (!line.empty()) continue;
      part = lines;
      out.text += "----\n" + answered + "\n";
      answered.clear();
      continue;
    }
    if (line == "----") {
      part = answers;
      continue;
    }
    out.text += line + "\n";
    if (line.empty() || line[0] == '#') continue;
    const auto said = teller.tell(line);
    if (said.rfind("TROUBLE", 0) == 0 && out.trouble.empty()) out.trouble = line + ": " + said;
    if (!said.empty()) answered += said + "\n";
    if (said.rfind("refused: ", 0) == 0) {
      const auto code = said.substr(9, said.find_first_of(" ,", 9) - 9);
      out.refusals.push_back(code);
    }
  }
  if (part == answers) out.text += "----\n" + answered;
  else if (!answered.empty()) out.trouble = "the last block has no answers";
  return out;
}

void check_folder(const char* folder, std::size_t at_least) {
  const auto files = stories_in(folder);
  CHECK(files.size() >= at_least);
  for (const auto& f : files) {
    CAPTURE(f.filename().string());
    const auto before = read(f);
    const auto now = tell_again(before);
    CHECK_MESSAGE(now.trouble.empty(), now.trouble);
    if (regenerate()) std::ofstream(f) << now.text;
    else CHECK(now.text == before);
  }
}

}  // namespace

TEST_CASE("the stories come out as they are told") { check_folder("scenarios", 25); }

TEST_CASE("the foremost refusal is the one that is given") {
  check_folder("precedence", 20);
  for (const auto& f : stories_in("precedence")) {
    CAPTURE(f.filename().string());
    const auto text = read(f);
    const std::string mark = "# order: ";
    const auto at = text.find(mark);
    REQUIRE(at != std::string::npos);
    std::istringstream names(text.substr(at + mark.size(), text.find('\n', at) - at - mark.size()));
    std::vector<std::string> wanted;
    for (std::string n; names >> n;) wanted.push_back(n);
    auto given = tell_again(text).refusals;
    given.erase(std::unique(given.begin(), given.end()), given.end());
    CHECK(given == wanted);
  }
}

}  // namespace holdfast::tests
