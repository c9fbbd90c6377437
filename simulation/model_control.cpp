// The model's step 7 for those who run the sale: open, pause, freeze, block, allocate, shift.
#include <algorithm>

#include "simulation/model.hpp"

namespace holdfast::simulation {

using namespace core;

namespace {

answer accept() { return {}; }

/// `no_such_place` with the ranges, of the first 64, that lie outside the plan; or nothing.
std::optional<answer> outside(ranges list, const plan& p) {
  std::optional<answer> a;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const auto& r = list[i];
    if (r.kind == place_kind::seat ? r.last < p.seats.size() : r.first < p.areas.size()) continue;
    if (!a) a = answer{.refused = refusal::no_such_place};
    if (i < 64) a->lines |= std::uint64_t{1} << i;
  }
  return a;
}

std::optional<answer> unknown_allocation(ranges list, const plan& p) {
  std::optional<answer> a;
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (list[i].kind == place_kind::seat || list[i].allocation < p.allocations.size()) continue;
    if (!a) a = answer{.refused = refusal::no_such_allocation};
    a->lines |= bit(i);
  }
  return a;
}

/// Which ranges of areas name more places than `there_are` for them; `left` is the first one's.
template <class ThereAre>
answer too_many(ranges asked, ThereAre&& there_are) {
  answer said;
  for (std::size_t i = 0; i < asked.size(); ++i) {
    if (asked[i].kind == place_kind::seat) continue;
    const std::uint64_t most = there_are(asked[i]);
    if (asked[i].count <= most) continue;
    if (said.refused == refusal::none) said.left = most;
    said.refused = refusal::not_enough;
    said.lines |= bit(i);
  }
  return said;
}

}  // namespace

answer model::open(const open_sale& c) {
  const channel_set named = c.channels & policy_channels();
  if (sale_ == sale_state::paused) return refuse(refusal::paused);
  if (sale_ == sale_state::open && (named & ~open_channels_) == 0) return refuse(refusal::already);
  if (sale_ != sale_state::open) open_channels_ = 0;
  open_channels_ |= named;
  sale_ = sale_state::open;
  return accept();
}

answer model::pause() {
  if (sale_ == sale_state::paused) return refuse(refusal::already);
  if (sale_ == sale_state::announced) return refuse(refusal::not_open);
  if (sale_ == sale_state::closed) return refuse(refusal::closed);
  sale_ = sale_state::paused;
  return accept();
}

answer model::resume() {
  if (frozen_at_) {
    shift_ += now_ - *frozen_at_;
    frozen_at_.reset();
    return accept();
  }
  if (sale_ == sale_state::open) return refuse(refusal::already);
  if (sale_ == sale_state::announced) return refuse(refusal::not_open);
  if (sale_ == sale_state::closed) return refuse(refusal::closed);
  sale_ = sale_state::open;
  return accept();
}

answer model::close(const close_sale& c) {
  const channel_set named = c.channels & policy_channels();
  if (sale_ == sale_state::closed) return refuse(refusal::already);
  if (sale_ == sale_state::announced) {
    if (named != policy_channels()) return refuse(refusal::not_open);
    sale_ = sale_state::closed;
    return accept();
  }
  if ((named & open_channels_) == 0) return refuse(refusal::already);
  open_channels_ &= ~named;
  if (open_channels_ == 0) sale_ = sale_state::closed;
  return accept();
}

answer model::freeze() {
  if (frozen_at_) return refuse(refusal::already);
  frozen_at_ = now_;
  return accept();
}

answer model::block(const block_places& c) {
  if (const auto a = outside(c.ranges, plan_)) return *a;
  if (const auto a = unknown_allocation(c.ranges, plan_)) return *a;
  const auto said = too_many(c.ranges, [&](const place_range& r) -> std::uint64_t {
    const auto n = hall_.count(r.first, r.allocation);
    return n.free + n.held + n.paying + n.sold - n.withdrawn;
  });
  if (said.refused != refusal::none) return said;
  for (const auto& r : c.ranges) {
    if (r.kind == place_kind::seat) {
      for (auto s = r.first; s <= r.last; ++s) {
        (hall_.seats[s].holder ? hall_.seats[s].withdrawn : hall_.seats[s].blocked) = true;
        hall_.seats[s].reason = c.reason;
      }
      continue;
    }
    const auto at_once = std::min<std::uint64_t>(hall_.count(r.first, r.allocation).free, r.count);
    auto& share = hall_.areas[r.first][r.allocation];
    share.blocked += at_once;
    share.debt += r.count - at_once;
  }
  return accept();
}

answer model::unblock(const unblock_places& c) {
  if (const auto a = outside(c.ranges, plan_)) return *a;
  if (const auto a = unknown_allocation(c.ranges, plan_)) return *a;
  const auto said = too_many(c.ranges, [&](const place_range& r) {
    const auto& share = hall_.areas[r.first][r.allocation];
    return share.blocked + share.debt;
  });
  if (said.refused != refusal::none) return said;
  for (const auto& r : c.ranges) {
    if (r.kind == place_kind::seat) {
      for (auto s = r.first; s <= r.last; ++s) {
        hall_.seats[s].blocked = hall_.seats[s].withdrawn = false;
        hall_.seats[s].reason = 0;
      }
      continue;
    }
    auto& share = hall_.areas[r.first][r.allocation];
    const auto at_once = std::min<std::uint64_t>(share.blocked, r.count);
    share.blocked -= at_once;
    share.debt -= r.count - at_once;
  }
  return accept();
}

answer model::allocate(const allocate_places& c) {
  if (c.allocation >= plan_.allocations.size()) return refuse(refusal::no_such_allocation);
  if (const auto a = outside(c.ranges, plan_)) return *a;
  if (const auto a = unknown_allocation(c.ranges, plan_)) return *a;
  answer said;
  std::uint64_t free_ones = 0;  // of all that are named
  for (std::size_t i = 0; i < c.ranges.size(); ++i) {
    const auto& r = c.ranges[i];
    const std::uint64_t wanted = r.kind == place_kind::seat ? r.last - r.first + 1 : r.count;
    std::uint64_t free = 0;
    if (r.kind == place_kind::seat)
      for (auto s = r.first; s <= r.last; ++s) free += hall_.state_of(s) == seat_state::free ? 1 : 0;
    else
      free = std::min(wanted, hall_.count(r.first, r.allocation).free);
    free_ones += free;
    if (free == wanted) continue;
    said.refused = refusal::not_enough;
    said.lines |= bit(i);
  }
  if (said.refused != refusal::none) {
    said.left = free_ones;
    return said;
  }
  for (const auto& r : c.ranges) {
    if (r.kind == place_kind::seat) {
      for (auto s = r.first; s <= r.last; ++s) hall_.seats[s].allocation = c.allocation;
      continue;
    }
    hall_.areas[r.first][r.allocation].capacity -= r.count;
    hall_.areas[r.first][c.allocation].capacity += r.count;
  }
  return accept();
}

answer model::shift(const envelope& head, const shift_deadlines& c) {
  std::uint64_t by = std::uint64_t{c.by} * us_per_ms;
  if (head.from.who == role::recovery) {
    if (frozen_at_) return refuse(refusal::frozen);
    by = std::min({by, 10 * 60 * us_per_s, 30 * 60 * us_per_s - downtime_shift_});
    if (by == 0) return refuse(refusal::no_gain);
    downtime_shift_ += by;
  }
  shift_ += by;
  return accept();
}

answer model::clear(const clear_fault&) {
  if (!faulted_since_) return refuse(refusal::already);
  // The time it stood, in whole milliseconds; what is frozen stands for that reason and gets it back when resumed.
  const auto stood = now_ > *faulted_since_ ? now_ - *faulted_since_ : 0;
  if (!frozen_at_) shift_ += (stood + us_per_ms - 1) / us_per_ms * us_per_ms;
  faulted_since_.reset();
  return accept();
}

}  // namespace holdfast::simulation
