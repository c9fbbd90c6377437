#include "persistence/witness.hpp"

#include <algorithm>

namespace holdfast::persistence {

namespace {
constexpr std::uint32_t magic = 0x74774648;  // "HFwt"
base::error bad(const char* what) { return {base::trouble::bad_bytes, what}; }
}  // namespace

void encode_witness(const witness& w, sha256& hasher, base::bytes& out) {
  out.clear();
  base::byte_writer to(out);
  to.fixed(magic);
  to.fixed(witness_format_version);
  to.fixed(w.partition);
  to.fixed(w.writes);
  to.id(w.journal);
  to.fixed(w.epoch);
  to.fixed(w.block.number);
  to.view(w.block.hash);
  to.fixed(w.log_time);
  to.view(hasher.of(out));
}

base::result<witness> decode_witness(base::byte_view bytes, sha256& hasher) {
  if (bytes.size() < witness_bytes) return bad("a witness slot is too short");
  bytes = bytes.first(witness_bytes);
  const auto hash = hasher.of(bytes.first(witness_bytes - sizeof(digest)));
  if (!std::ranges::equal(hash, bytes.last(sizeof(digest)))) return bad("a witness slot is damaged");
  base::byte_reader in(bytes);
  if (in.fixed<std::uint32_t>() != magic) return bad("a witness slot does not begin like one");
  if (in.fixed<std::uint16_t>() != witness_format_version) return bad("a witness slot has an unknown format version");
  witness w;
  w.partition = in.fixed<std::uint16_t>();
  w.writes = in.fixed<std::uint64_t>();
  w.journal = in.id();
  w.epoch = in.fixed<std::uint64_t>();
  w.block.number = in.fixed<std::uint64_t>();
  std::ranges::copy(in.view(sizeof(digest)), w.block.hash.begin());
  w.log_time = in.fixed<std::uint64_t>();
  return w;
}

base::result<witness_reading> read_witness(const std::array<base::bytes, witness_slots>& slots, sha256& hasher) {
  std::optional<witness> newest;
  unsigned bad_slots = 0;
  for (const auto& slot : slots) {
    auto w = decode_witness(slot, hasher);
    if (!w) {
      ++bad_slots;
    } else if (newest && (newest->journal != w->journal || newest->partition != w->partition)) {
      return base::error{base::trouble::corrupt, "the two slots of the witness belong to different journals"};
    } else if (!newest || w->writes > newest->writes) {
      newest = *w;
    }
  }
  if (!newest) return base::error{base::trouble::corrupt, "both slots of the witness are damaged"};
  return witness_reading{*newest, bad_slots};
}

}  // namespace holdfast::persistence
