// A session's state from the bytes that session_write.cpp tells of.
#include <algorithm>

#include "base/modulo.hpp"
#include "base/planted.hpp"
#include "core/command_codec.hpp"
#include "core/decider.hpp"
#include "core/session_form.hpp"

namespace holdfast::core {

/// Reads what saver writes. Everything is checked against the plan and the counts before it is used, so that bad bytes are an
/// error and never a broken state.
struct loader {
  session& s;
  base::byte_reader& in;
  mutable std::uint32_t refund_named = 0;  ///< the highest that a payment names; they come later

  [[nodiscard]] bool id_entry(state::id_entry& e) const {
    e.id = in.id();
    e.content = in.fixed<std::uint64_t>();
    e.value = in.varint();
    e.seq = in.varint((std::uint64_t{1} << 56U) - 1);
    const auto tag = in.u8();
    e.command = tag;
    return in.ok() && tag < command_tags;
  }
  [[nodiscard]] bool payment(state::payment& p) const {
    p.reference = in.id();
    p.amount = in.zigzag();
    p.seq = in.varint((std::uint64_t{1} << 48U) - 1);
    p.back = in.zigzag();
    p.refund = u32();
    const auto kind = in.u8(), reason = in.u8();
    p.kind = static_cast<payment_kind>(kind);
    p.reason = static_cast<refund_reason>(reason);
    refund_named = std::max(refund_named, p.refund);
    return in.ok() && kind < payment_kinds && reason <= static_cast<std::uint8_t>(refund_reason::cancelled) && p.back >= 0 &&
           p.back <= p.amount;
  }
  [[nodiscard]] std::uint32_t u32() const { return static_cast<std::uint32_t>(in.varint(0xffff'ffffULL)); }
  [[nodiscard]] std::uint32_t owner_ref(const id128& id) const {
    if (const auto ref = s.find_owner(id); ref != 0) return ref;
    const auto ref = s.owners_.add();
    s.owners_.at(ref).id = id;
    s.owner_index_.insert(s.hash_owner(id), ref);
    return ref;
  }

  [[nodiscard]] bool places() const {
    s.last_ = sequence{in.varint()};
    s.last_at_ = log_time{in.varint()};
    s.sale_ = static_cast<sale_state>(in.varint(3));
    s.open_ = u32();
    s.frozen_at_ = log_time{in.varint()};
    for (auto* v : {&s.shift_, &s.downtime_shift_, &s.control_seq_, &s.forgot_seq_, &s.forgotten_end_, &s.forgotten_early_}) *v = in.varint();
    if (in.varint() != s.seats_.size()) return false;
    s.totals_ = {};
    for (auto& seat : s.seats_) {
      const auto marks = in.u8();
      seat.state = (marks & 2U) != 0 ? seat_state::blocked : seat_state::free;
      seat.withdrawn = (marks & 4U) != 0;
      if ((marks & 1U) == 0) {
        seat.allocation = static_cast<std::uint8_t>(in.varint(s.allocations_ - 1));
        seat.reason = in.varint(0xffff) & 0xffffU;
        seat.seq = in.varint((std::uint64_t{1} << 48U) - 1);
        if (seat.seq == 0) return false;  // nothing ever happened to it, so that it is as in the plan
      }
      ++(seat.state == seat_state::blocked ? s.totals_.blocked : s.totals_.free);
      if (seat.withdrawn) ++s.totals_.withdrawn;
    }
    if (in.varint() != s.stocks_.size()) return false;
    for (auto& st : s.stocks_) {
      st.capacity = static_cast<std::uint32_t>(in.varint(std::uint64_t{limits::area_places_max} * limits::allocations_max));
      st.blocked = static_cast<std::uint32_t>(in.varint(st.capacity));
      st.debt = static_cast<std::uint32_t>(in.varint(st.capacity));
      st.seq = in.varint();
      s.totals_.free += st.capacity - st.blocked;
      s.totals_.blocked += st.blocked;
      s.totals_.withdrawn += st.debt;
    }
    return in.ok();
  }

  /// What can only be said once all holds are there.
  [[nodiscard]] bool places_fit() const {
    for (const auto& seat : s.seats_)
      if (seat.withdrawn && seat.hold == 0) return false;
    const auto& areas = s.terms_->seating->areas;
    for (std::uint32_t a = 0; a < areas.size(); ++a) {
      std::uint64_t there = 0, planned = 0;
      for (const auto n : areas[a].capacity) planned += n;
      for (std::uint32_t n = 0; n < s.allocations_; ++n) {
        const auto& st = s.stock_of(a, n);
        if (st.debt > st.occupied()) return false;
        there += st.capacity;
      }
      if (there != planned) return false;
    }
    return true;
  }

  [[nodiscard]] bool take(const state::part& p, std::uint32_t n, hold_state as) const {
    const auto what = as == hold_state::held ? seat_state::held : as == hold_state::paying ? seat_state::paying : seat_state::sold;
    auto& total = what == seat_state::held ? s.totals_.held : what == seat_state::paying ? s.totals_.paying : s.totals_.sold;
    if (!p.is_area) {
      auto& seat = s.seats_[p.number];
      if (seat.state != seat_state::free) return false;
      seat.state = what;
      seat.hold = n;
      --s.totals_.free;
      ++total;
      return true;
    }
    auto& st = s.stock_of(p.number, p.allocation);
    if (st.free() < p.count) return false;
    (what == seat_state::held ? st.held : what == seat_state::paying ? st.paying : st.sold) += p.count;
    s.totals_.free -= p.count;
    total += p.count;
    return true;
  }

  [[nodiscard]] bool parts(std::vector<state::part>& out) const {
    out.clear();
    const auto count = in.varint(std::uint64_t{limits::lines_max} * limits::allocations_max);
    for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
      state::part p;
      const auto word = in.varint(~0ULL >> 30U);
      p.is_area = word & 1U;
      p.cancelled = (word >> 1U) & 1U;
      p.number = (word >> 2U) & 0x7fff'ffffU;
      p.price = u32();
      p.count = 1;
      if (p.is_area) {
        p.count = in.varint(limits::area_places_max) & 0x3f'ffffU;
        p.allocation = in.varint(s.allocations_ - 1) & 0xffU;
        if (p.count == 0) return false;
      }
      if (p.number >= (p.is_area ? s.terms_->seating->areas.size() : s.seats_.size())) return false;
      out.push_back(p);
    }
    return in.ok() && !out.empty() && out.size() < (1U << 12U) && !one_seat_twice(out);
  }
  [[nodiscard]] static bool one_seat_twice(const std::vector<state::part>& parts) {
    if (parts.size() == 1) return false;
    std::vector<std::uint32_t> seats;
    for (const auto& p : parts)
      if (!p.is_area) seats.push_back(p.number);
    std::sort(seats.begin(), seats.end());
    return std::adjacent_find(seats.begin(), seats.end()) != seats.end();
  }

  [[nodiscard]] bool holds() const {
    const auto last = u32();
    if (last > in.left()) return false;
    std::vector<std::uint32_t> free(static_cast<std::size_t>(in.varint(last)));
    std::vector<bool> is_free(std::size_t{last} + 1);
    for (auto& n : free) {
      n = static_cast<std::uint32_t>(in.varint(last));
      if (!in.ok() || n == 0 || is_free[n]) return false;
      is_free[n] = true;
    }
    if (!in.ok()) return false;
    const auto used = last - free.size();
    s.holds_.restore(last, std::move(free));
    for (auto* index : {&s.id_index_, &s.owner_index_, &s.key_index_}) index->reserve(used);  // of an owner or key with several holds too much
    struct order { std::uint64_t seq; std::uint32_t hold; };
    std::vector<order> placed;
    std::vector<deadlines::entry> due;
    std::vector<state::part> read;
    for (auto n = u32(); n != 0; n = u32()) {
      if (!in.ok() || n > last || is_free[n] || s.holds_.at(n).state != hold_state::none) return false;
      auto& h = s.holds_.at(n);
      h.owner_ref = owner_ref(in.id());
      ++s.owners_.at(h.owner_ref).uses;
      const auto as = in.u8();
      if (as == 0 || as > static_cast<std::uint8_t>(hold_state::cancelled)) return false;
      h.state = static_cast<hold_state>(as);
      h.deadline = in.varint();
      h.lifetime_end = in.varint();
      h.seq = in.varint();
      h.channel = static_cast<channel_no>(in.varint(s.rules().channels.size() - 1));
      h.extensions = static_cast<std::uint8_t>(in.varint(255));
      h.attempts = static_cast<std::uint8_t>(in.varint(255));
      h.changes = static_cast<std::uint8_t>(in.varint(255));
      h.grace_used = in.varint(1) & 1U;
      if (in.varint(1) != 0) {
        h.extra_ref = s.extras_.add();
        auto& x = s.extras_.at(h.extra_ref);
        x.basket = in.id();
        x.attempt = in.id();
        x.former = in.varint();
      }
      if (h.state == hold_state::paying && h.extra_ref == 0) return false;
      if (!parts(read)) return false;
      const bool has_places = live(h.state) || h.state == hold_state::sold;
      h.parts = static_cast<std::uint16_t>(read.size());
      if (read.size() == 1) {
        h.one = read[0];
      } else if (!read.empty()) {
        h.list_class = list_pool<state::part>::class_for(read.size()) & 15U;
        h.one.price = s.lists_.add(h.list_class);
        std::copy(read.begin(), read.end(), s.lists_.at(h.list_class, h.one.price));
      }
      for (const auto& p : read) {
        if (p.cancelled && h.state != hold_state::sold && h.state != hold_state::cancelled) return false;
        if (has_places && !p.cancelled && !take(p, n, h.state)) return false;
      }
      if (!keys(n, has_places)) return false;
      const auto ids = in.varint(2 * limits::changes_per_hold_max + 80);
      if (ids == 0) return false;
      std::uint32_t* link = &h.id_ref;
      for (std::uint64_t i = 0; i < ids; ++i) {
        const auto ref = s.ids_.add();
        auto& e = s.ids_.at(ref);
        if (!id_entry(e) || s.find_id(s.owners_.at(h.owner_ref).id, e.id) != 0) return false;
        e.owner_ref = h.owner_ref;
        e.hold = n;
        s.id_index_.insert(s.hash_id(s.owners_.at(h.owner_ref).id, e.id), ref);
        *link = ref;
        link = &e.next;
      }
      const auto paid = in.varint(limits::payments_per_hold_max);
      link = &h.payments;
      for (std::uint64_t i = 0; i < paid; ++i) {
        const auto ref = s.payments_.add();
        if (!payment(s.payments_.at(ref))) return false;
        base::add_modulo(s.paid_, s.payments_.at(ref).amount);
        *link = ref;
        link = &s.payments_.at(ref).next;
      }
      if (h.payments == 0 && (h.state == hold_state::sold || h.state == hold_state::cancelled)) return false;
      if (live(h.state)) {
        ++s.live_;
        ++s.owners_.at(h.owner_ref).live;
        due.push_back({h.deadline, n});
        areas(n);
      } else if (h.state == hold_state::sold) {
        ++s.orders_;
      } else if (h.state != hold_state::cancelled) {
        ++s.ended_count_;
      }
      placed.push_back({s.ids_.at(h.id_ref).seq, n});
    }
    if (!in.ok() || placed.size() != used) return false;
    std::sort(due.begin(), due.end());
    for (const auto& e : due) s.due_.add(s.holds_, e.number);
    std::sort(placed.begin(), placed.end(), [](const order& a, const order& b) { return a.seq < b.seq; });
    for (const auto& o : placed) {
      auto& h = s.holds_.at(o.hold);
      auto& owner = s.owners_.at(h.owner_ref);
      auto& first = live(h.state) ? owner.live_first : owner.rest_first;
      h.of_owner_next = first;
      if (first != 0) s.holds_.at(first).of_owner_previous = o.hold;
      first = o.hold;
    }
    return in.ok();
  }

  [[nodiscard]] bool keys(std::uint32_t n, bool counted) const {
    auto& h = s.holds_.at(n);
    const auto count = in.varint(limits::keys_max);
    h.keys = count & 7U;
    std::uint8_t kinds_from = 0;
    for (std::uint64_t i = 0; i < count; ++i) {
      limit_key k;
      k.kind = static_cast<key_kind>(in.u8());
      k.value = in.id();
      // One of a kind, in their order.
      if (!in.ok() || static_cast<std::uint8_t>(k.kind) < kinds_from || static_cast<std::uint8_t>(k.kind) >= key_kinds) return false;
      kinds_from = static_cast<std::uint8_t>(static_cast<std::uint8_t>(k.kind) + 1);
      auto ref = s.find_key(k);
      if (ref == 0) {
        ref = s.keys_.add();
        s.keys_.at(ref).value = k.value;
        s.keys_.at(ref).kind = k.kind;
        s.key_index_.insert(s.hash_key(k), ref);
      }
      auto& key = s.keys_.at(ref);
      ++key.uses;
      const auto m = s.members_.add();
      auto& member = s.members_.at(m);
      member.hold = n;
      member.target = ref;
      member.of_hold = h.members;
      h.members = m;
      if (live(h.state)) {
        member.next = key.live_first;
        if (key.live_first != 0) s.members_.at(key.live_first).previous = m;
        key.live_first = m;
      }
      if (!counted) continue;
      const auto& masks = s.masks_[static_cast<std::size_t>(k.kind)];
      for (std::size_t x = 0; x < masks.size(); ++x)
        for (const auto& p : s.parts_of(h))
          if (!p.cancelled && ((masks[x] >> s.category_of(p.is_area ? place_kind::area : place_kind::seat, p.number)) & 1U) != 0)
            key.counts[x] += p.count;
    }
    return in.ok();
  }

  void areas(std::uint32_t n) const {
    auto& h = s.holds_.at(n);
    for (const auto& p : s.parts_of(h)) {
      if (!p.is_area) continue;
      const std::uint32_t target = p.number | state::area_bit;
      bool joined = false;
      for (auto m = h.members; m != 0 && !joined; m = s.members_.at(m).of_hold) joined = s.members_.at(m).target == target;
      if (joined) continue;
      const auto m = s.members_.add();
      s.members_.at(m).hold = n;
      s.members_.at(m).target = target;
      s.members_.at(m).of_hold = h.members;
      h.members = m;
      s.area_due_[p.number].push({h.deadline, n, m}, [&](std::uint32_t node, std::uint32_t at) { s.members_.at(node).previous = at; });
    }
  }

  [[nodiscard]] bool rest() const {
    const auto ended = in.varint(in.left());
    std::vector<bool> has_ended(std::size_t{s.holds_.last()} + 1);
    for (std::uint64_t i = 0; i < ended; ++i) {
      const session::ended e{u32(), in.varint()};
      if (!in.ok() || !s.holds_.has(e.hold) || has_ended[e.hold]) return false;
      has_ended[e.hold] = true;
      const auto& h = s.holds_.at(e.hold);
      // One that money came for later stays in the queue, but is not forgotten; any other goes with all it has.
      if (h.state == hold_state::none || live(h.state) || (h.payments == 0 && h.attempts != 0)) return false;
      s.ended_.push_back(e);
    }
    const auto ids = in.varint(limits::operator_ids_max);
    for (std::uint64_t i = 0; i < ids; ++i) {
      const auto ref = s.ids_.add();
      if (!id_entry(s.ids_.at(ref)) || s.find_id({}, s.ids_.at(ref).id) != 0) return false;
      s.id_index_.insert(s.hash_id({}, s.ids_.at(ref).id), ref);
      s.operator_ids_.push_back(ref);
    }
    const auto refunds = in.varint(in.left());
    for (std::uint64_t i = 0; i < refunds; ++i) {
      state::refund r;
      r.amount = in.zigzag();
      r.owner = in.id();
      r.hold = in.id();
      r.recorded = in.varint();
      r.seq = in.varint();
      const auto reason = in.u8();
      if (!in.ok() || r.amount < 0 || reason == 0 || reason > static_cast<std::uint8_t>(refund_reason::cancelled)) return false;
      r.reason = static_cast<refund_reason>(reason);
      r.settled = in.u8() != 0;
      if (r.settled) r.settled_with = in.id();
      if (!r.settled) {
        ++s.refunds_open_;
        base::add_modulo(s.due_back_, r.amount);
      }
      if (r.reason == refund_reason::unknown_hold || r.reason == refund_reason::cancelled) {
        auto& o = s.owners_.at(owner_ref(r.owner));
        ++o.uses;
        r.of_owner = o.refund_first;
        o.refund_first = static_cast<std::uint32_t>(i + 1);
        if (r.reason == refund_reason::unknown_hold && !r.settled) ++s.strays_open_;
      }
      s.refunds_.push_back(r);
    }
    if (refund_named > refunds) return false;
    const auto strays = in.varint(in.left());
    std::uint32_t before = 0;
    for (std::uint64_t i = 0; i < strays; ++i) {
      const auto ref = s.strays_.add();
      auto& e = s.strays_.at(ref);
      e.owner = in.id();
      e.hold = in.id();
      if (!payment(e.paid) || e.paid.refund <= before || e.paid.refund > refunds) return false;
      if (s.find_stray(e.owner, e.hold, e.paid.reference) != 0) return false;
      before = e.paid.refund;
      base::add_modulo(s.paid_, e.paid.amount);
      s.stray_index_.insert(s.hash_stray(e.owner, e.hold, e.paid.reference), ref);
    }
    const auto owners = in.varint(in.left());
    for (std::uint64_t i = 0; i < owners; ++i) {
      const auto id = in.id();
      const auto ref = s.find_owner(id);
      if (!in.ok() || ref == 0) return false;
      s.owners_.at(ref).seq = in.varint();
    }
    const auto keys_known = in.varint(in.left());
    for (std::uint64_t i = 0; i < keys_known; ++i) {
      limit_key k;
      k.kind = static_cast<key_kind>(in.u8());
      k.value = in.id();
      if (!in.ok() || static_cast<std::uint8_t>(k.kind) >= key_kinds) return false;
      const auto ref = s.find_key(k);
      if (ref == 0) return false;
      s.keys_.at(ref).seq = in.varint((std::uint64_t{1} << 48U) - 1);
    }
    return in.done();
  }
};

base::result<session> session::load(session_id id, base::byte_view state, std::shared_ptr<const plan> seating, const session_options& options) {
  const auto bad = [&](const char* what) {
    return base::error{base::trouble::bad_bytes, std::string("session state: ") + what};
  };
  base::byte_reader in(state);
  if (in.varint() != state_version) return bad("unknown version");
  std::pmr::monotonic_buffer_resource arena;
  auto created = decode_command(command_tag::create_session, command_form::whole, in, arena);
  if (!created) return created.failure();
  auto terms = std::make_shared<session_terms>(*std::get<create_session>(*created).terms);
  terms->seating = std::move(seating);
  session s(id, std::move(terms), options);
  const loader l{.s = s, .in = in};
  if (!l.places()) return bad("seats or areas do not fit the plan");
  if (!l.holds() || !l.places_fit()) return bad("a hold contradicts the seats or the plan");
  if (!l.rest()) return bad("refunds, ids or the end do not fit");
  return s;
}

}  // namespace holdfast::core
