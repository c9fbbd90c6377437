#include "core/command_codec.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "base/check.hpp"
#include "core/policy.hpp"

// The content of a command begins with a head byte, then come its fields in this order. `?` stands only if the head or
// the extras say so; OWNER and HOLD are 16 bytes each and left out by form; the rest are varints unless it says
// otherwise.
//
//   head          bits 0-6 by command, below; bit 7: an extras byte follows
//   extras        bit 0: options at the end; bit 1: a basket; bit 2: a plan revision other than 1. Never 0
//
//   create_session  -               name:text class:u8 currency:text organiser_ref:text starts_at:zigzag zone:text
//                                   plan_revision policy
//   open_sale, close_sale           bit 6: channels?
//   pause_sale, resume_sale, freeze_sale, expire_due   -
//   hold_seats      bits 0-5 KEYS   OWNER keys lines interval plan_revision? basket:16?
//   change_hold     -               OWNER HOLD add:lines drop:lines plan_revision?
//   extend_hold     -               OWNER HOLD interval
//   begin_payment   bits 0-5 KEYS   OWNER HOLD attempt:text interval keys
//   payment_failed  -               OWNER HOLD attempt:text
//   confirm_hold    bits 0-2 kind   OWNER HOLD payment:text amount:zigzag
//   release_hold    bit 6 withdrawn OWNER HOLD lines
//   cancel_order    bit 6 withdrawn OWNER HOLD lines amount:zigzag
//   settle_refund   -               number reference:text
//   block_places    -               ranges reason
//   unblock_places  -               ranges
//   allocate_places -               ranges allocation:u8
//   shift_deadlines -               by reason
//   clear_fault     -               shift
//
//   KEYS   bits 0-2: how many limit keys, 7: a varint with how many less 7 follows; bits 3-5: the kind of the first
//   keys   value:16, then for each other kind:u8 value:16
//   lines  n << 1 | counted, n times: number << 1 | kind (0 seat, 1 area), count (areas; seats if counted), price
//          counted is set only if some seat line has another count than 1, so that this too reaches the rules
//   ranges n, n times: first << 2 | odd << 1 | kind; seats: last - first as zigzag; areas: count, allocation:u8
//          odd is set only if a field has a value that its kind does not use: then last - first, count and
//          allocation all follow
//   text   length, bytes
//   options  n >= 1, n times: tag, length, bytes; tags ascending, an odd tag is critical. None is known yet

namespace holdfast::core {

namespace {

constexpr std::uint8_t head_extras = 0x80;
constexpr std::uint8_t head_flag = 0x40;  // withdrawn, or channels
constexpr std::uint8_t head_keys = 0x3f;
constexpr std::uint8_t keys_escape = 7;
constexpr std::uint8_t extra_options = 1;
constexpr std::uint8_t extra_basket = 2;
constexpr std::uint8_t extra_revision = 4;
constexpr std::size_t options_max = 16;
constexpr std::uint64_t u32_max = std::numeric_limits<std::uint32_t>::max();

// ---- writing ------------------------------------------------------------------------------------------------

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

// ---- reading ------------------------------------------------------------------------------------------------

class command_reader {
 public:
  command_reader(command_form form, base::byte_reader& in, std::pmr::memory_resource& arena, refusal* impossible)
      : form_(form), in_(in), arena_(arena), impossible_(impossible) {}

  /// Why it failed beyond "the bytes end early or are malformed"; empty if there is no more to say.
  std::string why;

  command read(command_tag tag) {
    switch (tag) {
      case command_tag::create_session: return read_create();
      case command_tag::open_sale: return open_sale{channels()};
      case command_tag::pause_sale: return bare<pause_sale>();
      case command_tag::resume_sale: return bare<resume_sale>();
      case command_tag::close_sale: return close_sale{channels()};
      case command_tag::freeze_sale: return bare<freeze_sale>();
      case command_tag::hold_seats: return read_hold();
      case command_tag::change_hold: return read_change();
      case command_tag::extend_hold: return read_extend();
      case command_tag::begin_payment: return read_begin_payment();
      case command_tag::payment_failed: return read_payment_failed();
      case command_tag::confirm_hold: return read_confirm();
      case command_tag::release_hold: return read_release();
      case command_tag::cancel_order: return read_cancel();
      case command_tag::settle_refund: return read_settle();
      case command_tag::block_places: return read_block();
      case command_tag::unblock_places: return read_unblock();
      case command_tag::allocate_places: return read_allocate();
      case command_tag::shift_deadlines: return read_shift();
      case command_tag::clear_fault: return read_clear();
      case command_tag::expire_due: return bare<expire_due>();
    }
    in_.fail();
    why = "there is no command with tag " + std::to_string(static_cast<unsigned>(tag));
    return expire_due{};
  }

 private:
  command read_create() {
    head(0);
    auto terms = std::make_shared<session_terms>();
    terms->name = name();
    const auto kind = in_.u8();
    if (kind > static_cast<std::uint8_t>(session_class::rehearsal))
      reject(refusal::bad_content, "an unknown class of session");
    terms->kind = static_cast<session_class>(kind);
    terms->currency = name();
    terms->organiser_ref = name();
    terms->starts_at = in_.zigzag();
    terms->zone = name();
    terms->plan_revision = u32();
    if (in_.ok()) {
      auto rules = decode_policy(in_);
      if (rules) {
        terms->rules = std::move(*rules);
      } else if (in_.ok() && rules.failure().kind == base::trouble::bad_input) {
        reject(refusal::bad_content, "the policy breaks its own rules");
      } else {
        in_.fail();
        why = rules.failure().text;
      }
    }
    options();
    return create_session{std::move(terms)};
  }
  command read_hold() {
    hold_seats c;
    const auto bits = head(head_keys, extra_basket | extra_revision);
    if (form_ != command_form::by_connection) c.owner = owner_id{in_.id()};
    c.keys = read_keys(bits);
    c.lines = read_lines();
    c.interval = u32();
    c.plan_revision = revision();
    if ((extras_ & extra_basket) != 0) {
      c.basket = basket_id{in_.id()};
      if (c.basket.value.zero()) in_.fail();  // no basket is written by leaving it out
    }
    options();
    return c;
  }
  command read_change() {
    change_hold c;
    head(0, extra_revision);
    subject(c.owner, c.hold);
    c.add = read_lines();
    c.drop = read_lines();
    c.plan_revision = revision();
    options();
    return c;
  }
  command read_extend() {
    extend_hold c;
    head(0);
    subject(c.owner, c.hold);
    c.interval = u32();
    options();
    return c;
  }
  command read_begin_payment() {
    begin_payment c;
    const auto bits = head(head_keys);
    subject(c.owner, c.hold);
    c.attempt = reference();
    c.interval = u32();
    c.keys = read_keys(bits);
    options();
    return c;
  }
  command read_payment_failed() {
    payment_failed c;
    head(0);
    subject(c.owner, c.hold);
    c.attempt = reference();
    options();
    return c;
  }
  command read_confirm() {
    confirm_hold c;
    const auto kind = head(7);
    if (kind >= payment_kinds) reject(refusal::bad_content, "an unknown kind of payment");
    c.kind = static_cast<payment_kind>(kind);
    subject(c.owner, c.hold);
    c.payment = reference();
    c.amount = in_.zigzag();
    options();
    return c;
  }
  command read_release() {
    release_hold c;
    c.withdrawn = head(head_flag) != 0;
    subject(c.owner, c.hold);
    c.lines = read_lines();
    options();
    return c;
  }
  command read_cancel() {
    cancel_order c;
    c.withdrawn = head(head_flag) != 0;
    subject(c.owner, c.order);
    c.lines = read_lines();
    c.amount = in_.zigzag();
    options();
    return c;
  }
  command read_settle() {
    settle_refund c;
    head(0);
    c.number = refund_no{u32()};
    c.reference = reference();
    options();
    return c;
  }
  command read_block() {
    block_places c;
    head(0);
    c.ranges = read_ranges();
    c.reason = reason();
    options();
    return c;
  }
  command read_unblock() {
    unblock_places c;
    head(0);
    c.ranges = read_ranges();
    options();
    return c;
  }
  command read_allocate() {
    allocate_places c;
    head(0);
    c.ranges = read_ranges();
    c.allocation = in_.u8();
    options();
    return c;
  }
  command read_shift() {
    shift_deadlines c;
    head(0);
    c.by = u32();
    c.reason = reason();
    options();
    return c;
  }
  command read_clear() {
    clear_fault c;
    head(0);
    c.shift = u32();
    options();
    return c;
  }
  template <class Bare>
  command bare() {
    head(0);
    options();
    return Bare{};
  }

  // ---- parts ----

  /// The head's own bits, of which only `bits` may be set.
  std::uint8_t head(std::uint8_t bits, std::uint8_t extras = 0) {
    const auto h = in_.u8();
    if ((h & head_extras) != 0) {
      extras_ = in_.u8();
      if (extras_ == 0 || (extras_ & ~(extras | extra_options)) != 0) in_.fail();
    }
    const auto own = static_cast<std::uint8_t>(h & ~head_extras);
    if ((own & ~bits) != 0) in_.fail();
    return own;
  }
  void subject(owner_id& owner, hold_id& hold) {
    if (form_ == command_form::whole) owner = owner_id{in_.id()};
    if (form_ != command_form::by_number) hold = hold_id{in_.id()};
  }
  channel_set channels() {
    channel_set set = all_channels;
    if (head(head_flag) != 0) {
      set = u32();
      if (set == all_channels) in_.fail();  // all is written by leaving it out
    }
    options();
    return set;
  }
  std::uint32_t u32() { return static_cast<std::uint32_t>(in_.varint(u32_max)); }
  reason_code reason() { return static_cast<reason_code>(in_.varint(std::numeric_limits<reason_code>::max())); }
  std::uint32_t revision() {
    if ((extras_ & extra_revision) == 0) return 1;
    const auto r = u32();
    if (r == 1) in_.fail();
    return r;
  }
  std::string name() {
    const auto b = in_.sized(in_.left());
    if (b.size() > limits::name_bytes_max) {
      reject(refusal::bad_content, "a name or reference of more than 64 bytes");
      return {};
    }
    return std::string(base::as_text(b));
  }
  base::byte_view reference() {
    const auto b = in_.sized(in_.left());
    if (b.empty()) return {};
    if (b.size() > limits::ref_bytes_max) {
      reject(refusal::bad_reference, "a reference of more than 64 bytes");
      return {};
    }
    auto* p = static_cast<std::uint8_t*>(arena_.allocate(b.size(), 1));
    std::memcpy(p, b.data(), b.size());
    return {p, b.size()};
  }

  /// `n` items of at least `bytes_min` bytes each. Nothing is allocated for more items than `items_max` or than the
  /// bytes hold.
  template <class T, class ReadOne>
  std::span<const T> list(std::uint64_t n, std::size_t bytes_min, std::uint32_t items_max, refusal too_many,
                          ReadOne read_one) {
    if (!in_.ok() || n > in_.left() / bytes_min) {
      in_.fail();
      return {};
    }
    if (n > items_max) {
      reject(too_many, "a list is longer than any session allows");
      for (; n > 0 && in_.ok(); --n) read_one(n);
      return {};
    }
    if (n == 0) return {};
    auto* items = static_cast<T*>(arena_.allocate(n * sizeof(T), alignof(T)));
    for (std::uint64_t i = 0; i < n; ++i) std::construct_at(items + i, read_one(i));
    return {items, static_cast<std::size_t>(n)};
  }

  keys read_keys(std::uint8_t bits) {
    std::uint64_t n = bits & 7U;
    const auto first = static_cast<std::uint8_t>(bits >> 3U & 7U);
    if (n == 0 && first != 0) in_.fail();
    if (form_ == command_form::by_connection) {
      if (bits != 0) in_.fail();
      return {};
    }
    if (n == keys_escape) n += in_.varint(u32_max);
    bool at_first = true;
    return list<limit_key>(n, sizeof(id128), limits::keys_max, refusal::bad_keys, [&](std::uint64_t) {
      const auto kind = std::exchange(at_first, false) ? first : in_.u8();
      if (kind >= key_kinds) reject(refusal::bad_keys, "an unknown kind of limit key");
      return limit_key{static_cast<key_kind>(kind), in_.id()};
    });
  }
  lines read_lines() {
    const auto n = in_.varint();
    const bool counted = (n & 1U) != 0;
    bool needed = false;
    const auto result = list<line>(n >> 1U, 2, limits::lines_max, refusal::too_many_lines, [&](std::uint64_t) {
      line l;
      const auto place = in_.varint(u32_max << 1U | 1U);
      l.kind = static_cast<place_kind>(place & 1U);
      l.number = static_cast<std::uint32_t>(place >> 1U);
      if (counted || l.kind == place_kind::area) l.count = u32();
      l.price = u32();
      needed = needed || (l.kind == place_kind::seat && l.count != 1);
      return l;
    });
    if (counted && !needed) in_.fail();
    return result;
  }
  ranges read_ranges() {
    return list<place_range>(in_.varint(), 2, limits::ranges_max, refusal::bad_range, [&](std::uint64_t) {
      place_range r;
      const auto place = in_.varint(u32_max << 2U | 3U);
      const bool odd = (place & 2U) != 0;
      r.kind = static_cast<place_kind>(place & 1U);
      r.first = r.last = static_cast<std::uint32_t>(place >> 2U);
      if (odd || r.kind == place_kind::seat) {
        const auto by = in_.zigzag();
        const auto first = static_cast<std::int64_t>(r.first);
        if (by < -first || by > static_cast<std::int64_t>(u32_max) - first)
          in_.fail();
        else
          r.last = static_cast<std::uint32_t>(first + by);
      }
      if (odd || r.kind == place_kind::area) {
        r.count = u32();
        r.allocation = in_.u8();
      }
      const bool is_odd = r.kind == place_kind::area ? r.last != r.first : r.count != 0 || r.allocation != 0;
      if (odd != is_odd) in_.fail();
      return r;
    });
  }
  void options() {
    if ((extras_ & extra_options) == 0) return;
    const auto n = in_.varint(options_max);
    if (n == 0) in_.fail();
    std::uint64_t last = 0;
    for (std::uint64_t i = 0; i < n && in_.ok(); ++i) {
      const auto tag = in_.varint();
      in_.sized(in_.left());
      if (i > 0 && tag <= last) in_.fail();
      last = tag;
      if (in_.ok() && (tag & 1U) != 0) {
        in_.fail();
        why = "it needs option " + std::to_string(tag) + ", which this program does not know";
      }
    }
  }
  /// Well-formed bytes whose content no session could judge.
  void reject(refusal r, const char* what) {
    if (!in_.ok()) return;
    if (impossible_ == nullptr) {
      in_.fail();
      why = what;
    } else if (*impossible_ == refusal::none) {
      *impossible_ = r;
    }
  }

  command_form form_;
  base::byte_reader& in_;
  std::pmr::memory_resource& arena_;
  refusal* impossible_;
  std::uint8_t extras_ = 0;
};

}  // namespace

void encode_command(const command& c, command_form form, base::byte_writer& out) {
  std::visit(command_writer(form, out), c);
}

base::result<command> decode_command(command_tag tag, command_form form, base::byte_reader& in,
                                     std::pmr::memory_resource& arena, refusal* impossible) {
  if (impossible != nullptr) *impossible = refusal::none;
  command_reader reader(form, in, arena, impossible);
  auto c = reader.read(tag);
  if (in.ok()) return c;
  return base::error{
      base::trouble::bad_bytes,
      "command: " + (reader.why.empty() ? "the bytes end early or are not in their only form" : std::move(reader.why))};
}

}  // namespace holdfast::core
