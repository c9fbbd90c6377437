#include <algorithm>

#include "protocol/codec.hpp"
#include "protocol/options.hpp"

// hello      magic:u32 version_min:u16 version_max:u16      these stay where they are in every version
//            listener:u8 keys:u8 owner:16 { kind:u8 value:16 } credential:text client:text options
// welcome    version:u16 role:u8 0:u8 principal:u32 now:u64 request_bytes_max:u32 answer_bytes_max:u32 inflight_max:u32
//            money_inflight_max:u32 idle_max:u32 server:text options
// problem, goodbye    code:u16 text options

namespace holdfast::protocol {

namespace {

constexpr std::size_t client_bytes_max = 64;

void put_text_message(std::uint16_t code, const std::string& text, base::bytes& out) {
  base::byte_writer w(out);
  w.fixed(code);
  w.sized(std::string_view(text).substr(0, limits::text_bytes_max));
  put_no_options(w);
}

/// A buyer says who it is; nobody else does.
bool identity_fits(const hello& h) {
  if (h.listener != listener_kind::buyer) return h.owner.value.zero() && h.keys.empty();
  if (h.owner.value.zero() || h.keys.size() > core::limits::keys_max) return false;
  for (std::size_t i = 0; i < h.keys.size(); ++i) {
    const auto& k = h.keys[i];
    if (static_cast<std::uint8_t>(k.kind) >= core::key_kinds || k.value.zero()) return false;
    for (std::size_t j = 0; j < i; ++j)
      if (h.keys[j].kind == k.kind) return false;
  }
  return true;
}

}  // namespace

void encode_hello(std::uint64_t request_id, const hello& h, base::bytes& out) {
  frame_writer frame(out, kinds::hello, direction::from_client, request_id);
  base::byte_writer w(out);
  w.fixed(hello_magic);
  w.fixed(h.version_min);
  w.fixed(h.version_max);
  w.u8(static_cast<std::uint8_t>(h.listener));
  w.u8(static_cast<std::uint8_t>(h.keys.size()));
  w.id(h.owner.value);
  for (const auto& k : h.keys) {
    w.u8(static_cast<std::uint8_t>(k.kind));
    w.id(k.value);
  }
  w.sized(h.credential);
  w.sized(h.client);
  put_no_options(w);
  frame.finish();
}

protocol_error decode_hello(const frame& f, listener_kind here, hello& out) {
  if (f.head.kind != kinds::hello) return protocol_error::hello_expected;
  out = {};
  base::byte_reader in(f.body);
  const auto magic = in.fixed<std::uint32_t>();
  out.version_min = in.fixed<std::uint16_t>();
  out.version_max = in.fixed<std::uint16_t>();
  if (!in.ok()) return protocol_error::malformed;
  if (magic != hello_magic) return protocol_error::bad_magic;
  if (out.version_min > version_max || out.version_max < version_min || out.version_min > out.version_max)
    return protocol_error::no_common_version;

  const auto listener = in.u8();
  const auto keys = in.u8();
  out.owner = core::owner_id{in.id()};
  for (unsigned i = 0; i < keys && in.ok(); ++i) {
    const auto kind = in.u8();
    out.keys.push_back({static_cast<core::key_kind>(kind), in.id()});
  }
  const auto credential = in.sized(in.left());
  if (in.ok() && credential.size() > limits::credential_bytes_max) return protocol_error::credential_too_long;
  out.credential = base::as_text(credential);
  out.client = in.text(client_bytes_max);
  if (const auto e = read_options(in); e != protocol_error::none) return e;

  if (listener != static_cast<std::uint8_t>(here)) return protocol_error::wrong_listener;
  out.listener = here;
  return identity_fits(out) ? protocol_error::none : protocol_error::bad_identity;
}

void encode_welcome(std::uint64_t request_id, const welcome& welcome, base::bytes& out) {
  frame_writer frame(out, kinds::hello, direction::from_server, request_id);
  base::byte_writer w(out);
  w.fixed(welcome.version);
  w.u8(static_cast<std::uint8_t>(welcome.who));
  w.u8(0);
  w.fixed(welcome.principal);
  w.fixed(welcome.now.value);
  w.fixed(welcome.request_bytes_max);
  w.fixed(welcome.answer_bytes_max);
  w.fixed(welcome.inflight_max);
  w.fixed(welcome.money_inflight_max);
  w.fixed(welcome.idle_max);
  w.sized(welcome.server);
  put_no_options(w);
  frame.finish();
}

void encode_problem(std::uint64_t request_id, const problem& p, base::bytes& out) {
  frame_writer frame(out, kinds::problem, direction::from_server, request_id);
  put_text_message(static_cast<std::uint16_t>(p.code), p.text, out);
  frame.finish();
}

void encode_goodbye(direction from, const goodbye& g, base::bytes& out) {
  frame_writer frame(out, kinds::goodbye, from, 0);
  put_text_message(static_cast<std::uint16_t>(g.code), g.text, out);
  frame.finish();
}

}  // namespace holdfast::protocol
