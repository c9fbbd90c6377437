// Every command in every sale state on a hold in every state: table.txt, a line a cell, executed here, and drawn in
// docs/RULES.md between the marks <!-- table -->. HOLDFAST_REGENERATE=1 writes both anew.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "tests/core/storyteller.hpp"

namespace holdfast::tests {

namespace {

const std::string root = HOLDFAST_SOURCE_DIR;

struct row {
  const char* command;  ///< as the table names it
  const char* story;    ///< as it is told
  bool on_hold;
};

// What is asked is good in itself: it goes through wherever nothing but the two states is in the way.
const row commands[] = {
    {"hold_seats", "bob holds B1 for 5m", false},
    {"change_hold, adding", "ann changes cart add B1 drop A1", true},
    {"change_hold, dropping", "ann changes cart drop A1", true},
    {"extend_hold", "ann extends cart for 15m", true},
    {"begin_payment", "ann pays cart attempt u for 5m", true},
    {"payment_failed", "ann fails cart attempt t", true},
    {"confirm_hold", "confirm ann cart 100 ref p2", true},
    {"release_hold, all, by a buyer", "ann releases cart", true},
    {"release_hold, all, by a shop", "ann releases cart from shop", true},
    {"release_hold, some", "ann releases cart A1 from shop", true},
    {"cancel_order, all", "cancel ann cart back 50", true},
    {"cancel_order, some", "cancel ann cart A1", true},
    {"settle_refund", "settle 1 ref r", false},
    {"open_sale, all channels", "open", false},
    {"open_sale, a channel not open", "open box_office", false},
    {"pause_sale", "pause", false},
    {"resume_sale", "resume", false},
    {"close_sale, all channels", "close", false},
    {"close_sale, one of them", "close public", false},
    {"freeze_sale", "freeze", false},
    {"block_places", "block A1-A2", false},
    {"unblock_places", "unblock B2", false},
    {"allocate_places", "allocate B1 to guests", false},
    {"shift_deadlines, by an operator", "shift 1m", false},
    {"shift_deadlines, by recovery", "shift 1m from recovery", false},
    {"clear_fault", "clear 0s", false},
};

const char* const sale_states[] = {"announced",         "open",           "paused",         "closed",
                                   "announced, frozen", "open, frozen",   "paused, frozen", "closed, frozen"};
const char* const hold_states[] = {"none", "held", "paying", "sold", "released", "expired", "cancelled"};

/// A hall in that sale state, with Ann's hold in that state, sold or not to the channel `public` only.
std::string set_up(storyteller& t, const std::string& sale, const std::string& hold) {
  std::vector<std::string> story = {"seats A1-A2", "seats B1-B3", "seats C1 allocation guests", "confirm zoe cart 100 ref z"};
  // A hold needs a sale that was open; where it is to be announced, the hold is placed before by going through a closed sale:
  // there is no way back to announced, so those cells exist for `none` only.
  const bool announced = sale.rfind("announced", 0) == 0;
  if (!announced) story.emplace_back("open public");
  if (!announced && hold != "none") {
    story.emplace_back("ann holds A1 A2 for 10m");
    if (hold == "paying") story.emplace_back("ann pays cart attempt t for 5m");
    if (hold == "sold" || hold == "cancelled") story.emplace_back("confirm ann cart 100 ref p1");
    if (hold == "cancelled") story.emplace_back("cancel ann cart");
    if (hold == "released") story.emplace_back("ann releases cart");
    if (hold == "expired") story.insert(story.end(), {"at 10m", "tick"});
  }
  story.insert(story.end(), {"at +1m", "block B2"});
  if (sale.rfind("paused", 0) == 0) story.emplace_back("pause");
  if (sale.rfind("closed", 0) == 0) story.emplace_back("close");
  if (sale.find("frozen") != std::string::npos) story.emplace_back("freeze");
  story.emplace_back("at +1m");
  const auto said = t.tell_all(story);
  return said.rfind("TROUBLE", 0) == 0 ? said : "";
}

std::string cell(const row& r, const std::string& sale, const std::string& hold) {
  storyteller t;
  if (auto trouble = set_up(t, sale, hold); !trouble.empty()) return trouble;
  const auto text = t.tell(r.story);
  if (text.rfind("TROUBLE", 0) == 0) return text;
  const auto& said = t.said();
  if (said.refused != core::refusal::none) return std::string(core::name_of(said.refused));
  if (said.reason != core::refund_reason::none) return "refund due: " + std::string(core::name_of(said.reason));
  if (said.outcome == core::money_outcome::sold) return "sold";
  return "yes";
}

std::vector<std::string> holds_for(const row& r, const std::string& sale) {
  if (!r.on_hold) return {"-"};
  if (sale.rfind("announced", 0) == 0) return {"none"};
  return {std::begin(hold_states), std::end(hold_states)};
}

std::string made_table() {
  std::string out = "# command | sale state | hold state -> what is answered (\"yes\" where it is accepted)\n";
  for (const auto& r : commands)
    for (const std::string sale : sale_states)
      for (const auto& hold : holds_for(r, sale))
        out += std::string(r.command) + " | " + sale + " | " + hold + " -> " + cell(r, sale, hold == "-" ? "held" : hold) + "\n";
  return out;
}

std::string read(const std::string& path) {
  std::ifstream in(path);
  std::stringstream s;
  s << in.rdbuf();
  return s.str();
}

/// command -> hold states' answers -> the sale states that have them
std::string drawn(const std::string& table) {
  struct line { std::string command, sale, hold, said; };
  std::vector<line> lines;
  std::istringstream in(table);
  for (std::string l; std::getline(in, l);) {
    if (l.empty() || l[0] == '#') continue;
    const auto a = l.find(" | "), b = l.find(" | ", a + 3), c = l.find(" -> ");
    lines.push_back({l.substr(0, a), l.substr(a + 3, b - a - 3), l.substr(b + 3, c - b - 3), l.substr(c + 4)});
  }
  const auto said = [&](const std::string& command, const std::string& sale, const std::string& hold) -> std::string {
    for (const auto& l : lines)
      if (l.command == command && l.sale == sale && l.hold == hold) return l.said;
    return "";
  };
  // Sale states with the same answers share a row; a group that covers all is called "any".
  const auto grouped = [](const std::vector<std::pair<std::string, std::string>>& rows) {
    std::vector<std::pair<std::string, std::vector<std::string>>> groups;
    for (const auto& [sale, text] : rows) {
      const auto g = std::find_if(groups.begin(), groups.end(), [&, t = text](const auto& x) { return x.first == t; });
      if (g != groups.end()) g->second.push_back(sale);
      else groups.push_back({text, {sale}});
    }
    return groups;
  };
  const auto joined = [](const std::vector<std::string>& names, std::size_t all) {
    if (names.size() == all) return std::string("any");
    std::string s;
    for (const auto& n : names) s += (s.empty() ? "" : "; ") + n;
    return s;
  };
  std::string out = "Commands on a hold. In an announced sale there are no holds: see *none*.\n\n| command | sale | ";
  for (const auto* h : hold_states) out += std::string(h) + " | ";
  out.back() = '\n';
  out += "| --- | --- |" + [] {
    std::string s;
    for ([[maybe_unused]] const auto* h : hold_states) s += " --- |";
    return s;
  }() + "\n";
  for (const auto& r : commands) {
    if (!r.on_hold) continue;
    std::vector<std::pair<std::string, std::string>> rows;
    for (const std::string sale : sale_states) {
      if (sale.rfind("announced", 0) == 0) continue;
      std::string text;
      for (const auto* h : hold_states) text += " " + said(r.command, sale, h) + " |";
      rows.emplace_back(sale, text);
    }
    for (const auto& [text, sales] : grouped(rows)) out += std::string("| ") + r.command + " | " + joined(sales, rows.size()) + " |" + text + "\n";
  }
  out += "\nThe others, and new holds.\n\n| command | sale: answer |\n| --- | --- |\n";
  for (const auto& r : commands) {
    if (r.on_hold) continue;
    std::vector<std::pair<std::string, std::string>> rows;
    for (const std::string sale : sale_states) rows.emplace_back(sale, said(r.command, sale, "-"));
    std::string text;
    for (const auto& [answer, sales] : grouped(rows)) text += (text.empty() ? "" : ". ") + joined(sales, rows.size()) + ": **" + answer + "**";
    out += std::string("| ") + r.command + " | " + text + " |\n";
  }
  return out;
}

const std::string mark = "<!-- table -->\n", end_mark = "<!-- /table -->\n";

}  // namespace

TEST_CASE("every command in every sale state on a hold in every state") {
  const auto path = root + "/tests/core/table.txt";
  const auto made = made_table();
  CHECK(made.find("TROUBLE") == std::string::npos);
  if (std::getenv("HOLDFAST_REGENERATE") != nullptr) std::ofstream(path) << made;
  std::istringstream want(read(path)), got(made);
  for (std::string w, g; std::getline(want, w) && std::getline(got, g);) CHECK(g == w);
  CHECK(read(path) == made);
}

TEST_CASE("docs/RULES.md shows the table that is tested") {
  const auto path = root + "/docs/RULES.md";
  const auto table = drawn(read(root + "/tests/core/table.txt"));
  auto page = read(path);
  const auto begin = page.find(mark), end = page.find(end_mark);
  REQUIRE(begin != std::string::npos);
  REQUIRE(end != std::string::npos);
  const auto there = page.substr(begin + mark.size(), end - begin - mark.size());
  if (std::getenv("HOLDFAST_REGENERATE") != nullptr) {
    page.replace(begin + mark.size(), there.size(), table);
    std::ofstream(path) << page;
  } else {
    CHECK(there == table);
  }
}

}  // namespace holdfast::tests
