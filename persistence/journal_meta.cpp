#include "persistence/journal_meta.hpp"

#include <algorithm>

namespace holdfast::persistence {

namespace {
constexpr std::uint32_t magic = 0x746d4648;  // "HFmt"
base::error bad(const char* what) { return {base::trouble::bad_bytes, what}; }
}  // namespace

digest genesis_hash(const base::id128& journal, sha256& hasher) {
  base::bytes id;
  base::byte_writer(id).id(journal);
  return hasher.of(id);
}

void encode_meta(const journal_meta& meta, sha256& hasher, base::bytes& out) {
  out.clear();
  base::byte_writer w(out);
  w.fixed(magic);
  w.fixed(meta_format_version);
  w.fixed(meta.partition);
  w.id(meta.journal);
  w.fixed(meta.first_block);
  w.view(meta.before_first);
  w.view(hasher.of(out));
}

base::result<journal_meta> decode_meta(base::byte_view bytes, sha256& hasher) {
  if (bytes.size() != meta_bytes) return bad("the journal's meta record has the wrong length");
  const auto hash = hasher.of(bytes.first(meta_bytes - sizeof(digest)));
  if (!std::ranges::equal(hash, bytes.last(sizeof(digest)))) return bad("the journal's meta record is damaged");
  base::byte_reader in(bytes);
  if (in.fixed<std::uint32_t>() != magic) return bad("the journal's meta record does not begin like one");
  if (in.fixed<std::uint16_t>() != meta_format_version) return bad("the journal's meta record has an unknown format version");
  journal_meta meta;
  meta.partition = in.fixed<std::uint16_t>();
  meta.journal = in.id();
  meta.first_block = in.fixed<std::uint64_t>();
  std::ranges::copy(in.view(sizeof(digest)), meta.before_first.begin());
  if (meta.journal.zero() || meta.first_block == 0) return bad("the journal's meta record is malformed");
  return meta;
}

}  // namespace holdfast::persistence
