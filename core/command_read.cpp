// From bytes to commands; command_form.hpp draws them.
#include <cstring>
#include <utility>

#include "core/command_codec.hpp"
#include "core/command_form.hpp"
#include "core/policy.hpp"

namespace holdfast::core {

using namespace command_bytes;

namespace {

class command_reader {
 public:
  command_reader(command_form form, base::byte_reader& in, std::pmr::memory_resource& arena, command& into, refusal* impossible)
      : form_(form), in_(in), arena_(arena), into_(into), impossible_(impossible) {}

  /// Why it failed beyond "the bytes end early or are malformed"; empty if there is no more to say.
  std::string why;

  void read(command_tag tag) {
    switch (tag) {
      case command_tag::create_session: return read_create();
      case command_tag::open_sale: return into_.emplace<open_sale>().channels = channels(), void();
      case command_tag::pause_sale: return bare<pause_sale>();
      case command_tag::resume_sale: return bare<resume_sale>();
      case command_tag::close_sale: return into_.emplace<close_sale>().channels = channels(), void();
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
  }

 private:
  void read_create() {
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
    into_.emplace<create_session>().terms = std::move(terms);
  }
  void read_hold() {
    auto& c = into_.emplace<hold_seats>();
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
  }
  void read_change() {
    auto& c = into_.emplace<change_hold>();
    head(0, extra_revision);
    subject(c.owner, c.hold);
    c.add = read_lines();
    c.drop = read_lines();
    c.plan_revision = revision();
    options();
  }
  void read_extend() {
    auto& c = into_.emplace<extend_hold>();
    head(0);
    subject(c.owner, c.hold);
    c.interval = u32();
    options();
  }
  void read_begin_payment() {
    auto& c = into_.emplace<begin_payment>();
    const auto bits = head(head_keys);
    subject(c.owner, c.hold);
    c.attempt = reference();
    c.interval = u32();
    c.keys = read_keys(bits);
    options();
  }
  void read_payment_failed() {
    auto& c = into_.emplace<payment_failed>();
    head(0);
    subject(c.owner, c.hold);
    c.attempt = reference();
    options();
  }
  void read_confirm() {
    auto& c = into_.emplace<confirm_hold>();
    const auto kind = head(7);
    if (kind >= payment_kinds) reject(refusal::bad_content, "an unknown kind of payment");
    c.kind = static_cast<payment_kind>(kind);
    subject(c.owner, c.hold);
    c.payment = reference();
    c.amount = in_.zigzag();
    options();
  }
  void read_release() {
    auto& c = into_.emplace<release_hold>();
    c.withdrawn = head(head_flag) != 0;
    subject(c.owner, c.hold);
    c.lines = read_lines();
    options();
  }
  void read_cancel() {
    auto& c = into_.emplace<cancel_order>();
    c.withdrawn = head(head_flag) != 0;
    subject(c.owner, c.order);
    c.lines = read_lines();
    c.amount = in_.zigzag();
    options();
  }
  void read_settle() {
    auto& c = into_.emplace<settle_refund>();
    head(0);
    c.number = refund_no{u32()};
    c.reference = reference();
    options();
  }
  void read_block() {
    auto& c = into_.emplace<block_places>();
    head(0);
    c.ranges = read_ranges();
    c.reason = reason();
    options();
  }
  void read_unblock() {
    auto& c = into_.emplace<unblock_places>();
    head(0);
    c.ranges = read_ranges();
    options();
  }
  void read_allocate() {
    auto& c = into_.emplace<allocate_places>();
    head(0);
    c.ranges = read_ranges();
    c.allocation = in_.u8();
    options();
  }
  void read_shift() {
    auto& c = into_.emplace<shift_deadlines>();
    head(0);
    c.by = u32();
    c.reason = reason();
    options();
  }
  void read_clear() {
    auto& c = into_.emplace<clear_fault>();
    head(0);
    c.shift = u32();
    options();
  }
  template <class Bare>
  void bare() {
    into_.emplace<Bare>();
    head(0);
    options();
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
    if ((extras_ & extra_options) != 0) [[unlikely]] read_options();
  }
  [[gnu::noinline]] void read_options() {
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
  command& into_;
  refusal* impossible_;
  std::uint8_t extras_ = 0;
};

}  // namespace

base::result<void> decode_command(command_tag tag, command_form form, base::byte_reader& in, std::pmr::memory_resource& arena,
                                  command& into, refusal* impossible) {
  if (impossible != nullptr) *impossible = refusal::none;
  command_reader reader(form, in, arena, into, impossible);
  reader.read(tag);
  if (in.ok()) [[likely]] return {};
  return base::error{
      base::trouble::bad_bytes,
      "command: " + (reader.why.empty() ? "the bytes end early or are not in their only form" : std::move(reader.why))};
}

base::result<command> decode_command(command_tag tag, command_form form, base::byte_reader& in, std::pmr::memory_resource& arena,
                                     refusal* impossible) {
  command c;
  if (auto ok = decode_command(tag, form, in, arena, c, impossible); !ok) return ok.failure();
  return c;
}

}  // namespace holdfast::core
