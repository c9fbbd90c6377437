#include "persistence/hall_book.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/check.hpp"
#include "persistence/record_codec.hpp"

namespace holdfast::persistence {

using core::hold_state;
using core::place_kind;
using finding = hall_book::finding;

namespace {

template <class C>
const C& asked(const core::record& r) {
  const auto* c = std::get_if<C>(&r.asked);
  HOLDFAST_CHECK(c != nullptr, "the codec let an event through that its command cannot have");
  return *c;
}

}  // namespace

hall_book::hall_book(std::shared_ptr<const core::session_terms> terms) : terms_(std::move(terms)) {
  const auto& plan = *terms_->seating;
  seats_.resize(plan.seats.size());
  for (const auto& a : plan.areas) {
    std::uint64_t capacity = 0;
    for (const auto places : a.capacity) capacity += places;
    areas_.push_back({capacity, 0});
  }
  seats_count_.free = seats_.size();
  holds_.resize(1);
}

finding hall_book::book(const core::record& r) {
  return std::visit([&](const auto& e) { return on(e, r); }, r.done);
}

// ---- holds --------------------------------------------------------------------------------------------------

finding hall_book::on(const core::hold_placed& e, const core::record& r) {
  const auto& c = asked<core::hold_seats>(r);
  if (sale_ != core::sale_state::open || frozen_at_ || ((open_ >> r.head.channel) & 1U) == 0)
    return "places a hold while the sale is not open for its channel";
  if (e.hold.value == 0 || e.hold.value > holds_.size())
    return fmt::format("gives out hold number {}, which is not the next", e.hold.value);
  if (e.hold.value == holds_.size()) holds_.emplace_back();
  auto& h = holds_[e.hold.value];
  if (h.state == hold_state::held || h.state == hold_state::paying || h.state == hold_state::sold)
    return fmt::format("gives out hold number {}, which is in use", e.hold.value);
  if (c.lines.empty()) return "places a hold without lines";
  const auto clock = hold_clock(r.at);
  if (e.deadline.value <= clock) return "places a hold whose time is over";
  if (e.deadline.value > clock + std::uint64_t{c.interval} * core::us_per_ms)
    return "gives a hold longer than was asked";
  if (r.head.channel < terms_->rules.channels.size() &&
      e.deadline.value > clock + std::uint64_t{terms_->rules.channels[r.head.channel].hold_max} * core::us_per_ms)
    return "gives a hold longer than its channel allows";

  h = hold{hold_state::held, r.head.channel, e.deadline.value, c.owner, r.head.id, {c.keys.begin(), c.keys.end()},
           {c.lines.begin(), c.lines.end()}, 0, 0};
  std::vector<std::uint64_t> drawn(h.lines.size());
  for (const auto& d : e.draws) {
    if (d.line >= drawn.size()) return "draws places for a line that is not there";
    drawn[d.line] += d.count;
  }
  tally more;
  for (std::size_t i = 0; i < h.lines.size(); ++i) {
    const auto& l = h.lines[i];
    if (l.kind == place_kind::area && drawn[i] != l.count)
      return fmt::format("draws {} places of {} where {} were asked", drawn[i], place(l), l.count);
    if (auto wrong = take(e.hold.value, h, l, h.state)) return wrong;
    add_to(more, category(l), l.count);
  }
  return limits(h.keys, r.head.channel, more);
}

finding hall_book::on(const core::hold_changed& e, const core::record& r) {
  const auto& c = asked<core::change_hold>(r);
  auto* h = live(e.hold);
  if (h == nullptr) return fmt::format("changes hold {}, which is not live", e.hold.value);
  if (h->state != hold_state::held) return fmt::format("changes hold {}, which is paying", e.hold.value);
  if (auto wrong = drop(e.hold.value, *h, c.drop, false)) return wrong;
  tally more;
  for (const auto& l : c.drop) add_to(more, category(l), -std::int64_t{l.count});
  for (const auto& l : c.add) {
    if (auto wrong = take(e.hold.value, *h, l, h->state)) return wrong;
    h->lines.push_back(l);
    add_to(more, category(l), l.count);
  }
  if (h->lines.empty()) return fmt::format("leaves hold {} without lines", e.hold.value);
  if (c.add.empty()) return {};
  return limits(h->keys, r.head.channel, more);
}

finding hall_book::on(const core::hold_extended& e, const core::record& r) {
  auto* h = live(e.hold);
  if (h == nullptr || h->state != hold_state::held)
    return fmt::format("extends hold {}, which is not held", e.hold.value);
  if (e.deadline.value <= h->deadline) return fmt::format("extends hold {} without gain", e.hold.value);
  const auto& c = asked<core::extend_hold>(r);
  if (e.deadline.value > hold_clock(r.at) + std::uint64_t{c.interval} * core::us_per_ms)
    return "extends a hold beyond what was asked";
  h->deadline = e.deadline.value;
  return {};
}

finding hall_book::on(const core::payment_begun& e, const core::record& r) {
  const auto& c = asked<core::begin_payment>(r);
  auto* h = live(e.hold);
  if (h == nullptr) return fmt::format("begins the payment of hold {}, which is not live", e.hold.value);
  if (e.deadline.value < h->deadline) return fmt::format("takes time from hold {} as its payment begins", e.hold.value);
  std::vector<core::limit_key> added;
  for (const auto& k : c.keys)
    if (std::ranges::find(h->keys, k) == h->keys.end()) added.push_back(k);
  tally more;
  for (const auto& l : h->lines) {
    add_to(more, category(l), l.count);
    for (const auto& k : added) add_to(keys_[k], category(l), l.count);
  }
  h->keys.insert(h->keys.end(), added.begin(), added.end());
  move(*h, hold_state::paying);
  h->deadline = e.deadline.value;
  return limits(added, r.head.channel, more);
}

finding hall_book::on(const core::payment_rejected& e, const core::record&) {
  auto* h = live(e.hold);
  if (h == nullptr || h->state != hold_state::paying)
    return fmt::format("fails a payment of hold {}, which is not paying", e.hold.value);
  move(*h, hold_state::held);
  h->deadline = e.deadline.value;
  return {};
}

finding hall_book::on(const core::hold_released& e, const core::record& r) {
  const auto& c = asked<core::release_hold>(r);
  auto* h = live(e.hold);
  if (h == nullptr) return fmt::format("releases hold {}, which is not live", e.hold.value);
  const auto all = h->lines;
  if (auto wrong = drop(e.hold.value, *h, c.lines.empty() ? core::lines(all) : c.lines, c.withdrawn)) return wrong;
  if (h->lines.empty()) h->state = hold_state::released;
  return {};
}

finding hall_book::on(const core::holds_expired& e, const core::record& r) {
  const auto clock = hold_clock(r.at);
  std::pair<std::uint64_t, std::uint32_t> before{0, 0};
  for (const auto n : e.holds) {
    auto* h = live(n);
    if (h == nullptr) return fmt::format("expires hold {}, which is not live", n.value);
    if (h->deadline > clock)
      return fmt::format("expires hold {} {} us before its deadline", n.value, h->deadline - clock);
    const std::pair now{h->deadline, n.value};
    if (now <= before) return fmt::format("expires hold {} out of order", n.value);
    before = now;
    for (const auto& l : h->lines)
      if (auto wrong = give(n.value, *h, l, false)) return wrong;
    h->state = hold_state::expired;  // its lines stay: a late confirm may sell them
  }
  return {};
}

// ---- money --------------------------------------------------------------------------------------------------

finding hall_book::on(const core::hold_confirmed& e, const core::record& r) {
  const auto& c = asked<core::confirm_hold>(r);
  auto* h = find(e.hold);
  if (h == nullptr) return fmt::format("sells hold {}, which is unknown", e.hold.value);
  if (e.late ? h->state != hold_state::expired : h->state != hold_state::held && h->state != hold_state::paying)
    return fmt::format("sells hold {}, which is not {}", e.hold.value, e.late ? "expired" : "live");
  if (auto wrong = same_places(h->lines, e.sold)) return wrong;
  if (e.late) {
    if (hold_clock(r.at) > h->deadline + std::uint64_t{terms_->rules.late_confirm_max} * core::us_per_ms)
      return fmt::format("sells hold {} too late", e.hold.value);
    tally more;
    for (const auto& l : h->lines) {
      if (auto wrong = take(e.hold.value, *h, l, hold_state::sold)) return wrong;
      add_to(more, category(l), l.count);
    }
    h->state = hold_state::sold;
    if (auto wrong = limits(h->keys, h->channel, more)) return wrong;
  } else {
    move(*h, hold_state::sold);
  }
  h->paid = c.amount;
  ++orders_;
  return {};
}

finding hall_book::on(const core::refund_recorded& e, const core::record& r) {
  const auto& c = asked<core::confirm_hold>(r);
  if (e.hold.value == 0) {
    if (e.reason != core::refund_reason::unknown_hold) return "owes a refund for an unknown hold for another reason";
    return owe(e.number, e.reason, c.amount, c.owner, c.hold, r.at);
  }
  const auto* h = find(e.hold);
  if (h == nullptr) return fmt::format("owes a refund for hold {}, which is unknown", e.hold.value);
  const auto now = h->state;
  const bool fits = e.reason == core::refund_reason::already_paid
                        ? now == hold_state::sold || now == hold_state::cancelled
                    : e.reason == core::refund_reason::released ? now == hold_state::released
                    : e.reason == core::refund_reason::too_late || e.reason == core::refund_reason::seats_gone ||
                            e.reason == core::refund_reason::over_limit
                        ? now == hold_state::expired
                        : false;
  if (!fits) return fmt::format("owes a refund for hold {} for a reason that does not fit its state", e.hold.value);
  return owe(e.number, e.reason, c.amount, h->owner, h->id, r.at);
}

finding hall_book::on(const core::order_cancelled& e, const core::record& r) {
  const auto& c = asked<core::cancel_order>(r);
  auto* h = find(e.hold);
  if (h == nullptr || h->state != hold_state::sold)
    return fmt::format("cancels order {}, which is not sold", e.hold.value);
  const auto before = h->lines;
  const auto lines = c.lines.empty() ? core::lines(before) : c.lines;
  if (auto wrong = same_places(lines, e.back)) return wrong;
  if (auto wrong = drop(e.hold.value, *h, lines, c.withdrawn)) return wrong;
  if (c.amount < 0 || c.amount > h->paid - h->given_back)
    return fmt::format("gives back {} of order {}, of which {} are left", c.amount, e.hold.value,
                       h->paid - h->given_back);
  h->given_back += c.amount;
  if (h->lines.empty()) h->state = hold_state::cancelled, --orders_;
  if ((e.number.value != 0) != (c.amount > 0)) return "numbers a refund of nothing, or does not number one";
  if (c.amount == 0) return {};
  return owe(e.number, core::refund_reason::cancelled, c.amount, h->owner, h->id, r.at);
}

finding hall_book::on(const core::refund_closed&, const core::record& r) {
  const auto& c = asked<core::settle_refund>(r);
  if (refunds_.erase(c.number.value) == 0) return fmt::format("settles refund {}, which is not open", c.number.value);
  return {};
}

finding hall_book::owe(core::refund_no number, core::refund_reason reason, std::int64_t amount, core::owner_id owner,
                       core::hold_id id, core::log_time at) {
  if (number.value != refunds_made_ + 1)
    return fmt::format("numbers a refund {} after {}", number.value, refunds_made_);
  refunds_made_ = number.value;
  refunds_.emplace(number.value, open_refund{number, reason, amount, owner, id, at});
  return {};
}

// ---- the operator and the sale ------------------------------------------------------------------------------

finding hall_book::on(const core::places_blocked&, const core::record& r) {
  for (const auto& range : asked<core::block_places>(r).ranges) {
    if (range.kind != place_kind::seat) continue;
    if (range.last >= seats_.size() || range.first > range.last) return "blocks seats outside the plan";
    for (auto n = range.first; n <= range.last; ++n) {
      auto& s = seats_[n];
      if (s.out) continue;
      s.out = true;
      if (s.hold == 0) --seats_count_.free, ++seats_count_.blocked;
      else ++seats_count_.withdrawn;
    }
  }
  return {};
}

finding hall_book::on(const core::places_unblocked&, const core::record& r) {
  for (const auto& range : asked<core::unblock_places>(r).ranges) {
    if (range.kind != place_kind::seat) continue;
    if (range.last >= seats_.size() || range.first > range.last) return "unblocks seats outside the plan";
    for (auto n = range.first; n <= range.last; ++n) {
      auto& s = seats_[n];
      if (!s.out) continue;
      s.out = false;
      if (s.hold == 0) ++seats_count_.free, --seats_count_.blocked;
      else --seats_count_.withdrawn;
    }
  }
  return {};
}

finding hall_book::on(const core::sale_opened&, const core::record& r) {
  const auto all = static_cast<core::channel_set>((std::uint64_t{1} << terms_->rules.channels.size()) - 1);
  open_ |= asked<core::open_sale>(r).channels & all;
  sale_ = core::sale_state::open;
  return {};
}

finding hall_book::on(const core::sale_closed&, const core::record& r) {
  open_ &= ~asked<core::close_sale>(r).channels;
  if (open_ == 0) sale_ = core::sale_state::closed;
  return {};
}

finding hall_book::on(const core::sale_paused&, const core::record&) {
  if (sale_ != core::sale_state::open) return "pauses a sale that is not open";
  sale_ = core::sale_state::paused;
  return {};
}

finding hall_book::on(const core::sale_resumed& e, const core::record& r) {
  if (frozen_at_) {
    if (e.shift_us > r.at.value - *frozen_at_) return "gives holds more time than the sale was frozen";
    shift_ += e.shift_us;
    frozen_at_.reset();
    return {};
  }
  if (sale_ != core::sale_state::paused) return "resumes a sale that is neither paused nor frozen";
  if (e.shift_us != 0) return "shifts deadlines though the sale was only paused";
  sale_ = core::sale_state::open;
  return {};
}

finding hall_book::on(const core::sale_frozen&, const core::record& r) {
  if (frozen_at_) return "freezes a frozen sale";
  frozen_at_ = r.at.value;
  return {};
}

finding hall_book::on(const core::deadlines_shifted& e, const core::record& r) {
  if (e.shift_us > std::uint64_t{asked<core::shift_deadlines>(r).by} * core::us_per_ms)
    return "shifts deadlines by more than was asked";
  shift_ += e.shift_us;
  return {};
}

finding hall_book::on(const core::fault_cleared& e, const core::record&) {
  shift_ += e.shift_us;
  return {};
}

}  // namespace holdfast::persistence
