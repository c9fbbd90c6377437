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
      must((h.heap != 0) == live(h.state), "a live hold without a deadline, or the other way");
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
  }
};

void session::verify() const { verifier{*this}.all(); }

session::footprint session::memory() const {
  footprint f{};
  f.seats = seats_.size() * sizeof(state::seat) + stocks_.size() * sizeof(state::stock);
  f.holds = holds_.last() * sizeof(state::hold) + due_.size() * sizeof(due_heap::entry) + members_.last() * sizeof(state::member) +
            extras_.last() * sizeof(state::extra) + payments_.last() * sizeof(state::payment) + refunds_.size() * sizeof(state::refund);
  f.ids = ids_.last() * sizeof(state::id_entry);
  f.owners = owners_.last() * sizeof(state::owner);
  f.keys = keys_.last() * sizeof(state::key);
  f.indexes = id_index_.bytes() + owner_index_.bytes() + key_index_.bytes() + stray_index_.bytes();
  return f;
}

}  // namespace holdfast::core
