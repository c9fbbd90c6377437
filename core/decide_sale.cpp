// The sale's states, and what operators do to places and deadlines.
#include <algorithm>

#include "base/planted.hpp"
#include "core/decider.hpp"

namespace holdfast::core {

void decider::decide(const create_session&) { no(refusal::not_allowed, 0); }

void decider::decide(const open_sale& c) {
  if (s.sale_ == sale_state::paused) return void(no(refusal::paused, s.control_seq_));
  const auto wanted = c.channels & all();
  if (s.sale_ == sale_state::open && (wanted & ~s.open_) == 0) return void(no(refusal::already, s.control_seq_));
  yes(sale_opened{});
}

void decider::decide(const pause_sale&) {
  switch (s.sale_) {
    case sale_state::open: return yes(sale_paused{});
    case sale_state::paused: return void(no(refusal::already, s.control_seq_));
    case sale_state::announced: return void(no(refusal::not_open, s.control_seq_));
    case sale_state::closed: return void(no(refusal::closed, s.control_seq_));
  }
}

void decider::decide(const resume_sale&) {
  if (s.frozen_at_.value != 0) return yes(sale_resumed{now.value - s.frozen_at_.value});
  switch (s.sale_) {
    case sale_state::paused: return yes(sale_resumed{0});
    case sale_state::open: return void(no(refusal::already, s.control_seq_));
    case sale_state::announced: return void(no(refusal::not_open, s.control_seq_));
    case sale_state::closed: return void(no(refusal::closed, s.control_seq_));
  }
}

void decider::decide(const close_sale& c) {
  if (s.sale_ == sale_state::closed) return void(no(refusal::already, s.control_seq_));
  const auto wanted = c.channels & all();
  if (s.sale_ == sale_state::announced) {
    if (wanted != all()) return void(no(refusal::not_open, s.control_seq_));
  } else if ((s.open_ & wanted) == 0) {
    return void(no(refusal::already, s.control_seq_));
  }
  yes(sale_closed{});
}

void decider::decide(const freeze_sale&) {
  if (s.frozen_at_.value != 0) return void(no(refusal::already, s.control_seq_));
  yes(sale_frozen{});
}

void decider::decide(const block_places& c) {
  if (no_such_place(c.ranges, true)) return;
  for (std::size_t i = 0; i < c.ranges.size(); ++i) {
    const auto& r = c.ranges[i];
    if (r.kind == place_kind::seat) continue;
    const auto& st = s.stock_of(r.first, r.allocation);
    const auto may = st.free() + st.occupied() - st.debt;
    if (r.count <= may) continue;
    if (i < 64) out.said.lines |= std::uint64_t{1} << i;
    if (out.said.refused == refusal::none) out.said.left = may;
    no(refusal::not_enough, std::max(st.seq, out.said.tells_of.value));
  }
  if (out.said.refused == refusal::none) yes(places_blocked{});
}

void decider::decide(const unblock_places& c) {
  if (no_such_place(c.ranges, true)) return;
  for (std::size_t i = 0; i < c.ranges.size(); ++i) {
    const auto& r = c.ranges[i];
    if (r.kind == place_kind::seat) continue;
    const auto& st = s.stock_of(r.first, r.allocation);
    if (r.count <= st.blocked + st.debt) continue;
    if (i < 64) out.said.lines |= std::uint64_t{1} << i;
    if (out.said.refused == refusal::none) out.said.left = st.blocked + st.debt;
    no(refusal::not_enough, std::max(st.seq, out.said.tells_of.value));
  }
  if (out.said.refused == refusal::none) yes(places_unblocked{});
}

void decider::decide(const allocate_places& c) {
  if (c.allocation >= s.allocations_) return void(no(refusal::no_such_allocation, 0));
  if (no_such_place(c.ranges, true)) return;
  std::uint64_t free = 0, seq = 0;
  bool short_of = false;
  for (std::size_t i = 0; i < c.ranges.size(); ++i) {
    const auto& r = c.ranges[i];
    bool offends = false;
    if (r.kind == place_kind::seat) {
      for (std::uint32_t n = r.first; n <= r.last; ++n) {
        const auto& seat = s.seats_[n];
        const bool is_free = seat.state == seat_state::free;
        free += is_free ? 1 : 0;
        offends |= !is_free;
        seq = std::max<std::uint64_t>(seq, seat.seq);
        // An extension is in the hold's records alone: without it the seat might be free again.
        if (seat.hold != 0 && !planted(bug::allocation_forgets_the_holder)) seq = std::max(seq, behind(s.holds_.at(seat.hold)));
      }
    } else {
      const auto& st = s.stock_of(r.first, r.allocation);
      free += std::min(st.free(), r.count);
      offends = st.free() < r.count;
      seq = std::max(seq, st.seq);
    }
    if (offends && i < 64) out.said.lines |= std::uint64_t{1} << i;
    short_of |= offends;
  }
  if (!short_of) return yes(places_allocated{});
  out.said.left = free;
  no(refusal::not_enough, seq);
}

void decider::decide(const shift_deadlines& c) {
  auto by = std::uint64_t{c.by} * us_per_ms;
  if (head.from.who == role::recovery) {
    if (s.frozen_at_.value != 0) return void(no(refusal::frozen, s.control_seq_));
    by = std::min({by, downtime_shift_per_start_max_us, downtime_shift_total_max_us - s.downtime_shift_});
    if (by == 0) return void(no(refusal::no_gain, s.control_seq_));
  } else if (const auto next = s.next_due(); next && next->at <= clock) {
    out.said.retry_after = 10;
    return void(no(refusal::busy, s.last_.value));
  }
  yes(deadlines_shifted{by});
}

void decider::decide(const clear_fault& c) {
  if (!s.faulted()) return void(no(refusal::already, s.control_seq_));
  yes(fault_cleared{std::uint64_t{c.shift} * us_per_ms});
}

/// Not asked, so never accepted: the engine records expiry itself; auditors use session::may_expire.
void decider::decide(const expire_due&) { no(refusal::not_allowed, 0); }

}  // namespace holdfast::core
