// What every command goes through, in the order of docs/RULES.md, "Order of precedence".
#include <algorithm>

#include "core/decider.hpp"

namespace holdfast::core {
namespace {

constexpr unsigned bit(role r) { return 1U << static_cast<unsigned>(r); }
constexpr unsigned buyers = bit(role::buyer) | bit(role::shop) | bit(role::op);
constexpr unsigned shops = bit(role::shop) | bit(role::op);
constexpr unsigned ops = bit(role::op);

/// Who may ask, by command tag.
constexpr unsigned may_ask[] = {
    0,                                  // create_session: asked of the directory of sessions, never of a session
    ops | bit(role::schedule),          // open_sale
    ops, ops,                           // pause, resume
    ops | bit(role::schedule),          // close_sale
    ops,                                // freeze
    buyers, buyers, buyers,             // hold, change, extend
    shops, shops, shops,                // begin_payment, payment_failed, confirm
    buyers,                             // release
    shops, shops,                       // cancel, settle
    ops, ops, ops,                      // block, unblock, allocate
    ops | bit(role::recovery),          // shift_deadlines
    ops,                                // clear_fault
    bit(role::timer),                   // expire_due
};
static_assert(std::size(may_ask) == command_tags);

bool bad_reference(base::byte_view b) { return b.empty() || b.size() > limits::ref_bytes_max; }

refusal check_lines(lines ls) {
  for (const auto& l : ls)
    if (l.count == 0 || (l.kind == place_kind::seat && l.count != 1) || l.count > limits::area_places_max) return refusal::bad_count;
  const auto same = [](const line& a, const line& b) {
    return a.kind == b.kind && a.number == b.number && (a.kind == place_kind::seat || a.price == b.price);
  };
  if (ls.size() <= 16) {
    for (std::size_t i = 1; i < ls.size(); ++i)
      for (std::size_t j = 0; j < i; ++j)
        if (same(ls[i], ls[j])) return refusal::duplicate_line;
    return refusal::none;
  }
  std::vector<line> sorted(ls.begin(), ls.end());
  std::sort(sorted.begin(), sorted.end(), [](const line& a, const line& b) {
    return std::tie(a.kind, a.number, a.price) < std::tie(b.kind, b.number, b.price);
  });
  for (std::size_t i = 1; i < sorted.size(); ++i)
    if (same(sorted[i], sorted[i - 1])) return refusal::duplicate_line;
  return refusal::none;
}

refusal check_keys(keys ks) {
  if (ks.size() > limits::keys_max) return refusal::bad_keys;
  for (std::size_t i = 0; i < ks.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j)
      if (ks[i].kind == ks[j].kind) return refusal::bad_keys;
  }
  return refusal::none;
}

bool zero_key(keys ks) {
  return std::any_of(ks.begin(), ks.end(), [](const limit_key& k) { return k.value.zero(); });
}

refusal check_ranges(ranges rs) {
  if (rs.empty() || rs.size() > limits::ranges_max) return refusal::bad_range;
  for (std::size_t i = 0; i < rs.size(); ++i) {
    const auto& r = rs[i];
    if (r.kind == place_kind::seat) {
      if (r.last < r.first || r.count != 0 || r.allocation != 0) return refusal::bad_range;
    } else {
      if (r.last != r.first || r.count == 0 || r.count > limits::area_places_max) return refusal::bad_range;
      for (std::size_t j = 0; j < i; ++j)
        if (rs[j].kind == r.kind && rs[j].first == r.first && rs[j].allocation == r.allocation) return refusal::bad_range;
    }
  }
  return refusal::none;
}

bool odd_kind(lines ls) {
  return std::any_of(ls.begin(), ls.end(), [](const line& l) { return l.kind > place_kind::area; });
}
bool odd_kind(ranges rs) {
  return std::any_of(rs.begin(), rs.end(), [](const place_range& r) { return r.kind > place_kind::area; });
}
bool odd_kind(keys ks) {
  return std::any_of(ks.begin(), ks.end(), [](const limit_key& k) { return static_cast<std::uint8_t>(k.kind) >= key_kinds; });
}

/// The parts of step 2, each answering for its own place in the order.
struct content_check {
  bool zero_id = false;
  bool not_wanted = false;
  bool no_lines = false;
  lines first{}, second{};
  bool zero_interval = false;
  bool bad_reference = false;
  bool negative = false;
  core::keys keys{};
  refusal range = refusal::none;
  bool bad = false;

  [[nodiscard]] refusal verdict() const {
    if (zero_id) return refusal::zero_id;
    if (not_wanted) return refusal::deadline_not_wanted;
    if (no_lines) return refusal::no_lines;
    const auto a = check_lines(first), b = check_lines(second);
    if (a == refusal::bad_count || b == refusal::bad_count) return refusal::bad_count;
    if (a != refusal::none) return a;
    if (b != refusal::none) return b;
    if (zero_interval) return refusal::zero_interval;
    if (bad_reference) return refusal::bad_reference;
    if (negative) return refusal::negative_amount;
    if (const auto k = check_keys(keys); k != refusal::none) return k;
    if (range != refusal::none) return range;
    return bad || odd_kind(first) || odd_kind(second) || odd_kind(keys) ? refusal::bad_content : refusal::none;
  }
};

}  // namespace

std::uint64_t decider::behind(const state::hold& shown) const {
  return live(shown.state) ? std::max<std::uint64_t>(shown.seq, s.control_seq_) : shown.seq;
}

bool decider::no(refusal r, std::uint64_t seq) {
  if (h != nullptr) seq = std::max(seq, behind(*h));
  out.accepted = false;
  out.said.refused = r;
  out.said.tells_of = out.said.waits_for = sequence{seq};
  return true;
}

bool decider::allowed(const command& asked) const {
  if ((may_ask[asked.index()] & bit(head.from.who)) == 0) return false;
  if (const auto* r = std::get_if<release_hold>(&asked)) return !r->withdrawn || head.from.who == role::op;
  return true;
}

refusal decider::content(const command& asked) const {
  content_check c;
  const bool timed = std::holds_alternative<expire_due>(asked);
  c.zero_id = head.id.value.zero() && !timed;
  c.bad = head.note.size() > limits::note_bytes_max;
  std::visit(
      [&](const auto& x) {
        using kind = std::decay_t<decltype(x)>;
        if constexpr (requires { x.owner; }) c.zero_id |= x.owner.value.zero();
        if constexpr (requires { x.hold; }) c.zero_id |= x.hold.value.zero();
        if constexpr (requires { x.order; }) c.zero_id |= x.order.value.zero();
        if constexpr (requires { x.keys; }) {
          c.zero_id |= zero_key(x.keys);
          c.keys = x.keys;
        }
        if constexpr (requires { x.lines; }) c.first = x.lines;
        if constexpr (requires { x.interval; }) c.zero_interval = x.interval == 0;
        if constexpr (requires { x.by; }) c.zero_interval = x.by == 0;
        if constexpr (requires { x.attempt; }) c.bad_reference = bad_reference(x.attempt);
        if constexpr (requires { x.payment; }) c.bad_reference = bad_reference(x.payment);
        if constexpr (requires { x.reference; }) c.bad_reference = bad_reference(x.reference);
        if constexpr (requires { x.amount; }) c.negative = x.amount < 0;
        if constexpr (requires { x.ranges; }) {
          c.range = check_ranges(x.ranges);
          c.bad |= odd_kind(x.ranges);
        }
        if constexpr (requires { x.channels; }) c.bad |= (x.channels & all()) == 0;
        if constexpr (std::is_same_v<kind, hold_seats>) c.no_lines = x.lines.empty();
        if constexpr (std::is_same_v<kind, change_hold>) {
          c.no_lines = x.add.empty() && x.drop.empty();
          c.first = x.add;
          c.second = x.drop;
        }
        if constexpr (std::is_same_v<kind, confirm_hold>) {
          c.not_wanted = !head.id.value.zero() || head.client_deadline.value != 0;
          c.zero_id = x.owner.value.zero() || x.hold.value.zero();
          c.bad |= static_cast<std::uint8_t>(x.kind) >= payment_kinds;
        }
        if constexpr (std::is_same_v<kind, allocate_places>) {
          for (const auto& r : x.ranges)
            if (r.kind == place_kind::area && r.allocation == x.allocation && c.range == refusal::none) c.range = refusal::bad_range;
        }
      },
      asked);
  return c.verdict();
}

void decider::repeat(const state::id_entry& e) {
  answer& a = out.said;
  a = {};
  a.repeated = true;
  a.tells_of = a.waits_for = sequence{e.seq};
  const auto tag = static_cast<command_tag>(e.command);
  if (tag == command_tag::cancel_order) a.number = refund_no{static_cast<std::uint32_t>(e.value)};
  else a.granted = log_time{e.value};
  if (e.hold == 0) return;
  const auto& held = s.holds_.at(e.hold);
  a.state = held.state;
  a.deadline = s.deadline_of(hold_no{e.hold});
  a.waits_for = sequence{std::max<std::uint64_t>(e.seq, behind(held))};
}

bool decider::by_id(const command& asked) {
  if (head.id.value.zero()) return false;
  const auto ref = s.find_id(owner_of(asked).value, head.id.value);
  if (ref == 0) return false;
  const auto& e = s.ids_.at(ref);
  const hold_id hold = std::visit(
      [](const auto& x) -> hold_id {
        if constexpr (requires { x.hold; }) return x.hold;
        else if constexpr (requires { x.order; }) return x.order;
        else return {};
      },
      asked);
  if (e.command != asked.index() || e.content != content_hash(asked, head, hold)) return no(refusal::id_reused, e.seq);
  repeat(e);
  return true;
}

refusal decider::deadline(const command& asked) const {
  if (head.client_deadline.value == 0)
    return std::holds_alternative<hold_seats>(asked) ? refusal::deadline_missing : refusal::none;
  if (head.client_deadline < now) return refusal::deadline_passed;
  if (head.client_deadline.value > now.value + std::uint64_t{s.rules().id_min} * us_per_ms) return refusal::deadline_too_far;
  return refusal::none;
}

verdict decider::run(const command& asked) {
  if (!allowed(asked)) {
    no(refusal::not_allowed, 0);
  } else if (const auto c = content(asked); c != refusal::none) {
    no(c, 0);
  } else if (s.faulted() && !std::holds_alternative<clear_fault>(asked)) {
    no(refusal::faulted, 0);
  } else if (by_id(asked)) {
    // settled
  } else if (const auto d = deadline(asked); d != refusal::none) {
    no(d, 0);
  } else {
    std::visit([this](const auto& wanted) { decide(wanted); }, asked);
  }
  return std::move(out);
}

verdict session::decide(const envelope& head, const command& asked, log_time now) const {
  return decider(*this, head, now).run(asked);
}

bool decider::gate() {
  if (s.frozen_at_.value != 0) return no(refusal::frozen, s.control_seq_);
  switch (s.sale_) {
    case sale_state::announced: return no(refusal::not_open, s.control_seq_);
    case sale_state::paused: return no(refusal::paused, s.control_seq_);
    case sale_state::closed: return no(refusal::closed, s.control_seq_);
    case sale_state::open: break;
  }
  if (((s.open_ >> head.channel) & 1U) == 0) return no(refusal::not_open, s.control_seq_);
  return false;
}

bool decider::channel_row(const channel_policy*& row) {
  if (head.channel >= s.rules().channels.size()) return no(refusal::no_such_channel, 0);
  row = &s.rules().channels[head.channel];
  return false;
}

bool decider::hold_of(owner_id owner, hold_id id) {
  number = s.find_hold(owner.value, id.value);
  if (number == 0) return no(refusal::unknown_hold, s.forgot_seq_);
  h = &s.holds_.at(number);
  out.said.state = h->state;
  out.said.deadline = s.deadline_of(hold_no{number});
  return false;
}

bool decider::ended() { return !live(h->state) && no(refusal::hold_ended, h->seq); }
bool decider::paying() { return h->state == hold_state::paying && no(refusal::hold_paying, h->seq); }

bool decider::no_such_place(lines asked) {
  for (std::size_t i = 0; i < asked.size(); ++i) {
    const auto end = asked[i].kind == place_kind::seat ? s.seats_.size() : s.terms_->seating->areas.size();
    if (asked[i].number >= end && i < 64) out.said.lines |= std::uint64_t{1} << i;
    if (asked[i].number >= end) no(refusal::no_such_place, 0);
  }
  return out.said.refused == refusal::no_such_place;
}

bool decider::no_such_place(ranges asked, bool with_allocation) {
  const auto offends = [&](std::size_t i, refusal r) {
    if (i < 64) out.said.lines |= std::uint64_t{1} << i;
    no(r, 0);
  };
  for (std::size_t i = 0; i < asked.size(); ++i) {
    const auto end = asked[i].kind == place_kind::seat ? s.seats_.size() : s.terms_->seating->areas.size();
    if (asked[i].last >= end) offends(i, refusal::no_such_place);
  }
  if (out.said.refused != refusal::none) return true;
  if (with_allocation)
    for (std::size_t i = 0; i < asked.size(); ++i)
      if (asked[i].kind == place_kind::area && asked[i].allocation >= s.allocations_) offends(i, refusal::no_such_allocation);
  return out.said.refused != refusal::none;
}

}  // namespace holdfast::core
