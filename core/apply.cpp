// The only place where a session changes. Nothing here refuses: what cannot be true aborts, because the record that says so is
// already on its way to the disk or comes from there.
#include <algorithm>

#include "base/hash.hpp"
#include "core/decider.hpp"

namespace holdfast::core {
namespace {

constexpr std::uint64_t us(interval_ms ms) { return std::uint64_t{ms} * us_per_ms; }

}  // namespace

struct applier {
  session& s;
  const record& r;
  std::vector<view_change>* view;
  const table_places& found;  ///< for a placed hold: where its owner and keys are
  std::uint64_t seq = r.number.value;

  // ---- counting ----------------------------------------------------------------------------------------------
  [[nodiscard]] std::uint64_t& total(seat_state st) const {
    switch (st) {
      case seat_state::free: return s.totals_.free;
      case seat_state::held: return s.totals_.held;
      case seat_state::paying: return s.totals_.paying;
      case seat_state::sold: return s.totals_.sold;
      case seat_state::blocked: return s.totals_.blocked;
    }
    HOLDFAST_CHECK(false, "a seat in no state");
  }
  static std::uint32_t& count(state::stock& st, seat_state what) {
    switch (what) {
      case seat_state::held: return st.held;
      case seat_state::paying: return st.paying;
      case seat_state::sold: return st.sold;
      default: return st.blocked;
    }
  }
  static bool gone(seat_state st) { return st == seat_state::sold || st == seat_state::blocked; }

  void show(view_change::kind what, std::uint32_t number, std::uint32_t allocation, std::uint32_t n = 1) const {
    if (view != nullptr) view->push_back({what, static_cast<std::uint8_t>(allocation), 0, number, n});
  }
  void show_control() const {
    if (view == nullptr) return;
    const std::uint8_t marks = (s.frozen_at_.value != 0 ? 1 : 0) | (s.faulted() ? 2 : 0);
    view->push_back({view_change::kind::control, static_cast<std::uint8_t>(s.sale_), marks, s.open_, 0});
  }

  void set_seat(std::uint32_t n, seat_state to, std::uint32_t hold) const {
    auto& seat = s.seats_[n];
    --total(seat.state);
    ++total(to);
    if (gone(seat.state) != gone(to)) show(gone(to) ? view_change::kind::seat_gone : view_change::kind::seat_back, n, seat.allocation);
    seat.state = to;
    seat.hold = hold;
    seat.seq = seq;
  }

  /// Moves `n` places of an area's allocation between states; `free` is what the others leave.
  void move_places(std::uint32_t area, std::uint32_t allocation, seat_state from, seat_state to, std::uint32_t n) const {
    auto& st = s.stock_of(area, allocation);
    HOLDFAST_CHECK(from == seat_state::free ? st.free() >= n : count(st, from) >= n, "an area gives more places than it has");
    if (from != seat_state::free) count(st, from) -= n;
    if (to != seat_state::free) count(st, to) += n;
    total(from) -= n;
    total(to) += n;
    st.seq = seq;
    if (gone(from) != gone(to)) show(gone(to) ? view_change::kind::area_gone : view_change::kind::area_back, area, allocation, n);
  }

  // ---- places of a hold ----------------------------------------------------------------------------------------
  void occupy(std::uint32_t hold, const state::part& p, seat_state as) const {
    if (p.is_area) return move_places(p.number, p.allocation, seat_state::free, as, p.count);
    HOLDFAST_CHECK(s.seats_[p.number].state == seat_state::free, "a seat is given to two holds");
    set_seat(p.number, as, hold);
  }
  void give_back(std::uint32_t hold, const state::part& p, bool withdrawn) const {
    if (p.is_area) {
      auto& st = s.stock_of(p.number, p.allocation);
      const auto from = as_seat(s.holds_.at(hold).state);
      const auto indebted = std::min<std::uint32_t>(st.debt, p.count);
      const std::uint32_t blocked = withdrawn ? p.count : indebted;
      st.debt -= indebted;
      s.totals_.withdrawn -= indebted;
      if (blocked > 0) move_places(p.number, p.allocation, from, seat_state::blocked, blocked);
      if (p.count > blocked) move_places(p.number, p.allocation, from, seat_state::free, p.count - blocked);
      return;
    }
    auto& seat = s.seats_[p.number];
    HOLDFAST_CHECK(seat.hold == hold, "a hold gives back another's seat");
    if (seat.withdrawn) --s.totals_.withdrawn;
    const bool block = seat.withdrawn || withdrawn;
    seat.withdrawn = false;
    set_seat(p.number, block ? seat_state::blocked : seat_state::free, 0);
  }
  void restate(std::uint32_t hold, seat_state from, seat_state to) const {
    for (const auto& p : s.parts_of(s.holds_.at(hold))) {
      if (p.is_area) move_places(p.number, p.allocation, from, to, p.count);
      else set_seat(p.number, to, hold);
    }
  }
  static seat_state as_seat(hold_state st) {
    switch (st) {
      case hold_state::held: return seat_state::held;
      case hold_state::paying: return seat_state::paying;
      case hold_state::sold: return seat_state::sold;
      default: break;
    }
    HOLDFAST_CHECK(false, "an ended hold has no places");
  }

  // ---- parts ---------------------------------------------------------------------------------------------------
  void set_parts(state::hold& h, std::span<const state::part> parts) const {
    drop_list(h);
    h.parts = static_cast<std::uint16_t>(parts.size());
    if (parts.size() == 1) {
      h.one = parts[0];
      return;
    }
    h.one = {};
    if (parts.empty()) return;
    h.list_class = session_list::class_for(parts.size()) & 15U;
    const auto ref = s.lists_.add(h.list_class);
    h.one.price = ref;
    std::copy(parts.begin(), parts.end(), s.lists_.at(h.list_class, ref));
  }
  void drop_list(state::hold& h) const {
    if (h.parts > 1) s.lists_.remove(h.list_class, h.one.price);
    h.parts = 0;
  }
  using session_list = list_pool<state::part>;

  void new_parts(lines asked, draws drawn, std::vector<state::part>& out) const {
    std::size_t d = 0;
    for (std::size_t i = 0; i < asked.size(); ++i) {
      state::part p;
      p.number = asked[i].number & 0x7fff'ffffU;
      p.price = asked[i].price;
      if (asked[i].kind == place_kind::seat) {
        p.count = 1;
        out.push_back(p);
        continue;
      }
      p.is_area = 1;
      std::uint32_t got = 0;
      for (; d < drawn.size() && drawn[d].line == i; ++d) {
        p.allocation = drawn[d].allocation;
        p.count = drawn[d].count & 0x3f'ffffU;
        got += drawn[d].count;
        out.push_back(p);
      }
      HOLDFAST_CHECK(got == asked[i].count, "draws do not add up to their line");
    }
    HOLDFAST_CHECK(d == drawn.size(), "draws beyond the lines");
  }

  // ---- limit keys ----------------------------------------------------------------------------------------------
  void count_keys(const state::hold& h, std::span<const state::part> parts, int sign) const {
    for (auto m = h.members; m != 0; m = s.members_.at(m).of_hold) {
      const auto target = s.members_.at(m).target;
      if ((target & state::area_bit) == 0) count_key(target, parts, sign);
    }
  }
  void count_key(std::uint32_t ref, std::span<const state::part> parts, int sign) const {
    auto& k = s.keys_.at(ref);
    k.seq = seq;
    const auto& masks = s.masks_[static_cast<std::size_t>(k.kind)];
    for (std::size_t m = 0; m < masks.size(); ++m)
      for (const auto& p : parts) {
        if (p.cancelled) continue;
        const auto category = s.category_of(p.is_area ? place_kind::area : place_kind::seat, p.number);
        if (((masks[m] >> category) & 1U) == 0) continue;
        HOLDFAST_CHECK(sign > 0 || k.counts[m] >= p.count, "a limit key counts below zero");
        k.counts[m] += sign > 0 ? p.count : -static_cast<std::uint32_t>(p.count);
      }
  }
  std::uint32_t add_key(const limit_key& k, std::uint64_t hash) const {
    const auto ref = s.keys_.add();
    auto& e = s.keys_.at(ref);
    e.value = k.value;
    e.kind = k.kind;
    s.key_index_.insert(hash, ref);
    return ref;
  }
  void join_key(std::uint32_t hold, const limit_key& k) const {
    const auto hash = s.hash_key(k);
    const auto ref = s.find_key(k, hash);
    join_key(hold, ref != 0 ? ref : add_key(k, hash));
  }
  void join_key(std::uint32_t hold, std::uint32_t ref) const {
    auto& key = s.keys_.at(ref);
    ++key.uses;
    auto& h = s.holds_.at(hold);
    ++h.keys;
    const auto m = s.members_.add();
    auto& member = s.members_.at(m);
    member.hold = hold;
    member.target = ref;
    member.of_hold = h.members;
    member.next = key.live_first;
    if (key.live_first != 0) s.members_.at(key.live_first).previous = m;
    key.live_first = m;
    h.members = m;
    count_key(ref, s.parts_of(h), +1);
  }

  // ---- areas' own heaps ----------------------------------------------------------------------------------------
  void place_area_member(std::uint32_t area, std::uint32_t m, std::uint64_t deadline) const {
    s.area_due_[area].push({deadline, s.members_.at(m).hold, m},
                           [&](std::uint32_t node, std::uint32_t at) { s.members_.at(node).previous = at; });
  }
  void join_areas(std::uint32_t hold) const {
    auto& h = s.holds_.at(hold);
    for (const auto& p : s.parts_of(h)) {
      if (!p.is_area) continue;
      bool joined = false;
      for (auto m = h.members; m != 0 && !joined; m = s.members_.at(m).of_hold) joined = s.members_.at(m).target == (p.number | state::area_bit);
      if (joined) continue;
      const auto m = s.members_.add();
      auto& member = s.members_.at(m);
      member.hold = hold;
      member.target = p.number | state::area_bit;
      member.of_hold = h.members;
      h.members = m;
      place_area_member(p.number, m, h.deadline);
    }
  }
  /// Out of the areas' heaps and out of the hold's memberships.
  void leave_areas(state::hold& h) const {
    std::uint32_t* link = &h.members;
    while (*link != 0) {
      const auto m = *link;
      auto& member = s.members_.at(m);
      if ((member.target & state::area_bit) == 0) {
        link = &member.of_hold;
        continue;
      }
      s.area_due_[member.target & ~state::area_bit].remove(
          member.previous, [&](std::uint32_t node, std::uint32_t at) { s.members_.at(node).previous = at; });
      *link = member.of_hold;
      s.members_.remove(m);
    }
  }

  // ---- deadlines -----------------------------------------------------------------------------------------------
  [[nodiscard]] auto in_heap() const {
    return [this](std::uint32_t node, std::uint32_t at) { s.holds_.at(node).heap = at; };
  }
  /// Whoever is refused because this hold lives on must wait for this record: so all that it stands in is touched.
  void set_deadline(std::uint32_t hold, hold_time t) const {
    auto& h = s.holds_.at(hold);
    h.deadline = t.value;
    s.due_.retime(h.heap, t.value, in_heap());
    s.owners_.at(h.owner_ref).seq = seq;
    for (const auto& p : s.parts_of(h))
      if (p.is_area) s.stock_of(p.number, p.allocation).seq = seq;
    for (auto m = h.members; m != 0; m = s.members_.at(m).of_hold) {
      const auto& member = s.members_.at(m);
      if ((member.target & state::area_bit) == 0) {
        s.keys_.at(member.target).seq = seq;
        continue;
      }
      s.area_due_[member.target & ~state::area_bit].retime(
          member.previous, t.value, [&](std::uint32_t node, std::uint32_t at) { s.members_.at(node).previous = at; });
    }
  }

  // ---- owners --------------------------------------------------------------------------------------------------
  std::uint32_t add_owner(const id128& id, std::uint64_t hash) const {
    const auto ref = s.owners_.add();
    s.owners_.at(ref).id = id;
    s.owner_index_.insert(hash, ref);
    return ref;
  }
  std::uint32_t owner_ref(const id128& id) const {
    if (id.zero()) return 0;
    const auto hash = s.hash_owner(id);
    const auto ref = s.find_owner(id, hash);
    return ref != 0 ? ref : add_owner(id, hash);
  }
  void link_owner(std::uint32_t hold, std::uint32_t& first) const {
    auto& h = s.holds_.at(hold);
    h.of_owner_previous = 0;
    h.of_owner_next = first;
    if (first != 0) s.holds_.at(first).of_owner_previous = hold;
    first = hold;
  }
  void unlink_owner(std::uint32_t hold, std::uint32_t& first) const {
    auto& h = s.holds_.at(hold);
    if (h.of_owner_previous != 0) s.holds_.at(h.of_owner_previous).of_owner_next = h.of_owner_next;
    else first = h.of_owner_next;
    if (h.of_owner_next != 0) s.holds_.at(h.of_owner_next).of_owner_previous = h.of_owner_previous;
  }
  void leave_owner(std::uint32_t ref) const {
    auto& o = s.owners_.at(ref);
    if (--o.uses > 0) return;
    s.owner_index_.erase(s.hash_owner(o.id), ref);
    s.owners_.remove(ref);
  }

  // ---- ids -----------------------------------------------------------------------------------------------------
  std::uint32_t remember(std::uint32_t owner_ref, std::uint32_t hold, hold_id named, std::uint64_t value) const {
    if (r.head.id.value.zero()) return 0;
    return remember(owner_ref, hold, named, value, s.hash_id(owner_ref == 0 ? id128{} : s.owners_.at(owner_ref).id, r.head.id.value));
  }
  std::uint32_t remember(std::uint32_t owner_ref, std::uint32_t hold, hold_id named, std::uint64_t value, std::uint64_t hash) const {
    const auto ref = s.ids_.add();
    auto& e = s.ids_.at(ref);
    e.id = r.head.id.value;
    e.content = content_hash(r.asked, r.head, named);
    e.value = value;
    e.seq = seq;
    e.command = r.asked.index() & 0xffU;
    e.owner_ref = owner_ref;
    e.hold = hold;
    s.id_index_.insert(hash, ref);
    return ref;
  }
  /// Remembers a command on a hold: it lives and is forgotten with the hold.
  void remember_on(std::uint32_t hold, std::uint64_t value) const {
    auto& h = s.holds_.at(hold);
    auto& own = s.ids_.at(h.id_ref);
    const auto ref = remember(h.owner_ref, hold, hold_id{own.id}, value);
    if (ref == 0) return;
    s.ids_.at(ref).next = own.next;
    own.next = ref;
  }
  void remember_operator() const {
    const auto ref = remember(0, 0, {}, 0);
    if (ref == 0) return;
    s.operator_ids_.push_back(ref);
    if (s.operator_ids_.size() <= limits::operator_ids_max) return;
    forget_id(s.operator_ids_.front());
    s.operator_ids_.pop_front();
    s.forgot_seq_ = seq;
  }
  void forget_id(std::uint32_t ref) const {
    const auto& e = s.ids_.at(ref);
    s.id_index_.erase(s.hash_id(e.owner_ref == 0 ? id128{} : s.owners_.at(e.owner_ref).id, e.id), ref);
    s.ids_.remove(ref);
  }

  // ---- a hold's end --------------------------------------------------------------------------------------------
  /// Out of the live ones; it keeps its parts and keys, which a late payment may need.
  void end_live(std::uint32_t hold, hold_state as) const {
    auto& h = s.holds_.at(hold);
    s.due_.remove(h.heap, in_heap());
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
  void leave_live_list(std::uint32_t m) const {
    auto& member = s.members_.at(m);
    if (member.previous != 0) s.members_.at(member.previous).next = member.next;
    else if (s.keys_.at(member.target).live_first == m) s.keys_.at(member.target).live_first = member.next;
    if (member.next != 0) s.members_.at(member.next).previous = member.previous;
    member.previous = member.next = 0;
  }
  /// Ended without a sale: all parts come back, and unless money was near, the hold may one day be forgotten.
  void end_unsold(std::uint32_t hold, hold_state as, bool withdrawn) const {
    auto& h = s.holds_.at(hold);
    count_keys(h, s.parts_of(h), -1);
    for (const auto& p : s.parts_of(h)) give_back(hold, p, withdrawn);
    end_live(hold, as);
    ++s.ended_count_;
    if (h.attempts == 0 && h.payments == 0) s.ended_.push_back({hold, r.at.value});
    forget_some();
  }
  void forget_some() const {
    for (int n = 0; n < 2 && s.ended_.size() > s.ended_max(); ++n) {
      const auto oldest = s.ended_.front();
      const bool old_enough = oldest.at + us(s.rules().id_min) <= r.at.value;
      if (!old_enough && s.ended_.size() <= s.ended_hard_max()) return;
      s.fetch_forgotten();
      s.ended_.pop_front();
      if (!still_ended(oldest.hold, oldest.at)) continue;
      if (!old_enough) ++s.forgotten_early_;
      forget(oldest.hold, oldest.at);
    }
  }
  /// A late payment takes a hold out of those that may be forgotten; its place in the queue then stands empty.
  [[nodiscard]] bool still_ended(std::uint32_t hold, std::uint64_t) const {
    return s.holds_.at(hold).payments == 0;
  }
  void forget(std::uint32_t hold, std::uint64_t ended_at) const {
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

  // ---- money ---------------------------------------------------------------------------------------------------
  void record_refund(refund_no number, refund_reason why, std::int64_t amount, const id128& owner, const id128& hold) const {
    HOLDFAST_CHECK(number.value == s.refunds_.size() + 1, "refund numbers are gapless");
    state::refund due;
    due.amount = amount;
    due.owner = owner;
    due.hold = hold;
    due.reason = why;
    due.seq = due.recorded = seq;
    // What no payment of a hold leads to is found through its owner.
    if (why == refund_reason::unknown_hold || why == refund_reason::cancelled) {
      auto& o = s.owners_.at(owner_ref(owner));
      ++o.uses;
      o.seq = seq;
      due.of_owner = o.refund_first;
      o.refund_first = number.value;
    }
    s.refunds_.push_back(due);
    ++s.refunds_open_;
    s.due_back_ += amount;
  }
  [[nodiscard]] state::payment payment_of(const confirm_hold& c) const {
    state::payment p;
    p.reference = base::stable_hash128(c.payment);
    p.amount = c.amount;
    p.kind = c.kind;
    p.seq = seq;
    return p;
  }
  void add_payment(std::uint32_t hold, state::payment p) const {
    auto& h = s.holds_.at(hold);
    const auto ref = s.payments_.add();
    p.next = h.payments;
    s.payments_.at(ref) = p;
    h.payments = ref;
    h.seq = seq;
  }

  // ---- events --------------------------------------------------------------------------------------------------
  template <class T>
  const T& asked() const {
    const auto* c = std::get_if<T>(&r.asked);
    HOLDFAST_CHECK(c != nullptr, "an event under another's command");
    return *c;
  }
  state::hold& live_hold(hold_no n) const {
    auto& h = known(n);
    HOLDFAST_CHECK(live(h.state), "an event on a hold that has ended");
    return h;
  }
  state::hold& known(hold_no n) const {
    HOLDFAST_CHECK(s.holds_.has(n.value) && s.holds_.at(n.value).state != hold_state::none, "an event on an unknown hold");
    return s.holds_.at(n.value);
  }
  void control() const {
    s.control_seq_ = seq;
    remember_operator();
    show_control();
  }

  void operator()(const session_created&) const { HOLDFAST_CHECK(false, "a session is created once, by session::create"); }
  void operator()(const sale_opened&) const {
    s.open_ |= asked<open_sale>().channels & all();
    s.sale_ = sale_state::open;
    control();
  }
  void operator()(const sale_paused&) const {
    s.sale_ = sale_state::paused;
    control();
  }
  void operator()(const sale_resumed& e) const {
    if (s.frozen_at_.value != 0) {
      s.frozen_at_ = {};
      s.shift_ += e.shift_us;
    } else {
      s.sale_ = sale_state::open;
    }
    control();
  }
  void operator()(const sale_closed&) const {
    s.open_ &= ~asked<close_sale>().channels;
    if (s.open_ == 0) s.sale_ = sale_state::closed;
    control();
  }
  void operator()(const sale_frozen&) const {
    s.frozen_at_ = r.at;
    control();
  }
  [[nodiscard]] channel_set all() const { return (channel_set{1} << s.rules().channels.size()) - 1U; }

  void operator()(const hold_placed& e) const {
    const auto& c = asked<hold_seats>();
    const auto& row = s.rules().channels.at(r.head.channel);
    const auto n = s.holds_.add();
    HOLDFAST_CHECK(n == e.hold.value, "hold numbers are given out in one order");
    const auto owner = found.owner_ref != 0 ? found.owner_ref : add_owner(c.owner.value, found.owner);
    auto& o = s.owners_.at(owner);
    ++o.uses;
    ++o.live;
    o.seq = seq;
    auto& h = s.holds_.at(n);
    h.owner_ref = owner;
    h.state = hold_state::held;
    h.channel = r.head.channel;
    h.deadline = e.deadline.value;
    h.lifetime_end = s.hold_clock(r.at).value + us(row.lifetime_max);
    h.seq = seq;
    if (!c.basket.value.zero()) {
      h.extra_ref = s.extras_.add();
      s.extras_.at(h.extra_ref).basket = c.basket.value;
    }
    if (c.lines.size() == 1 && c.lines[0].kind == place_kind::seat) {
      h.parts = 1;
      h.one.number = c.lines[0].number & 0x7fff'ffffU;
      h.one.price = c.lines[0].price;
      h.one.count = 1;
    } else {
      std::vector<state::part>& parts = s.scratch_->cut;
      parts.clear();
      new_parts(c.lines, e.draws, parts);
      set_parts(h, parts);
    }
    for (const auto& p : s.parts_of(h)) occupy(n, p, seat_state::held);
    for (std::size_t i = 0; i < c.keys.size(); ++i) join_key(n, found.key_ref[i] != 0 ? found.key_ref[i] : add_key(c.keys[i], found.key[i]));
    s.due_.push({h.deadline, n, n}, in_heap());
    join_areas(n);
    link_owner(n, o.live_first);
    ++s.live_;
    HOLDFAST_CHECK(!r.head.id.value.zero(), "a hold is named by its command's id");
    h.id_ref = remember(owner, n, {}, s.in_log_time(e.deadline).value, found.id);
  }

  void operator()(const hold_changed& e) const {
    const auto& c = asked<change_hold>();
    auto& h = live_hold(e.hold);
    const auto n = e.hold.value;
    std::vector<state::part> parts(s.parts_of(h).begin(), s.parts_of(h).end());
    count_keys(h, parts, -1);
    cut_out(parts, c.drop, [&](const state::part& p) { give_back(n, p, false); });
    std::vector<state::part> added;
    new_parts(c.add, e.draws, added);
    for (const auto& p : added) occupy(n, p, as_seat(h.state));
    parts.insert(parts.end(), added.begin(), added.end());
    leave_areas(h);
    set_parts(h, parts);
    join_areas(n);
    count_keys(h, parts, +1);
    ++h.changes;
    h.seq = seq;
    remember_on(n, 0);
  }
  /// Takes the named lines out of `parts`, what was drawn last first, as decider::parts_named finds them.
  template <class Visit>
  void cut_out(std::vector<state::part>& parts, lines named, Visit&& visit) const {
    for (const auto& l : named) {
      std::uint32_t wanted = l.count;
      for (std::size_t p = parts.size(); p-- > 0 && wanted > 0;) {
        auto& have = parts[p];
        if (have.cancelled || have.number != l.number || have.is_area != (l.kind == place_kind::area) || have.price != l.price) continue;
        state::part piece = have;
        piece.count = std::min<std::uint32_t>(wanted, have.count);
        wanted -= piece.count;
        have.count -= piece.count;
        visit(piece);
      }
      HOLDFAST_CHECK(wanted == 0, "a line is taken from a hold that has it not");
    }
    std::erase_if(parts, [](const state::part& p) { return p.count == 0; });
  }

  void operator()(const hold_extended& e) const {
    auto& h = live_hold(e.hold);
    set_deadline(e.hold.value, e.deadline);
    ++h.extensions;
    ++h.changes;
    h.seq = seq;
    remember_on(e.hold.value, s.in_log_time(e.deadline).value);
  }

  void operator()(const payment_begun& e) const {
    const auto& c = asked<begin_payment>();
    auto& h = live_hold(e.hold);
    const auto n = e.hold.value;
    if (h.extra_ref == 0) h.extra_ref = s.extras_.add();
    auto& extra = s.extras_.at(h.extra_ref);
    if (h.state == hold_state::held) {
      extra.former = h.deadline;
      restate(n, seat_state::held, seat_state::paying);
    }
    extra.attempt = base::stable_hash128(c.attempt);
    h.state = hold_state::paying;
    ++h.attempts;
    h.seq = seq;
    set_deadline(n, e.deadline);
    for (const auto& k : c.keys) {
      bool has = false;
      for (auto m = h.members; m != 0; m = s.members_.at(m).of_hold) {
        const auto target = s.members_.at(m).target;
        has |= (target & state::area_bit) == 0 && s.keys_.at(target).kind == k.kind;
      }
      if (!has) join_key(n, k);
    }
    remember_on(n, s.in_log_time(e.deadline).value);
  }

  void operator()(const payment_rejected& e) const {
    auto& h = live_hold(e.hold);
    HOLDFAST_CHECK(h.state == hold_state::paying, "a payment fails that never began");
    restate(e.hold.value, seat_state::paying, seat_state::held);
    h.state = hold_state::held;
    if (e.deadline.value > s.extras_.at(h.extra_ref).former) h.grace_used = 1;
    h.seq = seq;
    set_deadline(e.hold.value, e.deadline);
    remember_on(e.hold.value, s.in_log_time(e.deadline).value);
  }

  void operator()(const hold_confirmed& e) const {
    const auto& c = asked<confirm_hold>();
    auto& h = known(e.hold);
    const auto n = e.hold.value;
    if (!e.late) {
      HOLDFAST_CHECK(live(h.state), "only a late confirm sells what has expired");
      restate(n, as_seat(h.state), seat_state::sold);
      end_live(n, hold_state::sold);
    } else {
      HOLDFAST_CHECK(h.state == hold_state::expired, "a late confirm of a hold that has not expired");
      retake(n, e.sold);
      h.state = hold_state::sold;
      --s.ended_count_;
      s.owners_.at(h.owner_ref).seq = seq;
      count_keys(h, s.parts_of(h), +1);
    }
    check_sold(h, e.sold);
    touch_keys(h);
    add_payment(n, payment_of(c));
    s.paid_ += c.amount;
    ++s.orders_;
  }
  /// The expired hold's parts anew, from the allocations that the record says.
  void retake(std::uint32_t n, pieces sold) const {
    auto& h = s.holds_.at(n);
    std::vector<state::part> parts;
    std::size_t next = 0;
    for (const auto& old : s.parts_of(h)) {
      std::uint32_t wanted = old.count;
      while (wanted > 0) {
        HOLDFAST_CHECK(next < sold.size() && sold[next].number == old.number, "a late sale of other places than were held");
        state::part p = old;
        p.count = sold[next].count & 0x3f'ffffU;
        p.allocation = sold[next].allocation;
        HOLDFAST_CHECK(p.count <= wanted, "a late sale of more places than were held");
        wanted -= p.count;
        parts.push_back(p);
        ++next;
      }
    }
    set_parts(h, parts);
    for (const auto& p : parts) occupy(n, p, seat_state::sold);
  }
  void check_sold(const state::hold& h, pieces sold) const {
    const auto parts = s.parts_of(h);
    HOLDFAST_CHECK(parts.size() == sold.size(), "a sale names other places than its hold has");
    for (std::size_t i = 0; i < parts.size(); ++i)
      HOLDFAST_CHECK(parts[i].number == sold[i].number && parts[i].count == sold[i].count, "a sale names other places than its hold has");
  }
  void touch_keys(const state::hold& h) const {
    for (auto m = h.members; m != 0; m = s.members_.at(m).of_hold)
      if ((s.members_.at(m).target & state::area_bit) == 0) s.keys_.at(s.members_.at(m).target).seq = seq;
  }

  void operator()(const refund_recorded& e) const {
    const auto& c = asked<confirm_hold>();
    auto p = payment_of(c);
    p.refund = e.number.value;
    p.reason = e.reason;
    s.paid_ += c.amount;
    if (e.hold.value != 0) {
      const auto& h = known(e.hold);
      const auto& own = s.ids_.at(h.id_ref);
      record_refund(e.number, e.reason, c.amount, s.owners_.at(h.owner_ref).id, own.id);
      return add_payment(e.hold.value, p);
    }
    HOLDFAST_CHECK(e.reason == refund_reason::unknown_hold, "a refund for no hold has one reason only");
    record_refund(e.number, e.reason, c.amount, c.owner.value, c.hold.value);
    const auto ref = s.strays_.add();
    s.strays_.at(ref) = {c.owner.value, c.hold.value, p};
    s.stray_index_.insert(s.hash_stray(c.owner.value, c.hold.value, p.reference), ref);
    ++s.strays_open_;
  }

  void operator()(const hold_released& e) const {
    const auto& c = asked<release_hold>();
    auto& h = live_hold(e.hold);
    const auto n = e.hold.value;
    std::uint64_t all = 0, some = 0;
    for (const auto& p : s.parts_of(h)) all += p.count;
    for (const auto& l : c.lines) some += l.count;
    if (c.lines.empty() || some == all) {
      remember_on(n, 0);
      return end_unsold(n, hold_state::released, c.withdrawn);
    }
    std::vector<state::part> parts(s.parts_of(h).begin(), s.parts_of(h).end());
    count_keys(h, parts, -1);
    cut_out(parts, c.lines, [&](const state::part& p) { give_back(n, p, c.withdrawn); });
    leave_areas(h);
    set_parts(h, parts);
    join_areas(n);
    count_keys(h, parts, +1);
    ++h.changes;
    h.seq = seq;
    remember_on(n, 0);
  }

  void operator()(const order_cancelled& e) const {
    const auto& c = asked<cancel_order>();
    auto& h = known(e.hold);
    HOLDFAST_CHECK(h.state == hold_state::sold, "only an order is cancelled");
    const auto n = e.hold.value;
    std::vector<state::part> parts(s.parts_of(h).begin(), s.parts_of(h).end());
    std::vector<state::part> gone_parts;
    const auto give = [&](state::part p) {
      give_back(n, p, c.withdrawn);
      p.cancelled = 1;
      gone_parts.push_back(p);
    };
    count_keys(h, parts, -1);
    if (c.lines.empty()) {
      for (auto& p : parts)
        if (!p.cancelled) {
          give(p);
          p.count = 0;
        }
      std::erase_if(parts, [](const state::part& p) { return p.count == 0; });
    } else {
      cut_out(parts, c.lines, give);
    }
    parts.insert(parts.end(), gone_parts.begin(), gone_parts.end());
    set_parts(h, parts);
    count_keys(h, parts, +1);
    const bool all = std::all_of(parts.begin(), parts.end(), [](const state::part& p) { return p.cancelled; });
    if (all) {
      h.state = hold_state::cancelled;
      --s.orders_;
    }
    h.seq = seq;
    s.owners_.at(h.owner_ref).seq = seq;
    if (e.number.value != 0) {
      record_refund(e.number, refund_reason::cancelled, c.amount, s.owners_.at(h.owner_ref).id, s.ids_.at(h.id_ref).id);
      for (auto p = h.payments; p != 0; p = s.payments_.at(p).next)
        if (s.payments_.at(p).refund == 0) s.payments_.at(p).back += c.amount;
    }
    remember_on(n, e.number.value);
  }

  void operator()(const refund_closed&) const {
    const auto& c = asked<settle_refund>();
    HOLDFAST_CHECK(c.number.value >= 1 && c.number.value <= s.refunds_.size(), "an unknown refund is settled");
    auto& due = s.refunds_[c.number.value - 1];
    HOLDFAST_CHECK(!due.settled, "a refund is settled twice");
    due.settled = true;
    due.settled_with = base::stable_hash128(c.reference);
    due.seq = seq;
    --s.refunds_open_;
    s.due_back_ -= due.amount;
    if (due.reason == refund_reason::unknown_hold) --s.strays_open_;
    remember_operator();
  }

  void operator()(const places_blocked&) const {
    const auto& c = asked<block_places>();
    for (const auto& range : c.ranges) {
      if (range.kind == place_kind::area) {
        auto& st = s.stock_of(range.first, range.allocation);
        const auto now = std::min(st.free(), range.count);
        st.debt += range.count - now;
        s.totals_.withdrawn += range.count - now;
        move_places(range.first, range.allocation, seat_state::free, seat_state::blocked, now);
        continue;
      }
      for (std::uint32_t n = range.first; n <= range.last; ++n) {
        auto& seat = s.seats_[n];
        seat.reason = c.reason;
        if (seat.state == seat_state::free) {
          set_seat(n, seat_state::blocked, 0);
        } else if (seat.state != seat_state::blocked && !seat.withdrawn) {
          seat.withdrawn = true;
          ++s.totals_.withdrawn;
        }
        seat.seq = seq;
      }
    }
    remember_operator();
  }
  void operator()(const places_unblocked&) const {
    for (const auto& range : asked<unblock_places>().ranges) {
      if (range.kind == place_kind::area) {
        auto& st = s.stock_of(range.first, range.allocation);
        const auto now = std::min(st.blocked, range.count);
        st.debt -= range.count - now;
        s.totals_.withdrawn -= range.count - now;
        move_places(range.first, range.allocation, seat_state::blocked, seat_state::free, now);
        continue;
      }
      for (std::uint32_t n = range.first; n <= range.last; ++n) {
        auto& seat = s.seats_[n];
        if (seat.state == seat_state::blocked) {
          set_seat(n, seat_state::free, 0);
        } else if (seat.withdrawn) {
          seat.withdrawn = false;
          --s.totals_.withdrawn;
        } else {
          continue;
        }
        seat.reason = 0;
        seat.seq = seq;
      }
    }
    remember_operator();
  }
  void operator()(const places_allocated&) const {
    const auto& c = asked<allocate_places>();
    for (const auto& range : c.ranges) {
      if (range.kind == place_kind::area) {
        auto& from = s.stock_of(range.first, range.allocation);
        auto& to = s.stock_of(range.first, c.allocation);
        HOLDFAST_CHECK(from.free() >= range.count, "allocated places that are not free");
        from.capacity -= range.count;
        to.capacity += range.count;
        from.seq = to.seq = seq;
        show(view_change::kind::area_gone, range.first, range.allocation, range.count);
        show(view_change::kind::area_back, range.first, c.allocation, range.count);
        continue;
      }
      for (std::uint32_t n = range.first; n <= range.last; ++n) {
        auto& seat = s.seats_[n];
        HOLDFAST_CHECK(seat.state == seat_state::free, "an allocated seat that is not free");
        if (view != nullptr) view->push_back({view_change::kind::seat_allocated, seat.allocation, c.allocation, n, 1});
        seat.allocation = c.allocation;
        seat.seq = seq;
      }
    }
    remember_operator();
  }
  void operator()(const deadlines_shifted& e) const {
    s.shift_ += e.shift_us;
    if (r.head.from.who == role::recovery) s.downtime_shift_ += e.shift_us;
    s.control_seq_ = seq;
    remember_operator();
  }
  void operator()(const fault_cleared& e) const {
    s.shift_ += e.shift_us;
    s.fault_at_ = {};
    control();
  }
  void operator()(const holds_expired& e) const {
    HOLDFAST_CHECK(s.may_expire(e.holds, r.at), "a hold expires early, twice or out of order");
    for (std::size_t i = 0; i < e.holds.size(); ++i) {
      s.fetch_ending(e.holds, i);
      end_unsold(e.holds[i].value, hold_state::expired, false);
      note_change(e.holds[i]);
    }
  }

  // ---- what shops follow ---------------------------------------------------------------------------------------
  void note_change(hold_no n) const {
    change c;
    c.number = r.number;
    c.at = r.at;
    c.command = tag_of(r.asked);
    if (n.value != 0 && s.holds_.has(n.value) && s.holds_.at(n.value).state != hold_state::none) {
      const auto& h = s.holds_.at(n.value);
      c.state = h.state;
      c.owner = owner_id{s.owners_.at(h.owner_ref).id};
      c.hold = hold_id{s.ids_.at(h.id_ref).id};
    } else if (const auto* confirm = std::get_if<confirm_hold>(&r.asked)) {
      c.owner = confirm->owner;
      c.hold = confirm->hold;
    }
    if (const auto* refunded = std::get_if<refund_recorded>(&r.done)) c.refund = refunded->number;
    if (const auto* cancelled = std::get_if<order_cancelled>(&r.done)) c.refund = cancelled->number;
    if (const auto* settled = std::get_if<settle_refund>(&r.asked)) c.refund = settled->number;
    s.ring_.push_back(c);
    if (s.ring_.size() > s.options_.changes_ring) s.ring_.pop_front();
  }
};

void session::apply(const record& r, std::vector<view_change>* changes, const table_places* found) {
  HOLDFAST_CHECK(r.number.value == last_.value + 1, "records are applied in order, each once");
  HOLDFAST_CHECK(r.at >= last_at_, "log time never goes back");
  last_ = r.number;
  last_at_ = r.at;
  if (const auto* placed = std::get_if<hold_placed>(&r.done)) {
    table_places own;
    if (found == nullptr) {
      const auto* c = std::get_if<hold_seats>(&r.asked);
      HOLDFAST_CHECK(c != nullptr && c->keys.size() <= limits::keys_max, "an event under another's command");
      hash(r.head, r.asked, own);
      own.owner_ref = find_owner(c->owner.value, own.owner);
      for (std::size_t i = 0; i < c->keys.size(); ++i) own.key_ref[i] = find_key(c->keys[i], own.key[i]);
    }
    const applier a{*this, r, changes, found == nullptr ? own : *found};
    a(*placed);
    return a.note_change(placed->hold);
  }
  const applier a{*this, r, changes, {}};
  std::visit(a, r.done);
  if (!std::holds_alternative<holds_expired>(r.done)) a.note_change(subject_of(r.done));
}

}  // namespace holdfast::core
