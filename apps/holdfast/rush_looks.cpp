// The picture of the hall that all buyers of a rush share: from looks, and from what they are answered.
#include <algorithm>

#include "apps/holdfast/rush.hpp"

namespace holdfast::cli {

using core::refusal;

void rush::learn(const buyer& who, const core::answer& said) {
  const bool yes = said.refused == refusal::none;
  for (std::uint8_t i = 0; i < who.line_count; ++i) {
    const auto& l = who.lines[i];
    const bool offends = !yes && (said.lines >> i & 1U) != 0;
    if (l.kind == core::place_kind::area) {
      const auto had = hall_.free_in(l.number);
      if (yes) hall_.area_has(l.number, had - std::min<std::uint64_t>(had, l.count));
      else if (offends) hall_.area_has(l.number, said.refused == refusal::not_enough ? said.left : 0);
    } else if (yes || (offends && said.refused != refusal::not_in_your_channel)) {
      hall_.gone(l.number);
    } else if (offends) {
      // The bitmap has all lines that offend, for whatever reason; what is not public is what bars us.
      if (hall_.is_public(l.number) && who.line_count > 1) hall_.gone(l.number);
      else hall_.barred(l.number);
    }
  }
}

void rush::look() {
  left_by_look_ = 0;
  // One page after the other: long looks are few on a connection.
  pages_out_ = 1;
  ++counts_.looks;
  over_->send(0, look_ticket, session_, core::look_seats{0});
}

void rush::looked(const protocol::answer_message& m) {
  pages_out_ = 0;
  const auto* s = std::get_if<core::seats_seen>(&m.shown);
  if (s == nullptr) return;
  hall_.learn(*s);
  for (std::size_t i = 0; i < s->states.size(); ++i) {
    const auto what = static_cast<core::seat_state>(s->states[i] & 0x7fU);
    const bool ended = what == core::seat_state::sold || what == core::seat_state::blocked;
    if (!ended && !hall_.is_barred(static_cast<std::uint32_t>(s->first + i))) ++left_by_look_;
  }
  for (const auto& area : s->areas)
    if (!area.allocations.empty()) {
      const auto& c = area.allocations[0];
      left_by_look_ += c.free + c.held + c.paying;
    }
  if (s->page + 1 < s->pages && over_->room(0)) {
    pages_out_ = 1;
    ++counts_.looks;
    return over_->send(0, look_ticket, session_, core::look_seats{s->page + 1});
  }
  // Without a number of requests the rush is over when nothing is left that could be sold to it.
  if (s->page + 1 == s->pages && options_.requests == 0 && options_.buyers == 0 && left_by_look_ == 0) all_gone_ = true;
}

}  // namespace holdfast::cli
