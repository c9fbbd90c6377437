#include "persistence/block.hpp"

#include <map>

#include "persistence/journal_meta.hpp"
#include "persistence/system_record.hpp"
#include "tests/persistence/fixture.hpp"
#include "tests/support/dies.hpp"

namespace holdfast::tests {

namespace {

block_header small_header() {
  block_header h;
  h.partition = 2;
  h.number = 7;
  h.epoch = 3;
  h.log_time = noon;
  for (std::size_t i = 0; i < h.previous.size(); ++i) h.previous[i] = static_cast<std::uint8_t>(i);
  return h;
}

/// Three records: session 1, session 300 a second older, session 1 again at the block's own time.
base::bytes small_block(sha256& hasher) {
  block_encoder e;
  e.begin(small_header());
  e.add({1, 1, noon - 5, base::as_bytes("hold")});
  e.add({300, 70'000, noon - second, base::as_bytes("confirm")});
  e.add({1, 2, noon, base::as_bytes("x")});
  const auto b = e.finish(hasher);
  return {b.begin(), b.end()};
}

/// Puts a right hash under wrong bytes, so that the checks behind the hash are reached.
base::bytes rehashed(base::bytes b, sha256& hasher) {
  const auto h = hasher.of(base::byte_view(b).first(b.size() - sizeof(digest)));
  std::ranges::copy(h, b.end() - sizeof(digest));
  return b;
}

base::bytes with_body(base::byte_view body, std::uint32_t count, sha256& hasher) {
  auto b = small_block(hasher);
  b.resize(block_header_bytes);
  const auto n = static_cast<std::uint32_t>(body.size());
  std::memcpy(b.data() + 32, &count, 4);
  std::memcpy(b.data() + 36, &n, 4);
  b.insert(b.end(), body.begin(), body.end());
  b.resize(b.size() + sizeof(digest));
  return rehashed(b, hasher);
}

}  // namespace

TEST_CASE("a block has these bytes") {
  sha256 hasher;
  CHECK(base::to_hex(small_block(hasher)) ==
        "4846626b"                          // magic
        "0100"                              // version
        "0200"                              // partition
        "0700000000000000"                  // number
        "0300000000000000"                  // epoch
        "00401e18240a0600"                  // log time
        "03000000"                          // records
        "1d000000"                          // bytes of the records
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
        "01" "01" "05" "04" "686f6c64"
        "ac02" "f0a204" "c0843d" "07" "636f6e6669726d"
        "01" "02" "00" "01" "78"
        "7c532e8da79233b06da972bcad0e6b9a326d4d7d3be023dd696744852c2ee01d");
}

TEST_CASE("a block gives back what went in, without copies") {
  sha256 hasher;
  const auto bytes = small_block(hasher);
  const auto b = good(decode_block(bytes, hasher));
  CHECK(b.header.partition == 2);
  CHECK(b.header.number == 7);
  CHECK(b.header.epoch == 3);
  CHECK(b.header.log_time == noon);
  CHECK(b.header.previous == small_header().previous);
  CHECK(b.mark() == block_mark{7, b.hash});
  std::vector<record_ref> seen;
  for (const auto& r : b) seen.push_back(r);
  REQUIRE(seen.size() == 3);
  CHECK(seen[0].log_time == noon - 5);
  CHECK(seen[1].session == 300);
  CHECK(seen[1].sequence == 70'000);
  CHECK(seen[1].log_time == noon - second);
  CHECK(base::as_text(seen[1].bytes) == "confirm");
  CHECK(seen[1].bytes.data() >= bytes.data());
  CHECK(seen[1].bytes.data() < bytes.data() + bytes.size());
  CHECK(seen[2].log_time == noon);
}

TEST_CASE("the frame around a record of a big sale is at most eight bytes") {
  block_encoder e;
  e.begin(small_header());
  const auto before = e.size();
  const std::string record(80, 'r');
  e.add({90, 200'000'000, noon - 8 * ms, base::as_bytes(record)});
  CHECK(e.size() - before - record.size() <= 8);
}

TEST_CASE("an encoder forgets the block before") {
  sha256 hasher;
  block_encoder e;
  e.begin(small_header());
  e.add({9, 9, noon, base::as_bytes("something longer than the next one")});
  (void)e.finish(hasher);
  e.begin(small_header());
  e.add({1, 1, noon - 5, base::as_bytes("hold")});
  e.add({300, 70'000, noon - second, base::as_bytes("confirm")});
  e.add({1, 2, noon, base::as_bytes("x")});
  const auto b = e.finish(hasher);
  CHECK(base::bytes(b.begin(), b.end()) == small_block(hasher));
}

TEST_CASE("every flipped bit and every cut of a block is noticed") {
  sha256 hasher;
  const auto whole = small_block(hasher);
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    auto b = whole;
    b[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    const auto r = decode_block(b, hasher);
    REQUIRE_MESSAGE(!r.ok(), "bit " << bit);
    REQUIRE(r.failure().kind == base::trouble::bad_bytes);
  }
  for (std::size_t n = 0; n < whole.size(); ++n) REQUIRE(!decode_block(base::byte_view(whole).first(n), hasher).ok());
  auto longer = whole;
  longer.push_back(0);
  CHECK(!decode_block(longer, hasher).ok());
}

TEST_CASE("a right hash does not excuse wrong bytes") {
  sha256 hasher;
  using bytes = base::bytes;
  const auto body = [](std::initializer_list<std::uint64_t> frame, std::string_view text) {
    bytes b;
    base::byte_writer w(b);
    for (const auto v : frame) w.varint(v);
    w.view(base::as_bytes(text));
    return b;
  };
  CHECK(decode_block(with_body(body({1, 1, 0, 2}, "ab"), 1, hasher), hasher).ok());
  CHECK_MESSAGE(!decode_block(with_body(body({1, 1, 0, 3}, "ab"), 1, hasher), hasher).ok(), "a record beyond the end");
  CHECK_MESSAGE(!decode_block(with_body(body({1, 1, 0, 1}, "ab"), 1, hasher), hasher).ok(), "bytes after the last record");
  CHECK_MESSAGE(!decode_block(with_body(body({1, 1, 0, 0}, ""), 1, hasher), hasher).ok(), "an empty record");
  CHECK_MESSAGE(!decode_block(with_body(body({1, 1, noon + 1, 2}, "ab"), 1, hasher), hasher).ok(), "a time before 1970");
  CHECK_MESSAGE(!decode_block(with_body(body({1, 1, 0, 2}, "ab"), 2, hasher), hasher).ok(), "fewer records than counted");
  CHECK_MESSAGE(good(decode_block(with_body(body({0, 1, 0, 2}, "ab"), 1, hasher), hasher)).begins_with_system_record,
                "a system record stands first");
  CHECK_MESSAGE(!decode_block(with_body(bytes{1, 1, 0, 1, 'a', 0, 1, 0, 1, 'b'}, 2, hasher), hasher).ok(), "or nowhere");
  CHECK_MESSAGE(!decode_block(with_body(body({}, ""), 0, hasher), hasher).ok(), "no records");
  CHECK_MESSAGE(!decode_block(with_body(bytes{0x81, 0x00, 1, 0, 1, 'a'}, 1, hasher), hasher).ok(), "a number in a longer form");
  auto version = small_block(hasher);
  version[4] = 2;
  const auto r = decode_block(rehashed(version, hasher), hasher);
  REQUIRE(!r.ok());
  CHECK(says(r.failure().text, "format version 2"));
}

TEST_CASE("an encoder refuses what no block may contain") {
  CHECK(dies([] { block_encoder e; e.begin(small_header()); e.add({1, 1, noon + 1, base::as_bytes("x")}); }));
  CHECK(dies([] { block_encoder e; e.begin(small_header()); e.add({1, 1, noon, {}}); }));
  CHECK(dies([] { sha256 h; block_encoder e; e.begin(small_header()); (void)e.finish(h); }));
}

TEST_CASE("a started record has these bytes and steps over what it may") {
  base::bytes b;
  encode_started({journal_id, 5, noon, "holdfast 1"}, b);
  CHECK(base::to_hex(b) ==
        "01" "8877665544332211" "00ffeeddccbbaa99" "05" "00401e18240a0600" "02" "0a" "686f6c64666173742031");
  const auto r = good(decode_started(b));
  CHECK(r.journal == journal_id);
  CHECK(r.epoch == 5);
  CHECK(r.wall_clock == noon);
  CHECK(r.program == "holdfast 1");

  auto harmless = b;
  base::byte_writer(harmless).varint(20);
  base::byte_writer(harmless).sized("new");
  CHECK(decode_started(harmless).ok());
  auto critical = b;
  base::byte_writer(critical).varint(21);
  base::byte_writer(critical).sized("new");
  CHECK(!decode_started(critical).ok());
  auto twice = b;
  base::byte_writer(twice).varint(2);
  base::byte_writer(twice).sized("again");
  CHECK(!decode_started(twice).ok());
  for (std::size_t n = 0; n < 26; ++n) CHECK(!decode_started(base::byte_view(b).first(n)).ok());
  b[0] = 2;
  CHECK(!decode_started(b).ok());
}

TEST_CASE("a meta record has these bytes, and every flipped bit is noticed") {
  sha256 hasher;
  const journal_meta meta{2, journal_id, 1, genesis_hash(journal_id, hasher)};
  base::bytes b;
  encode_meta(meta, hasher, b);
  CHECK(b.size() == meta_bytes);
  CHECK(base::to_hex(b) ==
        "48466d7401000200"
        "887766554433221100ffeeddccbbaa99"
        "0100000000000000"
        "a3c98e93e115fe60df06924574253058d17349470f73aa8524012543054d7143"
        "0b730bbc78f7040fff5006fb6fdd97af035a0df3000a1df4b08d3fe7b773baf1");
  CHECK(good(decode_meta(b, hasher)) == meta);
  for (std::size_t bit = 0; bit < b.size() * 8; ++bit) {
    auto bad = b;
    bad[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    REQUIRE(!decode_meta(bad, hasher).ok());
  }
}

}  // namespace holdfast::tests
