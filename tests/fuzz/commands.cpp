// The content of a command, which wire and journal share: one value, one form; the lenient reading of the wire and the strict one
// of the journal differ only in what no session could judge.
//
// Input: tag, form, then the bytes.
#include <memory_resource>

#include "core/command_codec.hpp"
#include "tests/fuzz/target.hpp"

using namespace holdfast;
using namespace holdfast::core;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  base::byte_reader head({data, size});
  const auto tag = static_cast<command_tag>(head.u8() % command_tags);
  const auto form = static_cast<command_form>(head.u8() % 3);
  const auto bytes = head.view(head.left());

  static std::uint8_t room[1U << 16U];
  std::pmr::monotonic_buffer_resource arena(room, sizeof room);
  static command strict, lenient, reread;
  base::byte_reader in(bytes), in_lenient(bytes);
  const auto read = decode_command(tag, form, in, arena, strict);
  auto impossible = refusal::none;
  const auto read_lenient = decode_command(tag, form, in_lenient, arena, lenient, &impossible);
  HOLDFAST_CHECK(read.ok() == (read_lenient.ok() && impossible == refusal::none), "strict and lenient reading contradict each other");
  if (!read_lenient) fuzz::must_be_one_line(read_lenient.failure());
  if (!read) return fuzz::must_be_one_line(read.failure()), 0;
  HOLDFAST_CHECK(in.left() == in_lenient.left(), "strict and lenient reading end at two places");
  HOLDFAST_CHECK(tag_of(strict) == tag, "another command than the tag says");

  static base::bytes second, third;
  second.clear(), third.clear();
  base::byte_writer w(second), w3(third);
  encode_command(strict, form, w);
  base::byte_reader in_second(second);
  HOLDFAST_CHECK(decode_command(tag, form, in_second, arena, reread).ok() && in_second.done(), "what was written does not decode");
  encode_command(reread, form, w3);
  fuzz::must_have_one_form(bytes.first(bytes.size() - in.left()), second, third);
  return 0;
}
