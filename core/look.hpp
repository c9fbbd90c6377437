// What looks show. Made on the session's thread, so each is bounded: long ones come in pages.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "core/answer.hpp"
#include "core/command.hpp"
#include "core/types.hpp"

namespace holdfast::core {

inline constexpr std::uint32_t plan_seats_per_page = 1'024;
inline constexpr std::uint32_t seats_per_page = 65'536;
inline constexpr std::uint32_t holds_per_page = 256;
inline constexpr std::uint32_t changes_per_page = 256;
inline constexpr std::uint32_t owner_items_max = 256;

struct place_counts {
  std::uint64_t free = 0, held = 0, paying = 0, sold = 0, blocked = 0;
  std::uint64_t withdrawn = 0;  ///< of held, paying and sold: blocked when they come back
};

struct session_seen {
  std::string name, currency, organiser_ref, zone;
  session_class kind = session_class::real;
  std::int64_t starts_at = 0;
  sale_state sale = sale_state::announced;
  channel_set open_channels = 0;
  bool frozen = false, faulted = false;
  bool expiries_pending = false;  ///< holds that are due have not been expired yet; counts still show them
  place_counts places;
  std::uint64_t seats = 0, areas = 0;
  std::uint64_t live_holds = 0, orders = 0, ended_holds = 0, forgotten_early = 0;
  std::uint64_t refunds_open = 0, refunds_total = 0;
  std::int64_t amount_paid = 0;         ///< minor units: all that confirms brought, sold or due back
  std::int64_t amount_refunds_due = 0;  ///< minor units: due and not settled
  std::uint64_t shift_us = 0, downtime_shift_us = 0;
  std::uint32_t plan_revision = 1;
  sequence last;
  log_time next_deadline;  ///< of the hold that is due next, in log time; 0 if none
};

struct line_seen {
  line what;
  bool cancelled = false;
};

struct payment_seen {
  std::uint64_t reference_hash = 0;  ///< the bytes stand in journal and index
  std::int64_t amount = 0;
  payment_kind kind = payment_kind::card;
  money_outcome outcome = money_outcome::none;
  refund_reason reason = refund_reason::none;
  refund_no number;
};

struct hold_seen {
  hold_no number;
  owner_id owner;
  hold_id id;
  hold_state state = hold_state::none;
  channel_no channel = 0;
  log_time deadline, lifetime_end;
  std::uint32_t extensions = 0, attempts = 0;
  basket_id basket;
  std::vector<line_seen> lines;
  std::vector<payment_seen> payments;
};

struct seat_seen {
  seat_state state = seat_state::free;
  bool withdrawn = false;
  reason_code reason = 0;       ///< of a block
  std::uint8_t allocation = 0, category = 0;
  owner_id owner;               ///< zero for buyers and free seats
  hold_id hold;
  log_time deadline;
  sequence changed;             ///< the seat's last record
};

struct refund_seen {
  refund_no number;
  refund_reason reason = refund_reason::none;
  std::int64_t amount = 0;
  bool settled = false;
  owner_id owner;
  hold_id hold;
};

struct owner_seen {
  std::vector<hold_seen> holds;      ///< newest first, at most owner_items_max
  std::vector<refund_seen> refunds;
  bool more = false;
};

enum class fate : std::uint8_t { accepted = 0, not_so_far = 1, older = 2 };
struct fate_seen {
  core::fate what = core::fate::not_so_far;
  answer first;        ///< accepted: the answer, marked repeated, with the present state
  command_tag command = command_tag::hold_seats;
};

struct plan_page_seen {
  std::uint32_t page = 0, pages = 0;
  std::shared_ptr<const plan> whole;  ///< the encoder takes seats [page * plan_seats_per_page, ...); page 0 also rows, areas, categories
};

struct area_seen {
  std::vector<place_counts> allocations;  ///< index = allocation
};
struct seats_seen {
  std::uint32_t page = 0, pages = 0;
  std::uint32_t first = 0;              ///< seat number of states[0]
  std::vector<std::uint8_t> states;     ///< seat_state, plus 0x80 if withdrawn
  std::vector<area_seen> areas;         ///< page 0 only
  bool expiries_pending = false;
};

/// One durable record in brief, as shops follow them.
struct change {
  sequence number;
  log_time at;
  command_tag command = command_tag::hold_seats;
  hold_state state = hold_state::none;  ///< of the hold after the record; none for operators' commands
  owner_id owner;
  hold_id hold;
  refund_no refund;
};
struct changes_seen {
  std::vector<change> items;
  sequence next_since;  ///< ask again with this
  bool more = false;
};

struct holds_seen {
  std::vector<hold_seen> items;
  std::uint32_t next_from = 0;  ///< 0: no more
};

using seen = std::variant<session_seen, hold_seen, seat_seen, owner_seen, fate_seen, plan_page_seen, seats_seen, changes_seen, holds_seen>;

}  // namespace holdfast::core
