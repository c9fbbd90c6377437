// The picture of the hall that all buyers of a rush share: from looks, and from what they are answered.
#include <algorithm>

#include "apps/holdfast/rush.hpp"

namespace holdfast::cli {

using core::refusal;

namespace {

// A look at a large hall is as long as a thousand other rows.
constexpr std::chrono::milliseconds noted_look_every{1'000};

}  // namespace

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
  const auto now = std::chrono::steady_clock::now();
  const bool noted = recorder_ != nullptr && now >= next_noted_look_;
  if (noted) next_noted_look_ = now + noted_look_every;
  look_asked_at_ = noted ? 1 : 0;
  ask_for_page(0);
}

void rush::ask_for_page(std::uint32_t page) {
  pages_out_ = 1;
  ++counts_.looks;
  if (look_asked_at_ != 0) look_asked_at_ = history::monotonic_ns();
  over_->send(0, look_ticket, session_, core::look_seats{page});
}

void rush::looked(const protocol::answer_message& m) {
  pages_out_ = 0;
  const auto* s = std::get_if<core::seats_seen>(&m.shown);
  if (s == nullptr) return;
  if (look_asked_at_ != 0) note_look(*recorder_, *s, m.said, m.now, look_asked_at_, 0);
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
  if (s->page + 1 < s->pages && over_->room(0)) return ask_for_page(s->page + 1);
  // Unless so many buyers were wished for, the rush is over when nothing is left that could be sold to it.
  if (s->page + 1 == s->pages && options_.buyers == 0 && left_by_look_ == 0) all_gone_ = true;
}

}  // namespace holdfast::cli
