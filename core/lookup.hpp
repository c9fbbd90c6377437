// Finding things in a session's tables: inline, because every decision does several. Internal to core.
#pragma once

#include "base/hash.hpp"
#include "base/planted.hpp"
#include "core/session.hpp"

namespace holdfast::core {

inline std::uint64_t session::hash_owner(const id128& o) const { return base::keyed_hash(o, options_.hash_key ^ 0x6f776e6572ULL); }
inline std::uint64_t session::hash_key(const limit_key& k) const {
  return base::keyed_hash(k.value, options_.hash_key ^ (0x6b6579ULL + static_cast<std::uint64_t>(k.kind)));
}
inline std::uint64_t session::hash_id(const id128& owner, const id128& id) const {
  if (planted(bug::holds_of_anybody)) return base::keyed_hash(id, options_.hash_key);
  return base::keyed_hash({id.hi ^ (owner.hi * 0xff51afd7ed558ccdULL), id.lo + owner.lo}, options_.hash_key ^ 0x6964ULL);
}
inline std::uint64_t session::hash_stray(const id128& owner, const id128& hold, const id128& reference) const {
  return hash_id(owner, {hold.hi ^ reference.hi, hold.lo + reference.lo});
}

inline std::uint32_t session::find_owner(const id128& o, std::uint64_t hash) const {
  return owner_index_.find(hash, [&](std::uint32_t ref) { return owners_.at(ref).id == o; });
}
inline std::uint32_t session::find_key(const limit_key& k, std::uint64_t hash) const {
  return key_index_.find(hash, [&](std::uint32_t ref) { return keys_.at(ref).value == k.value && keys_.at(ref).kind == k.kind; });
}
inline std::uint32_t session::find_id(const id128& owner, const id128& id, std::uint64_t hash) const {
  return id_index_.find(hash, [&](std::uint32_t ref) {
    const auto& e = ids_.at(ref);
    if (planted(bug::holds_of_anybody)) return e.id == id;
    return e.id == id && (e.owner_ref == 0 ? owner.zero() : owners_.at(e.owner_ref).id == owner);
  });
}
inline std::uint32_t session::find_hold(const id128& owner, const id128& hold, std::uint64_t hash) const {
  const auto ref = find_id(owner, hold, hash);
  if (ref == 0 || ids_.at(ref).command != static_cast<std::uint64_t>(command_tag::hold_seats)) return 0;
  return ids_.at(ref).hold;
}
inline std::uint32_t session::find_stray(const id128& owner, const id128& hold, const id128& reference) const {
  return stray_index_.find(hash_stray(owner, hold, reference), [&](std::uint32_t ref) {
    const auto& e = strays_.at(ref);
    return e.owner == owner && e.hold == hold && e.paid.reference == reference;
  });
}

inline std::span<const state::part> session::parts_of(const state::hold& h) const {
  if (h.parts == 1) return {&h.one, 1};
  if (h.parts == 0) return {};
  return {lists_.at(h.list_class, h.one.price), h.parts};
}
inline std::span<state::part> session::parts_of(state::hold& h) {
  const auto parts = std::as_const(*this).parts_of(h);
  return {const_cast<state::part*>(parts.data()), parts.size()};
}

/// Calls `visit` with the command as its own type; holds and confirms, nearly all of a sale, without the jump table.
template <class Visit>
decltype(auto) visit_command(const command& asked, Visit&& visit) {
  if (const auto* hold = std::get_if<hold_seats>(&asked)) return visit(*hold);
  if (const auto* confirm = std::get_if<confirm_hold>(&asked)) return visit(*confirm);
  return std::visit(visit, asked);
}

/// The owner whom a command names; zero for operators' commands on the session.
template <class Command>
[[nodiscard]] id128 owner_in(const Command& c) {
  if constexpr (requires { c.owner; }) return c.owner.value;
  else return {};
}
/// The hold or order that a command names; zero if none.
template <class Command>
[[nodiscard]] id128 hold_in(const Command& c) {
  if constexpr (requires { c.hold; }) return c.hold.value;
  else if constexpr (requires { c.order; }) return c.order.value;
  else return {};
}

inline void session::hash(const envelope& head, const command& asked, table_places& out) const {
  visit_command(asked, [&](const auto& c) {
    using kind = std::decay_t<decltype(c)>;
    const auto owner = owner_in(c);
    if constexpr (!std::is_same_v<kind, confirm_hold>) out.id = hash_id(owner, head.id.value);
    if constexpr (requires { c.hold; } || requires { c.order; }) out.named = hash_id(owner, hold_in(c));
    if constexpr (std::is_same_v<kind, hold_seats>) {
      out.owner = hash_owner(owner);
      for (std::size_t i = 0; i < std::min<std::size_t>(c.keys.size(), limits::keys_max); ++i) out.key[i] = hash_key(c.keys[i]);
    }
  });
}

}  // namespace holdfast::core
