// docs/PROTOCOL.md promises that a stranger can write a client from it. What can be compared with the code is compared
// here. HOLDFAST_WRITE_GOLDEN=1 writes the conversation anew.
#include <cstdlib>
#include <fstream>
#include <map>
#include <regex>
#include <sstream>

#include <doctest/doctest.h>

#include "core/answer.hpp"
#include "protocol/error.hpp"
#include "protocol/frame.hpp"
#include "protocol/kinds.hpp"
#include "tests/protocol/samples.hpp"

using namespace holdfast;

namespace {

const std::string path = std::string(HOLDFAST_SOURCE_DIR) + "/docs/PROTOCOL.md";
const std::string conversation_begins = "<!-- conversation -->\n";
const std::string conversation_ends = "<!-- end of conversation -->\n";

std::string read_document() {
  std::ifstream in(path);
  REQUIRE(in.good());
  std::stringstream all;
  all << in.rdbuf();
  return all.str();
}

/// number -> name, of the table whose head begins like this.
std::map<unsigned, std::string> table_under(const std::string& document, const std::string& head) {
  std::map<unsigned, std::string> rows;
  std::istringstream in(document.substr(document.find(head)));
  static const std::regex row(R"(^\| (0x[0-9a-f]+|[0-9]+) \| ([a-z_]+) \|.*)");
  std::string line;
  std::getline(in, line);
  std::getline(in, line);
  while (std::getline(in, line) && line.starts_with("|")) {
    std::smatch m;
    REQUIRE_MESSAGE(std::regex_match(line, m, row), line);
    CHECK_MESSAGE(rows.emplace(std::stoul(m[1], nullptr, 0), m[2]).second, line);
  }
  return rows;
}

template <class NameOf>
void check_complete(const std::map<unsigned, std::string>& rows, unsigned from, NameOf name_of) {
  for (unsigned n = from; n < 0x8000; ++n) {
    const std::string name(name_of(n));
    const auto it = rows.find(n);
    if (name == "unknown") {
      CHECK_MESSAGE(it == rows.end(), "the page knows ", n, ", the code does not");
    } else {
      CHECK_MESSAGE(it != rows.end(), "the page lacks ", n, " ", name);
      if (it != rows.end()) CHECK(it->second == name);
    }
  }
}

std::string conversation_as_text() {
  std::string text = "```\n";
  for (const auto& s : tests::conversation()) {
    text += (s.from == protocol::direction::from_client ? "C " : "S ") + s.name + "\n";
    const auto hex = base::to_hex(s.bytes);
    for (std::size_t at = 0; at < hex.size(); at += 64) {
      text += "  ";
      for (std::size_t i = at; i < std::min(at + 64, hex.size()); i += 2) text += " " + hex.substr(i, 2);
      text += "\n";
    }
  }
  return text + "```\n";
}

}  // namespace

TEST_CASE("the page has every refusal") {
  check_complete(table_under(read_document(), "| code | name | meaning | also says |"), 1,
                 [](unsigned n) { return core::name_of(static_cast<core::refusal>(n)); });
}

TEST_CASE("the page has every protocol error") {
  check_complete(table_under(read_document(), "| code | name | meaning |\n"), 1,
                 [](unsigned n) { return protocol::name_of(static_cast<protocol::protocol_error>(n)); });
}

TEST_CASE("the page has every goodbye") {
  check_complete(table_under(read_document(), "| code | name | what to do |"), 0,
                 [](unsigned n) { return protocol::name_of(static_cast<protocol::goodbye_code>(n)); });
}

TEST_CASE("the page has every kind") {
  check_complete(table_under(read_document(), "| kind | name | who | content |"), 0,
                 [](unsigned n) { return protocol::name_of_kind(static_cast<std::uint16_t>(n)); });
}

TEST_CASE("the page has the limits") {
  const auto document = read_document();
  for (const std::string row : {"| hello | 2,048 |", "| request on shop and buyer | 65,536;",
                                "| request on admin | 67,108,864;", "| answer | 8,388,608;"})
    CHECK_MESSAGE(document.find(row) != std::string::npos, row);
  CHECK(protocol::limits::hello_bytes_max == 2'048);
  CHECK(protocol::limits::request_bytes_max == 65'536);
  CHECK(protocol::limits::admin_request_bytes_max == 67'108'864);
  CHECK(protocol::limits::answer_bytes_max == 8'388'608);
  CHECK(protocol::limits::options_max == 16);
  CHECK(protocol::limits::credential_bytes_max == 1'024);
}

TEST_CASE("the conversation on the page is what the code says") {
  auto document = read_document();
  const auto begin = document.find(conversation_begins);
  const auto end = document.find(conversation_ends);
  REQUIRE(begin != std::string::npos);
  REQUIRE(end != std::string::npos);
  const auto at = begin + conversation_begins.size();
  if (std::getenv("HOLDFAST_WRITE_GOLDEN") != nullptr) {
    std::ofstream(path) << document.replace(at, end - at, conversation_as_text());
    document = read_document();
  }
  CHECK(document.substr(at, document.find(conversation_ends) - at) == conversation_as_text());
}
