#include "tests/persistence_records/index_model.hpp"

#include <tuple>

namespace holdfast::tests {

using namespace core;

namespace {

void take(std::vector<line>& from, lines gone) {
  for (const auto& g : gone)
    for (auto& l : from)
      if (l.kind == g.kind && l.number == g.number && l.price == g.price) l.count -= std::min(l.count, g.count);
  std::erase_if(from, [](const line& l) { return l.count == 0; });
}
std::vector<line> copy(lines l) { return {l.begin(), l.end()}; }
base::bytes copy(base::byte_view b) { return {b.begin(), b.end()}; }

}  // namespace

index_model::index_model(const box_office& b) {
  for (const auto& w : b.records()) {
    if (w.sequence == plan_sequence) continue;
    std::pmr::monotonic_buffer_resource arena;
    add(good(decode_record(w.ref(), &b.plans, arena)), session_id{w.session});
  }
  std::ranges::sort(rows_, {}, [](const index_row& r) { return std::tuple(r.session, r.number, r.hold); });
  rows = rows_.size();
}

std::vector<index_row> index_model::find(const index_query& q) const {
  std::vector<index_row> found;
  for (const auto& r : rows_) {
    const auto* owner = std::get_if<by_owner>(&q);
    const auto* reference = std::get_if<by_reference>(&q);
    const auto* basket = std::get_if<by_basket>(&q);
    const auto* hold = std::get_if<by_hold>(&q);
    if (owner != nullptr ? r.owner == owner->owner
                         : reference != nullptr ? r.reference == reference->reference
                                                : basket != nullptr ? r.basket == basket->basket : r.hold_id == hold->hold)
      found.push_back(r);
  }
  return found;
}

void index_model::keep(index_row row) {
  owners.insert(row.owner.value);
  holds.insert(row.hold_id.value);
  if (!row.basket.value.zero()) baskets.insert(row.basket.value);
  if (!row.reference.empty()) references.insert(row.reference);
  rows_.push_back(std::move(row));
}

void index_model::add(const record& r, session_id session) {
  index_row row;
  row.session = session;
  row.number = r.number;
  row.at = r.at;
  row.event = static_cast<std::uint8_t>(r.done.index());
  row.from = r.head.from;
  row.channel = r.head.channel;
  row.command = r.head.id;
  row.note = copy(r.head.note);
  row.hold = subject_of(r.done);
  const auto of_hold = [&](hold_no n) -> seen_hold& {
    auto& h = holds_.at({session, n});
    row.hold = n;
    row.owner = h.owner;
    row.hold_id = h.id;
    row.basket = h.basket;
    return h;
  };

  if (const auto* expired = std::get_if<holds_expired>(&r.done)) {
    for (const auto n : expired->holds) {
      row.lines = of_hold(n).lines;
      keep(row);
    }
    return;
  }
  if (const auto* settled_one = std::get_if<settle_refund>(&r.asked)) {
    const auto& of = refunds_.at({session, settled_one->number});
    row.hold = of.hold;
    row.owner = of.owner;
    row.hold_id = of.id;
    row.refund = settled_one->number;
    row.reference = copy(settled_one->reference);
    ++settled;
    return keep(row);
  }
  if (const auto* asked = std::get_if<hold_seats>(&r.asked)) {
    const seen_hold h{asked->owner, r.head.id, asked->basket, copy(asked->lines)};
    if (!holds_.insert_or_assign({session, row.hold}, h).second) ++numbers_given_again;
    row.lines = of_hold(row.hold).lines;
    return keep(row);
  }
  const auto* confirm = std::get_if<confirm_hold>(&r.asked);
  if (row.hold.value == 0) {
    if (confirm == nullptr) return;  // the session as a whole
    row.owner = confirm->owner;
    row.hold_id = confirm->hold;
    ++unknown;
  }
  auto* h = row.hold.value != 0 ? &of_hold(row.hold) : nullptr;
  if (const auto* change = std::get_if<change_hold>(&r.asked)) {
    take(h->lines, change->drop);
    row.lines = copy(change->drop);
    for (const auto& l : change->add) {
      h->lines.push_back(l);
      row.lines.push_back(l);
    }
  } else if (const auto* begin = std::get_if<begin_payment>(&r.asked)) {
    row.reference = copy(begin->attempt);
  } else if (const auto* failed = std::get_if<payment_failed>(&r.asked)) {
    row.reference = copy(failed->attempt);
  } else if (confirm != nullptr) {
    row.amount = confirm->amount;
    row.reference = copy(confirm->payment);
    if (const auto* sold = std::get_if<hold_confirmed>(&r.done)) {
      row.late = sold->late;
      row.lines = h->lines;
    } else {
      row.refund = std::get<refund_recorded>(r.done).number;
      row.reason = std::get<refund_recorded>(r.done).reason;
    }
  } else if (const auto* release = std::get_if<release_hold>(&r.asked)) {
    row.lines = release->lines.empty() ? h->lines : copy(release->lines);
    take(h->lines, release->lines);
  } else if (const auto* cancel = std::get_if<cancel_order>(&r.asked)) {
    row.lines = cancel->lines.empty() ? h->lines : copy(cancel->lines);
    row.amount = cancel->amount;
    row.refund = std::get<order_cancelled>(r.done).number;
    if (row.refund.value != 0) row.reason = refund_reason::cancelled;
    take(h->lines, row.lines);
  }
  if (row.refund.value != 0) refunds_[{session, row.refund}] = {row.hold, row.owner, row.hold_id};
  keep(row);
}

}  // namespace holdfast::tests
