// What a record does to what is found beside a hold: limit keys, areas' own heaps, deadlines, owners, ids. Internal to core.
#pragma once

#include "base/hash.hpp"
#include "base/planted.hpp"
#include "core/apply_places.hpp"

namespace holdfast::core {

struct link_changes : place_changes {
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
  /// Whoever is refused because this hold lives on must wait for this record: so all that it stands in is touched.
  void set_deadline(std::uint32_t hold, hold_time t) const {
    auto& h = s.holds_.at(hold);
    s.due_.remove(s.holds_, hold);
    h.deadline = t.value;
    s.due_.add(s.holds_, hold);
    s.owners_.at(h.owner_ref).seq = seq;
    for (const auto& p : s.parts_of(h))
      if (p.is_area) s.stock_of(p.number, p.allocation).seq = seq;
    for (auto m = h.members; m != 0; m = s.members_.at(m).of_hold) {
      const auto& member = s.members_.at(m);
      if ((member.target & state::area_bit) == 0) {
        s.keys_.at(member.target).seq = seq;
        continue;
      }
      if (planted(bug::extension_missing_for_areas)) continue;
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
    if (h.of_owner_next != 0 && !planted(bug::owner_list_breaks_in_the_middle)) s.holds_.at(h.of_owner_next).of_owner_previous = h.of_owner_previous;
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
};

}  // namespace holdfast::core
