#include "persistence/witness.hpp"

#include "tests/persistence/fixture.hpp"

namespace holdfast::tests {

namespace {

witness sample(std::uint64_t writes, std::uint64_t block) {
  witness w{2, writes, journal_id, 3, {block, {}}, noon};
  w.block.hash.fill(0xab);
  return w;
}
base::bytes bytes_of(const witness& w) {
  sha256 hasher;
  base::bytes b;
  encode_witness(w, hasher, b);
  return b;
}
base::result<witness_reading> read(const base::bytes& a, const base::bytes& b) {
  sha256 hasher;
  return read_witness({a, b}, hasher);
}

}  // namespace

TEST_CASE("a witness has these bytes, and every flipped bit and cut is noticed") {
  sha256 hasher;
  const auto b = bytes_of(sample(9, 41));
  CHECK(b.size() == witness_bytes);
  CHECK(base::to_hex(b) ==
        "4846777401000200"
        "0900000000000000"
        "887766554433221100ffeeddccbbaa99"
        "03000000000000002900000000000000"
        "abababababababababababababababababababababababababababababababab"
        "00401e18240a0600"
        "cf8fef17059ec080231929ad19fd95e8a71befab427fe063527e06d5d6cbfc74");
  CHECK(good(decode_witness(b, hasher)) == sample(9, 41));
  for (std::size_t bit = 0; bit < b.size() * 8; ++bit) {
    auto bad = b;
    bad[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    REQUIRE(!decode_witness(bad, hasher).ok());
  }
  for (std::size_t n = 0; n < b.size(); ++n) REQUIRE(!decode_witness(base::byte_view(b).first(n), hasher).ok());
}

TEST_CASE("of two slots the newer write counts, whichever slot it is in") {
  CHECK(good(read(bytes_of(sample(4, 10)), bytes_of(sample(5, 11)))).newest == sample(5, 11));
  CHECK(good(read(bytes_of(sample(6, 12)), bytes_of(sample(5, 11)))).newest == sample(6, 12));
  CHECK(good(read(bytes_of(sample(6, 12)), bytes_of(sample(5, 11)))).slots_bad == 0);
}

TEST_CASE("a damaged slot leaves the other one") {
  auto torn = bytes_of(sample(6, 12));
  torn.resize(60);
  torn.resize(witness_bytes);
  const auto r = good(read(torn, bytes_of(sample(5, 11))));
  CHECK(r.newest == sample(5, 11));
  CHECK(r.slots_bad == 1);
  CHECK(good(read(bytes_of(sample(5, 11)), {})).newest == sample(5, 11));
}

TEST_CASE("two damaged slots, and slots of two journals, are refused") {
  const auto none = read({}, base::bytes(witness_bytes));
  REQUIRE(!none.ok());
  CHECK(none.failure().kind == base::trouble::corrupt);
  auto other = sample(5, 11);
  other.journal.lo ^= 1;
  CHECK(!read(bytes_of(sample(4, 10)), bytes_of(other)).ok());
}

TEST_CASE("a busy journal writes its witness with each block and syncs it every 100 ms") {
  witness_keeper k(noon);
  unsigned syncs = 0;
  std::uint64_t unsynced_since = 0;
  for (std::uint64_t now = noon + ms; now < noon + second; now += ms) {
    const auto t = k.block_durable(now);
    CHECK(t.write);
    if (unsynced_since == 0) unsynced_since = now;
    k.wrote(now);
    if (t.sync) {
      CHECK(now - unsynced_since <= witness_sync_every);
      k.synced();
      unsynced_since = 0;
      ++syncs;
    }
  }
  CHECK(syncs == 9);
}

TEST_CASE("one block and then silence: synced after 100 ms, renewed every second") {
  witness_keeper k(noon);
  CHECK(k.next_due() == noon + second);
  CHECK(k.block_durable(noon + ms).write);
  CHECK(!k.block_durable(noon + ms).sync);
  k.wrote(noon + ms);
  CHECK(k.next_due() == noon + 101 * ms);
  CHECK(!k.tick(noon + 100 * ms).sync);
  const auto sync = k.tick(noon + 101 * ms);
  CHECK(sync.sync);
  CHECK(!sync.write);
  k.synced();
  CHECK(k.next_due() == noon + ms + second);
  CHECK(!k.tick(noon + second).write);
  const auto refresh = k.tick(noon + ms + second);
  CHECK(refresh.write);
  CHECK(refresh.sync);
}

TEST_CASE("a wake-up that comes late or early does no harm") {
  witness_keeper k(noon);
  CHECK(!k.tick(noon - second).write);
  CHECK(!k.tick(noon - second).sync);
  const auto late = k.tick(noon + 50 * second);
  CHECK(late.write);
  CHECK(late.sync);
}

}  // namespace holdfast::tests
