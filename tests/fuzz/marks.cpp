// The small pieces of a data directory: witness slots, the journal's own page, checkpoints, started records, keys of the index.
// Their hashes are made good where the input says so; what decodes has one form.
//
// Input: what (modulo 6), seal (bit 0), then the bytes.
#include "persistence/checkpoint.hpp"
#include "persistence/index_posting.hpp"
#include "persistence/journal_meta.hpp"
#include "persistence/system_record.hpp"
#include "persistence/witness.hpp"
#include "tests/fuzz/target.hpp"

using namespace holdfast;
using namespace holdfast::persistence;

namespace {

sha256& hasher() {
  static sha256 all;
  return all;
}

void seal(base::bytes& b, std::size_t size) {
  if (b.size() < size || size < sizeof(digest)) return;
  const auto hash = hasher().of(base::byte_view(b).first(size - sizeof(digest)));
  std::ranges::copy(hash, b.begin() + static_cast<std::ptrdiff_t>(size - sizeof(digest)));
}

void must_equal(base::byte_view a, base::byte_view b) { HOLDFAST_CHECK(std::ranges::equal(a, b), "one value has two forms"); }

void two_slots(base::byte_view bytes, bool sealed) {
  std::array<base::bytes, witness_slots> slots;
  const auto half = bytes.size() / 2;
  slots[0].assign(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(half));
  slots[1].assign(bytes.begin() + static_cast<std::ptrdiff_t>(half), bytes.end());
  if (sealed)
    for (auto& s : slots) seal(s, witness_bytes);
  const auto read = read_witness(slots, hasher());
  if (!read) return fuzz::must_be_one_line(read.failure());
  unsigned whole = 0;
  for (const auto& s : slots) {
    const auto w = decode_witness(s, hasher());
    if (!w) continue;
    ++whole;
    HOLDFAST_CHECK(w->writes <= read->newest.writes && w->journal == read->newest.journal, "the older slot was believed");
  }
  HOLDFAST_CHECK(whole + read->slots_bad == witness_slots, "slots are miscounted");
}

void index_key(base::byte_view bytes) {
  const auto key = base::as_text(bytes);
  index_bytes::posting p;
  if (!index_bytes::decode(key, p)) return;
  HOLDFAST_CHECK(index_bytes::posting_key(p).text() == key, "one posting has two keys");
  // Postings compare as their keys do.
  auto next = p;
  ++next.at.record;
  HOLDFAST_CHECK((next <=> p > 0) == (index_bytes::posting_key(next).text() > key), "keys are in another order than postings");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  base::byte_reader in({data, size});
  const auto what = in.u8() % 6;
  const bool sealed = (in.u8() & 1U) != 0;
  static base::bytes bytes, again;
  const auto rest = in.view(in.left());
  bytes.assign(rest.begin(), rest.end());
  again.clear();
  switch (what) {
    case 0: {
      if (sealed) seal(bytes, witness_bytes);
      const auto w = decode_witness(bytes, hasher());
      if (!w) return fuzz::must_be_one_line(w.failure()), 0;
      encode_witness(*w, hasher(), again);
      must_equal(again, base::byte_view(bytes).first(witness_bytes));
      break;
    }
    case 1: {
      if (sealed) seal(bytes, bytes.size());
      const auto m = decode_meta(bytes, hasher());
      if (!m) return fuzz::must_be_one_line(m.failure()), 0;
      encode_meta(*m, hasher(), again);
      must_equal(again, bytes);
      break;
    }
    case 2: {
      if (sealed) seal(bytes, bytes.size());
      const auto c = decode_checkpoint(bytes);
      if (!c) return fuzz::must_be_one_line(c.failure()), 0;
      encode_checkpoint(*c, again);
      must_equal(again, bytes);
      break;
    }
    case 3: {
      const auto s = decode_started(bytes);
      if (!s) return fuzz::must_be_one_line(s.failure()), 0;
      encode_started(*s, again);
      const auto same = decode_started(again);
      HOLDFAST_CHECK(same.ok(), "what was written does not decode");
      base::bytes third;
      encode_started(*same, third);
      fuzz::must_have_one_form(bytes, again, third);
      break;
    }
    case 4: two_slots(bytes, sealed); break;
    default: index_key(bytes); break;
  }
  return 0;
}
