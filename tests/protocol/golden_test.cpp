// The bytes of every message, written down once in golden_bytes.txt. A difference is a new version of the protocol, or
// a mistake. HOLDFAST_WRITE_GOLDEN=1 in the environment writes the file anew: only when the difference is understood.
#include <cstdlib>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include <doctest/doctest.h>

#include "tests/protocol/samples.hpp"

using namespace holdfast;

namespace {

const std::string path = std::string(HOLDFAST_SOURCE_DIR) + "/tests/protocol/golden_bytes.txt";

/// name -> hex, from lines "name", "  hex", "  more hex".
std::map<std::string, std::string> read_golden() {
  std::map<std::string, std::string> all;
  std::ifstream in(path);
  std::string name;
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line[0] == '#') continue;
    if (line[0] != ' ')
      name = line;
    else
      all[name] += line.substr(2);
  }
  return all;
}

void write_golden() {
  std::ofstream out(path);
  out << "# The bytes of every message of protocol version 1: golden_test.cpp.\n";
  for (const auto& s : tests::samples()) {
    out << '\n' << s.name << '\n';
    const auto hex = base::to_hex(s.bytes);
    for (std::size_t at = 0; at < hex.size(); at += 96) out << "  " << hex.substr(at, 96) << '\n';
  }
}

}  // namespace

TEST_CASE("every message has its golden bytes") {
  if (std::getenv("HOLDFAST_WRITE_GOLDEN") != nullptr) write_golden();
  const auto golden = read_golden();
  std::set<std::string> names;
  for (const auto& s : tests::samples()) {
    CAPTURE(s.name);
    REQUIRE(names.insert(s.name).second);
    const auto it = golden.find(s.name);
    REQUIRE(it != golden.end());
    CHECK(base::to_hex(s.bytes) == it->second);
  }
  CHECK(golden.size() == names.size());
}

TEST_CASE("there is a sample of every kind, in both directions") {
  std::set<std::uint16_t> asked, answered;
  for (const auto& s : tests::samples()) {
    const auto kind = tests::frame_in(s.bytes, s.from).head.kind;
    (s.from == protocol::direction::from_client ? asked : answered).insert(kind);
  }
  for (std::uint32_t k = 0; k < protocol::direction_bit; ++k) {
    const auto kind = static_cast<std::uint16_t>(k);
    const auto family = protocol::family_of(kind);
    if (family == protocol::family::unknown) continue;
    CAPTURE(protocol::name_of_kind(kind));
    CHECK(asked.contains(kind));
    // Accepted answers to commands look alike; two commands stand for all.
    const bool command = kind >= protocol::kinds::command_base && kind < protocol::kinds::look_base &&
                         family == protocol::family::session;
    if (!command) CHECK(answered.contains(kind));
  }
}
