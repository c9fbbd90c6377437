// What a session allows, channel by channel. Written into the journal with the session, so that the journal
// alone decides every result.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "core/types.hpp"

namespace holdfast::core {

/// At most `places_max` places, held plus sold, whose category is in `categories`, for one key of `kind`.
struct limit_rule {
  key_kind kind = key_kind::account;
  std::uint64_t categories = ~std::uint64_t{0};  ///< bit n: category n
  std::uint32_t places_max = 6;
  friend bool operator==(const limit_rule&, const limit_rule&) = default;
};

struct channel_policy {
  std::string name;
  std::vector<limit_rule> rules;                 ///< a kind named here must come with every hold
  std::uint32_t lines_max = 10;                  ///< lines a hold
  std::uint32_t holds_per_owner_max = 10;        ///< live holds
  interval_ms hold_max = 15 * 60'000;            ///< longest interval of a hold or extension
  interval_ms paying_max = 15 * 60'000;          ///< longest interval of a payment
  interval_ms lifetime_max = 60 * 60'000;        ///< from placing to the last possible deadline
  std::uint32_t extensions_max = 10;             ///< a hold
  std::uint32_t attempts_max = 5;                ///< payment attempts a hold
  std::uint32_t allocations = 1;                 ///< bit n: may take allocation n (bit 0: public)
  friend bool operator==(const channel_policy&, const channel_policy&) = default;
};

struct policy {
  std::vector<channel_policy> channels;              ///< index = channel_no
  interval_ms pay_min = 60'000;                      ///< a payment that could not have this long is refused before money
  interval_ms id_min = 10 * 60'000;                  ///< ids of ended holds are kept at least this long, unless the table is full
  interval_ms late_confirm_max = 15 * 60'000;        ///< on the hold clock after the hold's deadline
  std::uint64_t ended_holds_max = 0;                 ///< 0: the larger of 8 x places and 1,000,000
  std::uint64_t ended_holds_hard_max = 0;            ///< the table is full here, younger ones go too; 0: twice ended_holds_max
  std::uint32_t unknown_refunds_max = 10'000;        ///< refunds due for unknown holds that may be open; beyond: refunds_full
  std::uint32_t expiries_per_step = 4'096;           ///< beside those that a command touches
  friend bool operator==(const policy&, const policy&) = default;
};

/// The shipped rows: 0 `public` (six per account), 1 `box_office` (no limit, 500 lines, paying up to 14 days).
[[nodiscard]] policy default_policy();

/// Names the row and the key that is wrong.
[[nodiscard]] base::result<void> check_policy(const policy& p);

void encode_policy(const policy& p, base::byte_writer& out);
[[nodiscard]] base::result<policy> decode_policy(base::byte_reader& in);

}  // namespace holdfast::core
