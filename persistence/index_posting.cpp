#include "persistence/index_posting.hpp"

#include <algorithm>
#include <type_traits>

#include "base/hash.hpp"
#include "base/planted.hpp"
#include "persistence/record_codec.hpp"

namespace holdfast::persistence::index_bytes {

namespace {

bool numbered(table t) { return t == table::placed || t == table::on_hold || t == table::refund; }

subject of_id(table t, const base::id128& id) { return {t, base::stable_hash64(&id, sizeof id), 0}; }
subject of_reference(base::byte_view b) { return {table::reference, base::stable_hash64(b.data(), b.size()), 0}; }

base::byte_view reference_of(const core::command& c) {
  if (const auto* begin = std::get_if<core::begin_payment>(&c)) return begin->attempt;
  if (const auto* failed = std::get_if<core::payment_failed>(&c)) return failed->attempt;
  if (const auto* confirm = std::get_if<core::confirm_hold>(&c)) return confirm->payment;
  if (const auto* settle = std::get_if<core::settle_refund>(&c)) return settle->reference;
  return {};
}

/// A payment for a hold that the session did not know is recorded with the whole command.
const core::confirm_hold* of_unknown_hold(const core::record& r) {
  const auto* refund = std::get_if<core::refund_recorded>(&r.done);
  return refund != nullptr && refund->hold.value == 0 ? std::get_if<core::confirm_hold>(&r.asked) : nullptr;
}

}  // namespace

subject of_query(const index_query& q) {
  return std::visit(
      []<class Q>(const Q& x) {
        if constexpr (std::is_same_v<Q, by_owner>) return of_id(table::owner, x.owner.value);
        else if constexpr (std::is_same_v<Q, by_reference>) return of_reference(x.reference);
        else if constexpr (std::is_same_v<Q, by_basket>) return of_id(table::basket, x.basket.value);
        else return of_id(table::hold_id, x.hold.value);
      },
      q);
}

subject of_hold(table placed_or_on_hold, core::session_id s, core::hold_no n) {
  return {placed_or_on_hold, s.value, n.value};
}
subject of_refund(core::session_id s, core::refund_no n) { return {table::refund, s.value, n.value}; }

void post(core::session_id session, const core::record& r, record_position at, std::vector<posting>& out) {
  const auto put = [&](const subject& s) { out.push_back({s, at}); };
  const auto put_id = [&](table t, const base::id128& id) {
    if (!id.zero()) put(of_id(t, id));
  };
  if (const auto* asked = std::get_if<core::hold_seats>(&r.asked)) {
    put_id(table::owner, asked->owner.value);
    put_id(table::basket, asked->basket.value);
    put_id(table::hold_id, r.head.id.value);
    put(of_hold(table::placed, session, core::subject_of(r.done)));
    return;
  }
  if (const auto* expired = std::get_if<core::holds_expired>(&r.done)) {
    if (planted(bug::index_leaves_out_expiries)) return;
    for (const auto n : expired->holds) put(of_hold(table::on_hold, session, n));
    return;
  }
  if (const auto n = core::subject_of(r.done); n.value != 0) put(of_hold(table::on_hold, session, n));
  if (const auto reference = reference_of(r.asked); !reference.empty()) put(of_reference(reference));
  if (const auto* confirm = of_unknown_hold(r)) {
    put_id(table::owner, confirm->owner.value);
    put_id(table::hold_id, confirm->hold.value);
  }
  core::refund_no refund;
  if (const auto* recorded = std::get_if<core::refund_recorded>(&r.done)) refund = recorded->number;
  if (const auto* cancelled = std::get_if<core::order_cancelled>(&r.done)) refund = cancelled->number;
  if (const auto* settle = std::get_if<core::settle_refund>(&r.asked)) refund = settle->number;
  if (refund.value != 0) put(of_refund(session, refund));
}

bool names(const index_query& q, const core::record& r) {
  if (const auto* by = std::get_if<by_reference>(&q)) return std::ranges::equal(by->reference, reference_of(r.asked));
  core::owner_id owner;
  core::hold_id hold;
  core::basket_id basket;
  if (const auto* asked = std::get_if<core::hold_seats>(&r.asked)) {
    owner = asked->owner;
    hold = r.head.id;
    basket = asked->basket;
  } else if (const auto* confirm = of_unknown_hold(r)) {
    owner = confirm->owner;
    hold = confirm->hold;
  }
  if (const auto* by = std::get_if<by_owner>(&q)) return by->owner == owner;
  if (const auto* by = std::get_if<by_basket>(&q)) return by->basket == basket;
  return std::get<by_hold>(q).hold == hold;
}

posting_key::posting_key(const posting& p) {
  const auto put = [&](auto v) {
    for (int shift = static_cast<int>(sizeof v) * 8 - 8; shift >= 0; shift -= 8)
      bytes_[size_++] = static_cast<char>(v >> shift & 0xffU);
  };
  put(static_cast<std::uint8_t>(p.of.in));
  put(p.of.what);
  if (numbered(p.of.in)) put(p.of.number);
  put(p.at.block);
  put(p.at.record);
}

bool decode(std::string_view key, posting& p) {
  std::size_t at = 0;
  const auto get = [&](auto& v) {
    v = 0;
    for (std::size_t i = 0; i < sizeof v && at < key.size(); ++i)
      v = static_cast<std::remove_reference_t<decltype(v)>>(v << 8U | static_cast<std::uint8_t>(key[at++]));
  };
  if (key.empty() || key[0] < static_cast<char>(table::owner) || key[0] > static_cast<char>(table::refund)) return false;
  p.of.in = static_cast<table>(key[at++]);
  const bool with_number = numbered(p.of.in);
  if (key.size() != (with_number ? 25U : 21U)) return false;
  get(p.of.what);
  p.of.number = 0;
  if (with_number) get(p.of.number);
  get(p.at.block);
  get(p.at.record);
  return true;
}

}  // namespace holdfast::persistence::index_bytes
