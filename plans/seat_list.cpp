#include "plans/seat_list.hpp"

#include <charconv>
#include <cstdint>
#include <optional>

#include <fmt/format.h>

namespace holdfast::plans {

namespace {

base::error wrong(std::string text) { return {base::trouble::bad_input, std::move(text)}; }

std::string_view trim(std::string_view s) {
  while (!s.empty() && s.front() == ' ') s.remove_prefix(1);
  while (!s.empty() && s.back() == ' ') s.remove_suffix(1);
  return s;
}

std::string plain_dashes(std::string_view s) {
  std::string out;
  for (std::size_t i = 0; i < s.size(); ++i) {
    const auto three = s.substr(i, 3);
    if (three == "\u2010" || three == "\u2011" || three == "\u2012" || three == "\u2013" || three == "\u2014" ||
        three == "\u2212") {
      out += '-';
      i += 2;
    } else {
      out += s[i];
    }
  }
  return out;
}

struct range_end {
  std::string_view prefix;
  std::string_view digits;
  std::uint32_t number = 0;
};

std::optional<range_end> parse_end(std::string_view s) {
  std::size_t at = s.size();
  while (at > 0 && s[at - 1] >= '0' && s[at - 1] <= '9') --at;
  range_end e{s.substr(0, at), s.substr(at), 0};
  if (e.digits.empty() || e.digits.size() > 9) return std::nullopt;
  std::from_chars(e.digits.data(), e.digits.data() + e.digits.size(), e.number);
  return e;
}

bool letters(std::string_view a, std::string_view b) {
  const auto in = [](char c, char lo, char hi) { return c >= lo && c <= hi; };
  return a.size() == 1 && b.size() == 1 &&
         ((in(a[0], 'A', 'Z') && in(b[0], 'A', 'Z')) || (in(a[0], 'a', 'z') && in(b[0], 'a', 'z')));
}

/// Appends first, first +- step ... last.
base::result<void> spell_range(std::string_view part, std::string_view first, std::string_view last, std::uint32_t step,
                               std::size_t room, std::vector<std::string>& out) {
  std::optional<range_end> a, b;
  const bool by_letter = letters(first, last);
  if (by_letter) {
    a = {{}, {}, static_cast<std::uint32_t>(first[0])};
    b = {{}, {}, static_cast<std::uint32_t>(last[0])};
  } else {
    a = parse_end(first);
    b = parse_end(last);
    if (!a || !b || a->prefix != b->prefix)
      return wrong(
          fmt::format("\"{}\" is not a range: write it like 1-20, A1-A12 or A-F (names cannot contain \"-\")", part));
  }
  const auto span = a->number < b->number ? b->number - a->number : a->number - b->number;
  if (step == 0 || span % step != 0)
    return wrong(
        fmt::format("\"{}\" does not reach {} from {} in its steps: correct the last number or the step", part, last,
                             first));
  if (span / step >= room)
    return wrong(
        fmt::format("\"{}\" makes more than {} names in one cell: check for a slip of the pen, or use two lines",
                             part, range_names_max));
  const std::size_t width = !by_letter && a->digits.size() == b->digits.size() ? a->digits.size() : 0;
  for (std::uint32_t i = 0; i <= span / step; ++i) {
    const auto n = a->number < b->number ? a->number + i * step : a->number - i * step;
    out.push_back(by_letter ? std::string(1, static_cast<char>(n)) : fmt::format("{}{:0{}}", a->prefix, n, width));
  }
  return {};
}

base::result<void> spell_part(std::string_view part, std::size_t room, std::vector<std::string>& out) {
  if (part.empty()) return wrong("a name is missing beside a separator: remove the separator or fill the gap");
  if (room == 0) return wrong(fmt::format("more than {} names in one cell: use two lines", range_names_max));
  std::uint32_t step = 1;
  auto range = part;
  const auto colon = part.find(':');
  if (colon != std::string_view::npos) {
    const auto digits = trim(part.substr(colon + 1));
    const auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), step);
    if (ec != std::errc{} || end != digits.data() + digits.size() || step == 0)
      return wrong(fmt::format("\"{}\" has no number as its step: write every second seat like 1-15:2", part));
    range = part.substr(0, colon);
  }
  const auto dash = range.find('-');
  if (dash == std::string_view::npos) {
    if (colon != std::string_view::npos || part.find('/') != std::string_view::npos)
      return wrong(fmt::format("\"{}\" is neither a name nor a range: names cannot contain \":\" or \"/\"", part));
    out.emplace_back(part);
    return {};
  }
  return spell_range(part, trim(range.substr(0, dash)), trim(range.substr(dash + 1)), step, room, out);
}

}  // namespace

base::result<seat_list> parse_seat_list(std::string_view cell) {
  const auto text = plain_dashes(cell);
  auto rest = trim(text);
  seat_list list;
  if (rest.empty()) return wrong("the list is empty: give a name, or a range like 1-20");
  if (rest[0] == '+' || rest[0] == '|') {
    list.lead = rest[0] == '+' ? list_lead::join : list_lead::gap;
    rest.remove_prefix(1);
  }
  list.runs.emplace_back();
  std::size_t before = 0;  // names in the runs that are finished
  for (;;) {
    const auto at = rest.find_first_of(",|+");
    auto& run = list.runs.back();
    if (auto r = spell_part(trim(rest.substr(0, at)), range_names_max - before - run.size(), run); !r)
      return r.failure();
    if (at == std::string_view::npos) return list;
    if (rest[at] != '+') {
      before += run.size();
      list.runs.emplace_back();
    }
    rest.remove_prefix(at + 1);
  }
}

}  // namespace holdfast::plans
