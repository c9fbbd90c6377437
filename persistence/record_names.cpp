// Records' names, and the hold that an event is about.
#include <array>

#include "persistence/record_codec.hpp"

namespace holdfast::persistence {

core::hold_no hold_of(const core::event& e) {
  return std::visit(
      []<class E>(const E& x) -> core::hold_no {
        if constexpr (requires { x.hold; }) {
          return x.hold;
        } else {
          return {};
        }
      },
      e);
}

std::string_view name_of(const core::event& e) { return event_name(e.index()); }

std::string_view event_name(std::size_t number) {
  static constexpr std::array<std::string_view, std::variant_size_v<core::event>> names = {
      "session_created", "sale_opened",     "sale_paused",    "sale_resumed",    "sale_closed",      "sale_frozen",
      "hold_placed",     "hold_changed",    "hold_extended",  "payment_begun",   "payment_rejected", "hold_confirmed",
      "refund_recorded", "hold_released",   "order_cancelled", "refund_closed",  "places_blocked",   "places_unblocked",
      "places_allocated", "deadlines_shifted", "fault_cleared", "holds_expired",
  };
  return number < names.size() ? names[number] : "unknown";
}

std::string_view name_of(core::command_tag t) {
  static constexpr std::array<std::string_view, core::command_tags> names = {
      "create_session",  "open_sale",    "pause_sale",    "resume_sale",   "close_sale",     "freeze_sale",
      "hold_seats",      "change_hold",  "extend_hold",   "begin_payment", "payment_failed", "confirm_hold",
      "release_hold",    "cancel_order", "settle_refund", "block_places",  "unblock_places", "allocate_places",
      "shift_deadlines", "clear_fault",  "expire_due",
  };
  return names[static_cast<std::size_t>(t)];
}

}  // namespace holdfast::persistence
