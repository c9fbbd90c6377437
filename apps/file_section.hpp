// How the programs read TOML files that people wrote: key by key, and the first thing wrong ends the reading in one line with the key and
// the remedy. A key that nobody asked for is an error, because a misspelt limit is no limit.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <toml++/toml.h>

namespace holdfast::apps {

/// The first thing wrong ends the reading; it is carried up through here, so that every key can be read in one line.
struct wrong {
  std::string text;
};

/// One table of the file: reads its keys by name and knows which were not asked for.
class section {
 public:
  section(const toml::table& t, std::string path) : table_(t), path_(std::move(path)) {}

  template <class T>
  void number(std::string_view key, T& into, std::uint64_t least, std::uint64_t most) {
    const auto* n = find(key);
    if (n == nullptr) return;
    const auto v = n->value_exact<std::int64_t>();
    if (!v) throw wrong{fmt::format("{} must be a whole number, e.g. {} = {}", full(key), key, least)};
    if (*v < 0 || static_cast<std::uint64_t>(*v) < least || static_cast<std::uint64_t>(*v) > most)
      throw wrong{fmt::format("{} is {}, but must be between {} and {}", full(key), *v, least, most)};
    into = static_cast<T>(*v);
  }
  void milliseconds(std::string_view key, std::chrono::milliseconds& into) {
    std::uint64_t ms = static_cast<std::uint64_t>(into.count());
    number(key, ms, 0, 86'400'000);
    into = std::chrono::milliseconds(ms);
  }
  void flag(std::string_view key, bool& into) {
    const auto* n = find(key);
    if (n == nullptr) return;
    const auto v = n->value_exact<bool>();
    if (!v) throw wrong{fmt::format("{} must be true or false", full(key))};
    into = *v;
  }
  bool text(std::string_view key, std::string& into) {
    const auto* n = find(key);
    if (n == nullptr) return false;
    const auto v = n->value_exact<std::string>();
    if (!v) throw wrong{fmt::format("{} must be text in quotes", full(key))};
    into = *v;
    return true;
  }
  std::string required(std::string_view key, std::string_view example) {
    std::string v;
    if (!text(key, v) || v.empty()) throw wrong{fmt::format("{} is missing: write {} = \"{}\"", full(key), key, example)};
    return v;
  }
  /// Of each table that [[key]] begins.
  std::vector<section> tables(std::string_view key) {
    std::vector<section> all;
    const auto* n = find(key);
    if (n == nullptr) return all;
    const auto* list = n->as_array();
    if (list == nullptr || !list->is_homogeneous<toml::table>())
      throw wrong{fmt::format("{} must be a list of tables, each begun with [[{}]]", full(key), header(key))};
    for (std::size_t i = 0; i < list->size(); ++i) all.emplace_back(*list->get(i)->as_table(), fmt::format("{}[{}]", full(key), i + 1));
    return all;
  }
  std::optional<section> table(std::string_view key) {
    const auto* n = find(key);
    if (n == nullptr) return std::nullopt;
    if (!n->is_table()) throw wrong{fmt::format("{} must be a table, written [{}]", full(key), full(key))};
    return section(*n->as_table(), full(key));
  }
  const toml::node* find(std::string_view key) {
    known_.insert(std::string(key));
    return table_.get(key);
  }
  /// To be called when all keys have been asked for.
  void done() const {
    for (const auto& [key, value] : table_)
      if (!known_.contains(std::string(key.str()))) {
        std::string names;
        for (const auto& k : known_) names += (names.empty() ? "" : ", ") + k;
        throw wrong{fmt::format("unknown key {} (line {}); {} has: {}", full(key.str()), value.source().begin.line,
                                path_.empty() ? "the file" : "[" + path_ + "]", names)};
      }
  }
  [[nodiscard]] std::string full(std::string_view key) const { return path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key); }

 private:
  /// As it is written in the file: without the numbers that tell tables of one name apart.
  [[nodiscard]] std::string header(std::string_view key) const {
    std::string all;
    for (bool number = false; const char c : full(key)) {
      if (c == '[') number = true;
      if (!number) all += c;
      if (c == ']') number = false;
    }
    return all;
  }
  const toml::table& table_;
  std::string path_;
  std::set<std::string> known_;
};

}  // namespace holdfast::apps
