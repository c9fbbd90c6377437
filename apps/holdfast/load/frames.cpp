#include "apps/holdfast/load/frames.hpp"

#include <array>
#include <cstring>

#include "base/check.hpp"
#include "protocol/codec.hpp"

namespace holdfast::cli::load {

namespace {

constexpr std::size_t request_at = 8, session_at = 16, deadline_at = 24, id_at = 32, owner_at = 50, key_at = 66, seat_at = 83;
constexpr std::size_t payment_at = 83, looked_seat_at = 24;
constexpr std::uint64_t any_request = 1;

template <class T>
void put(std::uint8_t* to, std::size_t at, const T& what) {
  static_assert(std::is_trivially_copyable_v<T>);
  std::memcpy(to + at, &what, sizeof what);
}
void put(std::uint8_t* to, std::size_t at, const base::id128& id) {
  put(to, at, id.hi);
  put(to, at + 8, id.lo);
}

base::bytes encoded(core::channel_no channel, const core::command& c) {
  core::envelope head;
  head.channel = channel;
  base::bytes b;
  protocol::encode_request(any_request, protocol::listener_kind::shop, core::session_id{}, head, c, false, b);
  return b;
}

}  // namespace

frames::frames(core::channel_no channel, core::interval_ms hold_for) {
  const core::limit_key keys[] = {{core::key_kind::account, {}}};
  const core::line lines[] = {{core::place_kind::seat, 0, 1, 1}};
  hold_ = encoded(channel, core::hold_seats{{}, keys, lines, hold_for, 1, {}});
  const std::array<std::uint8_t, 16> payment{};
  confirm_ = encoded(channel, core::confirm_hold{{}, {}, payment, price_paid, core::payment_kind::card});
  release_ = encoded(channel, core::release_hold{{}, {}, {}, false});
  protocol::encode_request(any_request, protocol::listener_kind::shop, core::session_id{}, core::look_seat{}, false, look_);
  constexpr std::size_t seat_growth = 4;  // of the seat's varint beyond its first byte
  HOLDFAST_CHECK(hold_.size() + seat_growth <= bytes_max && confirm_.size() <= bytes_max, "a frame is longer than its room");
}

std::size_t frames::hold(std::uint8_t* to, std::uint64_t request, core::session_id s, core::log_time deadline, const buyer& b,
                         std::uint32_t seat) const {
  std::memcpy(to, hold_.data(), seat_at);
  put(to, request_at, request);
  put(to, session_at, s.value);
  put(to, deadline_at, deadline.value);
  put(to, id_at, b.hold);
  put(to, owner_at, b.owner);
  put(to, key_at, b.owner);
  auto at = seat_at;
  auto v = std::uint64_t{seat} << 1U;
  for (; v >= 0x80; v >>= 7U) to[at++] = static_cast<std::uint8_t>(v | 0x80U);
  to[at++] = static_cast<std::uint8_t>(v);
  const auto rest = hold_.size() - (seat_at + 1);
  std::memcpy(to + at, hold_.data() + seat_at + 1, rest);
  const auto length = static_cast<std::uint32_t>(at + rest);
  put(to, 0, length);
  return length;
}

std::size_t frames::confirm(std::uint8_t* to, std::uint64_t request, core::session_id s, const buyer& b) const {
  std::memcpy(to, confirm_.data(), confirm_.size());
  put(to, request_at, request);
  put(to, session_at, s.value);
  put(to, owner_at, b.owner);
  put(to, key_at, b.hold);
  put(to, payment_at, b.hold);
  return confirm_.size();
}

std::size_t frames::release(std::uint8_t* to, std::uint64_t request, core::session_id s, core::log_time deadline, const buyer& b,
                            const base::id128& command) const {
  std::memcpy(to, release_.data(), release_.size());
  put(to, request_at, request);
  put(to, session_at, s.value);
  put(to, deadline_at, deadline.value);
  put(to, id_at, command);
  put(to, owner_at, b.owner);
  put(to, key_at, b.hold);
  return release_.size();
}

std::size_t frames::look(std::uint8_t* to, std::uint64_t request, core::session_id s, std::uint32_t seat) const {
  std::memcpy(to, look_.data(), look_.size());
  put(to, request_at, request);
  put(to, session_at, s.value);
  put(to, looked_seat_at, seat);
  return look_.size();
}

}  // namespace holdfast::cli::load
