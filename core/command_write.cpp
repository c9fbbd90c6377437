// From commands to bytes; command_form.hpp draws them.
#include <algorithm>

#include "base/check.hpp"
#include "core/command_codec.hpp"
#include "core/command_form.hpp"
#include "core/policy.hpp"

namespace holdfast::core {

using namespace command_bytes;

namespace {

class command_writer {
 public:
  command_writer(command_form form, base::byte_writer& out) : form_(form), out_(out) {}

  void operator()(const create_session& c) {
    HOLDFAST_CHECK(c.terms, "a session has terms");
    const auto& t = *c.terms;
    head(0);
    out_.sized(t.name);
    out_.u8(static_cast<std::uint8_t>(t.kind));
    out_.sized(t.currency);
    out_.sized(t.organiser_ref);
    out_.zigzag(t.starts_at);
    out_.sized(t.zone);
    out_.varint(t.plan_revision);
    encode_policy(t.rules, out_);
  }
  void operator()(const open_sale& c) { channels(c.channels); }
  void operator()(const close_sale& c) { channels(c.channels); }
  void operator()(const pause_sale&) { head(0); }
  void operator()(const resume_sale&) { head(0); }
  void operator()(const freeze_sale&) { head(0); }
  void operator()(const expire_due&) { head(0); }

  void operator()(const hold_seats& c) {
    std::uint8_t extras = c.plan_revision == 1 ? 0 : extra_revision;
    if (!c.basket.value.zero()) extras |= extra_basket;
    head(keys_head(c.keys), extras);
    if (form_ != command_form::by_connection) out_.id(c.owner.value);
    put(c.keys);
    put(c.lines);
    out_.varint(c.interval);
    if (c.plan_revision != 1) out_.varint(c.plan_revision);
    if (!c.basket.value.zero()) out_.id(c.basket.value);
  }
  void operator()(const change_hold& c) {
    head(0, c.plan_revision == 1 ? 0 : extra_revision);
    subject(c.owner, c.hold);
    put(c.add);
    put(c.drop);
    if (c.plan_revision != 1) out_.varint(c.plan_revision);
  }
  void operator()(const extend_hold& c) {
    head(0);
    subject(c.owner, c.hold);
    out_.varint(c.interval);
  }
  void operator()(const begin_payment& c) {
    head(keys_head(c.keys));
    subject(c.owner, c.hold);
    out_.sized(c.attempt);
    out_.varint(c.interval);
    put(c.keys);
  }
  void operator()(const payment_failed& c) {
    head(0);
    subject(c.owner, c.hold);
    out_.sized(c.attempt);
  }
  void operator()(const confirm_hold& c) {
    head(std::min<std::uint8_t>(static_cast<std::uint8_t>(c.kind), 7));
    subject(c.owner, c.hold);
    out_.sized(c.payment);
    out_.zigzag(c.amount);
  }
  void operator()(const release_hold& c) {
    head(c.withdrawn ? head_flag : 0);
    subject(c.owner, c.hold);
    put(c.lines);
  }
  void operator()(const cancel_order& c) {
    head(c.withdrawn ? head_flag : 0);
    subject(c.owner, c.order);
    put(c.lines);
    out_.zigzag(c.amount);
  }
  void operator()(const settle_refund& c) {
    head(0);
    out_.varint(c.number.value);
    out_.sized(c.reference);
  }
  void operator()(const block_places& c) {
    head(0);
    put(c.ranges);
    out_.varint(c.reason);
  }
  void operator()(const unblock_places& c) {
    head(0);
    put(c.ranges);
  }
  void operator()(const allocate_places& c) {
    head(0);
    put(c.ranges);
    out_.u8(c.allocation);
  }
  void operator()(const shift_deadlines& c) {
    head(0);
    out_.varint(c.by);
    out_.varint(c.reason);
  }
  void operator()(const clear_fault& c) {
    head(0);
    out_.varint(c.shift);
  }

 private:
  void head(std::uint8_t bits, std::uint8_t extras = 0) {
    out_.u8(extras == 0 ? bits : static_cast<std::uint8_t>(bits | head_extras));
    if (extras != 0) out_.u8(extras);
  }
  void subject(owner_id owner, hold_id hold) {
    if (form_ == command_form::whole) out_.id(owner.value);
    if (form_ != command_form::by_number) out_.id(hold.value);
  }
  void channels(channel_set set) {
    head(set == all_channels ? 0 : head_flag);
    if (set != all_channels) out_.varint(set);
  }
  std::uint8_t keys_head(keys list) const {
    if (form_ == command_form::by_connection || list.empty()) return 0;
    const auto n = std::min<std::size_t>(list.size(), keys_escape);
    const auto kind = std::min<std::uint8_t>(static_cast<std::uint8_t>(list[0].kind), 7);
    return static_cast<std::uint8_t>(n | static_cast<std::size_t>(kind) << 3U);
  }
  void put(keys list) {
    if (form_ == command_form::by_connection) return;
    if (list.size() >= keys_escape) out_.varint(list.size() - keys_escape);
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (i != 0) out_.u8(static_cast<std::uint8_t>(list[i].kind));
      out_.id(list[i].value);
    }
  }
  void put(lines list) {
    const bool counted =
        std::ranges::any_of(list, [](const line& l) { return l.kind == place_kind::seat && l.count != 1; });
    out_.varint(list.size() << 1U | (counted ? 1U : 0U));
    for (const auto& l : list) {
      const bool area = l.kind == place_kind::area;
      out_.varint(static_cast<std::uint64_t>(l.number) << 1U | (area ? 1U : 0U));
      if (area || counted) out_.varint(l.count);
      out_.varint(l.price);
    }
  }
  void put(ranges list) {
    out_.varint(list.size());
    for (const auto& r : list) {
      const bool area = r.kind == place_kind::area;
      const bool odd = area ? r.last != r.first : r.count != 0 || r.allocation != 0;
      out_.varint(static_cast<std::uint64_t>(r.first) << 2U | (odd ? 2U : 0U) | (area ? 1U : 0U));
      if (odd || !area) out_.zigzag(static_cast<std::int64_t>(r.last) - static_cast<std::int64_t>(r.first));
      if (odd || area) {
        out_.varint(r.count);
        out_.u8(r.allocation);
      }
    }
  }

  command_form form_;
  base::byte_writer& out_;
};

}  // namespace

void encode_command(const command& c, command_form form, base::byte_writer& out) {
  std::visit(command_writer(form, out), c);
}

}  // namespace holdfast::core
