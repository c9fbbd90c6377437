#include "tests/fuzz/session_script.hpp"

#include "tests/fuzz/messages.hpp"

namespace holdfast::fuzz {

using protocol::direction;

namespace {

constexpr std::uint8_t schedule = 3;

}  // namespace

script read_script(base::byte_view bytes) {
  script s;
  base::byte_reader in(bytes);
  s.terms = in.u8();
  auto left = bytes.subspan(bytes.size() - in.left());
  while (left.size() >= 5 && s.items.size() < script_items_max) {
    base::byte_reader head(left.first(5));
    script_item i;
    const auto bits = head.u8();
    i.who = bits & 3U;
    i.what = static_cast<script_item::kind>((bits >> 2U & 3U) % 3);
    i.ends_step = (bits & 16U) != 0;
    i.after_us = head.fixed<std::uint32_t>();
    left = left.subspan(5);
    if (i.what == script_item::kind::frame) {
      const auto c = protocol::cut_frame(left, direction::from_client, script_frame_bytes_max);
      if (c.is != protocol::cut::what::whole) break;
      i.frame.assign(left.begin(), left.begin() + c.frame.head.length);
      left = left.subspan(c.frame.head.length);
    }
    s.items.push_back(std::move(i));
  }
  return s;
}

void write_script(const script& s, base::bytes& out) {
  base::byte_writer w(out);
  w.u8(s.terms);
  for (const auto& i : s.items) {
    w.u8(static_cast<std::uint8_t>(i.who | static_cast<unsigned>(i.what) << 2U | (i.ends_step ? 16U : 0U)));
    w.fixed(i.after_us);
    w.view(i.frame);
  }
}

const protocol::connection_context& connection_of(std::uint8_t who) {
  static const protocol::connection_context by_schedule{protocol::listener_kind::admin, {core::role::schedule, 0}, 0, {}, {}};
  return who == schedule ? by_schedule : context_on(who);
}

std::optional<protocol::request> request_of(const script_item& i, std::pmr::memory_resource& arena) {
  if (i.what != script_item::kind::frame) return std::nullopt;
  const auto c = protocol::cut_frame(i.frame, direction::from_client, script_frame_bytes_max);
  if (c.is != protocol::cut::what::whole) return std::nullopt;
  protocol::request r;
  if (protocol::decode_request(c.frame, connection_of(i.who), arena, r) != protocol::protocol_error::none) return std::nullopt;
  if (r.impossible != core::refusal::none) return std::nullopt;
  return r;
}

base::bytes frame_of(const protocol::request& r, std::uint8_t who) {
  base::bytes out;
  const auto on = connection_of(who).listener;
  if (const auto* c = std::get_if<core::command>(&r.asked)) protocol::encode_request(r.id, on, r.session, r.head, *c, r.retry, out);
  else protocol::encode_request(r.id, on, r.session, std::get<core::look>(r.asked), r.retry, out);
  return out;
}

}  // namespace holdfast::fuzz
