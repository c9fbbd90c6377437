#include "persistence/block.hpp"

#include <algorithm>
#include <limits>
#include <string>

#include "base/check.hpp"
#include "base/planted.hpp"

namespace holdfast::persistence {

namespace {

constexpr std::uint32_t magic = 0x6b624648;  // "HFbk"
constexpr std::size_t count_at = 32;
constexpr std::size_t body_bytes_at = 36;

base::error bad(const char* what) { return {base::trouble::bad_bytes, what}; }

std::uint8_t* put_varint(std::uint8_t* to, std::uint64_t v) {
  while (v >= 0x80) {
    *to++ = static_cast<std::uint8_t>(v) | 0x80U;
    v >>= 7U;
  }
  *to++ = static_cast<std::uint8_t>(v);
  return to;
}

}  // namespace

void block_encoder::begin(const block_header& header) {
  out_.clear();
  base::byte_writer w(out_);
  w.fixed(magic);
  w.fixed(block_format_version);
  w.fixed(header.partition);
  w.fixed(header.number);
  w.fixed(header.epoch);
  w.fixed(header.log_time);
  w.fixed(std::uint32_t{0});  // count and bytes are known at the end
  w.fixed(std::uint32_t{0});
  w.view(header.previous);
  log_time_ = header.log_time;
  records_ = 0;
}

void block_encoder::add(const record_ref& record) {
  HOLDFAST_CHECK(record.log_time <= log_time_, "a record is younger than its block");
  HOLDFAST_CHECK(!record.bytes.empty() && record.bytes.size() <= record_bytes_max, "a record's length is out of bounds");
  HOLDFAST_CHECK(records_ < std::numeric_limits<std::uint32_t>::max(), "too many records in a block");
  std::uint8_t frame[40];
  auto* end = put_varint(frame, record.session);
  end = put_varint(end, record.sequence);
  end = put_varint(end, log_time_ - record.log_time);
  end = put_varint(end, record.bytes.size());
  out_.insert(out_.end(), frame, end);
  out_.insert(out_.end(), record.bytes.begin(), record.bytes.end());
  ++records_;
}

base::byte_view block_encoder::finish(sha256& hasher) {
  HOLDFAST_CHECK(records_ > 0, "a block without records");
  HOLDFAST_CHECK(size() <= block_bytes_max, "a block is too long");
  const auto body_bytes = static_cast<std::uint32_t>(out_.size() - block_header_bytes);
  std::memcpy(out_.data() + count_at, &records_, sizeof records_);
  std::memcpy(out_.data() + body_bytes_at, &body_bytes, sizeof body_bytes);
  hash_ = hasher.of(out_);
  out_.insert(out_.end(), hash_.begin(), hash_.end());
  return out_;
}

base::result<block_view> decode_block(base::byte_view bytes, sha256& hasher) {
  if (bytes.size() < block_overhead_bytes) return bad("it is shorter than a block can be");
  base::byte_reader in(bytes);
  if (in.fixed<std::uint32_t>() != magic) return bad("it does not begin like a block");
  if (const auto version = in.fixed<std::uint16_t>(); version != block_format_version)
    return base::error{base::trouble::bad_bytes, "it has format version " + std::to_string(version) +
                                                     ", this program knows only version " +
                                                     std::to_string(block_format_version)};
  block_view b;
  b.header.partition = in.fixed<std::uint16_t>();
  b.header.number = in.fixed<std::uint64_t>();
  b.header.epoch = in.fixed<std::uint64_t>();
  b.header.log_time = in.fixed<std::uint64_t>();
  b.header.record_count = in.fixed<std::uint32_t>();
  const auto body_bytes = in.fixed<std::uint32_t>();
  std::ranges::copy(in.view(sizeof(digest)), b.header.previous.begin());
  if (bytes.size() - block_overhead_bytes != body_bytes) return bad("its length is not what its header says");
  b.body = in.view(body_bytes);
  std::ranges::copy(in.view(sizeof(digest)), b.hash.begin());
  // The hash comes before the records: of a damaged block nothing is believed.
  if (hasher.of(bytes.first(bytes.size() - sizeof(digest))) != b.hash && !planted(bug::block_hash_not_checked)) return bad("its hash does not match its bytes");
  b.whole = bytes;

  if (b.header.record_count == 0) return bad("it has no records");
  base::byte_reader records(b.body);
  for (std::uint32_t i = 0; i < b.header.record_count; ++i) {
    const auto session = records.varint();
    records.varint();
    if (records.varint() > b.header.log_time) records.fail();
    if (records.sized(record_bytes_max).empty()) records.fail();
    if (!records.ok()) return base::error{base::trouble::bad_bytes, "its record " + std::to_string(i + 1) + " is malformed"};
    if (session != system_session) continue;
    if (i != 0) return bad("a system record stands in its middle");
    b.begins_with_system_record = true;
  }
  if (!records.done()) return bad("bytes follow its last record");
  return b;
}

}  // namespace holdfast::persistence
