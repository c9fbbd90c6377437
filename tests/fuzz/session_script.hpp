// A story for one session as bytes: what happens, when, and the very frames in which it is asked. Written by the seeds and the
// mutator, played by sessions.cpp.
//
//   u8    number of the terms (halls.hpp)
//   then items, as many as there are whole ones:
//     u8    bits 0-1 who: shop, buyer, admin, or the schedule; bits 2-3 what: 0 a frame, 1 a restart, 2 a fault; bit 4: the step ends here
//     u32   microseconds since the step before; counts for the first item of a step
//     ...   a frame: whole, from a client, as on that listener. Its client deadline counts from the step's time
#pragma once

#include <cstdint>
#include <memory_resource>
#include <optional>
#include <vector>

#include "protocol/codec.hpp"

namespace holdfast::fuzz {

inline constexpr std::size_t script_items_max = 64;
inline constexpr std::uint32_t script_frame_bytes_max = 4096;
inline constexpr core::session_id script_session{7};

struct script_item {
  enum class kind : std::uint8_t { frame, restart, fault } what = kind::frame;
  std::uint8_t who = 0;
  bool ends_step = false;
  std::uint32_t after_us = 0;
  base::bytes frame;
};

struct script {
  std::uint8_t terms = 0;
  std::vector<script_item> items;
};

/// Takes what is there; what does not continue as a script is left away.
[[nodiscard]] script read_script(base::byte_view in);
void write_script(const script& s, base::bytes& out);

/// The connection that `who` speaks on.
[[nodiscard]] const protocol::connection_context& connection_of(std::uint8_t who);
/// What an item asks; nothing if no session would be asked.
[[nodiscard]] std::optional<protocol::request> request_of(const script_item& i, std::pmr::memory_resource& arena);
/// The frame that asks it.
[[nodiscard]] base::bytes frame_of(const protocol::request& r, std::uint8_t who);

}  // namespace holdfast::fuzz
