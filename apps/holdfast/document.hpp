// What a subcommand has to say, once, for both kinds of readers: people get facts and tables, programs get JSON.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "apps/holdfast/style.hpp"
#include "core/answer.hpp"
#include "core/types.hpp"

namespace holdfast::cli {

enum class tone : std::uint8_t { plain, good, bad, faint };

struct value {
  std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double, std::string> json;  ///< monostate: null
  std::string text;
  bool to_the_right = false;  ///< in a table; numbers
  cli::tone tone = tone::plain;
};

[[nodiscard]] value none();                       ///< null, "-"
[[nodiscard]] value words(std::string_view s, tone t = tone::plain);
[[nodiscard]] value yes_no(bool b, tone if_yes = tone::plain);
[[nodiscard]] value number(std::uint64_t n);      ///< text with thousands apart
[[nodiscard]] value number(std::int64_t n);
inline value number(std::uint32_t n) { return number(std::uint64_t{n}); }
inline value number(int n) { return number(std::int64_t{n}); }
[[nodiscard]] value plain_number(std::uint64_t n);  ///< names something: no thousands
[[nodiscard]] value decimal(double d, int places);
[[nodiscard]] value hex(const base::id128& id);   ///< zero: none
/// Microseconds UTC in JSON, ISO 8601 as text; 0: none.
[[nodiscard]] value moment(core::log_time t);
/// A moment and how far it is from `now`.
[[nodiscard]] value deadline(core::log_time t, core::log_time now);
[[nodiscard]] value micros(std::uint64_t us);     ///< "1.23 ms"
[[nodiscard]] value share(double part_of_one);    ///< "12.3 %"

struct fact {
  std::string name;  ///< lower case words; the key in JSON has "_" between them
  value what;
};

struct grid {
  std::string name;                  ///< title, and key of the array in JSON
  std::vector<std::string> columns;
  std::vector<std::vector<value>> rows;
};

struct document {
  std::vector<fact> facts;
  std::vector<grid> grids;
  std::string drawing;               ///< text as it is, between facts and grids; in JSON under "drawing" if not empty

  void add(std::string name, value what) { facts.push_back({std::move(name), std::move(what)}); }
};

[[nodiscard]] nlohmann::ordered_json to_json(const document& d);
[[nodiscard]] std::string to_text(const document& d, const style& s);

/// "2026-06-01T19:30:00.123Z"; microseconds since 1970.
[[nodiscard]] std::string utc_text(std::uint64_t us);
/// "850 us", "12.3 ms", "4.56 s", "3 min 20 s", "2 h 5 min".
[[nodiscard]] std::string interval_text(std::uint64_t us);
/// "1,234,567".
[[nodiscard]] std::string grouped(std::uint64_t n);

}  // namespace holdfast::cli
