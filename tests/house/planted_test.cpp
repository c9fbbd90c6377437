// The known defects of base/planted.hpp cannot rot unseen: each is described, planted in its room, and none is in a program for use.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>
#include <string_view>

#include "base/planted.hpp"

namespace fs = std::filesystem;
using holdfast::bug;

namespace {

#ifndef HOLDFAST_PLANTED_BUGS
// While compiling: what stands behind it is not in the program.
static_assert(!holdfast::planted(bug::none) && !holdfast::planted(bug::limit_off_by_one));
#endif

struct defect {
  bug what;
  std::string_view name, room;
  int naive;
  std::string_view text;
};

constexpr defect all_defects[] = {
#define HOLDFAST_PLANT(name, room, naive, text) {bug::name, #name, #room, naive, text},
    HOLDFAST_PLANTED_BUGS_ALL(HOLDFAST_PLANT)
#undef HOLDFAST_PLANT
};

std::string read(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// All code of a room.
std::string code_of(std::string_view room) {
  std::string all;
  for (const auto& entry : fs::recursive_directory_iterator(fs::path(HOLDFAST_SOURCE_DIR) / room))
    if (entry.path().extension() == ".cpp" || entry.path().extension() == ".hpp") all += read(entry.path());
  return all;
}

}  // namespace

TEST_CASE("each known defect is described and planted in its room") {
  std::set<std::string_view> names, texts, rooms;
  for (const auto& d : all_defects) {
    CAPTURE(d.name);
    CHECK(names.insert(d.name).second);
    CHECK(d.text.size() >= 20);
    CHECK(texts.insert(d.text).second);
    rooms.insert(d.room);
  }
  CHECK(names.size() >= 40);
  for (const auto room : rooms) {
    CAPTURE(room);
    const auto code = code_of(room);
    for (const auto& d : all_defects) {
      CAPTURE(d.name);
      const bool here = code.find("planted(bug::" + std::string(d.name) + ")") != std::string::npos;
      CHECK(here == (d.room == room));
    }
  }
}

TEST_CASE("each of the twelve defects of every naive version is among them") {
  for (int n = 1; n <= 12; ++n) {
    CAPTURE(n);
    CHECK(std::ranges::any_of(all_defects, [n](const defect& d) { return d.naive == n; }));
  }
}

TEST_CASE("scripts/planted-bugs reads the list line by line, as the compiler does") {
  const auto header = read(fs::path(HOLDFAST_SOURCE_DIR) / "base/planted.hpp");
  static const std::regex row(R"re((^|\n)  PLANT\((\w+), (\w+), (\d+), "(.*)"\))re");
  std::size_t at = 0;
  for (std::sregex_iterator it(header.begin(), header.end(), row), end; it != end; ++it, ++at) {
    REQUIRE(at < std::size(all_defects));
    CHECK((*it)[2].str() == all_defects[at].name);
    CHECK((*it)[3].str() == all_defects[at].room);
    CHECK((*it)[5].str() == all_defects[at].text);
  }
  CHECK(at == std::size(all_defects));
}
