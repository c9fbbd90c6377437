// Steps 1 and 2 of docs/RULES.md, "Order of precedence": who may ask, and impossible content.
#include <algorithm>

#include "simulation/model.hpp"

namespace holdfast::simulation {

using namespace core;

namespace {

/// The fields that several commands have, gathered so that each rule below is written once.
struct content {
  bool has_owner = false, has_hold = false, has_interval = false, needs_lines = false;
  owner_id owner;
  hold_id hold;
  interval_ms interval = 0;
  std::vector<core::lines> line_lists;
  std::vector<core::keys> key_lists;
  std::vector<base::byte_view> references;
  std::vector<core::ranges> range_lists;
  std::vector<std::int64_t> amounts;
  bool bad_enum = false;
};

content gather(const command& c, channel_set policy_channels) {
  content all;
  const auto owner = [&](owner_id o) { all.has_owner = true; all.owner = o; };
  const auto hold = [&](hold_id h) { all.has_hold = true; all.hold = h; };
  const auto interval = [&](interval_ms i) { all.has_interval = true; all.interval = i; };
  if (const auto* x = std::get_if<open_sale>(&c)) all.bad_enum = (x->channels & policy_channels) == 0;
  if (const auto* x = std::get_if<close_sale>(&c)) all.bad_enum = (x->channels & policy_channels) == 0;
  if (const auto* x = std::get_if<hold_seats>(&c)) {
    owner(x->owner);
    all.line_lists = {x->lines};
    all.needs_lines = true;
    all.key_lists = {x->keys};
    interval(x->interval);
  }
  if (const auto* x = std::get_if<change_hold>(&c)) {
    owner(x->owner);
    hold(x->hold);
    all.line_lists = {x->add, x->drop};
    all.needs_lines = true;
  }
  if (const auto* x = std::get_if<extend_hold>(&c)) {
    owner(x->owner);
    hold(x->hold);
    interval(x->interval);
  }
  if (const auto* x = std::get_if<begin_payment>(&c)) {
    owner(x->owner);
    hold(x->hold);
    interval(x->interval);
    all.references = {x->attempt};
    all.key_lists = {x->keys};
  }
  if (const auto* x = std::get_if<payment_failed>(&c)) {
    owner(x->owner);
    hold(x->hold);
    all.references = {x->attempt};
  }
  if (const auto* x = std::get_if<confirm_hold>(&c)) {
    owner(x->owner);
    hold(x->hold);
    all.references = {x->payment};
    all.amounts = {x->amount};
    all.bad_enum = static_cast<unsigned>(x->kind) >= payment_kinds;
  }
  if (const auto* x = std::get_if<release_hold>(&c)) {
    owner(x->owner);
    hold(x->hold);
    all.line_lists = {x->lines};
  }
  if (const auto* x = std::get_if<cancel_order>(&c)) {
    owner(x->owner);
    hold(x->order);
    all.line_lists = {x->lines};
    all.amounts = {x->amount};
  }
  if (const auto* x = std::get_if<settle_refund>(&c)) all.references = {x->reference};
  if (const auto* x = std::get_if<block_places>(&c)) all.range_lists = {x->ranges};
  if (const auto* x = std::get_if<unblock_places>(&c)) all.range_lists = {x->ranges};
  if (const auto* x = std::get_if<allocate_places>(&c)) all.range_lists = {x->ranges};
  if (const auto* x = std::get_if<shift_deadlines>(&c)) interval(x->by);
  return all;
}

bool same_line_twice(core::lines list) {
  for (std::size_t i = 0; i < list.size(); ++i)
    for (std::size_t j = i + 1; j < list.size(); ++j)
      if (list[i].kind == list[j].kind && list[i].number == list[j].number &&
          (list[i].kind == place_kind::seat || list[i].price == list[j].price))
        return true;
  return false;
}

bool good_range(const place_range& r) {
  if (r.kind == place_kind::seat) return r.first <= r.last && r.count == 0 && r.allocation == 0;
  return r.first == r.last && r.count > 0 && r.count <= 1'000'000;
}

bool same_share_twice(core::ranges list) {
  for (std::size_t i = 0; i < list.size(); ++i)
    for (std::size_t j = i + 1; j < list.size(); ++j)
      if (list[i].kind != place_kind::seat && list[i].kind == list[j].kind && list[i].first == list[j].first &&
          list[i].allocation == list[j].allocation)
        return true;
  return false;
}

}  // namespace

refusal judge_role(const envelope& head, const command& c) {
  const role r = head.from.who;
  const bool buyer = r == role::buyer, shop = r == role::shop, op = r == role::op;
  bool may = false;
  switch (tag_of(c)) {
    case command_tag::hold_seats:
    case command_tag::change_hold:
    case command_tag::extend_hold: may = buyer || shop || op; break;
    case command_tag::release_hold: may = std::get<release_hold>(c).withdrawn ? op : buyer || shop || op; break;
    case command_tag::begin_payment:
    case command_tag::payment_failed:
    case command_tag::confirm_hold:
    case command_tag::cancel_order:
    case command_tag::settle_refund: may = shop || op; break;
    case command_tag::open_sale:
    case command_tag::close_sale: may = op || r == role::schedule; break;
    case command_tag::pause_sale:
    case command_tag::resume_sale:
    case command_tag::freeze_sale:
    case command_tag::block_places:
    case command_tag::unblock_places:
    case command_tag::allocate_places:
    case command_tag::clear_fault: may = op; break;
    case command_tag::shift_deadlines: may = op || r == role::recovery; break;
    case command_tag::expire_due:      // recorded by time, never asked
    case command_tag::create_session:  // asked of those who have no session yet
      break;
  }
  return may ? refusal::none : refusal::not_allowed;
}

refusal judge_content(const envelope& head, const command& c, channel_set policy_channels) {
  const content all = gather(c, policy_channels);
  const bool is_confirm = tag_of(c) == command_tag::confirm_hold;
  const bool needs_id = !is_confirm && tag_of(c) != command_tag::expire_due;

  if (needs_id && head.id.value.zero()) return refusal::zero_id;
  if (all.has_owner && all.owner.value.zero()) return refusal::zero_id;
  if (all.has_hold && all.hold.value.zero()) return refusal::zero_id;
  for (const auto list : all.key_lists)
    for (const auto& k : list)
      if (k.value.zero()) return refusal::zero_id;

  if (is_confirm && (head.client_deadline.value != 0 || !head.id.value.zero())) return refusal::deadline_not_wanted;

  std::size_t lines = 0;
  for (const auto list : all.line_lists) lines += list.size();
  if (all.needs_lines && lines == 0) return refusal::no_lines;

  for (const auto list : all.line_lists)
    for (const auto& l : list)
      if (l.kind == place_kind::seat ? l.count != 1 : l.count == 0 || l.count > 1'000'000) return refusal::bad_count;

  for (const auto list : all.line_lists)
    if (same_line_twice(list)) return refusal::duplicate_line;

  if (all.has_interval && all.interval == 0) return refusal::zero_interval;

  for (const auto r : all.references)
    if (r.empty() || r.size() > 64) return refusal::bad_reference;

  for (const auto a : all.amounts)
    if (a < 0) return refusal::negative_amount;

  for (const auto list : all.key_lists) {
    if (list.size() > 4) return refusal::bad_keys;
    for (std::size_t i = 0; i < list.size(); ++i)
      for (std::size_t j = i + 1; j < list.size(); ++j)
        if (list[i].kind == list[j].kind) return refusal::bad_keys;
  }

  for (const auto list : all.range_lists) {
    if (list.empty()) return refusal::bad_range;  // ranges, but none: as empty as a range of no places
    for (const auto& r : list)
      if (!good_range(r)) return refusal::bad_range;
    if (list.size() > 1'024 || same_share_twice(list)) return refusal::bad_range;
    if (const auto* x = std::get_if<allocate_places>(&c))  // from an allocation to itself
      for (const auto& r : list)
        if (r.kind == place_kind::area && r.allocation == x->allocation) return refusal::bad_range;
  }

  bool bad = all.bad_enum || head.note.size() > 64;
  for (const auto list : all.line_lists)
    for (const auto& l : list) bad = bad || static_cast<unsigned>(l.kind) > 1;
  for (const auto list : all.range_lists)
    for (const auto& r : list) bad = bad || static_cast<unsigned>(r.kind) > 1;
  for (const auto list : all.key_lists)
    for (const auto& k : list) bad = bad || static_cast<unsigned>(k.kind) >= key_kinds;
  return bad ? refusal::bad_content : refusal::none;
}

owner_id model_owner_of(const command& c) {
  if (const auto* x = std::get_if<hold_seats>(&c)) return x->owner;
  if (const auto* x = std::get_if<change_hold>(&c)) return x->owner;
  if (const auto* x = std::get_if<extend_hold>(&c)) return x->owner;
  if (const auto* x = std::get_if<begin_payment>(&c)) return x->owner;
  if (const auto* x = std::get_if<payment_failed>(&c)) return x->owner;
  if (const auto* x = std::get_if<confirm_hold>(&c)) return x->owner;
  if (const auto* x = std::get_if<release_hold>(&c)) return x->owner;
  if (const auto* x = std::get_if<cancel_order>(&c)) return x->owner;
  return {};
}

}  // namespace holdfast::simulation
