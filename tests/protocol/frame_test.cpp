#include "protocol/frame.hpp"

#include <cstring>

#include <doctest/doctest.h>

#include "base/random.hpp"
#include "tests/protocol/samples.hpp"

using namespace holdfast;
using namespace holdfast::protocol;

namespace {

base::bytes frame_of(std::uint16_t kind, std::size_t content, std::uint64_t id = 5, std::uint8_t flags = 0) {
  base::bytes out;
  frame_writer w(out, kind, direction::from_client, id, flags);
  for (std::size_t i = 0; i < content; ++i) out.push_back(static_cast<std::uint8_t>(i));
  w.finish();
  return out;
}

protocol_error error_of(base::bytes b, direction from = direction::from_client, std::uint32_t limit = 1'000) {
  const auto c = cut_frame(b, from, limit);
  CHECK((c.is == cut::what::broken) == (c.error != protocol_error::none));
  return c.error;
}

base::bytes changed(base::bytes b, std::size_t at, std::uint8_t to) {
  b[at] = to;
  return b;
}

/// All client samples in one stream, and where each frame begins.
struct stream {
  base::bytes bytes;
  std::vector<std::pair<std::size_t, std::size_t>> frames;
};
stream all_requests() {
  stream s;
  for (const auto& x : tests::samples()) {
    if (x.from != direction::from_client) continue;
    s.frames.emplace_back(s.bytes.size(), x.bytes.size());
    s.bytes.insert(s.bytes.end(), x.bytes.begin(), x.bytes.end());
  }
  return s;
}

/// Feeds `chunk` as far as there is room at a time and checks each frame that comes out against the stream.
class receiver {
 public:
  /// `lent`: of memory that is lent for each read; 0: the buffer reads into its own.
  explicit receiver(const stream& s, std::size_t first = 64, std::size_t lent = 0)
      : s_(s), buffer_(direction::from_client, limits::request_bytes_max, first), lent_(lent) {}

  void feed(base::byte_view chunk) {
    while (!chunk.empty()) {
      std::vector<std::uint8_t> loan(lent_);  // new each time, and gone when the frames have been used
      const auto room = lent_ == 0 ? buffer_.room() : buffer_.room(loan);
      const auto n = std::min(room.size(), chunk.size());
      std::memcpy(room.data(), chunk.data(), n);
      buffer_.filled(n);
      chunk = chunk.subspan(n);
      for (auto c = buffer_.next(); c.is != cut::what::need_more; c = buffer_.next()) {
        if (c.is == cut::what::broken || done_ == s_.frames.size()) {
          right_ = false;
          return;
        }
        const auto [at, size] = s_.frames[done_++];
        right_ = right_ && c.frame.head.length == size &&
                 std::ranges::equal(c.frame.body, base::byte_view(s_.bytes).subspan(at + frame_header_bytes,
                                                                                    size - frame_header_bytes));
      }
      if (lent_ != 0) buffer_.settle();
    }
  }
  [[nodiscard]] std::size_t own_bytes() const { return buffer_.capacity(); }
  [[nodiscard]] bool got_everything() const { return right_ && done_ == s_.frames.size() && buffer_.pending() == 0; }

 private:
  const stream& s_;
  frame_buffer buffer_;
  std::size_t lent_;
  std::size_t done_ = 0;
  bool right_ = true;
};

}  // namespace

TEST_CASE("a header has these bytes") {
  const auto b = frame_of(kinds::ping, 2, 0x1122334455667788, flag_retry);
  CHECK(base::to_hex(b) ==
        "12000000040001488877665544332211"
        "0001");
  base::bytes out;
  frame_writer(out, kinds::ping, direction::from_server, 1).finish();
  CHECK(base::to_hex(out) == "10000000048000480100000000000000");
}

TEST_CASE("a frame is cut with its header") {
  auto b = frame_of(0x0106, 10, 77, flag_retry);
  b.push_back(0xee);  // the next frame begins
  const auto c = cut_frame(b, direction::from_client, 1'000);
  REQUIRE(c.is == cut::what::whole);
  CHECK(c.frame.head.length == 26);
  CHECK(c.frame.head.kind == 0x0106);
  CHECK(c.frame.head.request_id == 77);
  CHECK(c.frame.head.flags == flag_retry);
  CHECK(c.frame.body.size() == 10);
}

TEST_CASE("too few bytes: more are wanted, and how many is known with the header") {
  const auto b = frame_of(0x0106, 100);
  for (std::size_t n = 0; n < b.size(); ++n) {
    const auto c = cut_frame(base::byte_view(b).first(n), direction::from_client, 1'000);
    REQUIRE(c.is == cut::what::need_more);
    CHECK(c.wants == (n < frame_header_bytes ? frame_header_bytes : b.size()));
  }
}

TEST_CASE("each fault of a header has its own error") {
  const auto good = frame_of(0x0106, 100);
  CHECK(error_of(good) == protocol_error::none);
  CHECK(error_of(changed(good, 7, 0x47)) == protocol_error::not_a_frame);
  CHECK(error_of(changed(good, 5, 0x81)) == protocol_error::wrong_direction);
  CHECK(error_of(good, direction::from_server) == protocol_error::wrong_direction);
  CHECK(error_of(changed(good, 0, 15)) == protocol_error::frame_too_short);
  CHECK(error_of(changed(good, 1, 4)) == protocol_error::frame_too_long);
  CHECK(error_of(good, direction::from_client, 115) == protocol_error::frame_too_long);
  CHECK(error_of(good, direction::from_client, 116) == protocol_error::none);
  CHECK(error_of(changed(good, 6, 2)) == protocol_error::unknown_flags);
  CHECK(error_of(frame_of(0x0106, 4, 0)) == protocol_error::zero_request_id);
  CHECK(error_of(frame_of(kinds::goodbye, 4, 0)) == protocol_error::none);
}

TEST_CASE("a frame that is too long is found before its content arrives") {
  auto b = changed(frame_of(0x0106, 100), 3, 0xff);
  b.resize(frame_header_bytes);
  CHECK(error_of(b) == protocol_error::frame_too_long);
}

TEST_CASE("clients take flags and kinds of a newer server") {
  base::bytes out;
  frame_writer w(out, 0x0fff, direction::from_server, 0, 0xf0);
  w.finish();
  CHECK(cut_frame(out, direction::from_server, 100).is == cut::what::whole);
}

TEST_CASE("frames come out the same wherever the stream is split") {
  const auto s = all_requests();
  for (std::size_t split = 0; split <= s.bytes.size(); ++split) {
    receiver r(s);
    r.feed(base::byte_view(s.bytes).first(split));
    r.feed(base::byte_view(s.bytes).subspan(split));
    REQUIRE(r.got_everything());
  }
}

TEST_CASE("frames come out the same from random pieces and from single bytes") {
  const auto s = all_requests();
  const std::uint64_t seed = 99;
  MESSAGE("seed ", seed);
  base::random dice(seed);
  for (int round = 0; round < 300; ++round) {
    receiver r(s, dice.between(16, 5'000), round % 2 == 0 ? 0 : dice.between(16, 5'000));
    const auto longest = round == 0 ? 1 : dice.between(1, 700);
    for (std::size_t at = 0; at < s.bytes.size();) {
      const auto n = std::min<std::size_t>(dice.between(1, longest), s.bytes.size() - at);
      r.feed(base::byte_view(s.bytes).subspan(at, n));
      at += n;
    }
    REQUIRE(r.got_everything());
  }
}

TEST_CASE("between frames a connection that reads into lent memory holds none, in a frame little more than has come") {
  const auto s = all_requests();
  receiver r(s, 1'024, 16 * 1'024);
  std::size_t at = 0;
  for (const auto& [begins, size] : s.frames) {
    r.feed(base::byte_view(s.bytes).subspan(at, begins + size / 2 - at));
    CHECK(r.own_bytes() <= std::max<std::size_t>(1'024, size));
    r.feed(base::byte_view(s.bytes).subspan(begins + size / 2, size - size / 2));
    CHECK(r.own_bytes() == 0);
    at = begins + size;
  }
  CHECK(r.got_everything());
}

TEST_CASE("a header alone does not claim the memory of its frame") {
  frame_buffer buffer(direction::from_client, limits::admin_request_bytes_max, 64);
  base::bytes b = frame_of(kinds::create_session, 0);
  const std::uint32_t length = limits::admin_request_bytes_max;
  std::memcpy(b.data(), &length, sizeof length);
  b.resize(1'000);
  for (const auto byte : b) {
    auto room = buffer.room();
    room[0] = byte;
    buffer.filled(1);
    CHECK(buffer.next().is == cut::what::need_more);
  }
  CHECK(buffer.pending() == 1'000);
  CHECK(buffer.capacity() <= 1'024);
}

TEST_CASE("a long frame's memory is given back") {
  frame_buffer buffer(direction::from_client, limits::request_bytes_max, 64);
  const auto b = frame_of(0x0106, 30'000);
  base::byte_view left(b);
  while (!left.empty()) {
    const auto room = buffer.room();
    const auto n = std::min(room.size(), left.size());
    std::memcpy(room.data(), left.data(), n);
    buffer.filled(n);
    left = left.subspan(n);
    const auto c = buffer.next();
    CHECK((c.is == cut::what::whole) == left.empty());
  }
  CHECK(buffer.capacity() <= b.size());
  CHECK(buffer.room().size() == 64);
}

TEST_CASE("behind a broken frame nothing is cut any more") {
  frame_buffer buffer(direction::from_client, 1'000);
  auto b = changed(frame_of(0x0106, 4), 7, 0);
  const auto good = frame_of(0x0106, 4);
  b.insert(b.end(), good.begin(), good.end());
  std::memcpy(buffer.room().data(), b.data(), b.size());
  buffer.filled(b.size());
  CHECK(buffer.next().error == protocol_error::not_a_frame);
  CHECK(buffer.next().error == protocol_error::not_a_frame);
  CHECK_FALSE(buffer.room().empty());
  CHECK(buffer.next().error == protocol_error::not_a_frame);
}
