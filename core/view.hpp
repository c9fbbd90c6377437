// What the gateway may say without asking the session: made of durable state only, judged by one rule.
//
// One thread writes (the journal's, after the sync of a block and before any of its answers leaves), any thread reads.
// Every word is an atomic of its own: a reader may see a block half applied, which can only delay a "no" or, for a seat
// given back a moment ago, say a "no" that was true when the request was read.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/answer.hpp"
#include "core/command.hpp"
#include "core/plan.hpp"
#include "core/types.hpp"

namespace holdfast::core {

/// How a record changes the view. "Gone" is sold or blocked; a held place is not gone.
struct view_change {
  enum class kind : std::uint8_t { seat_gone, seat_back, area_gone, area_back, seat_allocated, control } what = kind::control;
  std::uint8_t allocation = 0;      ///< of the place; control: sale_state
  std::uint8_t other = 0;           ///< seat_allocated: the new allocation; control: bit 0 frozen, bit 1 faulted
  std::uint32_t number = 0;         ///< seat or area; control: the open channels
  std::uint32_t count = 0;          ///< areas: places
};

/// What can be said of places without asking the session.
struct view_says {
  refusal refused = refusal::none;  ///< none: ask the session
  std::uint64_t lines = 0;          ///< bitmap: which of the first 64 lines offend
  sequence tells_of;                ///< the newest record that this tells of; it is durable
};

class sale_view {
 public:
  sale_view(std::shared_ptr<const plan> seating, const policy& rules);

  // ---- the writer ----
  void apply(std::span<const view_change> changes, sequence durable);

  // ---- readers ----
  /// What the funnel says to a *new hold* or added lines in `channel`: not_open, paused, closed, frozen, faulted, sold_out (for the
  /// channel as a whole), or sold_out with the bitmap of lines whose seats are gone; `none` passes it on.
  [[nodiscard]] view_says judge(channel_no channel, lines asked) const;
  [[nodiscard]] sequence durable() const { return sequence{durable_.load(std::memory_order_acquire)}; }
  [[nodiscard]] std::size_t channels() const { return takes_.size(); }

 private:
  [[nodiscard]] bool gone(std::uint32_t seat) const {
    return ((words_[seat / 64].load(std::memory_order_relaxed) >> (seat % 64)) & 1U) != 0;
  }
  std::shared_ptr<const plan> plan_;
  std::vector<std::uint32_t> takes_;               ///< per channel: allocations it may take
  std::unique_ptr<std::atomic<std::uint64_t>[]> words_;    ///< seats gone
  std::unique_ptr<std::atomic<std::uint8_t>[]> allocation_;  ///< of each seat
  std::unique_ptr<std::atomic<std::int64_t>[]> area_left_; ///< area x allocation: not gone
  std::atomic<std::int64_t> left_[limits::allocations_max]{};  ///< places not gone, per allocation
  std::atomic<std::uint64_t> control_{0};          ///< sale_state | frozen << 8 | faulted << 9 | open channels << 32
  std::atomic<std::uint64_t> durable_{0};
};

}  // namespace holdfast::core
