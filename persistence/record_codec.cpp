#include "persistence/record_codec.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <string>

#include "base/check.hpp"
#include "core/command_codec.hpp"

namespace holdfast::persistence {

namespace {

using core::command_tag;

constexpr std::uint64_t u32_max = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint8_t role_bits = 0x07;
constexpr std::uint8_t channel_shift = 3;
constexpr std::uint8_t id_bit = 0x80;
constexpr std::uint8_t roles = 7;
constexpr std::uint64_t option_note = 1;

static_assert(core::limits::channels_max == 16, "the channel has four bits in a record");
static_assert(static_cast<std::uint8_t>(core::role::recovery) == roles - 1);

base::error bad(std::string what) { return {base::trouble::bad_bytes, "the record " + std::move(what)}; }

template <class... Ts>
struct overloaded : Ts... {
  using Ts::operator()...;
};

template <class T, class V>
struct index_in;
template <class T, class... Ts>
struct index_in<T, std::variant<Ts...>> {
  static constexpr std::size_t value = [] {
    std::size_t i = 0;
    const bool hit = ((std::is_same_v<T, Ts> || (++i, false)) || ...);
    return hit ? i : sizeof...(Ts);
  }();
};
template <class T>
constexpr std::size_t event_no = index_in<T, core::event>::value;

/// Which command an event can belong to; confirm has two events.
constexpr std::array<command_tag, std::variant_size_v<core::event>> command_of_event = {
    command_tag::create_session,  command_tag::open_sale,       command_tag::pause_sale,
    command_tag::resume_sale,     command_tag::close_sale,      command_tag::freeze_sale,
    command_tag::hold_seats,      command_tag::change_hold,     command_tag::extend_hold,
    command_tag::begin_payment,   command_tag::payment_failed,  command_tag::confirm_hold,
    command_tag::confirm_hold,    command_tag::release_hold,    command_tag::cancel_order,
    command_tag::settle_refund,   command_tag::block_places,    command_tag::unblock_places,
    command_tag::allocate_places, command_tag::shift_deadlines, command_tag::clear_fault,
    command_tag::expire_due,
};
static_assert(event_no<core::hold_placed> == 6 && event_no<core::hold_confirmed> == 11 &&
              event_no<core::holds_expired> == 21);

/// Commands on a hold may leave owner and hold id to the number in the event.
bool on_a_hold(command_tag t) {
  switch (t) {
    case command_tag::change_hold:
    case command_tag::extend_hold:
    case command_tag::begin_payment:
    case command_tag::payment_failed:
    case command_tag::confirm_hold:
    case command_tag::release_hold:
    case command_tag::cancel_order: return true;
    default: return false;
  }
}

core::command_form form_of(command_tag t, const core::event& e) {
  return on_a_hold(t) && hold_of(e).value != 0 ? core::command_form::by_number : core::command_form::whole;
}

/// What a deadline is written relative to. Arithmetic is modulo 2^64 on both sides, so nothing can be lost.
std::uint64_t deadline_base(core::log_time at, const core::command& c) {
  return std::visit(
      [&]<class C>(const C& x) -> std::uint64_t {
        if constexpr (requires { x.interval; }) {
          return at.value + std::uint64_t{x.interval} * core::us_per_ms;
        } else {
          return at.value;
        }
      },
      c);
}

core::hold_time* deadline_of(core::event& e) {
  return std::visit(
      []<class E>(E& x) -> core::hold_time* {
        if constexpr (requires { x.deadline; }) {
          return &x.deadline;
        } else {
          return nullptr;
        }
      },
      e);
}

bool own_bit(const core::event& e) {
  return std::visit(
      []<class E>(const E& x) {
        if constexpr (requires { x.draws; }) {
          return !x.draws.empty();
        } else if constexpr (requires { x.late; }) {
          return x.late;
        } else {
          return false;
        }
      },
      e);
}

void put_pieces(core::pieces pieces, base::byte_writer& out) {
  HOLDFAST_CHECK(!pieces.empty() && pieces.size() <= pieces_max, "a record with no or too many pieces");
  out.varint(pieces.size());
  for (const auto& p : pieces) {
    out.varint(std::uint64_t{p.number} * 2 + static_cast<std::uint64_t>(p.kind));
    if (p.kind == core::place_kind::seat) continue;
    out.varint(p.count);
    out.u8(p.allocation);
  }
}

void put_draws(core::draws draws, base::byte_writer& out) {
  if (draws.empty()) return;
  out.varint(draws.size());
  for (const auto& d : draws) {
    out.varint(d.line);
    out.u8(d.allocation);
    out.varint(d.count);
  }
}

void put_event(const core::event& e, std::uint64_t base, const core::command& c, base::byte_writer& out) {
  out.varint(e.index() * 4 + (own_bit(e) ? 2 : 0));
  const auto deadline = [&](core::hold_time t) { out.zigzag(static_cast<std::int64_t>(t.value - base)); };
  std::visit(overloaded{
                 [&](const core::session_created&) {
                   const auto* asked = std::get_if<core::create_session>(&c);
                   HOLDFAST_CHECK(asked != nullptr && asked->terms && asked->terms->seating,
                                  "a session without a plan");
                   out.view(plan_hash(*asked->terms->seating));
                 },
                 [&](const core::sale_resumed& x) { out.varint(x.shift_us); },
                 [&](const core::hold_placed& x) {
                   out.varint(x.hold.value);
                   deadline(x.deadline);
                   put_draws(x.draws, out);
                 },
                 [&](const core::hold_changed& x) {
                   out.varint(x.hold.value);
                   put_draws(x.draws, out);
                 },
                 [&](const core::hold_extended& x) { out.varint(x.hold.value), deadline(x.deadline); },
                 [&](const core::payment_begun& x) { out.varint(x.hold.value), deadline(x.deadline); },
                 [&](const core::payment_rejected& x) { out.varint(x.hold.value), deadline(x.deadline); },
                 [&](const core::hold_confirmed& x) {
                   out.varint(x.hold.value);
                   put_pieces(x.sold, out);
                 },
                 [&](const core::refund_recorded& x) {
                   out.varint(x.number.value);
                   out.u8(static_cast<std::uint8_t>(x.reason));
                   out.varint(x.hold.value);
                 },
                 [&](const core::hold_released& x) { out.varint(x.hold.value); },
                 [&](const core::order_cancelled& x) {
                   out.varint(x.hold.value);
                   out.varint(x.number.value);
                   put_pieces(x.back, out);
                 },
                 [&](const core::deadlines_shifted& x) { out.varint(x.shift_us); },
                 [&](const core::fault_cleared& x) { out.varint(x.shift_us); },
                 [&](const core::holds_expired& x) {
                   HOLDFAST_CHECK(!x.holds.empty(), "an expiry of nothing");
                   out.varint(x.holds.size());
                   std::int64_t before = 0;
                   for (const auto h : x.holds) {
                     out.zigzag(std::int64_t{h.value} - before);
                     before = h.value;
                   }
                 },
                 [](const auto&) {},
             },
             e);
}

/// Room for `n` values in the arena; `n` was checked against the bytes that are left.
template <class T>
std::span<T> room(std::pmr::memory_resource& arena, std::size_t n) {
  auto* p = static_cast<T*>(arena.allocate(n * sizeof(T), alignof(T)));
  std::uninitialized_value_construct_n(p, n);
  return {p, n};
}

/// A count of at least one, of things that take at least `each` bytes.
std::size_t count(base::byte_reader& in, std::uint64_t max, std::size_t each) {
  const auto n = in.varint(max);
  if (n == 0 || n > in.left() / each) in.fail();
  return in.ok() ? static_cast<std::size_t>(n) : 0;
}

core::hold_no hold(base::byte_reader& in) {
  const auto n = in.varint(u32_max);
  if (n == 0) in.fail();
  return core::hold_no{static_cast<std::uint32_t>(n)};
}

core::pieces get_pieces(base::byte_reader& in, std::pmr::memory_resource& arena) {
  const auto all = room<core::piece>(arena, count(in, pieces_max, 1));
  for (auto& p : all) p = read_piece(in);
  return all;
}

core::draws get_draws(base::byte_reader& in, bool any, std::pmr::memory_resource& arena) {
  if (!any) return {};
  const auto all = room<core::draw>(arena, count(in, pieces_max, 3));
  for (auto& d : all) {
    d.line = static_cast<std::uint16_t>(in.varint(core::limits::lines_max - 1));
    d.allocation = in.u8();
    d.count = static_cast<std::uint32_t>(in.varint(core::limits::area_places_max));
    if (d.allocation >= core::limits::allocations_max || d.count == 0) in.fail();
  }
  return all;
}

core::holds_expired get_expired(base::byte_reader& in, std::pmr::memory_resource& arena) {
  const auto all = room<core::hold_no>(arena, count(in, u32_max, 1));
  std::int64_t before = 0;
  for (auto& h : all) {
    // Neither summand is beyond 33 bits if the reader goes on, so the sum cannot overflow.
    const auto step = in.zigzag();
    if (step > std::int64_t{u32_max} || step < -std::int64_t{u32_max}) in.fail();
    if (!in.ok()) return {};
    before += step;
    if (before <= 0 || before > std::int64_t{u32_max}) in.fail();
    h = core::hold_no{static_cast<std::uint32_t>(before)};
  }
  return {all};
}

/// Reads one event. Deadlines come out relative to what only the command tells; `decode_record` adds it.
core::event get_event(std::size_t number, bool own, digest& plan, base::byte_reader& in,
                      std::pmr::memory_resource& arena) {
  const auto deadline = [&] { return core::hold_time{static_cast<std::uint64_t>(in.zigzag())}; };
  const auto plain = [&](core::event e) {
    if (own) in.fail();
    return e;
  };
  // Fields are read in separate statements: the order in which arguments are evaluated is nobody's promise.
  switch (number) {
    case event_no<core::session_created>: {
      const auto hash = in.view(plan.size());
      if (in.ok()) std::ranges::copy(hash, plan.begin());
      return plain(core::session_created{});
    }
    case event_no<core::sale_opened>: return plain(core::sale_opened{});
    case event_no<core::sale_paused>: return plain(core::sale_paused{});
    case event_no<core::sale_resumed>: return plain(core::sale_resumed{in.varint()});
    case event_no<core::sale_closed>: return plain(core::sale_closed{});
    case event_no<core::sale_frozen>: return plain(core::sale_frozen{});
    case event_no<core::hold_placed>: {
      core::hold_placed x;
      x.hold = hold(in);
      x.deadline = deadline();
      x.draws = get_draws(in, own, arena);
      return x;
    }
    case event_no<core::hold_changed>: {
      core::hold_changed x;
      x.hold = hold(in);
      x.draws = get_draws(in, own, arena);
      return x;
    }
    case event_no<core::hold_extended>: {
      core::hold_extended x;
      x.hold = hold(in);
      x.deadline = deadline();
      return plain(x);
    }
    case event_no<core::payment_begun>: {
      core::payment_begun x;
      x.hold = hold(in);
      x.deadline = deadline();
      return plain(x);
    }
    case event_no<core::payment_rejected>: {
      core::payment_rejected x;
      x.hold = hold(in);
      x.deadline = deadline();
      return plain(x);
    }
    case event_no<core::hold_confirmed>: {
      core::hold_confirmed x;
      x.hold = hold(in);
      x.late = own;
      x.sold = get_pieces(in, arena);
      return x;
    }
    case event_no<core::refund_recorded>: {
      core::refund_recorded x;
      x.number.value = static_cast<std::uint32_t>(in.varint(u32_max));
      const auto reason = in.u8();
      if (x.number.value == 0 || reason == 0 || reason > static_cast<std::uint8_t>(core::refund_reason::cancelled))
        in.fail();
      x.reason = static_cast<core::refund_reason>(reason);
      x.hold.value = static_cast<std::uint32_t>(in.varint(u32_max));
      return plain(x);
    }
    case event_no<core::hold_released>: return plain(core::hold_released{hold(in)});
    case event_no<core::order_cancelled>: {
      core::order_cancelled x;
      x.hold = hold(in);
      x.number.value = static_cast<std::uint32_t>(in.varint(u32_max));
      x.back = get_pieces(in, arena);
      return plain(x);
    }
    case event_no<core::refund_closed>: return plain(core::refund_closed{});
    case event_no<core::places_blocked>: return plain(core::places_blocked{});
    case event_no<core::places_unblocked>: return plain(core::places_unblocked{});
    case event_no<core::places_allocated>: return plain(core::places_allocated{});
    case event_no<core::deadlines_shifted>: return plain(core::deadlines_shifted{in.varint()});
    case event_no<core::fault_cleared>: return plain(core::fault_cleared{in.varint()});
    case event_no<core::holds_expired>: return plain(get_expired(in, arena));
    default: in.fail(); return core::sale_opened{};
  }
}

struct outside {
  std::uint16_t rules = 0;
  core::origin from;
  core::channel_no channel = 0;
  bool has_id = false;
  std::size_t event = 0;
  bool own = false;
  bool more = false;
};

outside get_outside(base::byte_reader& in) {
  outside o;
  o.rules = static_cast<std::uint16_t>(in.varint(0xffff));
  const auto who = in.u8();
  if ((who & role_bits) >= roles || o.rules == 0) in.fail();
  o.from.who = static_cast<core::role>(who & role_bits);
  o.channel = (who >> channel_shift) & 0x0fU;
  o.has_id = (who & id_bit) != 0;
  o.from.principal = static_cast<std::uint32_t>(in.varint(u32_max));
  const auto head = in.varint(0xffff);
  o.event = head / 4;
  o.own = (head & 2U) != 0;
  o.more = (head & 1U) != 0;
  if (o.event >= command_of_event.size()) in.fail();
  return o;
}

base::result<void> get_options(core::envelope& head, base::byte_reader& in, std::pmr::memory_resource& arena) {
  std::uint64_t before = 0;
  while (in.ok() && !in.done()) {
    const auto tag = in.varint();
    if (tag / 2 <= before) in.fail();
    before = tag / 2;
    if (tag == option_note * 2) {
      const auto note = in.sized(core::limits::note_bytes_max);
      if (note.empty()) in.fail();
      const auto kept = room<std::uint8_t>(arena, note.size());
      std::ranges::copy(note, kept.begin());
      head.note = kept;
    } else if (tag % 2 != 0) {
      return bad("has critical option " + std::to_string(tag / 2) + ", which this program does not know");
    } else {
      in.sized(record_bytes_max);
    }
  }
  if (!in.ok()) return bad("has malformed options");
  return {};
}

}  // namespace

core::hold_no hold_of(const core::event& e) {
  return std::visit(
      []<class E>(const E& x) -> core::hold_no {
        if constexpr (requires { x.hold; }) {
          return x.hold;
        } else {
          return {};
        }
      },
      e);
}

void encode_record(const core::record& r, base::bytes& out) {
  const auto tag = core::tag_of(r.asked);
  HOLDFAST_CHECK(command_of_event[r.done.index()] == tag, "an event that its command cannot have");
  HOLDFAST_CHECK(r.head.channel < core::limits::channels_max, "a channel that no policy can have");
  HOLDFAST_CHECK(r.head.note.size() <= core::limits::note_bytes_max, "a note that is too long");
  HOLDFAST_CHECK(r.rules_version != 0, "a record without a version of the rules");
  base::byte_writer w(out);
  const bool has_id = !r.head.id.value.zero();
  w.varint(r.rules_version);
  w.u8(static_cast<std::uint8_t>(static_cast<unsigned>(r.head.from.who) | unsigned{r.head.channel} << channel_shift |
                                 (has_id ? id_bit : 0U)));
  w.varint(r.head.from.principal);
  put_event(r.done, deadline_base(r.at, r.asked), r.asked, w);
  w.varint(static_cast<std::uint64_t>(tag));
  if (has_id) w.id(r.head.id.value);
  core::encode_command(r.asked, form_of(tag, r.done), w);
  if (r.head.note.empty()) return;
  w.varint(option_note * 2);
  w.sized(r.head.note);
}

base::result<core::record> decode_record(const record_ref& framed, const plan_library* plans,
                                         std::pmr::memory_resource& arena) {
  core::record r;
  if (auto ok = decode_record(framed, plans, arena, r); !ok) return ok.failure();
  return r;
}

base::result<void> decode_record(const record_ref& framed, const plan_library* plans, std::pmr::memory_resource& arena,
                                 core::record& into) {
  auto& r = into;
  base::byte_reader in(framed.bytes);
  const auto o = get_outside(in);
  if (!in.ok()) return bad("does not begin like one");
  if (o.more) return bad("has more than one event, which this program does not know");
  digest plan{};
  r.number = core::sequence{framed.sequence};
  r.at = core::log_time{framed.log_time};
  r.rules_version = o.rules;
  r.head = {};
  r.head.from = o.from;
  r.head.channel = o.channel;
  r.done = get_event(o.event, o.own, plan, in, arena);
  if (!in.ok()) return bad("has a malformed event");
  const auto tag = in.varint(core::command_tags - 1);
  if (in.ok() && command_of_event[o.event] != static_cast<command_tag>(tag)) in.fail();
  if (o.has_id) {
    r.head.id.value = in.id();
    if (r.head.id.value.zero()) in.fail();
  }
  if (!in.ok()) return bad("has a command that does not fit its event");
  auto asked =
      core::decode_command(static_cast<command_tag>(tag), form_of(static_cast<command_tag>(tag), r.done), in, arena);
  if (!asked) return bad("has a malformed command: " + asked.failure().text);
  r.asked = std::move(*asked);
  if (auto ok = get_options(r.head, in, arena); !ok) return ok;
  if (auto* deadline = deadline_of(r.done)) deadline->value += deadline_base(r.at, r.asked);

  if (auto* created = std::get_if<core::create_session>(&r.asked); created != nullptr && plans != nullptr) {
    auto terms = std::make_shared<core::session_terms>(*created->terms);
    terms->seating = plans->find(plan);
    if (!terms->seating)
      return base::error{base::trouble::corrupt,
                         "the record needs plan " + base::to_hex(plan) + ", which the journal does not have"};
    created->terms = std::move(terms);
  }
  return {};
}

base::result<record_peek> peek_record(base::byte_view record) {
  base::byte_reader in(record);
  const auto o = get_outside(in);
  if (!in.ok() || o.more) return bad("does not begin like one");
  record_peek p;
  switch (o.event) {
    case event_no<core::session_created>: {
      const auto hash = in.view(p.plan.size());
      if (!in.ok()) return bad("has a malformed event");
      p.what = record_peek::kind::created;
      std::ranges::copy(hash, p.plan.begin());
      return p;
    }
    case event_no<core::hold_confirmed>:
      p.what = record_peek::kind::sold;
      p.hold = hold(in);
      break;
    case event_no<core::order_cancelled>:
      p.what = record_peek::kind::back;
      p.hold = hold(in);
      in.varint(u32_max);
      break;
    default: return p;
  }
  p.pieces = count(in, pieces_max, 1);
  if (!in.ok()) return bad("has a malformed event");
  p.rest = in;
  return p;
}

core::piece read_piece(base::byte_reader& in) {
  core::piece p;
  const auto place = in.varint(u32_max * 2 + 1);
  p.kind = static_cast<core::place_kind>(place & 1U);
  p.number = static_cast<std::uint32_t>(place >> 1U);
  if (p.kind == core::place_kind::seat) return p;
  p.count = static_cast<std::uint32_t>(in.varint(core::limits::area_places_max));
  p.allocation = in.u8();
  if (p.count == 0 || p.allocation >= core::limits::allocations_max) in.fail();
  return p;
}

std::string_view name_of(const core::event& e) { return event_name(e.index()); }

std::string_view event_name(std::size_t number) {
  static constexpr std::array<std::string_view, std::variant_size_v<core::event>> names = {
      "session_created", "sale_opened",     "sale_paused",    "sale_resumed",    "sale_closed",      "sale_frozen",
      "hold_placed",     "hold_changed",    "hold_extended",  "payment_begun",   "payment_rejected", "hold_confirmed",
      "refund_recorded", "hold_released",   "order_cancelled", "refund_closed",  "places_blocked",   "places_unblocked",
      "places_allocated", "deadlines_shifted", "fault_cleared", "holds_expired",
  };
  return number < names.size() ? names[number] : "unknown";
}

std::string_view name_of(core::command_tag t) {
  static constexpr std::array<std::string_view, core::command_tags> names = {
      "create_session",  "open_sale",    "pause_sale",    "resume_sale",   "close_sale",     "freeze_sale",
      "hold_seats",      "change_hold",  "extend_hold",   "begin_payment", "payment_failed", "confirm_hold",
      "release_hold",    "cancel_order", "settle_refund", "block_places",  "unblock_places", "allocate_places",
      "shift_deadlines", "clear_fault",  "expire_due",
  };
  return names[static_cast<std::size_t>(t)];
}

}  // namespace holdfast::persistence
