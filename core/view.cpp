#include "core/view.hpp"

#include <bit>

#include "base/planted.hpp"

namespace holdfast::core {
namespace {

constexpr unsigned frozen_bit = 8, faulted_bit = 9, open_shift = 32;

}  // namespace

sale_view::sale_view(std::shared_ptr<const plan> seating, const policy& rules) : plan_(std::move(seating)) {
  const auto seats = plan_->seats.size();
  const auto words = (seats + 63) / 64;
  const auto stocks = plan_->areas.size() * limits::allocations_max;
  words_ = std::make_unique<std::atomic<std::uint64_t>[]>(words);
  allocation_ = std::make_unique<std::atomic<std::uint8_t>[]>(seats);
  area_left_ = std::make_unique<std::atomic<std::int64_t>[]>(stocks);
  for (std::size_t i = 0; i < words; ++i) words_[i] = 0;
  for (std::size_t i = 0; i < stocks; ++i) area_left_[i] = 0;
  for (std::size_t i = 0; i < seats; ++i) {
    allocation_[i] = plan_->seats[i].allocation;
    ++left_[plan_->seats[i].allocation];
  }
  for (std::size_t a = 0; a < plan_->areas.size(); ++a)
    for (std::size_t n = 0; n < plan_->areas[a].capacity.size(); ++n) {
      area_left_[a * limits::allocations_max + n] = plan_->areas[a].capacity[n];
      left_[n] += plan_->areas[a].capacity[n];
    }
  for (const auto& row : rules.channels) takes_.push_back(row.allocations);
}

void sale_view::apply(std::span<const view_change> changes, sequence durable) {
  constexpr auto relaxed = std::memory_order_relaxed;
  const auto add = [](std::atomic<std::int64_t>& a, std::int64_t n) { a.store(a.load(relaxed) + n, relaxed); };
  for (const auto& c : changes) {
    switch (c.what) {
      case view_change::kind::seat_gone: {
        auto& w = words_[c.number / 64];
        w.store(w.load(relaxed) | (std::uint64_t{1} << (c.number % 64)), relaxed);
        add(left_[c.allocation], -1);
        break;
      }
      case view_change::kind::seat_back: {
        auto& w = words_[c.number / 64];
        if (!planted(bug::view_hides_what_came_back)) w.store(w.load(relaxed) & ~(std::uint64_t{1} << (c.number % 64)), relaxed);
        add(left_[c.allocation], +1);
        break;
      }
      case view_change::kind::area_gone:
      case view_change::kind::area_back: {
        const std::int64_t n = c.what == view_change::kind::area_gone ? -std::int64_t{c.count} : std::int64_t{c.count};
        add(area_left_[c.number * limits::allocations_max + c.allocation], n);
        add(left_[c.allocation], n);
        break;
      }
      case view_change::kind::seat_allocated:
        allocation_[c.number].store(c.other, relaxed);
        add(left_[c.allocation], -1);
        add(left_[c.other], +1);
        break;
      case view_change::kind::control:
        control_.store(std::uint64_t{c.allocation} | std::uint64_t{c.other} << frozen_bit | std::uint64_t{c.number} << open_shift, relaxed);
        break;
    }
  }
  durable_.store(durable.value, std::memory_order_release);
}

view_says sale_view::judge(channel_no channel, lines asked) const {
  constexpr auto relaxed = std::memory_order_relaxed;
  const auto tells_of = durable();
  const auto no = [tells_of](refusal r, std::uint64_t offending = 0) { return view_says{r, offending, tells_of}; };
  const auto pass = [&] { return no(refusal::none); };
  if (channel >= takes_.size()) return pass();  // the session says what is wrong with it
  const auto control = control_.load(relaxed);
  if (((control >> faulted_bit) & 1U) != 0) return no(refusal::faulted);
  if (((control >> frozen_bit) & 1U) != 0) return no(refusal::frozen);
  switch (static_cast<sale_state>(control & 0xffU)) {
    case sale_state::announced: return no(refusal::not_open);
    case sale_state::paused: return no(refusal::paused);
    case sale_state::closed: return no(refusal::closed);
    case sale_state::open: break;
  }
  if (((control >> open_shift >> channel) & 1U) == 0) return no(refusal::not_open);

  const auto takes = takes_[channel] & ((1U << limits::allocations_max) - 1);
  std::int64_t left = 0;
  for (auto rest = takes; rest != 0; rest &= rest - 1) left += left_[std::countr_zero(rest)].load(relaxed);
  if (left <= 0) return no(refusal::sold_out);

  bool gone_some = false;
  std::uint64_t offending = 0;
  for (std::size_t i = 0; i < asked.size(); ++i) {
    const auto& l = asked[i];
    if (l.kind == place_kind::seat) {
      if (l.number >= plan_->seats.size()) return pass();
      // A seat of another allocation is "not in your channel", which is the session's to say.
      const auto of = allocation_[l.number].load(relaxed);
      if (((takes >> of) & 1U) == 0) return pass();
      if (!gone(l.number)) continue;
    } else {
      if (l.number >= plan_->areas.size()) return pass();
      std::int64_t in_area = 0;
      for (auto rest = takes; rest != 0; rest &= rest - 1)
        in_area += area_left_[l.number * limits::allocations_max + static_cast<std::uint32_t>(std::countr_zero(rest))].load(relaxed);
      if (in_area > 0) continue;
    }
    if (i < 64) offending |= std::uint64_t{1} << i;
    gone_some = true;
  }
  return gone_some ? no(refusal::sold_out, offending) : pass();
}

}  // namespace holdfast::core
