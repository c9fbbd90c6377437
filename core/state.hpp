// How a session lies in memory. Private to core; sizes are part of the promise (docs/PERFORMANCE.md), hence the assertions.
// References named *_ref are slab numbers, 0 is none. `seq` is the number of the last record that touched the entry.
#pragma once

#include <cstdint>

#include "core/answer.hpp"
#include "core/command.hpp"
#include "core/types.hpp"

namespace holdfast::core::state {

struct seat {
  std::uint32_t hold = 0;  ///< who has it: held, paying or sold
  seat_state state = seat_state::free;
  bool withdrawn = false;
  std::uint8_t category = 0;
  std::uint8_t allocation = 0;
  std::uint64_t seq : 48 = 0;
  std::uint64_t reason : 16 = 0;
};
static_assert(sizeof(seat) == 16);

/// An area's places of one allocation.
struct stock {
  std::uint32_t capacity = 0, held = 0, paying = 0, sold = 0, blocked = 0;
  std::uint32_t debt = 0;  ///< places that become blocked as they come back
  std::uint64_t seq = 0;
  [[nodiscard]] std::uint32_t free() const { return capacity - held - paying - sold - blocked; }
  [[nodiscard]] std::uint32_t occupied() const { return held + paying + sold; }
};

/// A line as a hold keeps it; an area line drawn from several allocations is several of these, in the order of drawing.
struct part {
  std::uint32_t number : 31 = 0;
  std::uint32_t is_area : 1 = 0;
  price_ref price = 0;
  std::uint32_t count : 22 = 0;
  std::uint32_t allocation : 8 = 0;
  std::uint32_t cancelled : 1 = 0;
};
static_assert(sizeof(part) == 12);
static_assert(limits::area_places_max < (1U << 22U));

/// What became of an accepted command, by its id: what a repeat is answered from.
struct id_entry {
  id128 id;
  std::uint64_t content = 0;    ///< hash of what was asked
  std::uint64_t value = 0;      ///< granted deadline in log time, or refund number, by command
  std::uint64_t seq : 56 = 0;   ///< of its record
  std::uint64_t command : 8 = 0;
  std::uint32_t owner_ref = 0;  ///< 0: owner 0
  std::uint32_t hold = 0;
  std::uint32_t next = 0;       ///< next id of the same hold
};
static_assert(sizeof(id_entry) <= 56);

struct owner {
  id128 id;
  std::uint64_t seq = 0;
  std::uint32_t live_first = 0;  ///< live holds
  std::uint32_t rest_first = 0;  ///< orders and ended holds
  std::uint32_t live = 0;
  std::uint32_t refund_first = 0;  ///< refunds for unknown holds and cancelled orders
  std::uint32_t uses = 0;          ///< holds and refunds that need this entry
};

struct key {
  id128 value;
  std::uint64_t seq : 48 = 0;
  key_kind kind = key_kind::account;
  std::uint32_t counts[limits::masks_per_kind_max] = {};  ///< places held, paying and sold, per category mask of the kind
  std::uint32_t live_first = 0;                           ///< memberships of live holds
  std::uint32_t uses = 0;                                 ///< memberships of all remembered holds
};
static_assert(sizeof(key) == 48);

/// A hold under a limit key, or in an area.
struct member {
  std::uint32_t hold = 0;
  std::uint32_t target = 0;   ///< key_ref, or area number with the top bit set
  std::uint32_t previous = 0; ///< keys: in the key's list of live holds; areas: position in the area's heap
  std::uint32_t next = 0;
  std::uint32_t of_hold = 0;  ///< next membership of the same hold
};
inline constexpr std::uint32_t area_bit = 0x8000'0000;

/// What only some holds have: a basket, a payment under way.
struct extra {
  id128 basket;
  id128 attempt;             ///< hash of the present attempt's reference
  std::uint64_t former = 0;  ///< deadline of the held state, hold clock
};

struct payment {
  id128 reference;           ///< hash
  std::int64_t amount = 0;
  std::uint64_t seq : 48 = 0;
  payment_kind kind = payment_kind::card;
  refund_reason reason = refund_reason::none;
  std::int64_t back = 0;     ///< given or due back on the order that it bought
  std::uint32_t refund = 0;  ///< 0: this payment bought the order
  std::uint32_t next = 0;
};
static_assert(sizeof(payment) == 48);

/// A payment for a hold that nobody knows.
struct stray {
  id128 owner;
  id128 hold;
  state::payment paid;
};

struct refund {
  std::int64_t amount = 0;
  id128 settled_with;        ///< hash of the reference
  id128 owner;
  id128 hold;
  std::uint64_t seq = 0;     ///< of its record or, once settled, of that
  std::uint64_t recorded = 0;  ///< of its record
  std::uint32_t of_owner = 0;  ///< next such refund of the owner
  refund_reason reason = refund_reason::none;
  bool settled = false;
};

struct hold {
  std::uint64_t deadline = 0;      ///< hold clock
  std::uint64_t lifetime_end = 0;  ///< hold clock
  std::uint64_t seq = 0;
  std::uint32_t id_ref = 0;        ///< its own id; the rest of its commands' ids follow by id_entry::next
  std::uint32_t owner_ref = 0;
  std::uint32_t of_owner_previous = 0, of_owner_next = 0;
  std::uint32_t due_previous = 0, due_next = 0;  ///< among those that are due; `deadlines` says how
  std::uint32_t members = 0;
  std::uint32_t payments = 0;      ///< newest first
  std::uint32_t extra_ref = 0;
  part one;                        ///< the only part, or (in `number`) the list of parts
  std::uint16_t parts = 0;         ///< how many
  hold_state state = hold_state::none;
  channel_no channel = 0;
  std::uint8_t extensions = 0;
  std::uint8_t attempts = 0;
  std::uint8_t changes = 0;
  std::uint8_t list_class : 4 = 0;
  std::uint8_t grace_used : 1 = 0;
  std::uint8_t keys : 3 = 0;       ///< how many of `members` are keys
};
static_assert(sizeof(hold) <= 80);

}  // namespace holdfast::core::state
