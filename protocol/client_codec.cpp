#include "protocol/codec.hpp"
#include "protocol/options.hpp"
#include "protocol/shown_fields.hpp"

// The client's half of answer_codec.cpp and handshake.cpp. It takes numbers outside the enums as they come: a newer
// server may know more refusals or states than this client has names for.

namespace holdfast::protocol {

namespace {

protocol_error read_welcome(base::byte_reader& in, welcome& out) {
  out.version = in.fixed<std::uint16_t>();
  out.who = static_cast<core::role>(in.u8());
  in.u8();
  out.principal = in.fixed<std::uint32_t>();
  out.now.value = in.fixed<std::uint64_t>();
  out.request_bytes_max = in.fixed<std::uint32_t>();
  out.answer_bytes_max = in.fixed<std::uint32_t>();
  out.inflight_max = in.fixed<std::uint32_t>();
  out.money_inflight_max = in.fixed<std::uint32_t>();
  out.idle_max = in.fixed<std::uint32_t>();
  out.server = in.text(limits::text_bytes_max);
  return read_options(in);
}

template <class Seen>
void show(base::byte_reader& in, shown& out) {
  field_reader fields(in);
  walk(fields, out.emplace<Seen>());
}

/// What an accepted look or house request of this kind shows; false for kinds that show nothing.
bool read_shown(std::uint16_t kind, base::byte_reader& in, shown& out) {
  switch (kind) {
    case kinds::look_base + 0: return show<core::session_seen>(in, out), true;
    case kinds::look_base + 1: return show<core::hold_seen>(in, out), true;
    case kinds::look_base + 2: return show<core::seat_seen>(in, out), true;
    case kinds::look_base + 3: return show<core::owner_seen>(in, out), true;
    case kinds::look_base + 4: return show<core::fate_seen>(in, out), true;
    case kinds::look_base + 5: return show<plan_page>(in, out), true;
    case kinds::look_base + 6: return show<core::seats_seen>(in, out), true;
    case kinds::look_base + 7: return show<core::changes_seen>(in, out), true;
    case kinds::look_base + 8: return show<core::holds_seen>(in, out), true;
    case kinds::session_named:
    case kinds::create_session: return show<session_brief>(in, out), true;
    case kinds::list_sessions: return show<sessions_listed>(in, out), true;
    case kinds::actors: return show<actors_seen>(in, out), true;
    case kinds::actor_inside: return show<actor_inside_seen>(in, out), true;
    case kinds::stats: return show<stats_seen>(in, out), true;
    case kinds::find: return show<found>(in, out), true;
    case kinds::ping: return true;
    default: return false;
  }
}

protocol_error read_answer(const frame& f, answer_message& out) {
  const auto family = family_of(f.head.kind);
  if (family != family::session && family != family::house) return protocol_error::unknown_kind;
  out = {};
  out.id = f.head.request_id;
  out.kind = f.head.kind;
  base::byte_reader in(f.body);
  auto& said = out.said;
  out.now.value = in.fixed<std::uint64_t>();
  said.tells_of.value = in.fixed<std::uint64_t>();
  said.deadline.value = in.fixed<std::uint64_t>();
  said.state = static_cast<core::hold_state>(in.u8());
  said.repeated = (in.u8() & 1U) != 0;
  said.refused = static_cast<core::refusal>(in.fixed<std::uint16_t>());
  if (said.refused != core::refusal::none) {
    said.lines = in.fixed<std::uint64_t>();
    said.left = in.fixed<std::uint64_t>();
    said.retry_after = in.fixed<std::uint32_t>();
    said.kind = static_cast<core::key_kind>(in.u8());
  } else if (!read_shown(f.head.kind, in, out.shown)) {
    said.outcome = static_cast<core::money_outcome>(in.u8());
    said.reason = static_cast<core::refund_reason>(in.u8());
    said.number.value = in.fixed<std::uint32_t>();
    said.granted.value = in.fixed<std::uint64_t>();
  }
  return read_options(in);
}

}  // namespace

protocol_error decode_from_server(const frame& f, from_server_message& out) {
  base::byte_reader in(f.body);
  switch (f.head.kind) {
    case kinds::hello: return read_welcome(in, out.emplace<welcome>());
    case kinds::problem: {
      auto& p = out.emplace<problem>();
      p.code = static_cast<protocol_error>(in.fixed<std::uint16_t>());
      p.text = in.text(limits::text_bytes_max);
      return read_options(in);
    }
    case kinds::goodbye: {
      auto& g = out.emplace<goodbye>();
      g.code = static_cast<goodbye_code>(in.fixed<std::uint16_t>());
      g.text = in.text(limits::text_bytes_max);
      return read_options(in);
    }
    default: return read_answer(f, out.emplace<answer_message>());
  }
}

}  // namespace holdfast::protocol
