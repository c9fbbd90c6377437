// What looks show. Bounded work each; whatever names things in tables in no order is sorted before it is shown.
#include <algorithm>

#include "base/planted.hpp"
#include "core/decider.hpp"

namespace holdfast::core {

struct viewer {
  const session& s;
  origin from;
  log_time now;
  answer& said;

  using result = std::shared_ptr<const seen>;

  result no(refusal r, std::uint64_t seq) const {
    said.refused = r;
    tells(seq);
    return nullptr;
  }
  void tells(std::uint64_t seq) const {
    if (planted(bug::look_waits_for_nothing)) seq = 0;
    said.tells_of = said.waits_for = sequence{seq};
  }
  template <class T>
  static result show(T&& t) {
    return std::make_shared<const seen>(std::forward<T>(t));
  }
  /// The newest record behind a hold as it is shown: a shift moves every deadline.
  [[nodiscard]] std::uint64_t behind(std::uint32_t n) const {
    const auto& h = s.holds_.at(n);
    return live(h.state) ? std::max<std::uint64_t>(h.seq, s.control_seq_) : h.seq;
  }
  [[nodiscard]] bool trusted() const { return from.who == role::shop || from.who == role::op || from.who == role::auditor; }

  [[nodiscard]] hold_seen hold(std::uint32_t n) const {
    const auto& h = s.holds_.at(n);
    hold_seen v;
    v.number = hold_no{n};
    v.owner = owner_id{s.owners_.at(h.owner_ref).id};
    v.id = hold_id{s.ids_.at(h.id_ref).id};
    v.state = h.state;
    v.channel = h.channel;
    v.deadline = s.in_log_time(hold_time{h.deadline});
    v.lifetime_end = s.in_log_time(hold_time{h.lifetime_end});
    v.extensions = h.extensions;
    v.attempts = h.attempts;
    if (h.extra_ref != 0) v.basket = basket_id{s.extras_.at(h.extra_ref).basket};
    for (const auto& p : s.parts_of(h)) {
      const line l{p.is_area ? place_kind::area : place_kind::seat, p.number, p.count, p.price};
      auto same = std::find_if(v.lines.begin(), v.lines.end(), [&](const line_seen& x) {
        return l.kind == place_kind::area && x.what.kind == l.kind && x.what.number == l.number && x.what.price == l.price &&
               x.cancelled == static_cast<bool>(p.cancelled);
      });
      if (same != v.lines.end()) same->what.count += p.count;
      else v.lines.push_back({l, static_cast<bool>(p.cancelled)});
    }
    for (auto p = h.payments; p != 0; p = s.payments_.at(p).next) {
      const auto& paid = s.payments_.at(p);
      v.payments.push_back({paid.reference.lo, paid.amount, paid.kind, paid.refund == 0 ? money_outcome::sold : money_outcome::refund_due,
                            paid.reason, refund_no{paid.refund}});
    }
    return v;
  }
  [[nodiscard]] refund_seen refund(std::size_t index) const {
    const auto& r = s.refunds_[index];
    return {refund_no{static_cast<std::uint32_t>(index + 1)}, r.reason, r.amount, r.settled, owner_id{r.owner}, hold_id{r.hold}};
  }

  result operator()(const look_session&) const {
    tells(s.last_.value);
    return show(s.brief(now));
  }
  result operator()(const look_hold& l) const {
    const auto n = s.find_hold(l.owner.value, l.hold.value);
    if (n == 0) return no(refusal::unknown_hold, s.forgot_seq_);
    tells(behind(n));
    said.state = s.holds_.at(n).state;
    said.deadline = s.deadline_of(hold_no{n});
    return show(hold(n));
  }
  result operator()(const look_seat& l) const {
    if (l.seat.value >= s.seats_.size()) return no(refusal::no_such_place, 0);
    const auto& seat = s.seats_[l.seat.value];
    seat_seen v;
    v.state = seat.state;
    v.withdrawn = seat.withdrawn;
    v.reason = seat.state == seat_state::blocked || seat.withdrawn ? static_cast<reason_code>(seat.reason) : reason_code{0};
    v.allocation = seat.allocation;
    v.category = seat.category;
    v.changed = sequence{seat.seq};
    std::uint64_t seq = seat.seq;
    if (seat.hold != 0) {
      const auto& h = s.holds_.at(seat.hold);
      seq = std::max(seq, behind(seat.hold));
      if (trusted()) {
        v.owner = owner_id{s.owners_.at(h.owner_ref).id};
        v.hold = hold_id{s.ids_.at(h.id_ref).id};
        v.deadline = s.deadline_of(hold_no{seat.hold});
      }
    }
    tells(seq);
    return show(v);
  }
  result operator()(const look_owner& l) const {
    owner_seen v;
    const auto ref = s.find_owner(l.owner.value);
    tells(ref == 0 ? s.forgot_seq_ : std::max(s.owners_.at(ref).seq, s.forgot_seq_));
    if (ref == 0) return show(std::move(v));
    const auto& o = s.owners_.at(ref);
    std::vector<std::uint32_t> numbers;
    for (const auto first : {o.live_first, o.rest_first})
      for (auto n = first; n != 0 && numbers.size() <= owner_items_max; n = s.holds_.at(n).of_owner_next) numbers.push_back(n);
    v.more = numbers.size() > owner_items_max;
    numbers.resize(std::min<std::size_t>(numbers.size(), owner_items_max));
    std::sort(numbers.begin(), numbers.end(), [&](std::uint32_t a, std::uint32_t b) {
      return s.ids_.at(s.holds_.at(a).id_ref).seq > s.ids_.at(s.holds_.at(b).id_ref).seq;
    });
    std::uint64_t newest = said.tells_of.value;
    for (const auto n : numbers) {
      v.holds.push_back(hold(n));
      newest = std::max(newest, behind(n));
      for (auto p = s.holds_.at(n).payments; p != 0; p = s.payments_.at(p).next)
        if (s.payments_.at(p).refund != 0) v.refunds.push_back(refund(s.payments_.at(p).refund - 1));
    }
    for (auto r = o.refund_first; r != 0 && v.refunds.size() < owner_items_max; r = s.refunds_[r - 1].of_owner) v.refunds.push_back(refund(r - 1));
    for (const auto& r : v.refunds) newest = std::max(newest, s.refunds_[r.number.value - 1].seq);
    std::sort(v.refunds.begin(), v.refunds.end(), [](const refund_seen& a, const refund_seen& b) { return a.number < b.number; });
    tells(newest);
    return show(std::move(v));
  }
  result operator()(const look_fate& l) const {
    fate_seen v;
    const auto ref = s.find_id(l.owner.value, l.id.value);
    if (ref != 0) {
      envelope head;
      table_places unused;
      verdict first;
      decider(s, head, now, unused, first).repeat(s.ids_.at(ref));
      v.what = fate::accepted;
      v.first = first.said;
      v.command = static_cast<command_tag>(s.ids_.at(ref).command);
      said.state = v.first.state;
      said.deadline = v.first.deadline;
      said.tells_of = v.first.tells_of;
      said.waits_for = v.first.waits_for;
      return show(v);
    }
    const auto before = l.client_deadline.value - std::min<std::uint64_t>(l.client_deadline.value, us(s.rules().id_min));
    v.what = l.client_deadline.value == 0 || before <= s.forgotten_end_ ? fate::older : fate::not_so_far;
    tells(s.forgot_seq_);
    return show(v);
  }
  result operator()(const look_plan& l) const {
    const auto& p = s.terms_->seating;
    if (l.revision != s.terms_->plan_revision) return no(refusal::plan_changed, 1);
    plan_page_seen v;
    v.page = l.page;
    v.pages = static_cast<std::uint32_t>(std::max<std::size_t>(1, (p->seats.size() + plan_seats_per_page - 1) / plan_seats_per_page));
    v.whole = p;
    if (l.page >= v.pages) return no(refusal::no_such_page, 1);
    tells(1);
    return show(std::move(v));
  }
  result operator()(const look_seats& l) const {
    seats_seen v;
    v.page = l.page;
    v.pages = static_cast<std::uint32_t>(std::max<std::size_t>(1, (s.seats_.size() + seats_per_page - 1) / seats_per_page));
    if (l.page >= v.pages) return no(refusal::no_such_page, 1);
    v.first = l.page * seats_per_page;
    const auto end = std::min<std::size_t>(s.seats_.size(), std::size_t{v.first} + seats_per_page);
    v.states.reserve(end - v.first);
    for (std::size_t n = v.first; n < end; ++n)
      v.states.push_back(static_cast<std::uint8_t>(static_cast<unsigned>(s.seats_[n].state) | (s.seats_[n].withdrawn ? 0x80U : 0U)));
    if (l.page == 0)
      for (std::uint32_t a = 0; a < s.terms_->seating->areas.size(); ++a) {
        auto& area = v.areas.emplace_back();
        for (std::uint32_t n = 0; n < s.allocations_; ++n) {
          const auto& st = s.stock_of(a, n);
          area.allocations.push_back({st.free(), st.held, st.paying, st.sold, st.blocked, st.debt});
        }
      }
    v.expiries_pending = pending();
    tells(s.last_.value);
    return show(std::move(v));
  }
  [[nodiscard]] bool pending() const {
    const auto next = s.next_due();
    return next && next->at <= s.hold_clock(now);
  }
  result operator()(const look_changes& l) const {
    changes_seen v;
    const auto& ring = s.ring_;
    const auto first = ring.empty() ? s.last_.value + 1 : ring.front().number.value;
    if (l.since.value + 1 < first) {
      said.left = first;
      return no(refusal::gap, s.last_.value);
    }
    // The ring is ordered by sequence; a record's changes stay together on one page.
    std::size_t lo = 0, hi = ring.size();
    while (lo < hi) {
      const auto mid = (lo + hi) / 2;
      if (ring[mid].number <= l.since) lo = mid + 1;
      else hi = mid;
    }
    v.next_since = l.since;
    for (; lo < ring.size(); ++lo) {
      if (v.items.size() >= changes_per_page && ring[lo].number != v.next_since) {
        v.more = true;
        break;
      }
      v.items.push_back(ring[lo]);
      v.next_since = ring[lo].number;
    }
    tells(v.next_since.value);
    return show(std::move(v));
  }
  result operator()(const look_holds& l) const {
    holds_seen v;
    const auto look_at_most = 16 * holds_per_page;  // ended ones are passed over, so a page may be short and still not be the last
    std::uint32_t n = std::max(1U, l.from), looked = 0;
    for (; n <= s.holds_.last() && v.items.size() < holds_per_page && looked < look_at_most; ++n, ++looked)
      if (live(s.holds_.at(n).state)) v.items.push_back(hold(n));
    v.next_from = n <= s.holds_.last() ? n : 0;
    tells(s.last_.value);
    return show(std::move(v));
  }
};

std::shared_ptr<const seen> session::show(const look& asked, const origin& from, log_time now, answer& said) const {
  const viewer v{*this, from, now, said};
  const bool for_trusted = std::holds_alternative<look_changes>(asked) || std::holds_alternative<look_holds>(asked);
  if (for_trusted && !v.trusted()) return v.no(refusal::not_allowed, 0);
  return std::visit(v, asked);
}

session_seen session::brief(log_time now) const {
  session_seen v;
  v.name = terms_->name;
  v.currency = terms_->currency;
  v.organiser_ref = terms_->organiser_ref;
  v.zone = terms_->zone;
  v.kind = terms_->kind;
  v.starts_at = terms_->starts_at;
  v.sale = sale_;
  v.open_channels = open_;
  v.frozen = frozen();
  v.faulted = faulted();
  const auto next = next_due();
  v.expiries_pending = next && next->at <= hold_clock(now);
  v.places = totals_;
  v.seats = seats_.size();
  v.areas = terms_->seating->areas.size();
  v.live_holds = live_;
  v.orders = orders_;
  v.ended_holds = ended_count_;
  v.forgotten_early = forgotten_early_;
  v.refunds_open = refunds_open_;
  v.refunds_total = refunds_.size();
  v.amount_paid = paid_;
  v.amount_refunds_due = due_back_;
  v.shift_us = shift_;
  v.downtime_shift_us = downtime_shift_;
  v.plan_revision = terms_->plan_revision;
  v.last = last_;
  if (next) v.next_deadline = in_log_time(next->at);
  return v;
}

void session::for_each_sold(const std::function<void(const piece&)>& visit) const {
  for (std::uint32_t n = 0; n < seats_.size(); ++n)
    if (seats_[n].state == seat_state::sold) visit({place_kind::seat, 0, n, 1});
  for (std::uint32_t a = 0; a < terms_->seating->areas.size(); ++a)
    for (std::uint32_t n = 0; n < allocations_; ++n)
      if (const auto sold = stock_of(a, n).sold; sold > 0) visit({place_kind::area, static_cast<std::uint8_t>(n), a, sold});
}

void session::describe_view(std::vector<view_change>& out) const {
  using kind = view_change::kind;
  const auto& p = *terms_->seating;
  for (std::uint32_t n = 0; n < seats_.size(); ++n) {
    const auto& seat = seats_[n];
    if (seat.allocation != p.seats[n].allocation) out.push_back({kind::seat_allocated, p.seats[n].allocation, seat.allocation, n, 1});
    if (seat.state == seat_state::sold || seat.state == seat_state::blocked) out.push_back({kind::seat_gone, seat.allocation, 0, n, 1});
  }
  for (std::uint32_t a = 0; a < p.areas.size(); ++a)
    for (std::uint32_t n = 0; n < allocations_; ++n) {
      const auto& st = stock_of(a, n);
      const std::int64_t planned = n < p.areas[a].capacity.size() ? p.areas[a].capacity[n] : 0;
      const std::int64_t left = std::int64_t{st.capacity} - st.sold - st.blocked;
      const auto allocation = static_cast<std::uint8_t>(n);
      if (left > planned) out.push_back({kind::area_back, allocation, 0, a, static_cast<std::uint32_t>(left - planned)});
      if (left < planned) out.push_back({kind::area_gone, allocation, 0, a, static_cast<std::uint32_t>(planned - left)});
    }
  const std::uint8_t marks = (frozen() ? 1 : 0) | (faulted() ? 2 : 0);
  out.push_back({kind::control, static_cast<std::uint8_t>(sale_), marks, open_, 0});
}

}  // namespace holdfast::core
