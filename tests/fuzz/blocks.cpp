// Blocks and their chain. Hashes would stop a fuzzer at the door, so hash, lengths and place in the chain are made good where the
// input says so; whatever the chain then accepts must be a block that the journal could have written, byte for byte.
//
// Input: pieces of: how (bit 0: body length; 1: hash of the block before; 2: own hash; 3: number; 4: partition, epoch and time of
// the block before; 5: count of records), length u16, the block's bytes.
#include <cstring>

#include "persistence/chain.hpp"
#include "tests/fuzz/target.hpp"

using namespace holdfast;
using namespace holdfast::persistence;

namespace {

constexpr base::id128 journal{0x1234, 0x5678};
constexpr std::uint16_t partition = 1;

template <class T>
void put(base::bytes& b, std::size_t at, const T& v) { std::memcpy(b.data() + at, &v, sizeof v); }

/// How many records could stand in the body, as far as their frames are well-formed.
std::uint32_t records_in(base::byte_view body) {
  base::byte_reader in(body);
  std::uint32_t n = 0;
  while (in.ok() && !in.done()) {
    in.varint(), in.varint(), in.varint();
    in.sized(record_bytes_max);
    if (in.ok()) ++n;
  }
  return n;
}

void make_good(base::bytes& b, unsigned how, const std::optional<chain_tip>& tip, sha256& hasher) {
  if (b.size() < block_overhead_bytes) return;
  if ((how & 16U) != 0) {
    put(b, 6, partition);
    put(b, 16, tip ? tip->epoch : std::uint64_t{1});
    put(b, 24, tip ? tip->log_time + 1000 : std::uint64_t{1'700'000'000'000'000});
  }
  if ((how & 8U) != 0) put(b, 8, tip ? tip->block.number + 1 : std::uint64_t{1});
  if ((how & 32U) != 0)
    put(b, 32, records_in(base::byte_view(b).subspan(block_header_bytes, b.size() - block_overhead_bytes)));
  if ((how & 1U) != 0) put(b, 36, static_cast<std::uint32_t>(b.size() - block_overhead_bytes));
  if ((how & 2U) != 0 && tip) put(b, 40, tip->block.hash);
  if ((how & 4U) != 0) put(b, b.size() - sizeof(digest), hasher.of(base::byte_view(b).first(b.size() - sizeof(digest))));
}

void must_be_writable(const block_view& v, base::byte_view bytes, sha256& hasher) {
  static block_encoder encoder;
  encoder.begin(v.header);
  std::uint32_t n = 0;
  for (const auto& r : v) {
    HOLDFAST_CHECK(r.log_time <= v.header.log_time && !r.bytes.empty(), "a record that no block can have");
    HOLDFAST_CHECK(r.session != system_session || n == 0, "a system record in the middle of a block");
    encoder.add(r);
    ++n;
  }
  HOLDFAST_CHECK(n == v.header.record_count, "records are miscounted");
  HOLDFAST_CHECK(std::ranges::equal(encoder.finish(hasher), bytes), "a block has two forms");
  HOLDFAST_CHECK(encoder.hash() == v.hash, "a block has two hashes");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static sha256 hasher;
  static base::bytes block;
  chain c(partition, journal);
  base::byte_reader in({data, size});
  while (in.left() > 3) {
    const auto how = in.u8();
    const std::size_t wanted = in.fixed<std::uint16_t>();
    const auto piece = in.view(std::min(wanted, in.left()));
    block.assign(piece.begin(), piece.end());
    make_good(block, how, c.tip(), hasher);
    const auto before = c.tip();
    const auto number = before ? before->block.number + 1 : std::uint64_t{1};
    const auto accepted = c.accept(number, block);
    if (!accepted) {
      fuzz::must_be_one_line(accepted.failure());
      HOLDFAST_CHECK(c.tip().has_value() == before.has_value() && (!before || c.tip()->block == before->block), "a refused block moved the tip");
      continue;
    }
    must_be_writable(*accepted, block, hasher);
    HOLDFAST_CHECK(accepted->header.number == number && accepted->header.partition == partition, "a block out of its place");
    if (before) {
      HOLDFAST_CHECK(accepted->header.previous == before->block.hash, "a block that does not continue the one before");
      HOLDFAST_CHECK(accepted->header.log_time >= before->log_time && accepted->header.epoch >= before->epoch, "time or epoch run backwards");
    }
    HOLDFAST_CHECK(c.tip()->block == accepted->mark(), "the tip is not the block that was accepted");
  }
  return 0;
}
