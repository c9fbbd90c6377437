// How a hold leaves the live ones, and how what has ended is forgotten one day.
#include "base/planted.hpp"
#include "core/applier.hpp"

namespace holdfast::core {

void applier::end_live(std::uint32_t hold, hold_state as) const {
  auto& h = s.holds_.at(hold);
  if (!planted(bug::released_hold_still_expires) || as != hold_state::released) s.due_.remove(s.holds_, hold);
  leave_areas(h);
  for (auto m = h.members; m != 0; m = s.members_.at(m).of_hold) leave_live_list(m);
  auto& o = s.owners_.at(h.owner_ref);
  unlink_owner(hold, o.live_first);
  --o.live;
  o.seq = seq;
  link_owner(hold, o.rest_first);
  h.state = as;
  h.seq = seq;
  --s.live_;
}

void applier::leave_live_list(std::uint32_t m) const {
  auto& member = s.members_.at(m);
  if (member.previous != 0) s.members_.at(member.previous).next = member.next;
  else if (s.keys_.at(member.target).live_first == m) s.keys_.at(member.target).live_first = member.next;
  if (member.next != 0 && !planted(bug::key_list_breaks_in_the_middle)) s.members_.at(member.next).previous = member.previous;
  member.previous = member.next = 0;
}

void applier::end_unsold(std::uint32_t hold, hold_state as, bool withdrawn) const {
  auto& h = s.holds_.at(hold);
  const bool leaks = planted(bug::limit_leaks_at_expiry) && as == hold_state::expired;
  if (!leaks) count_keys(h, s.parts_of(h), -1);
  for (const auto& p : s.parts_of(h)) give_back(hold, p, withdrawn);
  end_live(hold, as);
  ++s.ended_count_;
  if (h.attempts == 0 && h.payments == 0) s.ended_.push_back({hold, r.at.value});
  forget_some();
}

void applier::forget_some() const {
  for (int n = 0; n < 2 && s.ended_.size() > s.ended_max(); ++n) {
    const auto oldest = s.ended_.front();
    const bool old_enough = planted(bug::ids_forgotten_too_young) || oldest.at + us(s.rules().id_min) <= r.at.value;
    if (!old_enough && s.ended_.size() <= s.ended_hard_max()) return;
    s.fetch_forgotten();
    s.ended_.pop_front();
    if (!still_ended(oldest.hold)) continue;
    if (!old_enough) ++s.forgotten_early_;
    forget(oldest.hold, oldest.at);
  }
}

void applier::forget(std::uint32_t hold, std::uint64_t ended_at) const {
  auto& h = s.holds_.at(hold);
  for (auto i = h.id_ref; i != 0;) {
    const auto next = s.ids_.at(i).next;
    forget_id(i);
    i = next;
  }
  for (auto m = h.members; m != 0;) {
    const auto next = s.members_.at(m).of_hold;
    auto& k = s.keys_.at(s.members_.at(m).target);
    if (--k.uses == 0) {
      s.key_index_.erase(s.hash_key({k.kind, k.value}), s.members_.at(m).target);
      s.keys_.remove(s.members_.at(m).target);
    }
    s.members_.remove(m);
    m = next;
  }
  drop_list(h);
  if (h.extra_ref != 0) s.extras_.remove(h.extra_ref);
  unlink_owner(hold, s.owners_.at(h.owner_ref).rest_first);
  leave_owner(h.owner_ref);
  h = {};
  s.holds_.remove(hold);
  --s.ended_count_;
  s.forgot_seq_ = seq;
  s.forgotten_end_ = std::max(s.forgotten_end_, ended_at);
}

}  // namespace holdfast::core
