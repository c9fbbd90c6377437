// The model's frame: time, ids, forgetting, the common order of precedence.
#include "simulation/model.hpp"

#include <algorithm>

#include "simulation/describe.hpp"

namespace holdfast::simulation {

using namespace core;

// ---- the hall ---------------------------------------------------------------------------------------------------

place_counts model_hall::count(std::uint32_t area, std::uint8_t allocation) const {
  const auto& share = areas[area][allocation];
  place_counts n;
  for (const auto& [key, h] : holds) {
    if (!h.occupies()) continue;
    for (const auto& l : h.lines) {
      if (l.cancelled || l.what.kind != place_kind::area || l.what.number != area) continue;
      for (const auto& d : l.draws) {
        if (d.allocation != allocation) continue;
        (h.state == hold_state::held ? n.held : h.state == hold_state::paying ? n.paying : n.sold) += d.count;
      }
    }
  }
  n.blocked = share.blocked;
  n.withdrawn = share.debt;
  n.free = share.capacity - n.held - n.paying - n.sold - n.blocked;
  return n;
}

seat_state model_hall::state_of(std::uint32_t seat) const {
  const auto& s = seats[seat];
  if (s.holder) {
    const auto& h = holds.at(*s.holder);
    return h.state == hold_state::held ? seat_state::held : h.state == hold_state::paying ? seat_state::paying : seat_state::sold;
  }
  return s.blocked ? seat_state::blocked : seat_state::free;
}

void model_hall::give_back(const model_line& l, bool withdrawn) {
  if (l.what.kind == place_kind::seat) {
    auto& s = seats[l.what.number];
    if (withdrawn && !s.withdrawn) s.reason = 0;
    s.blocked = s.withdrawn || withdrawn;
    s.withdrawn = false;
    s.holder.reset();
    return;
  }
  for (const auto& d : l.draws) {
    auto& share = areas[l.what.number][d.allocation];
    const std::uint64_t owed = std::min<std::uint64_t>(share.debt, d.count);
    share.debt -= owed;
    share.blocked += withdrawn ? d.count : owed;
  }
}

std::optional<std::vector<model_draw>> model_hall::draw(std::uint32_t area, std::uint32_t count,
                                                        const std::vector<std::uint8_t>& order) const {
  std::vector<model_draw> draws;
  for (const auto allocation : order) {
    if (count == 0) break;
    const auto n = static_cast<std::uint32_t>(std::min<std::uint64_t>(count, this->count(area, allocation).free));
    if (n == 0) continue;
    draws.push_back({allocation, n});
    count -= n;
  }
  if (count > 0) return std::nullopt;
  return draws;
}

// ---- time and forgetting ----------------------------------------------------------------------------------------

model::model(const session_terms& terms)
    : terms_(std::make_shared<const session_terms>(terms)), rules_(terms_->rules), plan_(*terms_->seating) {
  for (const auto& s : plan_.seats) hall_.seats.push_back({.allocation = s.allocation, .holder = {}});
  for (const auto& a : plan_.areas) {
    std::vector<model_share> shares(plan_.allocations.size());
    for (std::size_t i = 0; i < a.capacity.size(); ++i) shares[i].capacity = a.capacity[i];
    hall_.areas.push_back(shares);
  }
}

std::uint64_t model::clock() const {
  std::uint64_t t = now_;
  if (faulted_since_) t = std::min(t, *faulted_since_);
  if (frozen_at_) t = std::min(t, *frozen_at_);
  return t - shift_;
}

void model::expire(log_time now) {
  now_ = now.value;
  if (faulted_since_) return;
  std::map<std::pair<std::uint64_t, std::uint32_t>, hold_key> due;
  for (const auto& [key, h] : hall_.holds)
    if (h.live() && h.deadline <= clock()) due[{h.deadline, h.number}] = key;
  for (const auto& [when, key] : due) {
    auto& h = hall_.holds.at(key);
    h.state = hold_state::expired;
    for (const auto& l : h.lines) hall_.give_back(l, false);
    ended(key);
  }
}

/// When a hold ends, at most two of the oldest are forgotten.
void model::ended(const hold_key& key) {
  if (!hall_.holds.at(key).for_ever) ended_.emplace_back(key, now_);
  const std::uint64_t keep = rules_.ended_holds_max != 0 ? rules_.ended_holds_max : std::max<std::uint64_t>(8 * plan_.places(), 1'000'000);
  const std::uint64_t most = rules_.ended_holds_hard_max != 0 ? rules_.ended_holds_hard_max : 2 * keep;
  for (int n = 0; n < 2 && ended_.size() > keep; ++n) {
    const auto [oldest, when] = ended_.front();
    const bool young = now_ - when < rules_.id_min * us_per_ms;
    if (young && ended_.size() <= most) break;
    ended_.pop_front();
    // A payment that came late keeps its hold for ever; its place in the queue then stands empty.
    if (hall_.holds.at(oldest).for_ever) continue;
    if (young) ++forgotten_early_;
    newest_forgotten_ = std::max(newest_forgotten_.value_or(0), when);
    free_numbers_.push_back(hall_.holds.at(oldest).number);
    hall_.holds.erase(oldest);
    std::erase_if(ids_, [&, gone = oldest](const auto& i) { return i.second.hold == gone; });
  }
}

// ---- the order of precedence ------------------------------------------------------------------------------------

std::vector<answer> model::step(std::span<const asked> batch, log_time now) {
  expire(now);
  std::vector<answer> said;
  for (const auto& a : batch) said.push_back(decide(a.head, a.what, now));
  return said;
}

answer model::decide(const envelope& head, const command& c, log_time now) {
  expire(now);
  return in_order(head, c);
}

answer model::decide_before_expiry(const envelope& head, const command& c, log_time now) {
  now_ = now.value;
  return in_order(head, c);
}

answer model::in_order(const envelope& head, const command& c) {
  const auto refuse = [](refusal r) { return answer{.refused = r}; };

  if (const auto r = judge_role(head, c); r != refusal::none) return refuse(r);
  if (const auto r = judge_content(head, c, policy_channels()); r != refusal::none) return refuse(r);
  if (faulted_since_ && !std::holds_alternative<clear_fault>(c)) return refuse(refusal::faulted);

  const bool is_confirm = std::holds_alternative<confirm_hold>(c);
  if (!is_confirm) {
    if (const auto known = ids_.find({model_owner_of(c), head.id}); known != ids_.end()) {
      if (known->second.content != text_of(c) + base::to_hex(head.note)) return refuse(refusal::id_reused);
      answer again = known->second.first;
      again.repeated = true;
      around(again, known->second.hold);
      return again;
    }
    const auto by = head.client_deadline.value;
    if (by == 0 && std::holds_alternative<hold_seats>(c)) return refuse(refusal::deadline_missing);
    if (by != 0 && by < now_) return refuse(refusal::deadline_passed);
    if (by != 0 && by > now_ + rules_.id_min * us_per_ms) return refuse(refusal::deadline_too_far);
    const bool judged = std::holds_alternative<hold_seats>(c) || std::holds_alternative<change_hold>(c) ||
                        std::holds_alternative<extend_hold>(c) || std::holds_alternative<begin_payment>(c);
    if (judged && head.channel >= rules_.channels.size()) return refuse(refusal::no_such_channel);
  }

  answer a = own_rules(head, c);
  if (a.refused == refusal::none && !a.repeated && !is_confirm) remember(head, c, a);
  return a;
}

answer model::own_rules(const envelope& head, const command& c) {
  answer a;
  std::optional<hold_key> named;
  const auto name = [&](owner_id o, hold_id h) { named = hold_key{o, h}; };
  if (const auto* x = std::get_if<open_sale>(&c)) a = open(*x);
  if (std::holds_alternative<pause_sale>(c)) a = pause();
  if (std::holds_alternative<resume_sale>(c)) a = resume();
  if (const auto* x = std::get_if<close_sale>(&c)) a = close(*x);
  if (std::holds_alternative<freeze_sale>(c)) a = freeze();
  if (const auto* x = std::get_if<hold_seats>(&c)) name(x->owner, head.id), a = hold(head, *x);
  if (const auto* x = std::get_if<change_hold>(&c)) name(x->owner, x->hold), a = change(head, *x);
  if (const auto* x = std::get_if<extend_hold>(&c)) name(x->owner, x->hold), a = extend(head, *x);
  if (const auto* x = std::get_if<begin_payment>(&c)) name(x->owner, x->hold), a = begin(head, *x);
  if (const auto* x = std::get_if<payment_failed>(&c)) name(x->owner, x->hold), a = failed(*x);
  if (const auto* x = std::get_if<confirm_hold>(&c)) name(x->owner, x->hold), a = confirm(*x);
  if (const auto* x = std::get_if<release_hold>(&c)) name(x->owner, x->hold), a = release(head, *x);
  if (const auto* x = std::get_if<cancel_order>(&c)) name(x->owner, x->order), a = cancel(*x);
  if (const auto* x = std::get_if<settle_refund>(&c)) a = settle(*x);
  if (const auto* x = std::get_if<block_places>(&c)) a = block(*x);
  if (const auto* x = std::get_if<unblock_places>(&c)) a = unblock(*x);
  if (const auto* x = std::get_if<allocate_places>(&c)) a = allocate(*x);
  if (const auto* x = std::get_if<shift_deadlines>(&c)) a = shift(head, *x);
  if (const auto* x = std::get_if<clear_fault>(&c)) a = clear(*x);
  around(a, named);
  return a;
}

void model::around(answer& a, const std::optional<hold_key>& named) const {
  a.state = hold_state::none;
  a.deadline = {};
  if (!named) return;
  const auto* h = find(named->first, named->second);
  if (h == nullptr) return;
  a.state = h->state;
  if (h->live()) a.deadline = log_time{h->deadline + shift_};
}

void model::remember(const envelope& head, const command& c, const answer& a) {
  const owner_id owner = model_owner_of(c);
  remembered r{text_of(c) + base::to_hex(head.note), a, {}, tag_of(c)};
  if (const auto* x = std::get_if<hold_seats>(&c)) r.hold = {x->owner, head.id};
  if (const auto* x = std::get_if<change_hold>(&c)) r.hold = {x->owner, x->hold};
  if (const auto* x = std::get_if<extend_hold>(&c)) r.hold = {x->owner, x->hold};
  if (const auto* x = std::get_if<begin_payment>(&c)) r.hold = {x->owner, x->hold};
  if (const auto* x = std::get_if<payment_failed>(&c)) r.hold = {x->owner, x->hold};
  if (const auto* x = std::get_if<release_hold>(&c)) r.hold = {x->owner, x->hold};
  if (const auto* x = std::get_if<cancel_order>(&c)) r.hold = {x->owner, x->order};
  ids_[{owner, head.id}] = r;
  if (owner.value.zero()) {
    operator_ids_.push_back(head.id);
    if (operator_ids_.size() > 65'536) {
      ids_.erase({owner, operator_ids_.front()});
      operator_ids_.pop_front();
    }
  }
}

model_hold* model::find(owner_id owner, hold_id id) {
  const auto h = hall_.holds.find({owner, id});
  return h == hall_.holds.end() ? nullptr : &h->second;
}
const model_hold* model::find(owner_id owner, hold_id id) const { return const_cast<model*>(this)->find(owner, id); }

channel_set model::policy_channels() const { return (channel_set{1} << rules_.channels.size()) - 1; }

}  // namespace holdfast::simulation
