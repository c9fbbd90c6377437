// What reading and writing records share. Private to the record codec.
#pragma once

#include <array>
#include <limits>

#include "core/command_codec.hpp"
#include "persistence/record_codec.hpp"

namespace holdfast::persistence::record_form {

using core::command_tag;

inline constexpr std::uint64_t u32_max = std::numeric_limits<std::uint32_t>::max();
inline constexpr std::uint8_t role_bits = 0x07;
inline constexpr std::uint8_t channel_shift = 3;
inline constexpr std::uint8_t id_bit = 0x80;
inline constexpr std::uint8_t roles = 7;
inline constexpr std::uint64_t option_note = 1;

static_assert(core::limits::channels_max == 16, "the channel has four bits in a record");
static_assert(static_cast<std::uint8_t>(core::role::recovery) == roles - 1);

template <class T, class V>
struct index_in;
template <class T, class... Ts>
struct index_in<T, std::variant<Ts...>> {
  static constexpr std::size_t value = [] {
    std::size_t i = 0;
    const bool hit = ((std::is_same_v<T, Ts> || (++i, false)) || ...);
    return hit ? i : sizeof...(Ts);
  }();
};
template <class T>
inline constexpr std::size_t event_no = index_in<T, core::event>::value;

/// Which command an event can belong to; confirm has two events.
inline constexpr std::array<command_tag, std::variant_size_v<core::event>> command_of_event = {
    command_tag::create_session,  command_tag::open_sale,       command_tag::pause_sale,
    command_tag::resume_sale,     command_tag::close_sale,      command_tag::freeze_sale,
    command_tag::hold_seats,      command_tag::change_hold,     command_tag::extend_hold,
    command_tag::begin_payment,   command_tag::payment_failed,  command_tag::confirm_hold,
    command_tag::confirm_hold,    command_tag::release_hold,    command_tag::cancel_order,
    command_tag::settle_refund,   command_tag::block_places,    command_tag::unblock_places,
    command_tag::allocate_places, command_tag::shift_deadlines, command_tag::clear_fault,
    command_tag::expire_due,
};
static_assert(event_no<core::hold_placed> == 6 && event_no<core::hold_confirmed> == 11 &&
              event_no<core::holds_expired> == 21);

/// Commands on a hold may leave owner and hold id to the number in the event.
inline bool on_a_hold(command_tag t) {
  switch (t) {
    case command_tag::change_hold:
    case command_tag::extend_hold:
    case command_tag::begin_payment:
    case command_tag::payment_failed:
    case command_tag::confirm_hold:
    case command_tag::release_hold:
    case command_tag::cancel_order: return true;
    default: return false;
  }
}

inline core::command_form form_of(command_tag t, const core::event& e) {
  return on_a_hold(t) && hold_of(e).value != 0 ? core::command_form::by_number : core::command_form::whole;
}

/// What a deadline is written relative to. Arithmetic is modulo 2^64 on both sides, so nothing can be lost.
inline std::uint64_t deadline_base(core::log_time at, const core::command& c) {
  return std::visit(
      [&]<class C>(const C& x) -> std::uint64_t {
        if constexpr (requires { x.interval; }) {
          return at.value + std::uint64_t{x.interval} * core::us_per_ms;
        } else {
          return at.value;
        }
      },
      c);
}

}  // namespace holdfast::persistence::record_form
