#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "protocol/codec.hpp"
#include "protocol/options.hpp"
#include "protocol/shown_fields.hpp"

// An answer, behind the frame's header (offsets in the frame):
//
//   16  8  now: the server's log time      24  8  tells_of: a sequence       32  8  deadline of the hold, or 0
//   40  1  state of the hold               41  1  bit 0: repeated            42  2  refused; 0: accepted
//
// then, up to the end the same for a repeated answer, byte for byte:
//
//   refused:            44  8 lines   52  8 left   60  4 retry_after   64  1 kind   65  options
//   accepted command:   44  1 outcome 45  1 reason 46  4 number        50  8 granted   58  options
//   accepted look, or request to the house: 44  what it shows (shown_fields.hpp), options

namespace holdfast::protocol {

namespace {

/// The part of an answer whose size is known, made on the stack: answers to commands are all the traffic there is.
class answer_start {
 public:
  answer_start(const answer_to& to, const core::answer& said) {
    put(std::uint32_t{0});
    put(static_cast<std::uint16_t>(to.kind | direction_bit));
    put(std::uint8_t{0});
    put(frame_mark);
    put(to.id);
    put(to.now.value);
    put(said.tells_of.value);
    put(said.deadline.value);
    put(static_cast<std::uint8_t>(said.state));
    put(static_cast<std::uint8_t>(said.repeated ? 1 : 0));
    put(static_cast<std::uint16_t>(said.refused));
  }
  void put_refusal(const core::answer& said) {
    put(said.lines);
    put(said.left);
    put(said.retry_after);
    put(static_cast<std::uint8_t>(said.kind));
    put(std::uint8_t{0});  // no options
  }
  void put_acceptance(const core::answer& said) {
    put(static_cast<std::uint8_t>(said.outcome));
    put(static_cast<std::uint8_t>(said.reason));
    put(said.number.value);
    put(said.granted.value);
    put(std::uint8_t{0});
  }
  std::size_t finish(base::bytes& out) {
    const auto length = static_cast<std::uint32_t>(size_);
    std::memcpy(bytes_.data(), &length, sizeof length);
    append(out);
    return size_;
  }
  void append(base::bytes& out) const {
    out.insert(out.end(), bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(size_));
  }

 private:
  template <std::integral T>
  void put(T v) {
    std::memcpy(bytes_.data() + size_, &v, sizeof v);
    size_ += sizeof v;
  }
  std::array<std::uint8_t, 72> bytes_;
  std::size_t size_ = 0;
};

std::size_t encode_refusal(const answer_to& to, const core::answer& said, base::bytes& out) {
  answer_start start(to, said);
  start.put_refusal(said);
  return start.finish(out);
}

/// The page as a client gets it. A copy of at most plan_seats_per_page seats; page 0 has the lists of the plan as well.
plan_page page_of(const core::plan_page_seen& seen) {
  const auto& whole = *seen.whole;
  plan_page p;
  p.page = seen.page;
  p.pages = seen.pages;
  const auto first =
      std::min<std::size_t>(static_cast<std::size_t>(seen.page) * core::plan_seats_per_page, whole.seats.size());
  const auto last = std::min<std::size_t>(first + core::plan_seats_per_page, whole.seats.size());
  p.first_seat = static_cast<std::uint32_t>(first);
  p.seats.assign(whole.seats.begin() + static_cast<std::ptrdiff_t>(first),
                 whole.seats.begin() + static_cast<std::ptrdiff_t>(last));
  for (const auto& s : p.seats)
    if (p.rows.empty() || p.rows.back().number != s.row) p.rows.push_back({s.row, whole.rows[s.row]});
  if (seen.page != 0) return p;
  p.name = whole.name;
  p.seats_total = static_cast<std::uint32_t>(whole.seats.size());
  p.rows_total = static_cast<std::uint32_t>(whole.rows.size());
  p.categories = whole.categories;
  p.allocations = whole.allocations;
  p.zones = whole.zones;
  p.areas = whole.areas;
  return p;
}

class showing {
 public:
  explicit showing(base::byte_writer& out) : fields_(out) {}
  void operator()(const std::monostate&) {}
  void operator()(const core::plan_page_seen& seen) {
    const auto page = page_of(seen);
    walk(fields_, page);
  }
  template <class Seen>
  void operator()(const Seen& seen) {
    walk(fields_, seen);
  }

 private:
  field_writer fields_;
};

template <class Variant>
std::size_t encode_shown(const answer_to& to, const core::answer& said, const Variant& seen, base::bytes& out) {
  const auto start = out.size();
  answer_start(to, said).append(out);
  base::byte_writer w(out);
  std::visit(showing(w), seen);
  put_no_options(w);
  const auto size = out.size() - start;
  if (size >
      limits::answer_bytes_max) {  // pages are made to fit; whoever made this one gets told, not the socket broken
    out.resize(start);
    core::answer no = said;
    no.refused = core::refusal::table_full;
    return encode_refusal(to, no, out);
  }
  const auto length = static_cast<std::uint32_t>(size);
  std::memcpy(out.data() + start, &length, sizeof length);
  return size;
}

}  // namespace

std::size_t encode_answer(const answer_to& to, const core::answer& said, base::bytes& out) {
  if (said.refused != core::refusal::none) return encode_refusal(to, said, out);
  if (to.kind == kinds::ping) return encode_house_answer(to, said, std::monostate{}, out);
  answer_start start(to, said);
  start.put_acceptance(said);
  return start.finish(out);
}

std::size_t encode_answer(const answer_to& to, const core::answer& said, const core::seen* seen, base::bytes& out) {
  if (said.refused != core::refusal::none || seen == nullptr) return encode_answer(to, said, out);
  return encode_shown(to, said, *seen, out);
}

std::size_t encode_house_answer(const answer_to& to, const core::answer& said, const house_seen& seen,
                                base::bytes& out) {
  if (said.refused != core::refusal::none) return encode_refusal(to, said, out);
  return encode_shown(to, said, seen, out);
}

}  // namespace holdfast::protocol
