// Every invariant of a session, counted anew from its holds. For tests and the audit; proportional to the state.
#include <algorithm>
#include <map>

#include "base/modulo.hpp"
#include "core/decider.hpp"

namespace holdfast::core {

struct verifier {
  const session& s;

  static void must(bool good, const char* what) { HOLDFAST_CHECK(good, what); }

  void all() const {
    place_counts sum;
    std::map<std::pair<std::uint32_t, std::uint32_t>, place_counts> areas;
    std::map<limit_key, std::vector<std::uint64_t>> counted;
    std::vector<std::uint32_t> holder(s.seats_.size(), 0);
    std::uint64_t live_holds = 0, orders = 0, ended = 0;
    std::int64_t paid = 0;

    for (std::uint32_t n = 1; n <= s.holds_.last(); ++n) {
      const auto& h = s.holds_.at(n);
      if (h.state == hold_state::none) continue;
      must(h.id_ref != 0 && h.owner_ref != 0, "a hold without id or owner");
      must(h.parts > 0, "a hold without lines");
      live_holds += live(h.state) ? 1 : 0;
      orders += h.state == hold_state::sold ? 1 : 0;
      ended += h.state == hold_state::released || h.state == hold_state::expired ? 1 : 0;
      must(live(h.state) || (h.due_previous == 0 && h.due_next == 0), "a hold that has ended stands among those that are due");
      std::size_t key_count = 0;
      for (auto m = h.members; m != 0; m = s.members_.at(m).of_hold) {
        const auto target = s.members_.at(m).target;
        if ((target & state::area_bit) != 0) continue;
        ++key_count;
        const auto& k = s.keys_.at(target);
        auto& counts = counted[{k.kind, k.value}];
        const auto& masks = s.masks_[static_cast<std::size_t>(k.kind)];
        counts.resize(masks.size());
        if (!live(h.state) && h.state != hold_state::sold) continue;
        for (std::size_t x = 0; x < masks.size(); ++x)
          for (const auto& p : s.parts_of(h))
            if (!p.cancelled && ((masks[x] >> s.category_of(p.is_area ? place_kind::area : place_kind::seat, p.number)) & 1U) != 0)
              counts[x] += p.count;
      }
      must(key_count == h.keys, "a hold miscounts its limit keys");
      for (auto p = h.payments; p != 0; p = s.payments_.at(p).next) base::add_modulo(paid, s.payments_.at(p).amount);
      if (!live(h.state) && h.state != hold_state::sold) continue;
      for (const auto& p : s.parts_of(h)) {
        if (p.cancelled) continue;
        if (p.is_area) {
          auto& a = areas[{p.number, p.allocation}];
          (h.state == hold_state::held ? a.held : h.state == hold_state::paying ? a.paying : a.sold) += p.count;
          continue;
        }
        must(holder[p.number] == 0, "two holds have one seat");
        holder[p.number] = n;
        const auto want = h.state == hold_state::held ? seat_state::held : h.state == hold_state::paying ? seat_state::paying : seat_state::sold;
        must(s.seats_[p.number].state == want && s.seats_[p.number].hold == n, "a seat and its hold disagree");
      }
    }
    must(live_holds == s.live_ && live_holds == s.due_.size(), "live holds are miscounted");
    must(orders == s.orders_ && ended == s.ended_count_, "orders or ended holds are miscounted");

    for (std::uint32_t n = 0; n < s.seats_.size(); ++n) {
      const auto& seat = s.seats_[n];
      must((seat.hold != 0) == (holder[n] != 0), "a seat is held by nobody, or by a hold that ended");
      must(!seat.withdrawn || seat.hold != 0, "only an occupied seat is withdrawn");
      sum.withdrawn += seat.withdrawn ? 1 : 0;
      switch (seat.state) {
        case seat_state::free: ++sum.free; break;
        case seat_state::held: ++sum.held; break;
        case seat_state::paying: ++sum.paying; break;
        case seat_state::sold: ++sum.sold; break;
        case seat_state::blocked: ++sum.blocked; break;
      }
    }
    for (std::uint32_t a = 0; a < s.terms_->seating->areas.size(); ++a)
      for (std::uint32_t n = 0; n < s.allocations_; ++n) {
        const auto& st = s.stock_of(a, n);
        const auto& c = areas[{a, n}];
        must(c.held == st.held && c.paying == st.paying && c.sold == st.sold, "an area and its holds disagree");
        must(std::uint64_t{st.held} + st.paying + st.sold + st.blocked <= st.capacity, "an area is over its capacity");
        must(st.debt <= st.occupied(), "an area owes more places than are occupied");
        sum.free += st.free();
        sum.held += st.held;
        sum.paying += st.paying;
        sum.sold += st.sold;
        sum.blocked += st.blocked;
        sum.withdrawn += st.debt;
      }
    const auto& t = s.totals_;
    must(sum.free == t.free && sum.held == t.held && sum.paying == t.paying && sum.sold == t.sold && sum.blocked == t.blocked &&
             sum.withdrawn == t.withdrawn,
         "the session's totals are wrong");
    must(t.free + t.held + t.paying + t.sold + t.blocked == s.terms_->seating->places(), "places are lost or made");

    must(counted.size() == s.keys_.live(), "limit keys that nobody has");
    for (const auto& [k, counts] : counted) {
      const auto ref = s.find_key(k);
      must(ref != 0, "a limit key is not found");
      for (std::size_t x = 0; x < counts.size(); ++x) must(s.keys_.at(ref).counts[x] == counts[x], "a limit key is miscounted");
    }
    std::uint64_t open = 0;
    std::int64_t due = 0;
    for (std::size_t i = 0; i < s.refunds_.size(); ++i) {
      if (s.refunds_[i].settled) continue;
      ++open;
      base::add_modulo(due, s.refunds_[i].amount);
    }
    must(open == s.refunds_open_ && due == s.due_back_, "open refunds are miscounted");
    for (std::uint32_t n = 1; n <= s.strays_.last(); ++n) base::add_modulo(paid, s.strays_.at(n).paid.amount);
    must(paid == s.paid_, "money is miscounted");
    lists();
    deadlines();
  }

  /// Whom an owner's and a key's lists name, and that they can be walked in both directions: what is taken out of the middle is found by them.
  void lists() const {
    std::map<std::uint32_t, std::pair<std::uint64_t, std::uint64_t>> of_owner;  // live ones, others
    std::map<std::uint32_t, std::uint64_t> of_key;                              // live memberships
    for (std::uint32_t n = 1; n <= s.holds_.last(); ++n) {
      const auto& h = s.holds_.at(n);
      if (h.state == hold_state::none) continue;
      ++(live(h.state) ? of_owner[h.owner_ref].first : of_owner[h.owner_ref].second);
      for (auto m = h.members; m != 0; m = s.members_.at(m).of_hold) {
        must(s.members_.at(m).hold == n, "a membership is another hold's");
        if ((s.members_.at(m).target & state::area_bit) == 0) of_key[s.members_.at(m).target] += live(h.state) ? 1 : 0;
      }
    }
    for (const auto& [ref, count] : of_owner) {
      const auto& o = s.owners_.at(ref);
      must(o.live == count.first, "an owner's live holds are miscounted");
      owner_list(ref, o.live_first, count.first, true);
      owner_list(ref, o.rest_first, count.second, false);
    }
    for (const auto& [ref, count] : of_key) {
      std::uint64_t found = 0;
      std::uint32_t before = 0;
      for (auto m = s.keys_.at(ref).live_first; m != 0 && found <= count; before = m, m = s.members_.at(m).next, ++found) {
        const auto& member = s.members_.at(m);
        must(member.previous == before, "a limit key's list does not lead back");
        must(member.target == ref && live(s.holds_.at(member.hold).state), "a limit key's list names a hold that is not under it");
      }
      must(found == count, "a limit key's list leaves out a hold");
    }
  }
  void owner_list(std::uint32_t ref, std::uint32_t first, std::uint64_t count, bool of_live) const {
    std::uint64_t found = 0;
    std::uint32_t before = 0;
    for (auto n = first; n != 0 && found <= count; before = n, n = s.holds_.at(n).of_owner_next, ++found) {
      const auto& h = s.holds_.at(n);
      must(h.of_owner_previous == before, "an owner's list does not lead back");
      must(h.owner_ref == ref && live(h.state) == of_live, "an owner's list names a hold that is not in it");
    }
    must(found == count, "an owner's list leaves out a hold");
  }

  /// Each live hold is due at its deadline, once in all and once in each area where it has places.
  void deadlines() const {
    deadlines::walk walk;
    std::map<std::uint32_t, std::uint64_t> due, due_in_area;  // by hold, by membership
    std::size_t entries = 0;
    deadlines::entry before{};
    s.due_.visit_until(s.holds_, ~std::uint64_t{0}, s.due_.size() + 1, walk, [&](const deadlines::entry& e) {
      must(before.number != 0 ? before < e : *s.due_.first() == e, "holds do not stand in the order in which they are due");
      before = e;
      due[e.number] = e.time;
    });
    for (const auto& heap : s.area_due_) {
      heap.visit_until(~std::uint64_t{0}, heap.size(), walk.front, [&](const due_heap::entry& e) { due_in_area[e.node] = e.time; });
      entries += heap.size();
    }
    std::size_t live_holds = 0, in_areas = 0;
    for (std::uint32_t n = 1; n <= s.holds_.last(); ++n) {
      const auto& h = s.holds_.at(n);
      if (!live(h.state)) continue;
      ++live_holds;
      must(due.contains(n) && due[n] == h.deadline, "a hold is due at another time than its deadline");
      for (auto m = h.members; m != 0; m = s.members_.at(m).of_hold) {
        if ((s.members_.at(m).target & state::area_bit) == 0) continue;
        must(due_in_area.contains(m) && due_in_area[m] == h.deadline, "a hold is due in its area at another time than its deadline");
        ++in_areas;
      }
    }
    must(due.size() == live_holds && due.size() == s.due_.size(), "a hold that has ended is still due");
    must(due_in_area.size() == in_areas && entries == in_areas, "a hold that has ended is still due in an area");
  }
};

void session::verify() const { verifier{*this}.all(); }

session::footprint session::memory() const {
  footprint f{};
  f.seats = seats_.size() * sizeof(state::seat) + stocks_.size() * sizeof(state::stock);
  f.holds = holds_.last() * sizeof(state::hold) + due_.bytes() + members_.last() * sizeof(state::member) +
            extras_.last() * sizeof(state::extra) + payments_.last() * sizeof(state::payment) + refunds_.size() * sizeof(state::refund);
  f.ids = ids_.last() * sizeof(state::id_entry);
  f.owners = owners_.last() * sizeof(state::owner);
  f.keys = keys_.last() * sizeof(state::key);
  f.indexes = id_index_.bytes() + owner_index_.bytes() + key_index_.bytes() + stray_index_.bytes();
  return f;
}

}  // namespace holdfast::core
