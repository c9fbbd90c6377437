// The bytes of a plan. One plan has exactly one encoding, and the decoder refuses every other: the journal
// files plans under the hash of their bytes.
//
//   plan      format:varint (1)  name:text
//             categories:varint { name:text color:text }
//             allocations:varint { name:text }          the first, "public", is counted but not written
//             zones:varint { name:text }
//             words:varint { text }                     row labels and seat numbers, each once, in order of first use
//             rows:varint { row }
//             areas:varint { area }
//             options:varint { tag:varint length:varint bytes }   tags ascending; an odd tag is critical
//   row       zone:varint label:word seats:varint { seat }
//   seat      shape:u8 number:word
//             category:u8 allocation:u8                 if shape & 0x40: they differ from the seat before (first: 0 0)
//             x:f32 y:f32                               if shape & 0x80: not where the last step leads
//             identity                                  nothing, 16 bytes or text, by shape
//   area      name:text identity:text (empty: the name) category:u8 capacities:varint { varint }
//   text      length:varint bytes (UTF-8)
//   word      varint, index into words
//
// shape: bits 0-3 the seat's flags; bits 4-5 its identity: 0 text, 1 the path zone/label/number, 2 a lower-case
// uuid as 16 bytes. The last step is the difference of the two positions before in the same row, kept over rows,
// at first 0 0; the first seat of a row always gives its position. Rows of equal spacing so cost two or three
// bytes a seat, and a hall of 50,000 about 150 KB instead of 4 MB.
#include <array>
#include <bit>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/check.hpp"
#include "core/plan.hpp"

namespace holdfast::core {

namespace {

constexpr std::uint64_t plan_format = 1;
constexpr std::uint8_t shape_flags = 0x0f;
constexpr std::uint8_t shape_path = 0x10;
constexpr std::uint8_t shape_uuid = 0x20;
constexpr std::uint8_t shape_identity = 0x30;
constexpr std::uint8_t shape_kind = 0x40;
constexpr std::uint8_t shape_position = 0x80;
constexpr std::size_t text_bytes_max = 128;  // no text of a plan may be longer
constexpr std::size_t options_max = 64;

using uuid_bytes = std::array<std::uint8_t, 16>;

constexpr bool dash_at(std::size_t i) { return i == 8 || i == 13 || i == 18 || i == 23; }

std::optional<uuid_bytes> parse_uuid(std::string_view s) {
  if (s.size() != 36) return std::nullopt;
  uuid_bytes out{};
  std::size_t digit = 0;
  for (std::size_t i = 0; i < 36; ++i) {
    if (dash_at(i)) {
      if (s[i] != '-') return std::nullopt;
      continue;
    }
    unsigned v = 0;
    if (s[i] >= '0' && s[i] <= '9') v = static_cast<unsigned>(s[i] - '0');
    else if (s[i] >= 'a' && s[i] <= 'f') v = static_cast<unsigned>(s[i] - 'a') + 10;
    else return std::nullopt;
    auto& b = out[digit++ / 2];
    b = static_cast<std::uint8_t>(b << 4U | v);
  }
  return out;
}

std::string uuid_text(base::byte_view b) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string s;
  s.reserve(36);
  for (const auto c : b) {
    if (dash_at(s.size())) s += '-';
    s += digits[c >> 4U];
    s += digits[c & 15U];
  }
  return s;
}

std::string path_of(std::string_view zone, std::string_view label, std::string_view number) {
  std::string s;
  s.reserve(zone.size() + label.size() + number.size() + 2);
  s.append(zone).append("/").append(label).append("/").append(number);
  return s;
}

/// Where the next seat of a row is expected.
struct walker {
  float x = 0, y = 0, dx = 0, dy = 0;
  bool in_row = false;

  void begin_row() { in_row = false; }
  [[nodiscard]] bool expects(float to_x, float to_y) const {
    // Compared as bits: 0 and -0 are equal as numbers, but not the same plan.
    return in_row && std::bit_cast<std::uint32_t>(x + dx) == std::bit_cast<std::uint32_t>(to_x) &&
           std::bit_cast<std::uint32_t>(y + dy) == std::bit_cast<std::uint32_t>(to_y);
  }
  void go(float to_x, float to_y) {
    if (in_row) { dx = to_x - x; dy = to_y - y; }
    x = to_x; y = to_y;
    in_row = true;
  }
};

void put_float(base::byte_writer& out, float v) { out.fixed(std::bit_cast<std::uint32_t>(v)); }
float get_float(base::byte_reader& in) { return std::bit_cast<float>(in.fixed<std::uint32_t>()); }

}  // namespace

void encode_plan(const plan& p, base::byte_writer& out) {
  out.varint(plan_format);
  out.sized(p.name);
  out.varint(p.categories.size());
  for (const auto& c : p.categories) { out.sized(c.name); out.sized(c.color); }
  out.varint(p.allocations.size());
  for (std::size_t i = 1; i < p.allocations.size(); ++i) out.sized(p.allocations[i]);
  out.varint(p.zones.size());
  for (const auto& z : p.zones) out.sized(z);

  std::unordered_map<std::string_view, std::uint32_t> index;
  std::vector<std::string_view> words;
  const auto learn = [&](std::string_view w) {
    if (index.emplace(w, static_cast<std::uint32_t>(words.size())).second) words.push_back(w);
  };
  std::vector<std::size_t> row_begin(p.rows.size() + 1, p.seats.size());
  {
    std::size_t seat = 0;
    for (std::size_t r = 0; r < p.rows.size(); ++r) {
      row_begin[r] = seat;
      learn(p.rows[r].label);
      for (; seat < p.seats.size() && p.seats[seat].row == r; ++seat) learn(p.seats[seat].number);
    }
    HOLDFAST_CHECK(seat == p.seats.size(), "a plan is checked before it is encoded");
  }
  out.varint(words.size());
  for (const auto w : words) out.sized(w);

  walker walk;
  std::uint8_t category = 0, allocation = 0;
  out.varint(p.rows.size());
  for (std::size_t r = 0; r < p.rows.size(); ++r) {
    const auto& row = p.rows[r];
    out.varint(row.zone);
    out.varint(index.at(row.label));
    out.varint(row_begin[r + 1] - row_begin[r]);
    walk.begin_row();
    for (auto i = row_begin[r]; i < row_begin[r + 1]; ++i) {
      const auto& s = p.seats[i];
      const auto uuid = parse_uuid(s.identity);
      const bool path = !uuid && s.identity == path_of(p.zones.at(row.zone), row.label, s.number);
      const bool kind = s.category != category || s.allocation != allocation;
      const bool position = !walk.expects(s.x, s.y);
      out.u8(static_cast<std::uint8_t>(s.flags | (path ? shape_path : 0) | (uuid ? shape_uuid : 0) |
                                       (kind ? shape_kind : 0) | (position ? shape_position : 0)));
      out.varint(index.at(s.number));
      if (kind) { out.u8(s.category); out.u8(s.allocation); }
      if (position) { put_float(out, s.x); put_float(out, s.y); }
      if (uuid) out.view(*uuid);
      else if (!path) out.sized(s.identity);
      category = s.category;
      allocation = s.allocation;
      walk.go(s.x, s.y);
    }
  }

  out.varint(p.areas.size());
  for (const auto& a : p.areas) {
    out.sized(a.name);
    out.sized(a.identity == a.name ? std::string_view{} : std::string_view{a.identity});
    out.u8(a.category);
    out.varint(a.capacity.size());
    for (const auto n : a.capacity) out.varint(n);
  }
  out.varint(0);  // no options yet
}

namespace {

base::error bad_bytes(std::string text) { return {base::trouble::bad_bytes, "plan: " + std::move(text)}; }

/// Reads what encode_plan wrote. Counts are compared with the bytes that are left before anything is allocated.
class plan_reader {
 public:
  explicit plan_reader(base::byte_view in) : in_(in) {}

  base::result<plan> read() {
    const auto format = in_.varint();
    if (in_.ok() && format != plan_format)
      return bad_bytes("the bytes have format " + std::to_string(format) + ", this program reads format 1");
    read_names();
    read_rows();
    read_areas();
    if (auto r = skip_options(); !r) return r.failure();
    if (!in_.ok()) return bad_bytes("the bytes end early or are not in their only form");
    if (!in_.done()) return bad_bytes("bytes follow after the end");
    if (auto r = check_plan(p_); !r) return bad_bytes(r.failure().text);
    return std::move(p_);
  }

 private:
  /// A count of things of at least `bytes_each` bytes; more than can be there fails.
  std::size_t count(std::size_t bytes_each) { return static_cast<std::size_t>(in_.varint(in_.left() / bytes_each)); }

  void read_names() {
    p_.name = in_.text(text_bytes_max);
    for (auto n = in_.varint(limits::categories_max); n > 0 && in_.ok(); --n) {
      auto& c = p_.categories.emplace_back();
      c.name = in_.text(text_bytes_max);
      c.color = in_.text(text_bytes_max);
    }
    const auto allocations = in_.varint(limits::allocations_max);
    if (allocations == 0) in_.fail();
    for (std::uint64_t i = 1; i < allocations && in_.ok(); ++i) p_.allocations.push_back(in_.text(text_bytes_max));
    for (auto n = count(1); n > 0 && in_.ok(); --n) p_.zones.push_back(in_.text(text_bytes_max));
    std::unordered_set<std::string_view> seen;
    for (auto n = count(1); n > 0 && in_.ok(); --n) {
      const auto w = base::as_text(in_.sized(text_bytes_max));
      if (!seen.insert(w).second) in_.fail();
      words_.push_back(w);
    }
  }

  /// Words are numbered in order of first use, so the next new one is known.
  std::string_view word() {
    const auto i = in_.varint();
    if (!in_.ok() || i >= words_.size() || i > words_used_) { in_.fail(); return {}; }
    if (i == words_used_) ++words_used_;
    return words_[static_cast<std::size_t>(i)];
  }

  void read_rows() {
    const auto rows = count(3);
    if (rows > limits::seats_max) in_.fail();
    for (std::size_t r = 0; r < rows && in_.ok(); ++r) {
      const auto zone = in_.varint(0xffff);
      const auto label = word();
      const auto seats = count(2);
      if (zone >= p_.zones.size() || seats > limits::seats_max - p_.seats.size()) in_.fail();
      if (!in_.ok()) return;
      p_.rows.push_back({static_cast<std::uint16_t>(zone), std::string(label)});
      walk_.begin_row();
      for (std::size_t i = 0; i < seats && in_.ok(); ++i) read_seat(static_cast<std::uint32_t>(r));
    }
    if (words_used_ != words_.size()) in_.fail();
  }

  void read_seat(std::uint32_t r) {
    const auto& row = p_.rows[r];
    const auto& zone = p_.zones[row.zone];
    const auto shape = in_.u8();
    auto& s = p_.seats.emplace_back();
    s.row = r;
    s.flags = shape & shape_flags;
    s.number = word();
    if ((shape & shape_kind) != 0) {
      s.category = in_.u8();
      s.allocation = in_.u8();
      if (s.category == category_ && s.allocation == allocation_) in_.fail();
      category_ = s.category;
      allocation_ = s.allocation;
    } else {
      s.category = category_;
      s.allocation = allocation_;
    }
    if ((shape & shape_position) != 0) {
      s.x = get_float(in_);
      s.y = get_float(in_);
      if (walk_.expects(s.x, s.y)) in_.fail();
    } else {
      if (!walk_.in_row) in_.fail();
      s.x = walk_.x + walk_.dx;
      s.y = walk_.y + walk_.dy;
    }
    walk_.go(s.x, s.y);
    switch (shape & shape_identity) {
      case 0:
        s.identity = in_.text(text_bytes_max);
        if (parse_uuid(s.identity) || s.identity == path_of(zone, row.label, s.number)) in_.fail();
        break;
      case shape_path:
        s.identity = path_of(zone, row.label, s.number);
        break;
      case shape_uuid: s.identity = uuid_text(in_.view(16)); break;
      default: in_.fail();
    }
  }

  void read_areas() {
    for (auto n = in_.varint(limits::areas_max); n > 0 && in_.ok(); --n) {
      auto& a = p_.areas.emplace_back();
      a.name = in_.text(text_bytes_max);
      a.identity = in_.text(text_bytes_max);
      if (a.identity == a.name) in_.fail();
      if (a.identity.empty()) a.identity = a.name;
      a.category = in_.u8();
      for (auto k = in_.varint(limits::allocations_max); k > 0 && in_.ok(); --k)
        a.capacity.push_back(static_cast<std::uint32_t>(in_.varint(limits::area_places_max)));
    }
  }

  base::result<void> skip_options() {
    std::optional<std::uint64_t> last;
    for (auto n = in_.varint(options_max); n > 0 && in_.ok(); --n) {
      const auto tag = in_.varint();
      in_.sized(in_.left());
      if (!in_.ok()) break;
      if (last && tag <= *last) return bad_bytes("its options are not in ascending order");
      if ((tag & 1U) != 0)
        return bad_bytes("it needs option " + std::to_string(tag) + ", which this program does not know");
      last = tag;
    }
    return {};
  }

  base::byte_reader in_;
  plan p_;
  std::vector<std::string_view> words_;
  std::uint64_t words_used_ = 0;
  walker walk_;
  std::uint8_t category_ = 0, allocation_ = 0;
};

}  // namespace

base::result<plan> decode_plan(base::byte_view in) { return plan_reader(in).read(); }

}  // namespace holdfast::core
