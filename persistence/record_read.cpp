// From bytes to records; record_codec.hpp draws them.
#include <algorithm>
#include <string>

#include "persistence/record_form.hpp"

namespace holdfast::persistence {

using namespace record_form;

namespace {

base::error bad(std::string what) { return {base::trouble::bad_bytes, "the record " + std::move(what)}; }

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
  const auto form = form_of(static_cast<command_tag>(tag), r.done);
  if (auto ok = core::decode_command(static_cast<command_tag>(tag), form, in, arena, r.asked); !ok)
    return bad("has a malformed command: " + ok.failure().text);
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

}  // namespace holdfast::persistence
