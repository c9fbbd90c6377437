#include "core/policy.hpp"

#include <bit>
#include <set>

namespace holdfast::core {
namespace {

base::error bad(const channel_policy& row, const char* what) {
  return {base::trouble::bad_input, "policy channel '" + row.name + "': " + what};
}

bool printable(const std::string& s) {
  if (s.empty() || s.size() > limits::name_bytes_max) return false;
  for (const char c : s)
    if (c < 0x21 || c > 0x7e) return false;
  return true;
}

constexpr std::uint64_t options_none = 0;

}  // namespace

policy default_policy() {
  policy p;
  channel_policy pub;
  pub.name = "public";
  pub.rules = {limit_rule{}};
  channel_policy box;
  box.name = "box_office";
  box.lines_max = limits::lines_max;
  box.holds_per_owner_max = 10'000;
  box.hold_max = 24U * 3'600'000U;
  box.paying_max = 14U * 24U * 3'600'000U;
  box.lifetime_max = 15U * 24U * 3'600'000U;
  box.extensions_max = 30;
  box.attempts_max = 30;
  box.allocations = (1U << limits::allocations_max) - 1U;
  p.channels = {pub, box};
  return p;
}

base::result<void> check_policy(const policy& p) {
  if (p.channels.empty() || p.channels.size() > limits::channels_max)
    return base::error{base::trouble::bad_input, "policy: between 1 and 16 channels are needed"};
  std::set<std::string> names;
  std::set<std::uint64_t> masks[key_kinds];
  for (const auto& row : p.channels) {
    if (!printable(row.name)) return bad(row, "name must be 1-64 printable characters without spaces");
    if (!names.insert(row.name).second) return bad(row, "name is used twice");
    if (row.rules.size() > limits::rules_per_channel_max) return bad(row, "at most 8 rules");
    for (const auto& r : row.rules) {
      if (static_cast<std::uint8_t>(r.kind) >= key_kinds) return bad(row, "unknown limit key kind");
      if (r.places_max == 0) return bad(row, "places_max must be at least 1 (close the channel instead)");
      masks[static_cast<std::uint8_t>(r.kind)].insert(r.categories);
    }
    if (row.lines_max == 0 || row.lines_max > limits::lines_max) return bad(row, "lines_max must be 1-500");
    if (row.holds_per_owner_max == 0) return bad(row, "holds_per_owner_max must be at least 1");
    if (row.hold_max == 0 || row.paying_max == 0 || row.lifetime_max == 0)
      return bad(row, "hold_max, paying_max and lifetime_max must be at least 1 ms");
    if (row.extensions_max > limits::changes_per_hold_max || row.attempts_max > limits::changes_per_hold_max)
      return bad(row, "extensions_max and attempts_max must be at most 32");
    if ((row.allocations >> limits::allocations_max) != 0) return bad(row, "allocations names one beyond the 16th");
  }
  for (const auto& of_kind : masks)
    if (of_kind.size() > limits::masks_per_kind_max)
      return base::error{base::trouble::bad_input, "policy: a limit key kind may have at most 4 different category sets over all channels"};
  if (p.expiries_per_step == 0) return base::error{base::trouble::bad_input, "policy: expiries_per_step must be at least 1"};
  return {};
}

void encode_policy(const policy& p, base::byte_writer& out) {
  out.varint(p.channels.size());
  for (const auto& c : p.channels) {
    out.sized(c.name);
    out.varint(c.rules.size());
    for (const auto& r : c.rules) {
      out.u8(static_cast<std::uint8_t>(r.kind));
      out.fixed(r.categories);
      out.varint(r.places_max);
    }
    for (const auto v : {c.lines_max, c.holds_per_owner_max, c.hold_max, c.paying_max, c.lifetime_max, c.extensions_max, c.attempts_max,
                         c.allocations})
      out.varint(v);
  }
  for (const auto v : {p.pay_min, p.id_min, p.late_confirm_max}) out.varint(v);
  for (const auto v : {p.ended_holds_max, p.ended_holds_hard_max}) out.varint(v);
  out.varint(p.unknown_refunds_max);
  out.varint(p.expiries_per_step);
  out.varint(options_none);
}

base::result<policy> decode_policy(base::byte_reader& in) {
  constexpr std::uint64_t u32_max = 0xffff'ffff;
  policy p;
  p.channels.resize(static_cast<std::size_t>(in.varint(limits::channels_max)));
  for (auto& c : p.channels) {
    c.name = in.text(limits::name_bytes_max);
    c.rules.resize(static_cast<std::size_t>(in.varint(limits::rules_per_channel_max)));
    for (auto& r : c.rules) {
      const auto kind = in.u8();
      if (kind >= key_kinds) in.fail();
      r.kind = static_cast<key_kind>(kind);
      r.categories = in.fixed<std::uint64_t>();
      r.places_max = static_cast<std::uint32_t>(in.varint(u32_max));
    }
    for (auto* v : {&c.lines_max, &c.holds_per_owner_max, &c.hold_max, &c.paying_max, &c.lifetime_max, &c.extensions_max, &c.attempts_max,
                    &c.allocations})
      *v = static_cast<std::uint32_t>(in.varint(u32_max));
  }
  for (auto* v : {&p.pay_min, &p.id_min, &p.late_confirm_max}) *v = static_cast<std::uint32_t>(in.varint(u32_max));
  p.ended_holds_max = in.varint();
  p.ended_holds_hard_max = in.varint();
  p.unknown_refunds_max = static_cast<std::uint32_t>(in.varint(u32_max));
  p.expiries_per_step = static_cast<std::uint32_t>(in.varint(u32_max));
  const auto options = in.varint();
  for (std::uint64_t i = 0; in.ok() && i < options; ++i) {
    const auto tag = in.varint();
    in.sized(1U << 16U);
    if ((tag & 1U) != 0) return base::error{base::trouble::bad_bytes, "policy: an unknown critical option; a newer version wrote it"};
  }
  if (!in.ok()) return base::error{base::trouble::bad_bytes, "policy: the bytes end too early or hold an impossible value"};
  if (auto checked = check_policy(p); !checked) return checked.failure();
  return p;
}

}  // namespace holdfast::core
