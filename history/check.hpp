// Can what the clients saw have been one correct sale? Four questions, each sound: whatever they find is a violation, whatever
// the server says of itself.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "history/stories.hpp"

namespace holdfast::history {

inline constexpr std::uint64_t any_shift = std::uint64_t{1} << 62U;

struct check_options {
  std::uint32_t limit = 0;         ///< places an account may have; 0: not checked
  std::uint64_t shift_us = 0;      ///< by how much deadlines may have moved, all outages and shifts together
  bool alone = true;               ///< nobody else sold, blocked or cancelled in this session
  std::size_t violations_max = 20; ///< told of each kind of check
  std::uint32_t threads = 0;       ///< for the search of seats; 0: as many as there are processors, if there are seats enough
  progress tell{};
};

struct findings {
  std::vector<std::string> violations;  ///< the first of them
  std::uint64_t found = 0;              ///< all of them
  std::uint64_t looked_at = 0;          ///< intervals, sub-operations or records
  std::uint64_t left_out = 0;           ///< seats with too much at once for the exact search
};

/// Intervals during which a hold surely had its seats must not overlap; no area and no account has more than it may; nobody is
/// refused for a limit that he cannot have reached; time and records must go with the clients' own order.
[[nodiscard]] findings check_intervals(const history& h, const stories& s, const clock_map& clock, const check_options& o);

/// Each hold by itself, as its one client had it: one id, one outcome, the same again if asked again; nothing is forgotten, over
/// before its deadline, or goes on after its end.
[[nodiscard]] findings check_holds(const history& h, const stories& s, const clock_map& clock, const check_options& o);

/// Exact for each seat by itself: is there an order of all operations on it, each within its own interval, that a seat allows?
[[nodiscard]] findings check_seats(const history& h, const stories& s, const clock_map& clock, const check_options& o);

/// The server's own order, record by record, told again on the simplest of books: all seats, holds and accounts at once.
[[nodiscard]] findings check_order(const history& h, const stories& s, const check_options& o);

/// Notes one more violation.
void note(findings& f, const check_options& o, std::string what);
/// For messages: "row 12 (hold 0123456789abcdef, record 7, 1.234567 to 1.240000 s)"; seconds since the first row.
[[nodiscard]] std::string name_of_row(const history& h, std::size_t row);

}  // namespace holdfast::history
