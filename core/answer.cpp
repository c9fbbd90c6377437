#include "core/answer.hpp"

namespace holdfast::core {

std::string_view name_of(refusal r) {
  switch (r) {
    case refusal::none: return "none";
    case refusal::not_allowed: return "not_allowed";
    case refusal::zero_id: return "zero_id";
    case refusal::no_lines: return "no_lines";
    case refusal::duplicate_line: return "duplicate_line";
    case refusal::bad_count: return "bad_count";
    case refusal::zero_interval: return "zero_interval";
    case refusal::bad_reference: return "bad_reference";
    case refusal::negative_amount: return "negative_amount";
    case refusal::bad_keys: return "bad_keys";
    case refusal::deadline_not_wanted: return "deadline_not_wanted";
    case refusal::bad_range: return "bad_range";
    case refusal::bad_content: return "bad_content";
    case refusal::no_such_channel: return "no_such_channel";
    case refusal::no_such_place: return "no_such_place";
    case refusal::no_such_allocation: return "no_such_allocation";
    case refusal::too_many_lines: return "too_many_lines";
    case refusal::plan_changed: return "plan_changed";
    case refusal::limit_key_missing: return "limit_key_missing";
    case refusal::id_reused: return "id_reused";
    case refusal::deadline_missing: return "deadline_missing";
    case refusal::deadline_passed: return "deadline_passed";
    case refusal::deadline_too_far: return "deadline_too_far";
    case refusal::not_open: return "not_open";
    case refusal::paused: return "paused";
    case refusal::closed: return "closed";
    case refusal::frozen: return "frozen";
    case refusal::already: return "already";
    case refusal::faulted: return "faulted";
    case refusal::name_taken: return "name_taken";
    case refusal::unknown_session: return "unknown_session";
    case refusal::not_in_your_channel: return "not_in_your_channel";
    case refusal::blocked: return "blocked";
    case refusal::sold_out: return "sold_out";
    case refusal::none_free_now: return "none_free_now";
    case refusal::not_enough: return "not_enough";
    case refusal::unknown_hold: return "unknown_hold";
    case refusal::hold_ended: return "hold_ended";
    case refusal::hold_paying: return "hold_paying";
    case refusal::not_paying: return "not_paying";
    case refusal::not_this_attempt: return "not_this_attempt";
    case refusal::no_gain: return "no_gain";
    case refusal::too_many_changes: return "too_many_changes";
    case refusal::too_many_extensions: return "too_many_extensions";
    case refusal::too_many_attempts: return "too_many_attempts";
    case refusal::too_many_holds: return "too_many_holds";
    case refusal::over_limit: return "over_limit";
    case refusal::pay_time_short: return "pay_time_short";
    case refusal::not_in_hold: return "not_in_hold";
    case refusal::last_line: return "last_line";
    case refusal::payment_differs: return "payment_differs";
    case refusal::refunds_full: return "refunds_full";
    case refusal::amount_too_high: return "amount_too_high";
    case refusal::not_an_order: return "not_an_order";
    case refusal::unknown_refund: return "unknown_refund";
    case refusal::refund_settled: return "refund_settled";
    case refusal::busy: return "busy";
    case refusal::table_full: return "table_full";
    case refusal::no_such_page: return "no_such_page";
    case refusal::gap: return "gap";
  }
  return "unknown";
}

std::string_view name_of(sale_state s) {
  switch (s) {
    case sale_state::announced: return "announced";
    case sale_state::open: return "open";
    case sale_state::paused: return "paused";
    case sale_state::closed: return "closed";
  }
  return "unknown";
}

std::string_view name_of(hold_state s) {
  switch (s) {
    case hold_state::none: return "none";
    case hold_state::held: return "held";
    case hold_state::paying: return "paying";
    case hold_state::sold: return "sold";
    case hold_state::released: return "released";
    case hold_state::expired: return "expired";
    case hold_state::cancelled: return "cancelled";
  }
  return "unknown";
}

std::string_view name_of(seat_state s) {
  switch (s) {
    case seat_state::free: return "free";
    case seat_state::held: return "held";
    case seat_state::paying: return "paying";
    case seat_state::sold: return "sold";
    case seat_state::blocked: return "blocked";
  }
  return "unknown";
}

std::string_view name_of(refund_reason r) {
  switch (r) {
    case refund_reason::none: return "none";
    case refund_reason::unknown_hold: return "unknown_hold";
    case refund_reason::already_paid: return "already_paid";
    case refund_reason::released: return "released";
    case refund_reason::too_late: return "too_late";
    case refund_reason::seats_gone: return "seats_gone";
    case refund_reason::over_limit: return "over_limit";
    case refund_reason::cancelled: return "cancelled";
  }
  return "unknown";
}

}  // namespace holdfast::core
