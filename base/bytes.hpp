// Little-endian bytes in and out, for every format of the house.
//
// varint: LEB128, seven bits a byte, lowest first, at most ten bytes, and the shortest form only
// (a longer form of the same number is refused, so that a value has exactly one encoding).
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/strong.hpp"

namespace holdfast::base {

static_assert(std::endian::native == std::endian::little, "the formats are little-endian and copied as they are");

using bytes = std::vector<std::uint8_t>;
using byte_view = std::span<const std::uint8_t>;

inline byte_view as_bytes(std::string_view s) { return {reinterpret_cast<const std::uint8_t*>(s.data()), s.size()}; }
inline std::string_view as_text(byte_view b) { return {reinterpret_cast<const char*>(b.data()), b.size()}; }

/// Appends to a caller-owned vector; never fails.
class byte_writer {
 public:
  explicit byte_writer(bytes& out) : out_(out) {}
  /// For small things that are written often: the vector gets `room` bytes at once, and what fits there is written without asking the
  /// vector again. It is right, that is no longer than what was written, only when the writer is gone.
  byte_writer(bytes& out, std::size_t room) : out_(out) {
    const auto at = out_.size();
    out_.resize(at + room);
    at_ = out_.data() + at;
    end_ = at_ + room;
  }
  ~byte_writer() { leave_room(); }
  byte_writer(const byte_writer&) = delete;
  byte_writer& operator=(const byte_writer&) = delete;

  template <std::integral T>
  void fixed(T v) { raw(&v, sizeof v); }
  void u8(std::uint8_t v) {
    if (at_ != end_) [[likely]] {
      *at_++ = v;
    } else {
      put(&v, 1);
    }
  }

  void varint(std::uint64_t v) {
    if (v < 0x80) [[likely]] return u8(static_cast<std::uint8_t>(v));
    long_varint(v);
  }
  /// Signed numbers, small magnitudes first (0, -1, 1, -2 ... become 0, 1, 2, 3 ...).
  void zigzag(std::int64_t v) { varint((static_cast<std::uint64_t>(v) << 1U) ^ static_cast<std::uint64_t>(v >> 63)); }

  void id(const id128& v) {
    const std::uint64_t words[] = {v.hi, v.lo};
    raw(words, sizeof words);
  }
  void view(byte_view b) { raw(b.data(), b.size()); }
  /// varint length, then the bytes.
  void sized(byte_view b) { varint(b.size()); view(b); }
  void sized(std::string_view s) { sized(as_bytes(s)); }

  [[nodiscard]] std::size_t size() const { return out_.size() - room(); }
  [[nodiscard]] bytes& target() {
    leave_room();
    return out_;
  }

 private:
  static constexpr std::size_t varint_max = 10;

  [[gnu::noinline]] void long_varint(std::uint64_t v) {
    std::uint8_t tmp[varint_max];
    auto* const begin = room() < varint_max ? tmp : at_;
    auto* to = begin;
    while (v >= 0x80) {
      *to++ = static_cast<std::uint8_t>(v) | 0x80U;
      v >>= 7U;
    }
    *to++ = static_cast<std::uint8_t>(v);
    if (begin == tmp) {
      raw(tmp, static_cast<std::size_t>(to - tmp));
    } else {
      at_ = to;
    }
  }
  [[nodiscard]] std::size_t room() const { return static_cast<std::size_t>(end_ - at_); }
  void leave_room() {
    if (at_ == nullptr) return;
    out_.resize(size());
    at_ = end_ = nullptr;
  }
  void raw(const void* p, std::size_t n) {
    if (n == 0) return;
    if (room() >= n) {
      std::memcpy(at_, p, n);
      at_ += n;
    } else {
      put(p, n);
    }
  }
  [[gnu::noinline]] void put(const void* p, std::size_t n) {
    leave_room();
    const auto at = out_.size();
    out_.resize(at + n);
    std::memcpy(out_.data() + at, p, n);
  }

  bytes& out_;
  std::uint8_t* at_ = nullptr;   ///< in the room; null: there is none
  std::uint8_t* end_ = nullptr;  ///< of the room and of the vector
};

/// Reads from a borrowed view. The first read past the end, or malformed varint, makes `ok()` false for
/// good and every later read returns zero, so that a decoder may check once at the end. Of a decoder most of the time is these few
/// lines, and GCC calls what it could put in place: hence the attributes (bench/instructions read_hold_frame).
class byte_reader {
 public:
  explicit byte_reader(byte_view in) : p_(in.data()), end_(in.data() + in.size()) {}

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] std::size_t left() const { return static_cast<std::size_t>(end_ - p_); }
  [[nodiscard]] bool done() const { return ok_ && p_ == end_; }
  /// Nothing is left after this, which is all that later reads need to look at.
  void fail() {
    ok_ = false;
    p_ = end_;
  }

  template <std::integral T>
  [[gnu::always_inline]] T fixed() {
    T v{};
    if (take(sizeof v)) { std::memcpy(&v, p_, sizeof v); p_ += sizeof v; }
    return v;
  }
  [[gnu::always_inline]] std::uint8_t u8() { return fixed<std::uint8_t>(); }

  [[gnu::always_inline]] std::uint64_t varint() {
    if (p_ != end_ && *p_ < 0x80) [[likely]] return *p_++;
    return long_varint();
  }
  /// A varint that must be at most `max`.
  [[gnu::always_inline]] std::uint64_t varint(std::uint64_t max) {
    const auto v = varint();
    if (v > max) { fail(); return 0; }
    return v;
  }
  std::int64_t zigzag() {
    const auto v = varint();
    return static_cast<std::int64_t>(v >> 1U) ^ -static_cast<std::int64_t>(v & 1U);
  }

  [[gnu::always_inline]] id128 id() {
    std::uint64_t words[2] = {};
    if (take(sizeof words)) { std::memcpy(words, p_, sizeof words); p_ += sizeof words; }
    return {words[0], words[1]};
  }
  byte_view view(std::size_t n) {
    if (!take(n)) return {};
    const byte_view v{p_, n};
    p_ += n;
    return v;
  }
  /// A length of at most `max`, then that many bytes; the view borrows from the input.
  byte_view sized(std::size_t max) { return view(static_cast<std::size_t>(varint(max))); }
  std::string text(std::size_t max) { return std::string(as_text(sized(max))); }

 private:
  [[gnu::always_inline]] bool take(std::size_t n) {
    if (left() >= n) [[likely]] return true;
    fail();
    return false;
  }
  [[gnu::noinline]] std::uint64_t long_varint() {
    // Seats, intervals and prices have two or three bytes. The last must not be zero: that would not be the shortest form.
    if (left() >= 3) [[likely]] {
      const std::uint64_t a = p_[0] & 0x7fU, b = p_[1], c = p_[2];
      if (b - 1U < 0x7fU) {
        p_ += 2;
        return a | b << 7U;
      }
      if (b >= 0x80 && c - 1U < 0x7fU) {
        p_ += 3;
        return a | (b & 0x7fU) << 7U | c << 14U;
      }
    }
    std::uint64_t v = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
      if (!take(1)) return 0;
      const std::uint8_t b = *p_++;
      if (shift == 63 && b > 1) break;
      v |= static_cast<std::uint64_t>(b & 0x7fU) << shift;
      if ((b & 0x80U) == 0) {
        if (b == 0 && shift != 0) break;  // not the shortest form
        return v;
      }
    }
    fail();
    return 0;
  }
  const std::uint8_t* p_;
  const std::uint8_t* end_;
  bool ok_ = true;
};

/// Lower-case hexadecimal of `b`.
inline std::string to_hex(byte_view b) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string s;
  s.reserve(b.size() * 2);
  for (const auto c : b) { s += digits[c >> 4U]; s += digits[c & 15U]; }
  return s;
}
inline std::string to_hex(const id128& i) {
  bytes b;
  byte_writer(b).id(i);
  return to_hex(b);
}

}  // namespace holdfast::base
