#include "persistence/index_story.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "persistence/record_codec.hpp"

namespace holdfast::persistence {

namespace {

base::error astray(record_position at) {
  return {base::trouble::corrupt, fmt::format("index: record {} of block {} is not what it says: stop the server and "
                                              "remove the index, it is built anew",
                                              at.record, at.block)};
}

void assign(base::bytes& to, base::byte_view from) { to.assign(from.begin(), from.end()); }
void assign(std::vector<core::line>& to, core::lines from) { to.assign(from.begin(), from.end()); }

}  // namespace

index_row hold_story::begin_row(const core::record& r) const {
  index_row row;
  row.session = session_;
  row.number = r.number;
  row.at = r.at;
  row.event = static_cast<std::uint8_t>(r.done.index());
  row.from = r.head.from;
  row.channel = r.head.channel;
  row.command = r.head.id;
  assign(row.note, r.head.note);
  row.hold = hold_;
  row.owner = owner_;
  row.hold_id = id_;
  return row;
}

bool hold_story::is_about(const core::record& r) const {
  if (hold_.value == 0) return false;
  if (const auto* expired = std::get_if<core::holds_expired>(&r.done))
    return std::ranges::find(expired->holds, hold_) != expired->holds.end();
  return core::subject_of(r.done) == hold_ && !std::holds_alternative<core::hold_placed>(r.done);
}

base::result<void> hold_story::add(record_position at, const core::record& r) {
  const bool first = rows_.empty();
  const auto* refund = std::get_if<core::refund_recorded>(&r.done);
  const bool begins =
      std::holds_alternative<core::hold_placed>(r.done) || (refund != nullptr && refund->hold.value == 0);
  if (first ? !begins : !is_about(r)) return astray(at);
  auto row = begin_row(r);
  if (first) begin(row, r);
  else go_on(row, r);
  if (row.refund.value != 0) refunds_.push_back(row.refund);
  rows_.push_back({at, std::move(row)});
  return {};
}

base::result<void> hold_story::add_settlement(record_position at, const core::record& r) {
  const auto* settled = std::get_if<core::settle_refund>(&r.asked);
  if (settled == nullptr || std::ranges::find(refunds_, settled->number) == refunds_.end()) return astray(at);
  auto row = begin_row(r);
  row.refund = settled->number;
  assign(row.reference, settled->reference);
  rows_.push_back({at, std::move(row)});
  return {};
}

void hold_story::begin(index_row& row, const core::record& r) {
  if (const auto* asked = std::get_if<core::hold_seats>(&r.asked)) {
    hold_ = core::subject_of(r.done);
    owner_ = asked->owner;
    id_ = r.head.id;
    basket_ = asked->basket;
    assign(lines_, asked->lines);
    row.lines = lines_;
  } else if (const auto* confirm = std::get_if<core::confirm_hold>(&r.asked)) {
    owner_ = confirm->owner;
    id_ = confirm->hold;
    go_on(row, r);
  }
  row.hold = hold_;
  row.owner = owner_;
  row.hold_id = id_;
  row.basket = basket_;
}

void hold_story::go_on(index_row& row, const core::record& r) {
  row.basket = basket_;
  if (std::holds_alternative<core::holds_expired>(r.done)) {
    row.lines = lines_;
  } else if (const auto* change = std::get_if<core::change_hold>(&r.asked)) {
    drop(change->drop);
    lines_.insert(lines_.end(), change->add.begin(), change->add.end());
    assign(row.lines, change->drop);
    row.lines.insert(row.lines.end(), change->add.begin(), change->add.end());
  } else if (const auto* begun = std::get_if<core::begin_payment>(&r.asked)) {
    assign(row.reference, begun->attempt);
  } else if (const auto* failed = std::get_if<core::payment_failed>(&r.asked)) {
    assign(row.reference, failed->attempt);
  } else if (const auto* confirm = std::get_if<core::confirm_hold>(&r.asked)) {
    row.amount = confirm->amount;
    assign(row.reference, confirm->payment);
    if (const auto* sold = std::get_if<core::hold_confirmed>(&r.done)) {
      row.late = sold->late;
      row.lines = lines_;
    } else if (const auto* refund = std::get_if<core::refund_recorded>(&r.done)) {
      row.refund = refund->number;
      row.reason = refund->reason;
    }
  } else if (const auto* release = std::get_if<core::release_hold>(&r.asked)) {
    assign(row.lines, release->lines.empty() ? core::lines(lines_) : release->lines);
    drop(release->lines);
  } else if (const auto* cancel = std::get_if<core::cancel_order>(&r.asked)) {
    assign(row.lines, cancel->lines.empty() ? core::lines(lines_) : cancel->lines);
    row.amount = cancel->amount;
    row.refund = std::get<core::order_cancelled>(r.done).number;
    if (row.refund.value != 0) row.reason = core::refund_reason::cancelled;
    drop(row.lines);
  }
}

void hold_story::drop(core::lines gone) {
  for (const auto& l : gone)
    for (auto& k : lines_)
      if (k.kind == l.kind && k.number == l.number && k.price == l.price) k.count -= std::min(k.count, l.count);
  std::erase_if(lines_, [](const auto& k) { return k.count == 0; });
}

}  // namespace holdfast::persistence
