// From records to bytes; record_codec.hpp draws them.
#include "base/check.hpp"
#include "base/planted.hpp"
#include "persistence/record_form.hpp"

namespace holdfast::persistence {

using namespace record_form;

namespace {

template <class... Ts>
struct overloaded : Ts... {
  using Ts::operator()...;
};
template <class... Ts>
overloaded(Ts...) -> overloaded<Ts...>;  // what Clang 14 cannot deduce by itself

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
                   const auto lost = planted(bug::record_loses_an_expiry) && x.holds.size() > 1 ? 1U : 0U;
                   const auto holds = x.holds.first(x.holds.size() - lost);
                   out.varint(holds.size());
                   std::int64_t before = 0;
                   for (const auto h : holds) {
                     out.zigzag(std::int64_t{h.value} - before);
                     before = h.value;
                   }
                 },
                 [](const auto&) {},
             },
             e);
}

/// More than a hold of a few lines or a confirm takes; a longer record finds its room as it goes.
constexpr std::size_t usual_bytes = 128;

}  // namespace

void encode_record(const core::record& r, base::bytes& out) {
  const auto tag = core::tag_of(r.asked);
  HOLDFAST_CHECK(command_of_event[r.done.index()] == tag, "an event that its command cannot have");
  HOLDFAST_CHECK(r.head.channel < core::limits::channels_max, "a channel that no policy can have");
  HOLDFAST_CHECK(r.head.note.size() <= core::limits::note_bytes_max, "a note that is too long");
  HOLDFAST_CHECK(r.rules_version != 0, "a record without a version of the rules");
  base::byte_writer w(out, usual_bytes);
  const bool has_id = !r.head.id.value.zero();
  w.varint(r.rules_version);
  w.u8(static_cast<std::uint8_t>(static_cast<unsigned>(r.head.from.who) | unsigned{r.head.channel} << channel_shift |
                                 (has_id ? id_bit : 0U)));
  w.varint(r.head.from.principal);
  put_event(r.done, deadline_base(r.at, r.asked), r.asked, w);
  w.varint(static_cast<std::uint64_t>(tag));
  if (has_id) w.id(r.head.id.value);
  core::encode_command(r.asked, form_of(tag, r.done), w);
  if (r.head.note.empty() || planted(bug::record_loses_its_note)) return;
  w.varint(option_note * 2);
  w.sized(r.head.note);
}

}  // namespace holdfast::persistence
