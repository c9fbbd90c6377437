// Making a session, finding things in it, and what is due.
#include "core/session.hpp"

#include <algorithm>

#include "base/planted.hpp"
#include "core/decider.hpp"

namespace holdfast::core {

session::session(session_id id, std::shared_ptr<const session_terms> terms, const session_options& options)
    : id_(id), options_(options), terms_(std::move(terms)), scratch_(std::make_unique<scratch>()) {
  const plan& p = *terms_->seating;
  allocations_ = static_cast<std::uint32_t>(p.allocations.size());
  for (const auto& row : terms_->rules.channels) {
    auto& counted = rules_.emplace_back();
    for (const auto& rule : row.rules) {
      auto& masks = masks_[static_cast<std::size_t>(rule.kind)];
      auto at = std::find(masks.begin(), masks.end(), rule.categories);
      if (at == masks.end()) at = masks.insert(masks.end(), rule.categories);
      counted.push_back({rule.kind, static_cast<std::uint8_t>(at - masks.begin()), rule.places_max});
    }
  }
  seats_.resize(p.seats.size());
  for (std::size_t i = 0; i < p.seats.size(); ++i) {
    seats_[i].category = p.seats[i].category;
    seats_[i].allocation = p.seats[i].allocation;
  }
  stocks_.resize(p.areas.size() * allocations_);
  for (std::size_t a = 0; a < p.areas.size(); ++a)
    for (std::size_t n = 0; n < p.areas[a].capacity.size(); ++n) stocks_[a * allocations_ + n].capacity = p.areas[a].capacity[n];
  area_due_.resize(p.areas.size());
  totals_.free = p.places();
}

session session::create(session_id id, const record& created, const session_options& options) {
  const auto* c = std::get_if<create_session>(&created.asked);
  HOLDFAST_CHECK(c != nullptr && created.number.value == 1, "a session begins with its create record");
  HOLDFAST_CHECK(c->terms && c->terms->seating, "a session is created with its plan");
  session s(id, c->terms, options);
  s.last_ = created.number;
  s.last_at_ = created.at;
  s.control_seq_ = 1;
  return s;
}

std::uint64_t session::ended_max() const {
  if (rules().ended_holds_max != 0) return rules().ended_holds_max;
  return std::max<std::uint64_t>(8 * terms_->seating->places(), 1'000'000);
}
std::uint64_t session::ended_hard_max() const {
  return rules().ended_holds_hard_max != 0 ? std::max(rules().ended_holds_hard_max, ended_max()) : 2 * ended_max();
}

void session::complete(record& r) const {
  const auto number = std::visit(
      [](const auto& e) -> std::uint32_t {
        if constexpr (requires { e.hold; }) return e.hold.value;
        else return 0;
      },
      r.done);
  if (number == 0 || !holds_.has(number) || holds_.at(number).state == hold_state::none) return;
  const auto& h = holds_.at(number);
  const owner_id owner{owners_.at(h.owner_ref).id};
  const hold_id hold{ids_.at(h.id_ref).id};
  std::visit(
      [&](auto& c) {
        using kind = std::decay_t<decltype(c)>;
        if constexpr (std::is_same_v<kind, hold_seats>) return;
        if constexpr (requires { c.owner; c.hold; }) {
          c.owner = owner;
          c.hold = hold;
        }
        if constexpr (requires { c.owner; c.order; }) {
          c.owner = owner;
          c.order = hold;
        }
      },
      r.asked);
}

// ---- time --------------------------------------------------------------------------------------------------------

log_time session::deadline_of(hold_no n) const {
  const auto& h = holds_.at(n.value);
  return live(h.state) ? in_log_time(hold_time{h.deadline}) : log_time{};
}

bool session::is_due(hold_no n, hold_time clock) const {
  const auto& h = holds_.at(n.value);
  return live(h.state) && h.deadline <= clock.value;
}

bool session::earlier(hold_no a, hold_no b) const {
  const auto ta = holds_.at(a.value).deadline, tb = holds_.at(b.value).deadline;
  return ta != tb ? ta < tb : a < b;
}

bool session::may_expire(std::span<const hold_no> holds, log_time at) const {
  const auto clock = hold_clock(at);
  if (holds.empty() || faulted()) return false;
  for (std::size_t i = 0; i < holds.size(); ++i) {
    if (!holds_.has(holds[i].value) || !is_due(holds[i], clock)) return false;
    if (i > 0 && !earlier(holds[i - 1], holds[i])) return false;
  }
  return true;
}

void session::due_now(hold_time clock, std::size_t most, std::vector<hold_no>& out) const {
  due_.visit_until(holds_, clock.value, most, scratch_->walk, [&](const deadlines::entry& e) { out.push_back(hold_no{e.number}); });
}

namespace {

/// Every line and range that a command or look names, and the hold.
template <class Seat>
void each_seat(lines ls, Seat&& visit) {
  for (const auto& l : ls)
    if (l.kind == place_kind::seat) visit(l.number);
}

}  // namespace

void session::touched(const envelope& head, const command& asked, hold_time clock, std::vector<hold_no>& out) const {
  const auto holder = [&](std::uint32_t seat) {
    if (seat >= seats_.size()) return;
    const auto n = seats_[seat].hold;
    if (n != 0 && is_due(hold_no{n}, clock)) out.push_back(hold_no{n});
  };
  std::visit(
      [&](const auto& c) {
        using kind = std::decay_t<decltype(c)>;
        std::uint32_t named = 0;
        if constexpr (requires { c.hold; }) named = find_hold(c.owner.value, c.hold.value);
        if constexpr (requires { c.order; }) named = find_hold(c.owner.value, c.order.value);
        if constexpr (std::is_same_v<kind, hold_seats>) {
          const auto placed = planted(bug::repeat_finds_its_hold_alive) ? 0 : find_id(c.owner.value, head.id.value);
          if (placed != 0) named = ids_.at(placed).hold;
          each_seat(c.lines, holder);
        }
        if (named != 0 && is_due(hold_no{named}, clock)) out.push_back(hold_no{named});
        if constexpr (std::is_same_v<kind, change_hold>) each_seat(c.add, holder);
        if constexpr (std::is_same_v<kind, confirm_hold>)
          if (named != 0)
            for (const auto& p : parts_of(holds_.at(named)))
              if (!p.is_area) holder(p.number);
        if constexpr (requires { c.ranges; })
          for (const auto& r : c.ranges)
            if (r.kind == place_kind::seat && r.last < seats_.size())
              for (std::uint32_t n = r.first; n <= r.last; ++n) holder(n);
        // Withdrawn places are blocked whoever has paid off what the allocation owes: so it matters who comes back first.
        if constexpr (std::is_same_v<kind, cancel_order>)
          if (named != 0 && c.withdrawn)
            for (const auto& p : parts_of(holds_.at(named)))
              if (p.is_area && stock_of(p.number, p.allocation).debt > 0) due_in(p.number, clock, out);
      },
      asked);
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
}

void session::due_in(std::uint32_t area, hold_time clock, std::vector<hold_no>& out) const {
  area_due_[area].visit_until(clock.value, expiries_per_record_max, scratch_->walk.front, [&](const due_heap::entry& e) { out.push_back(hold_no{e.number}); });
}

void session::touched(const look& asked, hold_time clock, std::vector<hold_no>& out) const {
  const auto add = [&](std::uint32_t n) {
    if (n != 0 && is_due(hold_no{n}, clock)) out.push_back(hold_no{n});
  };
  if (const auto* l = std::get_if<look_hold>(&asked)) add(find_hold(l->owner.value, l->hold.value));
  if (const auto* l = std::get_if<look_seat>(&asked); l != nullptr && l->seat.value < seats_.size()) add(seats_[l->seat.value].hold);
  if (const auto* l = std::get_if<look_fate>(&asked))
    if (const auto id = find_id(l->owner.value, l->id.value); id != 0) add(ids_.at(id).hold);
  if (const auto* l = std::get_if<look_owner>(&asked))
    if (const auto o = find_owner(l->owner.value); o != 0)
      for (auto n = owners_.at(o).live_first; n != 0; n = holds_.at(n).of_owner_next) add(n);
}

void session::behind(const envelope& head, const command& asked, const answer& said, hold_time clock, std::vector<hold_no>& out) const {
  const auto of_key = [&](std::uint32_t ref) {
    for (auto m = keys_.at(ref).live_first; m != 0; m = members_.at(m).next)
      if (is_due(hold_no{members_.at(m).hold}, clock)) out.push_back(hold_no{members_.at(m).hold});
  };
  const auto of_area = [&](std::uint32_t area) {
    if (area < area_due_.size()) due_in(area, clock, out);
  };
  const auto of_areas = [&](lines ls) {
    for (const auto& l : ls)
      if (l.kind == place_kind::area) of_area(l.number);
  };
  const auto of_keys = [&](keys ks) {
    for (const auto& k : ks)
      if (const auto ref = find_key(k); ref != 0) of_key(ref);
  };
  const auto of_hold_keys = [&](std::uint32_t n) {
    if (n == 0) return;
    for (auto m = holds_.at(n).members; m != 0; m = members_.at(m).of_hold)
      if ((members_.at(m).target & state::area_bit) == 0) of_key(members_.at(m).target);
  };
  const bool about_places = said.refused >= refusal::not_in_your_channel && said.refused <= refusal::not_enough;
  const bool about_limit = said.refused == refusal::over_limit && !planted(bug::expired_holds_fill_limits);
  if (const auto* c = std::get_if<hold_seats>(&asked)) {
    if (about_places) of_areas(c->lines);
    if (about_limit) of_keys(c->keys);
    if (said.refused == refusal::too_many_holds)
      if (const auto o = find_owner(c->owner.value); o != 0)
        for (auto n = owners_.at(o).live_first; n != 0; n = holds_.at(n).of_owner_next)
          if (is_due(hold_no{n}, clock)) out.push_back(hold_no{n});
  } else if (const auto* change = std::get_if<change_hold>(&asked)) {
    if (about_places) of_areas(change->add);
    if (about_limit) of_hold_keys(find_hold(change->owner.value, change->hold.value));
  } else if (const auto* begin = std::get_if<begin_payment>(&asked)) {
    if (about_limit) of_keys(begin->keys);
  } else if (const auto* confirm = std::get_if<confirm_hold>(&asked)) {
    const auto n = find_hold(confirm->owner.value, confirm->hold.value);
    if (said.reason == refund_reason::seats_gone && n != 0)
      for (const auto& p : parts_of(holds_.at(n)))
        if (p.is_area) of_area(p.number);
    if (said.reason == refund_reason::over_limit) of_hold_keys(n);
  } else if (const auto* allocate = std::get_if<allocate_places>(&asked)) {
    if (about_places)
      for (const auto& r : allocate->ranges)
        if (r.kind == place_kind::area) of_area(r.first);
  }
  static_cast<void>(head);
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
}

void session::in_the_way(const envelope& head, const command& asked, const event& done, hold_time clock, std::vector<hold_no>& out) const {
  const auto of_area = [&](std::uint32_t area) { due_in(area, clock, out); };
  // Placed or added: drawn from an allocation though somebody has places of one that comes before it.
  const auto drawn = [&](lines added, draws all) {
    const auto mine = rules().channels[head.channel].allocations;
    for (const auto& d : all) {
      const auto area = added[d.line].number;
      const std::uint32_t end = d.allocation == 0 ? allocations_ : d.allocation;  // public comes last
      for (std::uint32_t n = 1; n < end; ++n)
        if (((mine >> n) & 1U) != 0 && stock_of(area, n).held + stock_of(area, n).paying > 0) {
          of_area(area);
          break;
        }
    }
  };
  if (const auto* placed = std::get_if<hold_placed>(&done)) drawn(std::get<hold_seats>(asked).lines, placed->draws);
  if (const auto* changed = std::get_if<hold_changed>(&done)) drawn(std::get<change_hold>(asked).add, changed->draws);
  // Sold late: more of an allocation than the hold had of it.
  if (const auto* sold = std::get_if<hold_confirmed>(&done); sold != nullptr && sold->late) {
    const auto had = parts_of(holds_.at(sold->hold.value));
    for (const auto& p : sold->sold) {
      if (p.kind == place_kind::seat) continue;
      std::int64_t more = 0;
      for (const auto& q : sold->sold)
        if (q.kind == place_kind::area && q.number == p.number && q.allocation == p.allocation) more += q.count;
      for (const auto& q : had)
        if (q.is_area && q.number == p.number && q.allocation == p.allocation) more -= q.count;
      if (more > 0) of_area(p.number);
    }
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
}

}  // namespace holdfast::core
