#include "persistence/index_row.hpp"

#include <type_traits>

namespace holdfast::persistence::index_bytes {

namespace {

template <class T>
void put_ordered(std::string& out, T v) {
  for (int shift = static_cast<int>(sizeof v) * 8 - 8; shift >= 0; shift -= 8)
    out += static_cast<char>(v >> shift & 0xffU);
}
void put_id(std::string& out, const base::id128& id) {
  base::bytes b;
  base::byte_writer(b).id(id);
  out += base::as_text(b);
}
std::string begin(table t) { return std::string(1, static_cast<char>(t)); }

void put_lines(base::byte_writer& w, const std::vector<core::line>& lines) {
  w.varint(lines.size());
  for (const auto& l : lines) {
    w.varint(std::uint64_t{l.number} * 2 + static_cast<std::uint64_t>(l.kind));
    w.varint(l.count);
    w.varint(l.price);
  }
}
void get_lines(base::byte_reader& in, std::vector<core::line>& lines) {
  const auto n = in.varint(in.left());
  lines.clear();
  for (std::uint64_t i = 0; i < n && in.ok(); ++i) {
    core::line l;
    const auto place = in.varint(0x1'ffff'ffffULL);
    l.kind = static_cast<core::place_kind>(place & 1U);
    l.number = static_cast<std::uint32_t>(place >> 1U);
    l.count = static_cast<std::uint32_t>(in.varint(0xffff'ffffU));
    l.price = static_cast<std::uint32_t>(in.varint(0xffff'ffffU));
    lines.push_back(l);
  }
}
std::string text(const base::bytes& b) { return std::string(base::as_text(b)); }
std::uint32_t u32(base::byte_reader& in) { return static_cast<std::uint32_t>(in.varint(0xffff'ffffU)); }

}  // namespace

std::string hold_key(core::session_id s, core::hold_no h) {
  auto k = begin(table::hold);
  put_ordered(k, s.value);
  put_ordered(k, h.value);
  return k;
}

std::string refund_key(core::session_id s, core::refund_no n) {
  auto k = begin(table::refund);
  put_ordered(k, s.value);
  put_ordered(k, n.value);
  return k;
}

std::string prefix(const index_query& q) {
  return std::visit(
      []<class Q>(const Q& x) {
        std::string k;
        if constexpr (std::is_same_v<Q, by_owner>) {
          k = begin(table::owner);
          put_id(k, x.owner.value);
        } else if constexpr (std::is_same_v<Q, by_reference>) {
          k = begin(table::reference);
          k += static_cast<char>(x.reference.size());
          k += base::as_text(x.reference);
        } else if constexpr (std::is_same_v<Q, by_basket>) {
          k = begin(table::basket);
          put_id(k, x.basket.value);
        } else if constexpr (std::is_same_v<Q, by_hold>) {
          k = begin(table::hold_id);
          put_id(k, x.hold.value);
        } else {
          k = begin(table::place);
          put_ordered(k, x.session.value);
          k += static_cast<char>(x.kind);
          put_ordered(k, x.number);
        }
        return k;
      },
      q);
}

void append_row_key(std::string& prefix, core::session_id s, core::sequence n, core::hold_no h) {
  put_ordered(prefix, s.value);
  put_ordered(prefix, n.value);
  put_ordered(prefix, h.value);
}

std::string after_all(std::string prefix) {
  while (!prefix.empty() && static_cast<unsigned char>(prefix.back()) == 0xffU) prefix.pop_back();
  if (!prefix.empty()) ++prefix.back();
  return prefix;
}

std::string encode(const hold_entry& e) {
  base::bytes b;
  base::byte_writer w(b);
  w.id(e.owner.value);
  w.id(e.id.value);
  w.id(e.basket.value);
  put_lines(w, e.lines);
  return text(b);
}

bool decode(base::byte_view bytes, hold_entry& e) {
  base::byte_reader in(bytes);
  e.owner.value = in.id();
  e.id.value = in.id();
  e.basket.value = in.id();
  get_lines(in, e.lines);
  return in.done();
}

std::string encode(const refund_entry& e) {
  base::bytes b;
  base::byte_writer w(b);
  w.varint(e.hold.value);
  w.id(e.owner.value);
  w.id(e.id.value);
  return text(b);
}

bool decode(base::byte_view bytes, refund_entry& e) {
  base::byte_reader in(bytes);
  e.hold.value = u32(in);
  e.owner.value = in.id();
  e.id.value = in.id();
  return in.done();
}

std::string encode(const index_row& r) {
  base::bytes b;
  base::byte_writer w(b);
  w.varint(r.at.value);
  w.u8(r.event);
  w.u8(static_cast<std::uint8_t>(r.from.who));
  w.varint(r.from.principal);
  w.u8(r.channel);
  w.id(r.command.value);
  w.id(r.owner.value);
  w.id(r.hold_id.value);
  w.id(r.basket.value);
  w.zigzag(r.amount);
  w.varint(r.refund.value);
  w.u8(static_cast<std::uint8_t>(r.reason));
  w.u8(r.late ? 1 : 0);
  put_lines(w, r.lines);
  w.sized(r.reference);
  w.sized(r.note);
  return text(b);
}

bool decode(base::byte_view bytes, index_row& r) {
  base::byte_reader in(bytes);
  r.at.value = in.varint();
  r.event = in.u8();
  r.from.who = static_cast<core::role>(in.u8());
  r.from.principal = u32(in);
  r.channel = in.u8();
  r.command.value = in.id();
  r.owner.value = in.id();
  r.hold_id.value = in.id();
  r.basket.value = in.id();
  r.amount = in.zigzag();
  r.refund.value = u32(in);
  r.reason = static_cast<core::refund_reason>(in.u8());
  r.late = in.u8() != 0;
  get_lines(in, r.lines);
  const auto reference = in.sized(core::limits::ref_bytes_max);
  r.reference.assign(reference.begin(), reference.end());
  const auto note = in.sized(core::limits::note_bytes_max);
  r.note.assign(note.begin(), note.end());
  return in.done() && r.event < std::variant_size_v<core::event>;
}

}  // namespace holdfast::persistence::index_bytes
