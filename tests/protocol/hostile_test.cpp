// Bytes from nowhere: nothing may crash (sanitizers watch), nothing may allocate beyond the frame's limit, and whatever
// is taken for a message must be one: it has exactly one form.
#include <cstring>

#include <doctest/doctest.h>

#include "tests/protocol/counting_new.hpp"
#include "tests/protocol/random_messages.hpp"
#include "tests/protocol/samples.hpp"

using namespace holdfast;
using namespace holdfast::protocol;

namespace {

struct verdict {
  protocol_error error = protocol_error::none;
  core::refusal impossible = core::refusal::none;
  base::bytes again;  ///< what was understood, encoded anew; empty for messages without an encoder of their own
};

/// Gives the frame to the decoder that its receiver would choose.
verdict taken(base::byte_view bytes, direction from, listener_kind on) {
  verdict v;
  const auto c = cut_frame(bytes, from,
                           from == direction::from_client ? limits::admin_request_bytes_max : limits::answer_bytes_max);
  if (c.is != cut::what::whole) {
    v.error = c.is == cut::what::broken ? c.error : protocol_error::malformed;
    return v;
  }
  const auto& f = c.frame;
  if (from == direction::from_server) {
    from_server_message m;
    v.error = decode_from_server(f, m);
    return v;
  }
  std::pmr::monotonic_buffer_resource arena;
  const auto by = tests::context_on(on);
  switch (family_of(f.head.kind)) {
    case family::hello: {
      hello h;
      v.error = decode_hello(f, on, h);
      if (v.error != protocol_error::none) break;
      encode_hello(f.head.request_id, h, v.again);
      v.again[6] = f.head.flags;  // `retry` means nothing on a hello
      break;
    }
    case family::session: {
      request r;
      v.error = decode_request(f, by, arena, r);
      v.impossible = r.impossible;
      if (v.error != protocol_error::none || r.impossible != core::refusal::none) break;
      if (const auto* command = std::get_if<core::command>(&r.asked))
        encode_request(r.id, on, r.session, r.head, *command, r.retry, v.again);
      else
        encode_request(r.id, on, r.session, std::get<core::look>(r.asked), r.retry, v.again);
      break;
    }
    case family::house: {
      house_request r;
      v.error = decode_house_request(f, by, arena, r);
      v.impossible = r.impossible;
      if (v.error == protocol_error::none && r.impossible == core::refusal::none)
        encode_house_request(r.id, r.asked, r.retry, v.again);
      break;
    }
    case family::goodbye: break;
    case family::unknown: v.error = protocol_error::unknown_kind; break;
  }
  return v;
}

base::bytes with_length(base::bytes b) {
  const auto length = static_cast<std::uint32_t>(b.size());
  std::memcpy(b.data(), &length, sizeof length);
  return b;
}

bool has_content(const base::bytes& b, direction from) {
  return tests::frame_in(b, from).head.kind != kinds::goodbye || from == direction::from_server;
}

}  // namespace

TEST_CASE("every sample is taken as it is") {
  for (const auto& s : tests::samples()) {
    CAPTURE(s.name);
    const auto v = taken(s.bytes, s.from, s.on);
    CHECK(v.error == protocol_error::none);
    CHECK(v.impossible == core::refusal::none);
    if (!v.again.empty()) CHECK(v.again == s.bytes);
  }
}

TEST_CASE("every frame cut short anywhere is an error, and so is one that goes on") {
  for (const auto& s : tests::samples()) {
    if (!has_content(s.bytes, s.from)) continue;
    CAPTURE(s.name);
    for (std::size_t n = frame_header_bytes; n < s.bytes.size(); ++n) {
      CAPTURE(n);
      CHECK(
          taken(with_length({s.bytes.begin(), s.bytes.begin() + static_cast<std::ptrdiff_t>(n)}), s.from, s.on).error !=
          protocol_error::none);
    }
    auto longer = s.bytes;
    longer.push_back(0);
    CHECK(taken(with_length(longer), s.from, s.on).error == protocol_error::trailing_bytes);
  }
}

TEST_CASE("any one byte may be anything") {
  std::size_t tried = 0, taken_anyway = 0;
  for (const auto& s : tests::samples()) {
    CAPTURE(s.name);
    auto b = s.bytes;
    for (std::size_t at = 0; at < b.size(); ++at) {
      const auto right = b[at];
      for (unsigned wrong = 0; wrong < 256; ++wrong) {
        if (wrong == right) continue;
        b[at] = static_cast<std::uint8_t>(wrong);
        const auto before = tests::allocated();
        const auto v = taken(b, s.from, s.on);
        ++tried;
        if (tests::allocated().bytes - before.bytes > limits::request_bytes_max) {
          CAPTURE(at);
          CAPTURE(wrong);
          FAIL("allocates too much");
        }
        if (v.error != protocol_error::none || v.again.empty()) continue;
        ++taken_anyway;
        // One form only: what was understood gives the same bytes, unless it was an option that nobody knows and all
        // skip.
        if (v.again != b && v.again.size() >= b.size()) {
          CAPTURE(at);
          CAPTURE(wrong);
          FAIL("has two forms");
        }
      }
      b[at] = right;
    }
  }
  MESSAGE(tried, " changed frames, ", taken_anyway, " of them messages too");
}

TEST_CASE("noise of every kind") {
  const std::uint64_t seed = 31337;
  MESSAGE("seed ", seed);
  tests::random_messages make(seed);
  for (int round = 0; round < 200'000; ++round) {
    base::bytes b;
    const auto from = make.coin() ? direction::from_client : direction::from_server;
    // Mostly kinds that exist, so that the decoders behind them are reached.
    static constexpr std::uint16_t bases[] = {kinds::command_base, kinds::look_base, kinds::session_named,
                                              kinds::list_sessions, 0};
    const auto kind = static_cast<std::uint16_t>(bases[make.dice().below(std::size(bases))] + make.dice().below(22));
    frame_writer w(b, kind, from, make.u64() | 1);
    for (auto n = make.dice().below(200); n > 0; --n)
      b.push_back(static_cast<std::uint8_t>(make.coin() ? make.dice().below(4) : make.dice().next()));
    w.finish();
    const auto on = static_cast<listener_kind>(make.u8(3));
    const auto before = tests::allocated();
    (void)taken(b, from, on);
    REQUIRE(tests::allocated().bytes - before.bytes <= limits::request_bytes_max);
  }
}

TEST_CASE("options of a message: skipped, refused or out of order") {
  const auto judged = [](std::initializer_list<std::uint8_t> options) {
    base::bytes b;
    frame_writer w(b, kinds::ping, direction::from_client, 1);
    b.insert(b.end(), options.begin(), options.end());
    w.finish();
    return taken(b, direction::from_client, listener_kind::shop).error;
  };
  CHECK(judged({0x00}) == protocol_error::none);
  CHECK(judged({0x01, 0x02, 0x01, 0xff}) == protocol_error::none);
  CHECK(judged({0x01, 0x03, 0x00}) == protocol_error::unknown_critical_option);
  CHECK(judged({0x02, 0x04, 0x00, 0x02, 0x00}) == protocol_error::bad_options);
  CHECK(judged({0x02, 0x02, 0x00, 0x02, 0x00}) == protocol_error::bad_options);
  CHECK(judged({0x11}) == protocol_error::bad_options);
  CHECK(judged({0x01, 0x02, 0x09, 0x00}) == protocol_error::malformed);
  CHECK(judged({0x00, 0x00}) == protocol_error::trailing_bytes);
  CHECK(judged({}) == protocol_error::malformed);
}

TEST_CASE("nobody asks for what time does") {
  base::bytes b;
  frame_writer w(b, kind_of(core::command_tag::expire_due), direction::from_client, 1);
  w.finish();
  CHECK(taken(b, direction::from_client, listener_kind::admin).error == protocol_error::unknown_kind);
}
