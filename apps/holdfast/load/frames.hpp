// Requests as bytes that were encoded once: an operation copies one of them and writes over what differs, so that making a request
// costs the generator less than the server's reading of it.
//
//   hold       16 session  24 deadline  32 id  48 channel  49 head  50 owner  66 key   82 lines  83 seat, price, interval, options
//   confirm    16 session  24 -         32 -   48 channel  49 head  50 owner  66 hold  82 length of the payment  83 payment, amount, options
//   release    16 session  24 deadline  32 id  48 channel  49 head  50 owner  66 hold  82 lines, options
//   look_seat  16 session  24 seat (u32)  28 options
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.hpp"
#include "core/types.hpp"

namespace holdfast::cli::load {

/// Who asks, and about which hold.
struct buyer {
  base::id128 owner, hold;
};

class frames {
 public:
  static constexpr std::size_t bytes_max = 128;  ///< of any frame below

  frames(core::channel_no channel, core::interval_ms hold_for);

  /// Each writes a whole frame to `to`, which has room for bytes_max, and returns its length. Request ids are not 0.
  std::size_t hold(std::uint8_t* to, std::uint64_t request, core::session_id s, core::log_time deadline, const buyer& b,
                   std::uint32_t seat) const;
  /// The payment reference is the hold's id: as random, and one that nothing has to remember.
  std::size_t confirm(std::uint8_t* to, std::uint64_t request, core::session_id s, const buyer& b) const;
  std::size_t release(std::uint8_t* to, std::uint64_t request, core::session_id s, core::log_time deadline, const buyer& b,
                      const base::id128& command) const;
  std::size_t look(std::uint8_t* to, std::uint64_t request, core::session_id s, std::uint32_t seat) const;

 private:
  base::bytes hold_, confirm_, release_, look_;
};

inline constexpr std::int64_t price_paid = 5'000;  ///< in every confirm, minor units

}  // namespace holdfast::cli::load
