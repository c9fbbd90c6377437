#include "apps/holdfast/policy_file.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>

#include <fmt/format.h>
#include <toml++/toml.h>

#include "apps/file_section.hpp"
#include "apps/holdfast/arguments.hpp"
#include "base/one_line.hpp"

namespace holdfast::cli {

namespace {

using apps::section;

constexpr std::uint64_t many = 4'000'000'000;

void take_interval(section& s, std::string_view key, core::interval_ms& into) {
  const auto* n = s.find(key);
  if (n == nullptr) return;
  const auto text = n->value_exact<std::string>();
  if (!text) throw apps::wrong{fmt::format("{} must be an interval in quotes, e.g. {} = \"15m\"", s.full(key), key)};
  if (*text == "0s") {
    into = 0;
    return;
  }
  const auto v = cli::read_interval(*text);
  if (!v) throw apps::wrong{fmt::format("{}: {}", s.full(key), v.failure().text)};
  into = static_cast<core::interval_ms>(v->count());
}

/// A set of names as bits. `name_at(i)` is the i-th name of the plan's.
template <class NameAt>
std::uint64_t read_set(const section& s, std::string_view key, const toml::node& n, std::string_view what, std::size_t names, NameAt name_at) {
  const auto* list = n.as_array();
  const std::string first = names == 0 ? "" : name_at(std::size_t{0});
  if (list == nullptr || !list->is_homogeneous<std::string>())
    throw apps::wrong{fmt::format("{} must be a list of names, e.g. [\"{}\"], or be left away", s.full(key), first)};
  std::uint64_t bits = 0;
  for (const auto& item : *list) {
    const auto name = item.value_exact<std::string>().value_or("");
    std::size_t at = 0;
    while (at < names && name_at(at) != name) ++at;
    if (at == names) {
      std::string all;
      for (std::size_t i = 0; i < names; ++i) all += (i == 0 ? "" : ", ") + name_at(i);
      throw apps::wrong{fmt::format("{} names \"{}\", but the plan's {} are: {}", s.full(key), name, what, all)};
    }
    bits |= std::uint64_t{1} << at;
  }
  return bits;
}

core::limit_rule read_limit(section& s, const core::plan& seating) {
  static constexpr std::string_view kinds[] = {"account", "email", "card", "device", "code"};
  core::limit_rule r;
  const auto kind = s.required("key", "account");
  const auto at = std::ranges::find(kinds, kind);
  if (at == std::end(kinds)) throw apps::wrong{fmt::format("{} is \"{}\", but must be account, email, card, device or code", s.full("key"), kind)};
  r.kind = static_cast<core::key_kind>(at - std::begin(kinds));
  if (s.find("places_max") == nullptr) throw apps::wrong{fmt::format("{} is missing: write places_max = 6", s.full("places_max"))};
  s.number("places_max", r.places_max, 1, many);
  if (const auto* n = s.find("categories"))
    r.categories = read_set(s, "categories", *n, "categories", seating.categories.size(), [&](std::size_t i) { return seating.categories[i].name; });
  s.done();
  return r;
}

core::channel_policy read_channel(section& s, const core::plan& seating) {
  core::channel_policy c;
  c.name = s.required("name", "public");
  s.number("lines_max", c.lines_max, 1, core::limits::lines_max);
  s.number("holds_per_owner_max", c.holds_per_owner_max, 1, many);
  take_interval(s, "hold_max", c.hold_max);
  take_interval(s, "paying_max", c.paying_max);
  take_interval(s, "lifetime_max", c.lifetime_max);
  s.number("extensions_max", c.extensions_max, 0, core::limits::changes_per_hold_max);
  s.number("attempts_max", c.attempts_max, 0, core::limits::changes_per_hold_max);
  if (const auto* n = s.find("allocations")) {
    if (n->value_exact<std::string>() == "all") {
      c.allocations = (1U << core::limits::allocations_max) - 1U;
    } else {
      c.allocations = static_cast<std::uint32_t>(
          read_set(s, "allocations", *n, "allocations", seating.allocations.size(), [&](std::size_t i) { return seating.allocations[i]; }));
    }
  }
  for (auto& limit : s.tables("limit")) c.rules.push_back(read_limit(limit, seating));
  s.done();
  return c;
}

core::policy read(const toml::table& file, const core::plan& seating) {
  core::policy p;
  section top(file, "");
  for (auto& channel : top.tables("channel")) p.channels.push_back(read_channel(channel, seating));
  if (p.channels.empty()) throw apps::wrong{"channel: there is none; write at least [[channel]] and under it name = \"public\""};
  take_interval(top, "pay_min", p.pay_min);
  take_interval(top, "id_min", p.id_min);
  take_interval(top, "late_confirm_max", p.late_confirm_max);
  top.number("ended_holds_max", p.ended_holds_max, 0, many);
  top.number("ended_holds_hard_max", p.ended_holds_hard_max, 0, many);
  top.number("unknown_refunds_max", p.unknown_refunds_max, 0, many);
  top.number("expiries_per_step", p.expiries_per_step, 1, many);
  top.done();
  return p;
}

}  // namespace

base::result<core::policy> parse_policy(std::string_view text, std::string_view name, const core::plan& seating) {
  const auto bad = [](std::string_view what) { return base::error{base::trouble::bad_input, base::one_line(what)}; };  // it may quote the file
  try {
    auto p = read(toml::parse(text, name), seating);
    if (auto checked = core::check_policy(p); !checked) return bad(fmt::format("{}: {}", name, checked.failure().text));
    return p;
  } catch (const toml::parse_error& e) {
    return bad(fmt::format("{}:{}:{}: {}", name, e.source().begin.line, e.source().begin.column, e.description()));
  } catch (const apps::wrong& w) {
    return bad(fmt::format("{}: {}", name, w.text));
  }
}

base::result<core::policy> read_policy(const std::string& file, const core::plan& seating) {
  std::ifstream in(file);
  if (!in) return base::error{base::trouble::bad_input, fmt::format("{}: cannot be read; configs/policy.toml is an example", file)};
  std::ostringstream text;
  text << in.rdbuf();
  return parse_policy(text.str(), file, seating);
}

}  // namespace holdfast::cli
