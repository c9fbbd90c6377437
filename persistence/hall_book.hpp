// The auditor's own bookkeeping of a session, kept from its records alone: which seat is whose, what is sold, what each
// limit key has, whose time is over, what is owed. It is naive on purpose and shares no code with the rules, so a
// mistake of the rules and of the session's state cannot hide in both.
//
// It says what no record may do; whether a record is exactly what the rules decide is the replay's question
// (audit.hpp).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/event.hpp"

namespace holdfast::persistence {

/// Money that is owed to a buyer.
struct open_refund {
  core::refund_no number;
  core::refund_reason reason = core::refund_reason::none;
  std::int64_t amount = 0;  ///< minor units of the session's currency
  core::owner_id owner;
  core::hold_id hold;       ///< also if no such hold is known
  core::log_time since;
};

/// Places by what has become of them. `free` and `blocked` count seats only: an area's blocks are the session's affair.
struct book_counts {
  std::uint64_t free = 0, held = 0, paying = 0, sold = 0, blocked = 0, withdrawn = 0;
};

class hall_book {
 public:
  /// What is wrong with a record, in words; nothing if nothing is.
  using finding = std::optional<std::string>;

  /// Needs terms with their plan.
  explicit hall_book(std::shared_ptr<const core::session_terms> terms);

  /// Books a record of the session but its first. After a finding the book is of no further use.
  finding book(const core::record& r);

  [[nodiscard]] const book_counts& seats() const { return seats_count_; }
  /// Places of all areas; free and blocked are 0.
  [[nodiscard]] const book_counts& areas() const { return areas_count_; }
  [[nodiscard]] const std::map<std::uint32_t, open_refund>& refunds_open() const { return refunds_; }
  [[nodiscard]] std::uint32_t refunds() const { return refunds_made_; }
  [[nodiscard]] std::uint64_t orders() const { return orders_; }

 private:
  struct seat {
    std::uint32_t hold = 0;  ///< who has it, 0 nobody
    bool out = false;        ///< blocked, or to be blocked when it comes back
  };
  struct area {
    std::uint64_t capacity = 0;
    std::uint64_t taken = 0;  ///< held, paying and sold
  };
  struct hold {
    core::hold_state state = core::hold_state::none;
    core::channel_no channel = 0;
    std::uint64_t deadline = 0;
    core::owner_id owner;
    core::hold_id id;
    std::vector<core::limit_key> keys;
    std::vector<core::line> lines;
    std::int64_t paid = 0, given_back = 0;
  };
  struct key_hash {
    std::size_t operator()(const core::limit_key& k) const {
      return std::hash<core::id128>{}(k.value) ^ static_cast<std::size_t>(k.kind);
    }
  };
  using tally = std::vector<std::pair<std::uint8_t, std::int64_t>>;  ///< category, places

  finding on(const core::hold_placed& e, const core::record& r);
  finding on(const core::hold_changed& e, const core::record& r);
  finding on(const core::hold_extended& e, const core::record& r);
  finding on(const core::payment_begun& e, const core::record& r);
  finding on(const core::payment_rejected& e, const core::record& r);
  finding on(const core::hold_confirmed& e, const core::record& r);
  finding on(const core::refund_recorded& e, const core::record& r);
  finding on(const core::hold_released& e, const core::record& r);
  finding on(const core::order_cancelled& e, const core::record& r);
  finding on(const core::refund_closed& e, const core::record& r);
  finding on(const core::places_blocked& e, const core::record& r);
  finding on(const core::places_unblocked& e, const core::record& r);
  finding on(const core::holds_expired& e, const core::record& r);
  finding on(const core::sale_opened& e, const core::record& r);
  finding on(const core::sale_paused& e, const core::record& r);
  finding on(const core::sale_resumed& e, const core::record& r);
  finding on(const core::sale_closed& e, const core::record& r);
  finding on(const core::sale_frozen& e, const core::record& r);
  finding on(const core::deadlines_shifted& e, const core::record& r);
  finding on(const core::fault_cleared& e, const core::record& r);
  template <class E>
  finding on(const E&, const core::record&) { return {}; }  // moves nothing that the book keeps

  static std::string place(const core::line& l);
  [[nodiscard]] std::uint64_t hold_clock(core::log_time at) const;
  hold* find(core::hold_no n);
  hold* live(core::hold_no n);
  static std::uint64_t& counted(book_counts& c, core::hold_state s);
  [[nodiscard]] std::uint8_t category(const core::line& l) const;
  finding take(std::uint32_t number, const hold& h, const core::line& l, core::hold_state as);
  finding give(std::uint32_t number, const hold& h, const core::line& l, bool withdrawn);
  finding drop(std::uint32_t number, hold& h, core::lines lines, bool withdrawn);
  void move(hold& h, core::hold_state to);
  static void add_to(tally& t, std::uint8_t category, std::int64_t places);
  finding limits(std::span<const core::limit_key> keys, core::channel_no channel, const tally& more) const;
  static finding same_places(std::span<const core::line> lines, core::pieces pieces);
  finding owe(core::refund_no number, core::refund_reason reason, std::int64_t amount, core::owner_id owner,
              core::hold_id id, core::log_time at);

  std::shared_ptr<const core::session_terms> terms_;
  std::vector<seat> seats_;
  std::vector<area> areas_;
  std::vector<hold> holds_;  ///< index: hold number
  std::unordered_map<core::limit_key, tally, key_hash> keys_;
  std::map<std::uint32_t, open_refund> refunds_;
  book_counts seats_count_, areas_count_;
  std::uint32_t refunds_made_ = 0;
  std::uint64_t orders_ = 0;
  core::sale_state sale_ = core::sale_state::announced;
  core::channel_set open_ = 0;
  std::uint64_t shift_ = 0;
  std::optional<std::uint64_t> frozen_at_;
};

}  // namespace holdfast::persistence
