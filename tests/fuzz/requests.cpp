// Every message that a client may send, on every listener: what is understood has one form, and gives its bytes again.
//
// Input: listener, kind u16, retry (bit 0), then the content; the frame around it is made here, so that it is always a valid one.
// `frames` is about those that are not.
#include <memory_resource>

#include "protocol/codec.hpp"
#include "tests/fuzz/messages.hpp"
#include "tests/fuzz/target.hpp"

using namespace holdfast;
using namespace holdfast::protocol;

namespace {

/// Decodes a whole frame and appends it, encoded again, to `out`. False if it is no message or cannot be asked.
bool again(base::byte_view bytes, const connection_context& by, std::pmr::memory_resource& arena, base::bytes& out) {
  const auto c = cut_frame(bytes, direction::from_client, limits::admin_request_bytes_max);
  HOLDFAST_CHECK(c.is == cut::what::whole && c.frame.head.length == bytes.size(), "a frame that was made is not cut");
  const auto& f = c.frame;
  switch (family_of(f.head.kind)) {
    case family::hello: {
      hello h;
      if (decode_hello(f, by.listener, h) != protocol_error::none) return false;
      encode_hello(f.head.request_id, h, out);
      out[6] = f.head.flags;  // `retry` means nothing on a hello
      return true;
    }
    case family::session: {
      request r;
      if (decode_request(f, by, arena, r) != protocol_error::none || r.impossible != core::refusal::none) return false;
      if (const auto* command = std::get_if<core::command>(&r.asked))
        encode_request(r.id, by.listener, r.session, r.head, *command, r.retry, out);
      else
        encode_request(r.id, by.listener, r.session, std::get<core::look>(r.asked), r.retry, out);
      return true;
    }
    case family::house: {
      house_request r;
      if (decode_house_request(f, by, arena, r) != protocol_error::none || r.impossible != core::refusal::none) return false;
      if (const auto* create = std::get_if<create_session>(&r.asked))
        HOLDFAST_CHECK(core::check_policy(create->terms->rules).ok(), "a policy that breaks its own rules");
      encode_house_request(r.id, r.asked, r.retry, out);
      return true;
    }
    case family::goodbye:
    case family::unknown: return false;
  }
  return false;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  base::byte_reader in({data, size});
  const auto& by = fuzz::context_on(in.u8());
  const auto kind = static_cast<std::uint16_t>(in.fixed<std::uint16_t>() & ~direction_bit);
  const auto flags = static_cast<std::uint8_t>(in.u8() & flag_retry);

  static base::bytes first, second, third;
  static std::uint8_t room[1U << 16U];
  std::pmr::monotonic_buffer_resource arena(room, sizeof room);
  first.clear(), second.clear(), third.clear();
  frame_writer w(first, kind, direction::from_client, 7, flags);
  const auto content = in.view(in.left());
  first.insert(first.end(), content.begin(), content.end());
  w.finish();
  if (!again(first, by, arena, second)) return 0;
  HOLDFAST_CHECK(again(second, by, arena, third), "what was written is no message");
  fuzz::must_have_one_form(first, second, third);
  return 0;
}
