// What every command goes through, in the order of docs/RULES.md, "Order of precedence".
#include <algorithm>

#include "base/planted.hpp"
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

bool same_place(const line& a, const line& b) {
  return a.kind == b.kind && a.number == b.number && (a.kind == place_kind::seat || a.price == b.price);
}

bool good_count(const line& l) {
  return l.count != 0 && (l.kind != place_kind::seat || l.count == 1) && l.count <= limits::area_places_max;
}

[[gnu::noinline]] bool any_twice_of_many(lines ls) {
  std::vector<line> sorted(ls.begin(), ls.end());
  std::sort(sorted.begin(), sorted.end(), [](const line& a, const line& b) {
    return std::tie(a.kind, a.number, a.price) < std::tie(b.kind, b.number, b.price);
  });
  return std::adjacent_find(sorted.begin(), sorted.end(), same_place) != sorted.end();
}

bool any_twice(lines ls) {
  if (ls.size() > 16) return any_twice_of_many(ls);
  for (std::size_t i = 1; i < ls.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (same_place(ls[i], ls[j])) return true;
  return false;
}

refusal check_lines(lines ls) {
  if (!std::all_of(ls.begin(), ls.end(), good_count)) return refusal::bad_count;
  return any_twice(ls) ? refusal::duplicate_line : refusal::none;
}

refusal check_keys(keys ks) {
  if (ks.size() > limits::keys_max) return refusal::bad_keys;
  for (std::size_t i = 0; i < ks.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j)
      if (ks[i].kind == ks[j].kind) return refusal::bad_keys;
  }
  return refusal::none;
}

// Written as loops: the standard algorithm is unrolled for long ranges, and these have one entry or two.
bool zero_key(keys ks) {
  for (const auto& k : ks)
    if (k.value.zero()) return true;
  return false;
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

template <class Places>
bool odd_kind(const Places& ps) {
  for (const auto& p : ps)
    if (p.kind > place_kind::area) return true;
  return false;
}
bool odd_kind(keys ks) {
  for (const auto& k : ks)
    if (static_cast<std::uint8_t>(k.kind) >= key_kinds) return true;
  return false;
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
    // Nearly every command is in order, and most have one line and one key: see that in one go.
    const bool odd = zero_id | not_wanted | no_lines | zero_interval | bad_reference | negative | bad | (range != refusal::none);
    if (!odd && fine(first) && fine(second) && (keys.empty() || (keys.size() == 1 && !odd_kind(keys)))) [[likely]] return refusal::none;
    return first_trouble();
  }

 private:
  static bool fine(lines ls) { return ls.empty() || (ls.size() == 1 && good_count(ls[0]) && ls[0].kind <= place_kind::area); }
  [[nodiscard, gnu::noinline]] refusal first_trouble() const {
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
  if (planted(bug::refusal_forgets_the_shift)) return shown.seq;
  return live(shown.state) ? std::max<std::uint64_t>(shown.seq, s.control_seq_) : shown.seq;
}

bool decider::no(refusal r, std::uint64_t seq) {
  seq = std::max(seq, passed);
  if (h != nullptr) seq = std::max(seq, behind(*h));
  out.accepted = false;
  out.said.refused = r;
  if (planted(bug::refusal_waits_for_nothing)) seq = 0;
  out.said.tells_of = out.said.waits_for = sequence{seq};
  return true;
}

template <class Command>
bool decider::allowed(const Command& wanted) const {
  if ((may_ask[static_cast<std::size_t>(tag_of_type<Command>)] & bit(head.from.who)) == 0) return false;
  if constexpr (std::is_same_v<Command, release_hold>) return !wanted.withdrawn || head.from.who == role::op;
  return true;
}

template <class Command>
refusal decider::content(const Command& x) const {
  content_check c;
  c.zero_id = head.id.value.zero() && !std::is_same_v<Command, expire_due>;
  c.bad = head.note.size() > limits::note_bytes_max;
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
  if constexpr (std::is_same_v<Command, hold_seats>) c.no_lines = x.lines.empty();
  if constexpr (std::is_same_v<Command, change_hold>) {
    c.no_lines = x.add.empty() && x.drop.empty();
    c.first = x.add;
    c.second = x.drop;
  }
  if constexpr (std::is_same_v<Command, confirm_hold>) {
    c.not_wanted = !head.id.value.zero() || head.client_deadline.value != 0;
    c.zero_id = x.owner.value.zero() || x.hold.value.zero();
    c.bad |= static_cast<std::uint8_t>(x.kind) >= payment_kinds;
  }
  if constexpr (std::is_same_v<Command, allocate_places>) {
    for (const auto& r : x.ranges)
      if (r.kind == place_kind::area && r.allocation == x.allocation && c.range == refusal::none) c.range = refusal::bad_range;
  }
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
  if (planted(bug::repeat_tells_present_deadline)) a.granted = a.deadline;
  a.waits_for = sequence{planted(bug::repeat_waits_for_first_record) ? e.seq : std::max<std::uint64_t>(e.seq, behind(held))};
}

template <class Command>
bool decider::by_id(const Command& wanted, const command& asked) {
  if (head.id.value.zero()) return false;
  const auto ref = s.find_id(owner_in(wanted), head.id.value, at.id);
  if (ref == 0) [[likely]] return false;
  const auto& e = s.ids_.at(ref);
  if (planted(bug::id_forgotten_at_release) && e.hold != 0 && s.holds_.at(e.hold).state == hold_state::released) return false;
  if (e.command != asked.index() || e.content != content_hash(asked, head, hold_id{hold_in(wanted)})) return no(refusal::id_reused, e.seq);
  repeat(e);
  return true;
}

template <class Command>
refusal decider::deadline() const {
  if (head.client_deadline.value == 0) return std::is_same_v<Command, hold_seats> ? refusal::deadline_missing : refusal::none;
  if (head.client_deadline < now && !planted(bug::ghost_hold_from_late_frame)) return refusal::deadline_passed;
  if (head.client_deadline.value > now.value + us(s.rules().id_min)) return refusal::deadline_too_far;
  return refusal::none;
}

template <class Command>
void decider::run_as(const Command& wanted, const command& asked) {
  if (!allowed(wanted)) return void(no(refusal::not_allowed, 0));
  if (const auto c = content(wanted); c != refusal::none) return void(no(c, 0));
  if (s.faulted() && !std::is_same_v<Command, clear_fault>) return void(no(refusal::faulted, 0));
  if (by_id(wanted, asked)) return;
  if (!planted(bug::refusal_before_the_forgetting)) passed = s.forgot_seq_;
  if (const auto d = deadline<Command>(); d != refusal::none) return void(no(d, 0));
  passed = std::max(passed, s.control_seq_);
  decide(wanted);
}

void decider::run(const command& asked) {
  visit_command(asked, [&](const auto& wanted) { run_as(wanted, asked); });
}

verdict session::decide(const envelope& head, const command& asked, log_time now) const {
  table_places own;
  hash(head, asked, own);
  return decide(head, asked, now, own);
}

verdict session::decide(const envelope& head, const command& asked, log_time now, table_places& ahead) const {
  verdict out;
  decider(*this, head, now, ahead, out).run(asked);
  return out;
}

bool decider::gate() {
  if (s.frozen_at_.value != 0) return no(refusal::frozen, s.control_seq_);
  switch (s.sale_) {
    case sale_state::announced: return no(refusal::not_open, s.control_seq_);
    case sale_state::paused: return no(refusal::paused, s.control_seq_);
    case sale_state::closed: return no(refusal::closed, s.control_seq_);
    case sale_state::open: break;
  }
  if (((s.open_ >> head.channel) & 1U) == 0 && !planted(bug::presale_open_to_all)) return no(refusal::not_open, s.control_seq_);
  return false;
}

bool decider::channel_row(const channel_policy*& row) {
  if (head.channel >= s.rules().channels.size()) return no(refusal::no_such_channel, 0);
  row = &s.rules().channels[head.channel];
  return false;
}

bool decider::hold_of(owner_id owner, hold_id id) {
  number = s.find_hold(owner.value, id.value, at.named);
  if (number == 0) return no(refusal::unknown_hold, s.forgot_seq_);
  h = &s.holds_.at(number);
  out.said.state = h->state;
  out.said.deadline = s.deadline_of(hold_no{number});
  return false;
}

bool decider::ended() { return !live(h->state) && no(refusal::hold_ended, h->seq); }
bool decider::paying() { return h->state == hold_state::paying && no(refusal::hold_paying, h->seq); }

bool decider::no_such_place(lines asked) {
  bool any = false;
  for (std::size_t i = 0; i < asked.size(); ++i) {
    const auto end = asked[i].kind == place_kind::seat ? s.seats_.size() : s.terms_->seating->areas.size();
    if (asked[i].number < end) continue;
    if (i < 64) out.said.lines |= std::uint64_t{1} << i;
    any = true;
  }
  return any && no(refusal::no_such_place, 0);
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
