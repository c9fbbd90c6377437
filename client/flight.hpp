// The requests of one connection that have no answer yet: their frames are kept, so that they can be sent again as they were.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/bytes.hpp"
#include "base/check.hpp"

namespace holdfast::client {

/// A request id is place + 1 in the lower 24 bits and the number of its use above. An answer to an earlier use finds nothing.
class flight {
 public:
  struct request {
    base::bytes frame;         ///< keeps its memory for the next one
    std::uint64_t ticket = 0;
    std::uint64_t order = 0;   ///< of sending, from 1; 0: not in use
    std::uint64_t uses = 0;
    std::int64_t sent_ns = 0;
    bool sent = false;         ///< bytes of it may have reached the server
    bool retried = false;
  };

  /// A place for a new request, with an empty frame.
  [[nodiscard]] request& take(std::uint64_t& request_id) {
    if (free_.empty()) {
      HOLDFAST_CHECK(all_.size() < places_max, "more requests in flight on a connection than request ids can tell apart");
      free_.push_back(static_cast<std::uint32_t>(all_.size()));
      all_.emplace_back();
    }
    const auto place = free_.back();
    free_.pop_back();
    auto& r = all_[place];
    r.frame.clear();
    r.order = ++order_;
    ++r.uses;
    r.sent = r.retried = false;
    ++size_;
    request_id = (r.uses << place_bits) | (place + 1);
    return r;
  }
  /// Null: nobody waits for that.
  [[nodiscard]] request* find(std::uint64_t request_id) {
    const auto place = (request_id & places_max) - 1;
    if (place >= all_.size()) return nullptr;
    auto& r = all_[static_cast<std::size_t>(place)];
    return r.order != 0 && r.uses == request_id >> place_bits ? &r : nullptr;
  }
  void give_back(request& r) {
    r.order = 0;
    --size_;
    free_.push_back(static_cast<std::uint32_t>(&r - all_.data()));
  }
  [[nodiscard]] std::size_t size() const { return size_; }

  /// All in flight, in the order in which they were sent first. Allocates; for the road back to the server.
  [[nodiscard]] std::vector<request*> in_order() {
    std::vector<request*> all;
    for (auto& r : all_)
      if (r.order != 0) all.push_back(&r);
    std::ranges::sort(all, {}, &request::order);
    return all;
  }
  /// When the request that waits longest was sent; 0: none waits.
  [[nodiscard]] std::int64_t oldest_ns() const {
    std::int64_t oldest = 0;
    for (const auto& r : all_)
      if (r.order != 0 && (oldest == 0 || r.sent_ns < oldest)) oldest = r.sent_ns;
    return oldest;
  }

 private:
  static constexpr unsigned place_bits = 24;
  static constexpr std::uint64_t places_max = (std::uint64_t{1} << place_bits) - 1;

  std::vector<request> all_;
  std::vector<std::uint32_t> free_;
  std::size_t size_ = 0;
  std::uint64_t order_ = 0;
};

}  // namespace holdfast::client
