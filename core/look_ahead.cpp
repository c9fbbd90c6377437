// Fetching memory before a decision needs it. A decision waits for some eight lines of memory that lie anywhere; each is asked for
// a few commands ahead, in as many steps as one address leads to the next.
#include "core/lookup.hpp"

namespace holdfast::core {

void session::look_ahead(const envelope& head, const command& asked, table_places& ahead) const {
  hash(head, asked, ahead);
  visit_command(asked, [&](const auto& c) {
    using kind = std::decay_t<decltype(c)>;
    if constexpr (requires { c.hold; } || requires { c.order; }) id_index_.prefetch(ahead.named);
    if constexpr (!std::is_same_v<kind, confirm_hold>) id_index_.prefetch(ahead.id);
    if constexpr (std::is_same_v<kind, hold_seats>) {
      owner_index_.prefetch(ahead.owner);
      for (const auto& l : c.lines)
        if (l.kind == place_kind::seat && l.number < seats_.size()) base::prefetch(seats_[l.number]);
    }
  });
}

bool session::seats_free(lines asked) const {
  for (const auto& l : asked)
    if (l.kind == place_kind::seat && l.number < seats_.size() && seats_[l.number].state != seat_state::free) return false;
  return true;
}

void session::fetch_entries(const command& asked, const table_places& ahead, std::size_t further) const {
  visit_command(asked, [&](const auto& c) {
    using kind = std::decay_t<decltype(c)>;
    if constexpr (requires { c.hold; } || requires { c.order; }) ids_.prefetch(id_index_.guess(ahead.named));
    if constexpr (!std::is_same_v<kind, confirm_hold>) ids_.prefetch(id_index_.guess(ahead.id));
    if constexpr (std::is_same_v<kind, hold_seats>) {
      owners_.prefetch(owner_index_.guess(ahead.owner));
      // Limits come after places: while a seat is not free, nobody will look at the keys, nor will a hold be placed.
      if (!seats_free(c.lines)) return;
      for (std::size_t i = 0; i < std::min<std::size_t>(c.keys.size(), limits::keys_max); ++i) key_index_.prefetch(ahead.key[i]);
      holds_.prefetch_next(further);
      ids_.prefetch_next(further);
      members_.prefetch_next(further);
    }
  });
}

std::uint32_t session::guess_hold(std::uint64_t hash) const {
  const auto id = id_index_.guess(hash);
  return id == 0 ? 0 : ids_.at(id).hold;
}

void session::fetch_holds(const command& asked, const table_places& ahead) const {
  visit_command(asked, [&](const auto& c) {
    using kind = std::decay_t<decltype(c)>;
    if constexpr (requires { c.hold; } || requires { c.order; }) {
      const auto id = id_index_.guess(ahead.named);
      if (id == 0) return;
      holds_.prefetch(ids_.at(id).hold);
      owners_.prefetch(ids_.at(id).owner_ref);
    }
    if constexpr (std::is_same_v<kind, hold_seats>) {
      if (seats_free(c.lines)) {
        for (std::size_t i = 0; i < std::min<std::size_t>(c.keys.size(), limits::keys_max); ++i)
          keys_.prefetch(key_index_.guess(ahead.key[i]));
        return;
      }
      for (const auto& l : c.lines)
        if (l.kind == place_kind::seat && l.number < seats_.size() && seats_[l.number].state != seat_state::sold)
          holds_.prefetch(seats_[l.number].hold);
    }
  });
}

void session::fetch_parts(const command& asked, const table_places& ahead) const {
  visit_command(asked, [&](const auto& c) {
    if constexpr (requires { c.hold; } || requires { c.order; }) {
      const auto n = guess_hold(ahead.named);
      if (n == 0) return;
      const auto& h = holds_.at(n);
      if (h.parts == 1 && !h.one.is_area) base::prefetch(seats_[h.one.number]);
      members_.prefetch(h.members);
      due_.prefetch(holds_, h);
      holds_.prefetch(h.of_owner_next);
    }
    static_cast<void>(c);
  });
}

void session::fetch_around(const state::hold& h) const {
  owners_.prefetch(h.owner_ref);
  members_.prefetch(h.members);
  ids_.prefetch(h.id_ref);
  holds_.prefetch(h.of_owner_next);
  if (h.parts == 1 && !h.one.is_area) base::prefetch(seats_[h.one.number]);
}

void session::fetch_ending(std::span<const hold_no> holds, std::size_t at) const {
  if (at + 12 < holds.size()) holds_.prefetch(holds[at + 12].value);
  if (at + 8 < holds.size()) fetch_around(holds_.at(holds[at + 8].value));
  if (at + 4 < holds.size())
    if (const auto m = holds_.at(holds[at + 4].value).members; m != 0 && (members_.at(m).target & state::area_bit) == 0)
      keys_.prefetch(members_.at(m).target);
}

void session::fetch_forgotten() const {
  if (ended_.size() <= 16) return;
  holds_.prefetch(ended_[16].hold);
  fetch_around(holds_.at(ended_[12].hold));
  const auto& h = holds_.at(ended_[8].hold);
  if (h.id_ref != 0) {
    const auto& owner = owners_.at(h.owner_ref).id;
    id_index_.prefetch(hash_id(owner, ids_.at(h.id_ref).id));
    owner_index_.prefetch(hash_owner(owner));
  }
  if (h.members != 0 && (members_.at(h.members).target & state::area_bit) == 0) keys_.prefetch(members_.at(h.members).target);
  if (const auto m = holds_.at(ended_[4].hold).members; m != 0 && (members_.at(m).target & state::area_bit) == 0) {
    const auto& k = keys_.at(members_.at(m).target);
    key_index_.prefetch(hash_key({k.kind, k.value}));
  }
}

}  // namespace holdfast::core
