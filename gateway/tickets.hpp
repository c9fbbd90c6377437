// What a loop remembers of each request until its answer comes: a slab with a free list, no allocation per request.
//
// A ticket is slot | generation << 32. Actors carry it and give it back exactly once.
#pragma once

#include <cstdint>
#include <vector>

#include "base/check.hpp"
#include "gateway/credits.hpp"

namespace holdfast::gateway {

/// Names a connection of a loop: slot | generation << 32. A late answer finds its slot taken by somebody else, and is dropped.
using connection_id = std::uint64_t;

struct open_request {
  connection_id from = 0;
  std::uint64_t request_id = 0;
  std::uint64_t read_ns = 0;  ///< steady clock
  std::uint16_t kind = 0;
  weight took = weight::plain;
  bool for_desk = false;      ///< asked by the desk (desk.hpp), which knows for whom
};

class tickets {
 public:
  [[nodiscard]] std::uint64_t issue(const open_request& r) {
    if (free_.empty()) {
      free_.push_back(static_cast<std::uint32_t>(slots_.size()));
      slots_.emplace_back();
    }
    const auto at = free_.back();
    free_.pop_back();
    slots_[at].request = r;
    slots_[at].taken = true;
    return at | std::uint64_t{slots_[at].generation} << 32U;
  }
  open_request redeem(std::uint64_t ticket) {
    const auto at = static_cast<std::uint32_t>(ticket);
    HOLDFAST_CHECK(at < slots_.size() && slots_[at].taken && slots_[at].generation == ticket >> 32U, "an answer to nothing that was asked");
    slots_[at].taken = false;
    ++slots_[at].generation;
    free_.push_back(at);
    return slots_[at].request;
  }
  [[nodiscard]] std::size_t open() const { return slots_.size() - free_.size(); }

 private:
  struct slot {
    open_request request;
    std::uint32_t generation = 0;
    bool taken = false;
  };
  std::vector<slot> slots_;
  std::vector<std::uint32_t> free_;
};

}  // namespace holdfast::gateway
