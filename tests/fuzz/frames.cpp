// A byte stream is cut into the same frames, with the same error at the same place, however the network hands it over.
//
// Input: how (bit 0 direction, bits 1-2 frame limit, bits 3-4 first buffer), seed of the chunks, the stream.
#include <cstring>
#include <vector>

#include "base/random.hpp"
#include "protocol/frame.hpp"
#include "tests/fuzz/target.hpp"

using namespace holdfast;
using namespace holdfast::protocol;

namespace {

constexpr std::uint32_t limits_tried[] = {64, limits::hello_bytes_max, 300, limits::request_bytes_max};
constexpr std::size_t buffers_tried[] = {1, 24, 100, 1024};
constexpr std::size_t lent_tried[] = {0, 16, 100, 4096};  // 0: nothing is lent

struct whole {
  frame_header head;
  base::byte_view body;
};

bool same_head(const frame_header& a, const frame_header& b) {
  return a.length == b.length && a.kind == b.kind && a.from == b.from && a.flags == b.flags && a.request_id == b.request_id;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  base::byte_reader in({data, size});
  const auto how = in.u8();
  const auto seed = in.u8();
  const auto from = (how & 1U) != 0 ? direction::from_server : direction::from_client;
  const auto limit = limits_tried[how >> 1U & 3U];
  const auto first = buffers_tried[how >> 3U & 3U];
  const auto lent_bytes = lent_tried[how >> 5U & 3U];
  const auto stream = in.view(in.left());

  static std::vector<whole> expected;
  expected.clear();
  auto error = protocol_error::none;
  std::size_t at = 0;
  for (;;) {
    const auto c = cut_frame(stream.subspan(at), from, limit);
    error = c.error;
    if (c.is == cut::what::need_more) HOLDFAST_CHECK(c.wants > stream.size() - at, "a frame that is there is not cut");
    if (c.is != cut::what::whole) break;
    HOLDFAST_CHECK(c.frame.head.length >= frame_header_bytes && c.frame.head.length <= limit, "a frame beyond its bounds");
    HOLDFAST_CHECK(c.frame.body.size() == c.frame.head.length - frame_header_bytes, "a frame of another length than it says");
    HOLDFAST_CHECK(c.frame.head.from == from, "a frame of the wrong side");
    expected.push_back({c.frame.head, c.frame.body});
    at += c.frame.head.length;
  }

  base::random dice(seed);
  frame_buffer buffer(from, limit, first);
  std::size_t fed = 0, cut_so_far = 0;
  bool broken = false;
  while (fed < stream.size() && !broken) {
    // New memory each time: what was lent before settle() is gone.
    const auto lent = std::make_unique<std::uint8_t[]>(lent_bytes);
    const auto room = lent_bytes == 0 ? buffer.room() : buffer.room({lent.get(), lent_bytes});
    HOLDFAST_CHECK(!room.empty(), "a buffer without room");
    const auto most = std::min(room.size(), stream.size() - fed);
    const auto n = dice.chance(30) ? most : 1 + dice.below(std::min<std::size_t>(most, 1U << dice.below(9)));
    std::memcpy(room.data(), stream.data() + fed, n);
    buffer.filled(n);
    fed += n;
    for (;;) {
      const auto c = buffer.next();
      if (c.is == cut::what::need_more) break;
      if (c.is == cut::what::broken) {
        HOLDFAST_CHECK(c.error == error && error != protocol_error::none, "the error depends on the chunks");
        HOLDFAST_CHECK(buffer.next().error == error, "a broken stream is well again");
        broken = true;
        break;
      }
      HOLDFAST_CHECK(cut_so_far < expected.size(), "a frame too many");
      const auto& e = expected[cut_so_far++];
      HOLDFAST_CHECK(same_head(c.frame.head, e.head) && std::ranges::equal(c.frame.body, e.body), "another frame");
    }
    if (lent_bytes != 0) {
      const auto left = buffer.pending();
      buffer.settle();
      HOLDFAST_CHECK(buffer.pending() == (broken ? 0 : left) && (left != 0 || buffer.capacity() == 0), "what is left does not outlive the loan");
    }
    HOLDFAST_CHECK(buffer.capacity() <= std::max<std::size_t>({first, frame_header_bytes, limit}), "more memory than the longest frame");
  }
  HOLDFAST_CHECK(cut_so_far == expected.size(), "a frame too few");
  HOLDFAST_CHECK(broken == (error != protocol_error::none), "the error was not noticed");
  if (!broken) HOLDFAST_CHECK(buffer.pending() == stream.size() - at, "bytes are lost or made");
  return 0;
}
