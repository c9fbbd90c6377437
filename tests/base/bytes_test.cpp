#include "base/bytes.hpp"

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <limits>

#include <doctest/doctest.h>

#include "base/random.hpp"

using namespace holdfast::base;

namespace {

bytes varint_of(std::uint64_t v) {
  bytes out;
  byte_writer(out).varint(v);
  return out;
}

bytes zigzag_of(std::int64_t v) {
  bytes out;
  byte_writer(out).zigzag(v);
  return out;
}

/// True if the whole of `b` is one well-formed varint.
bool reads_as_varint(const bytes& b) {
  byte_reader in(b);
  in.varint();
  return in.done();
}

constexpr auto u64_max = std::numeric_limits<std::uint64_t>::max();

}  // namespace

TEST_CASE("a varint has these bytes") {
  CHECK(varint_of(0) == bytes{0x00});
  CHECK(varint_of(1) == bytes{0x01});
  CHECK(varint_of(127) == bytes{0x7f});
  CHECK(varint_of(128) == bytes{0x80, 0x01});
  CHECK(varint_of(300) == bytes{0xac, 0x02});
  CHECK(varint_of(16'383) == bytes{0xff, 0x7f});
  CHECK(varint_of(16'384) == bytes{0x80, 0x80, 0x01});
  CHECK(varint_of(u64_max) == bytes{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01});
}

TEST_CASE("a varint reads back, at every width and both sides of each boundary") {
  for (unsigned bit = 0; bit < 64; ++bit) {
    const std::uint64_t power = std::uint64_t{1} << bit;
    for (const std::uint64_t v : {power - 1, power, power + 1}) {
      const auto b = varint_of(v);
      CAPTURE(v);
      CHECK(b.size() == (v == 0 ? 1U : (static_cast<unsigned>(std::bit_width(v)) + 6U) / 7U));
      byte_reader in(b);
      CHECK(in.varint() == v);
      CHECK(in.done());
    }
  }
  holdfast::base::random rng(1);
  for (int i = 0; i < 10'000; ++i) {
    const auto v = rng.next() >> rng.below(64);
    const auto b = varint_of(v);
    byte_reader in(b);
    REQUIRE(in.varint() == v);
    REQUIRE(in.done());
  }
}

TEST_CASE("what stands behind a varint changes neither its value nor where it ends") {
  const bytes ends{0x00, 0x01, 0x7f, 0x80, 0xff};
  for (const std::uint8_t a : {0x80, 0x81, 0xff})
    for (unsigned b = 0; b < 256; ++b)
      for (unsigned c = 0; c < 256; ++c)
        for (const auto behind : ends) {
          const bytes all{a, static_cast<std::uint8_t>(b), static_cast<std::uint8_t>(c), behind, 0x00};
          byte_reader in(all);
          const auto v = in.varint();
          // As long as its own shortest form, which it must be byte for byte; or refused.
          const auto own = varint_of(v);
          const bool same = in.ok() && own.size() == all.size() - in.left() && std::equal(own.begin(), own.end(), all.begin());
          const bool ends_in_zero = b == 0 || (b >= 0x80 && (c == 0 || (c >= 0x80 && (behind == 0 || behind >= 0x80))));
          if (same == ends_in_zero || in.ok() == ends_in_zero) {
            CAPTURE(a);
            CAPTURE(b);
            CAPTURE(c);
            CAPTURE(behind);
            FAIL("read otherwise than alone");
          }
        }
}

TEST_CASE("a varint cut short is refused") {
  for (const std::uint64_t v : {std::uint64_t{128}, std::uint64_t{1} << 40U, u64_max}) {
    auto b = varint_of(v);
    while (!b.empty()) {
      b.pop_back();
      byte_reader in(b);
      CHECK(in.varint() == 0);
      CHECK_FALSE(in.ok());
    }
  }
}

TEST_CASE("only the shortest form of a varint is accepted") {
  CHECK(reads_as_varint({0x00}));
  CHECK_FALSE(reads_as_varint({0x80, 0x00}));
  CHECK_FALSE(reads_as_varint({0x81, 0x00}));
  CHECK_FALSE(reads_as_varint({0xff, 0x80, 0x00}));
  CHECK_FALSE(reads_as_varint({0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00}));
}

TEST_CASE("a varint beyond 64 bits is refused") {
  CHECK(reads_as_varint({0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}));
  CHECK_FALSE(reads_as_varint({0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02}));
  CHECK_FALSE(reads_as_varint({0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x81, 0x00}));
  CHECK_FALSE(reads_as_varint(bytes(11, 0xff)));
}

TEST_CASE("a varint above its bound is refused") {
  const auto b = varint_of(1'000);
  byte_reader within(b);
  CHECK(within.varint(1'000) == 1'000);
  CHECK(within.ok());
  byte_reader above(b);
  CHECK(above.varint(999) == 0);
  CHECK_FALSE(above.ok());
}

TEST_CASE("zigzag gives small magnitudes short forms") {
  CHECK(zigzag_of(0) == bytes{0x00});
  CHECK(zigzag_of(-1) == bytes{0x01});
  CHECK(zigzag_of(1) == bytes{0x02});
  CHECK(zigzag_of(-2) == bytes{0x03});
  CHECK(zigzag_of(-64).size() == 1);
  CHECK(zigzag_of(64).size() == 2);
}

TEST_CASE("zigzag reads back over the whole range") {
  constexpr auto low = std::numeric_limits<std::int64_t>::min();
  constexpr auto high = std::numeric_limits<std::int64_t>::max();
  for (const std::int64_t v : {std::int64_t{0}, std::int64_t{1}, std::int64_t{-1}, low, low + 1, high, high - 1}) {
    const auto b = zigzag_of(v);
    byte_reader in(b);
    CHECK(in.zigzag() == v);
    CHECK(in.done());
  }
  holdfast::base::random rng(2);
  for (int i = 0; i < 10'000; ++i) {
    const auto v = static_cast<std::int64_t>(rng.next()) >> rng.below(64);
    const auto b = zigzag_of(v);
    byte_reader in(b);
    REQUIRE(in.zigzag() == v);
    REQUIRE(in.done());
  }
}

TEST_CASE("fixed numbers are little-endian") {
  bytes out;
  byte_writer w(out);
  w.u8(0xab);
  w.fixed(std::uint16_t{0x0102});
  w.fixed(std::int32_t{-2});
  w.fixed(std::uint64_t{0x0102030405060708});
  CHECK(to_hex(out) == "ab" "0201" "feffffff" "0807060504030201");
  CHECK(w.size() == 15);

  byte_reader in(out);
  CHECK(in.u8() == 0xab);
  CHECK(in.fixed<std::uint16_t>() == 0x0102);
  CHECK(in.fixed<std::int32_t>() == -2);
  CHECK(in.fixed<std::uint64_t>() == 0x0102030405060708);
  CHECK(in.done());
}

TEST_CASE("an id is its high half, then its low half") {
  const id128 id{0x0102030405060708, 0x1112131415161718};
  bytes out;
  byte_writer(out).id(id);
  CHECK(to_hex(out) == "0807060504030201" "1817161514131211");
  CHECK(to_hex(id) == to_hex(out));
  byte_reader in(out);
  CHECK(in.id() == id);
  CHECK(in.done());
}

TEST_CASE("sized bytes carry their length and borrow from the input") {
  bytes out;
  byte_writer w(out);
  w.sized("row 7");
  w.sized(byte_view{});
  CHECK(to_hex(out) == "05" "726f772037" "00");

  byte_reader in(out);
  const auto v = in.sized(5);
  CHECK(as_text(v) == "row 7");
  CHECK(v.data() == out.data() + 1);
  CHECK(in.sized(5).empty());
  CHECK(in.done());

  byte_reader as_string(out);
  CHECK(as_string.text(64) == "row 7");
}

TEST_CASE("sized bytes longer than allowed or than the input are refused") {
  bytes out;
  byte_writer(out).sized("row 7");
  byte_reader narrow(out);
  CHECK(narrow.sized(4).empty());
  CHECK_FALSE(narrow.ok());

  out.pop_back();
  byte_reader cut(out);
  CHECK(cut.sized(64).empty());
  CHECK_FALSE(cut.ok());

  const auto huge = varint_of(u64_max);
  byte_reader lying(huge);
  CHECK(lying.sized(std::numeric_limits<std::size_t>::max()).empty());
  CHECK_FALSE(lying.ok());
}

TEST_CASE("a failed reader stays failed and yields nothing more") {
  const bytes b{1, 2, 3, 4, 5, 6, 7, 8};
  byte_reader in(b);
  CHECK(in.left() == 8);
  CHECK(in.u8() == 1);
  CHECK(in.fixed<std::uint64_t>() == 0);  // seven bytes are left
  CHECK_FALSE(in.ok());

  CHECK(in.u8() == 0);
  CHECK(in.fixed<std::uint16_t>() == 0);
  CHECK(in.varint() == 0);
  CHECK(in.zigzag() == 0);
  CHECK(in.id().zero());
  CHECK(in.view(1).empty());
  CHECK(in.view(0).empty());
  CHECK(in.text(10).empty());
  CHECK(in.left() == 0);
  CHECK_FALSE(in.ok());
  CHECK_FALSE(in.done());
}

TEST_CASE("a decoder may fail its reader for reasons of its own") {
  const bytes b{1, 2};
  byte_reader in(b);
  in.u8();
  in.fail();
  CHECK(in.u8() == 0);
  CHECK_FALSE(in.done());
}

TEST_CASE("a reader of nothing is done at once") {
  byte_reader in(byte_view{});
  CHECK(in.done());
  CHECK(in.view(0).empty());
  CHECK(in.done());
  in.u8();
  CHECK_FALSE(in.done());
}

TEST_CASE("a writer appends to what is there") {
  bytes out{0xff};
  byte_writer w(out);
  w.view(as_bytes("ab"));
  CHECK(to_hex(out) == "ff6162");
  CHECK(&w.target() == &out);
}

TEST_CASE("a writer with room ahead writes what one without writes, whether it fits or not") {
  for (const std::size_t room : {0U, 1U, 9U, 10U, 11U, 26U, 27U, 28U, 64U, 1'000U}) {
    CAPTURE(room);
    bytes plain{0xff};
    bytes ahead{0xff};
    {
      byte_writer w(plain);
      byte_writer a(ahead, room);
      for (auto* to : {&w, &a}) {
        to->u8(1);
        to->varint(300);
        to->fixed(std::uint64_t{7});
        to->varint(~std::uint64_t{0});
        to->sized("row 7");
        to->id({1, 2});
      }
      CHECK(a.size() == w.size());
      CHECK(to_hex(a.target()) == to_hex(plain));
      for (auto* to : {&w, &a}) to->zigzag(-1);
    }
    CHECK(to_hex(ahead) == to_hex(plain));
  }
}
