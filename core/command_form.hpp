// How the content of a command lies in bytes: what reading and writing share. Private to the command codec.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

// The content of a command begins with a head byte, then come its fields in this order. `?` stands only if the head or
// the extras say so; OWNER and HOLD are 16 bytes each and left out by form; the rest are varints unless it says
// otherwise.
//
//   head          bits 0-6 by command, below; bit 7: an extras byte follows
//   extras        bit 0: options at the end; bit 1: a basket; bit 2: a plan revision other than 1. Never 0
//
//   create_session  -               name:text class:u8 currency:text organiser_ref:text starts_at:zigzag zone:text
//                                   plan_revision policy
//   open_sale, close_sale           bit 6: channels?
//   pause_sale, resume_sale, freeze_sale, expire_due   -
//   hold_seats      bits 0-5 KEYS   OWNER keys lines interval plan_revision? basket:16?
//   change_hold     -               OWNER HOLD add:lines drop:lines plan_revision?
//   extend_hold     -               OWNER HOLD interval
//   begin_payment   bits 0-5 KEYS   OWNER HOLD attempt:text interval keys
//   payment_failed  -               OWNER HOLD attempt:text
//   confirm_hold    bits 0-2 kind   OWNER HOLD payment:text amount:zigzag
//   release_hold    bit 6 withdrawn OWNER HOLD lines
//   cancel_order    bit 6 withdrawn OWNER HOLD lines amount:zigzag
//   settle_refund   -               number reference:text
//   block_places    -               ranges reason
//   unblock_places  -               ranges
//   allocate_places -               ranges allocation:u8
//   shift_deadlines -               by reason
//   clear_fault     -               shift
//
//   KEYS   bits 0-2: how many limit keys, 7: a varint with how many less 7 follows; bits 3-5: the kind of the first
//   keys   value:16, then for each other kind:u8 value:16
//   lines  n << 1 | counted, n times: number << 1 | kind (0 seat, 1 area), count (areas; seats if counted), price
//          counted is set only if some seat line has another count than 1, so that this too reaches the rules
//   ranges n, n times: first << 2 | odd << 1 | kind; seats: last - first as zigzag; areas: count, allocation:u8
//          odd is set only if a field has a value that its kind does not use: then last - first, count and
//          allocation all follow
//   text   length, bytes
//   options  n >= 1, n times: tag, length, bytes; tags ascending, an odd tag is critical. None is known yet

namespace holdfast::core::command_bytes {

inline constexpr std::uint8_t head_extras = 0x80;
inline constexpr std::uint8_t head_flag = 0x40;  // withdrawn, or channels
inline constexpr std::uint8_t head_keys = 0x3f;
inline constexpr std::uint8_t keys_escape = 7;
inline constexpr std::uint8_t extra_options = 1;
inline constexpr std::uint8_t extra_basket = 2;
inline constexpr std::uint8_t extra_revision = 4;
inline constexpr std::size_t options_max = 16;
inline constexpr std::uint64_t u32_max = std::numeric_limits<std::uint32_t>::max();

}  // namespace holdfast::core::command_bytes
