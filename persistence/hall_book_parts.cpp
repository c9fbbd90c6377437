// What the book's entries for each event are made of: taking places and giving them back, counting, limits.
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "persistence/hall_book.hpp"

namespace holdfast::persistence {

using core::hold_state;
using core::place_kind;
using finding = hall_book::finding;

std::string hall_book::place(const core::line& l) {
  return fmt::format("{} {}", l.kind == place_kind::seat ? "seat" : "area", l.number);
}

std::uint64_t hall_book::hold_clock(core::log_time at) const { return (frozen_at_ ? *frozen_at_ : at.value) - shift_; }

hall_book::hold* hall_book::find(core::hold_no n) {
  if (n.value == 0 || n.value >= holds_.size() || holds_[n.value].state == hold_state::none) return nullptr;
  return &holds_[n.value];
}

hall_book::hold* hall_book::live(core::hold_no n) {
  auto* h = find(n);
  return h != nullptr && (h->state == hold_state::held || h->state == hold_state::paying) ? h : nullptr;
}

std::uint64_t& hall_book::counted(book_counts& c, hold_state s) {
  return s == hold_state::held ? c.held : s == hold_state::paying ? c.paying : c.sold;
}

std::uint8_t hall_book::category(const core::line& l) const {
  const auto& plan = *terms_->seating;
  if (l.kind == place_kind::seat) return l.number < plan.seats.size() ? plan.seats[l.number].category : 0;
  return l.number < plan.areas.size() ? plan.areas[l.number].category : 0;
}

finding hall_book::take(std::uint32_t number, const hold& h, const core::line& l, hold_state as) {
  if (l.kind == place_kind::seat) {
    if (l.number >= seats_.size()) return fmt::format("takes {}, which is outside the plan", place(l));
    auto& s = seats_[l.number];
    if (s.hold != 0) {
      const bool sold = holds_[s.hold].state == hold_state::sold;
      return fmt::format("takes {}, which is {} to hold {} already", place(l), sold ? "sold" : "held", s.hold);
    }
    if (s.out) return fmt::format("takes {}, which is blocked", place(l));
    s.hold = number;
    --seats_count_.free;
    ++counted(seats_count_, as);
  } else {
    if (l.number >= areas_.size()) return fmt::format("takes {}, which is outside the plan", place(l));
    auto& a = areas_[l.number];
    if (l.count > a.capacity - a.taken)
      return fmt::format("takes {} places of {}, which has {} left", l.count, place(l), a.capacity - a.taken);
    a.taken += l.count;
    counted(areas_count_, as) += l.count;
  }
  for (const auto& k : h.keys) add_to(keys_[k], category(l), l.count);
  return {};
}

finding hall_book::give(std::uint32_t number, const hold& h, const core::line& l, bool withdrawn) {
  if (l.kind == place_kind::seat) {
    auto& s = seats_[l.number];
    if (s.hold != number) return fmt::format("gives back {}, which hold {} does not have", place(l), number);
    s.hold = 0;
    --counted(seats_count_, h.state);
    if (s.out) --seats_count_.withdrawn;
    s.out = s.out || withdrawn;
    ++(s.out ? seats_count_.blocked : seats_count_.free);
  } else {
    auto& a = areas_[l.number];
    a.taken -= l.count;
    counted(areas_count_, h.state) -= l.count;
  }
  for (const auto& k : h.keys) {
    const auto at = keys_.find(k);
    if (at == keys_.end()) continue;
    add_to(at->second, category(l), -std::int64_t{l.count});
    if (at->second.empty()) keys_.erase(at);
  }
  return {};
}

finding hall_book::drop(std::uint32_t number, hold& h, core::lines lines, bool withdrawn) {
  for (const auto& l : lines) {
    const auto has = std::ranges::find_if(h.lines, [&](const auto& k) {
      return k.kind == l.kind && k.number == l.number && k.price == l.price && k.count >= l.count;
    });
    if (has == h.lines.end()) return fmt::format("takes {} from hold {}, which does not have it", place(l), number);
    if (auto wrong = give(number, h, l, withdrawn)) return wrong;
    has->count -= l.count;
    if (has->count == 0) h.lines.erase(has);
  }
  return {};
}

void hall_book::move(hold& h, hold_state to) {
  for (const auto& l : h.lines) {
    auto& counts = l.kind == place_kind::seat ? seats_count_ : areas_count_;
    counted(counts, h.state) -= l.count;
    counted(counts, to) += l.count;
  }
  h.state = to;
}

void hall_book::add_to(tally& t, std::uint8_t category, std::int64_t places) {
  const auto at = std::ranges::find(t, category, [](const auto& e) { return e.first; });
  if (at == t.end()) {
    t.emplace_back(category, places);
  } else if ((at->second += places) == 0) {
    t.erase(at);
  }
}

/// Only what grew can break a rule: a key may be over one channel's limit by what another channel allowed it.
finding hall_book::limits(std::span<const core::limit_key> keys, core::channel_no channel, const tally& more) const {
  if (channel >= terms_->rules.channels.size()) return {};
  const auto sum = [](const tally& t, std::uint64_t categories) {
    std::int64_t places = 0;
    for (const auto& [category, n] : t)
      if (((categories >> category) & 1U) != 0) places += n;
    return places;
  };
  for (const auto& rule : terms_->rules.channels[channel].rules) {
    if (sum(more, rule.categories) <= 0) continue;
    for (const auto& k : keys) {
      if (k.kind != rule.kind) continue;
      const auto at = keys_.find(k);
      const auto has = at == keys_.end() ? 0 : sum(at->second, rule.categories);
      if (has > std::int64_t{rule.places_max})
        return fmt::format("gives a limit key {} places where {} are allowed", has, rule.places_max);
    }
  }
  return {};
}

finding hall_book::same_places(std::span<const core::line> lines, core::pieces pieces) {
  std::map<std::pair<place_kind, std::uint32_t>, std::int64_t> left;
  for (const auto& l : lines) left[{l.kind, l.number}] += l.count;
  for (const auto& p : pieces) left[{p.kind, p.number}] -= p.count;
  for (const auto& [where, n] : left)
    if (n != 0)
      return fmt::format("moves other places than its lines say ({} {})",
                         where.first == place_kind::seat ? "seat" : "area", where.second);
  return {};
}

}  // namespace holdfast::persistence
