// Records of the journal: one value, one form; the guard, which reads only the outside, sees what the decoder sees; and what the
// index notes of a record are keys that it can read.
//
// Input: sequence (a byte), minutes (a byte) of the record's log time, then its bytes.
#include <memory_resource>

#include "persistence/index_posting.hpp"
#include "persistence/record_codec.hpp"
#include "tests/fuzz/halls.hpp"
#include "tests/fuzz/target.hpp"

using namespace holdfast;
using namespace holdfast::persistence;

namespace {

/// What the guard reads of a record against the whole of it.
void must_agree(const record_peek& peek, const core::record& r) {
  core::pieces pieces;
  auto what = record_peek::kind::other;
  core::hold_no hold;
  if (const auto* sold = std::get_if<core::hold_confirmed>(&r.done)) what = record_peek::kind::sold, pieces = sold->sold, hold = sold->hold;
  if (const auto* back = std::get_if<core::order_cancelled>(&r.done)) what = record_peek::kind::back, pieces = back->back, hold = back->hold;
  if (std::holds_alternative<core::session_created>(r.done)) what = record_peek::kind::created;
  HOLDFAST_CHECK(peek.what == what && peek.hold == hold && peek.pieces == pieces.size(), "the guard sees another record");
  auto rest = peek.rest;
  for (const auto& p : pieces) HOLDFAST_CHECK(read_piece(rest) == p && rest.ok(), "the guard sees other pieces");
}

void must_be_found(const core::record& r) {
  static std::vector<index_bytes::posting> postings;
  postings.clear();
  index_bytes::post(core::session_id{9}, r, {12, 3}, postings);
  for (const auto& p : postings) {
    index_bytes::posting read;
    HOLDFAST_CHECK(index_bytes::decode(index_bytes::posting_key(p).text(), read) && read == p, "a posting is not read as what it was");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const plan_library& plans = [] () -> const plan_library& {
    static plan_library all;
    all.add(fuzz::small_hall());
    return all;
  }();
  base::byte_reader head({data, size});
  record_ref ref{9, head.u8(), fuzz::noon + head.u8() * std::uint64_t{60'000'000}, {}};
  ref.bytes = head.view(head.left());

  static std::uint8_t room[1U << 16U];
  std::pmr::monotonic_buffer_resource arena(room, sizeof room);
  static core::record r, same;
  const auto read = decode_record(ref, &plans, arena, r);
  const auto peek = peek_record(ref.bytes);
  if (!read) return fuzz::must_be_one_line(read.failure()), 0;
  HOLDFAST_CHECK(peek.ok(), "the guard cannot read a record that decodes");
  must_agree(*peek, r);
  must_be_found(r);

  static base::bytes second, third;
  second.clear(), third.clear();
  encode_record(r, second);
  HOLDFAST_CHECK(decode_record({9, ref.sequence, ref.log_time, second}, &plans, arena, same).ok(), "what was written does not decode");
  encode_record(same, third);
  fuzz::must_have_one_form(ref.bytes, second, third);
  return 0;
}
