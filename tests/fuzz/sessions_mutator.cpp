// Changes stories of sessions.cpp by what they mean: commands are put in, taken out, asked twice or given other fields, from small
// pools of owners, ids, places and references, so that they have to do with one another; frames are encoded anew and stay valid. Now
// and then a frame's content is given to libFuzzer as bytes.
#include <cstring>
#include <type_traits>

#include "base/random.hpp"
#include "tests/fuzz/session_script.hpp"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

using namespace holdfast;
using namespace holdfast::core;
using fuzz::script;
using fuzz::script_item;

namespace {

class teller {
 public:
  teller(script& s, std::uint64_t seed) : s_(s), dice_(seed) {}

  void change() {
    for (auto n = 1 + dice_.below(3); n > 0; --n) change_once();
  }

 private:
  template <class T, std::size_t N>
  const T& one_of(const T (&all)[N]) { return all[dice_.below(N)]; }

  void change_once() {
    if (s_.items.empty()) return insert();
    const auto at = dice_.below(s_.items.size());
    auto& i = s_.items[at];
    switch (dice_.below(16)) {
      case 0:
      case 1:
      case 2:
      case 3:
      case 4: return insert();
      case 5:
      case 6:
      case 7:
      case 8: return change_fields(i);
      case 9: s_.items.erase(s_.items.begin() + static_cast<std::ptrdiff_t>(at)); return;
      case 10: {  // once more, as it was
        const auto copy = i;
        s_.items.insert(s_.items.begin() + static_cast<std::ptrdiff_t>(at + dice_.below(s_.items.size() - at) + 1), copy);
        return;
      }
      case 11: i.after_us = after(); return;
      case 12: i.ends_step = !i.ends_step; return;
      case 13: std::swap(i, s_.items[dice_.below(s_.items.size())]); return;
      case 14:
        if (dice_.chance(30)) s_.terms = static_cast<std::uint8_t>(dice_.below(8));
        else if (dice_.chance(20)) insert_event();
        else change_fields(i);
        return;
      default: return change_bytes(i);
    }
  }

  void insert_event() {
    script_item i;
    i.what = dice_.chance(70) ? script_item::kind::restart : script_item::kind::fault;
    i.after_us = after();
    put(std::move(i));
  }
  void insert() {
    script_item i;
    i.after_us = after();
    i.ends_step = dice_.chance(60);
    protocol::request r;
    r.id = 1;
    r.session = fuzz::script_session;
    if (dice_.chance(5)) {
      i.who = static_cast<std::uint8_t>(dice_.below(3));
      r.asked = any_look();
    } else {
      static constexpr command_tag tags[] = {
          command_tag::hold_seats,      command_tag::hold_seats,    command_tag::hold_seats,     command_tag::hold_seats,
          command_tag::change_hold,     command_tag::extend_hold,   command_tag::begin_payment,  command_tag::begin_payment,
          command_tag::payment_failed,  command_tag::confirm_hold,  command_tag::confirm_hold,   command_tag::release_hold,
          command_tag::cancel_order,    command_tag::settle_refund, command_tag::open_sale,      command_tag::pause_sale,
          command_tag::resume_sale,     command_tag::close_sale,    command_tag::freeze_sale,    command_tag::block_places,
          command_tag::unblock_places,  command_tag::allocate_places, command_tag::shift_deadlines, command_tag::clear_fault};
      const auto tag = one_of(tags);
      i.who = who_asks(tag);
      auto& c = r.asked.emplace<command>();
      emplace(c, tag);
      std::visit([&](auto& x) { fields(x, true); }, c);
      envelope_of(r.head, c, true);
    }
    i.frame = fuzz::frame_of(r, i.who);
    put(std::move(i));
  }
  void put(script_item i) {
    if (s_.items.size() >= fuzz::script_items_max) return;
    s_.items.insert(s_.items.begin() + static_cast<std::ptrdiff_t>(dice_.below(s_.items.size() + 1)), std::move(i));
  }

  void change_fields(script_item& i) {
    auto r = fuzz::request_of(i, arena_);
    if (!r) return change_bytes(i);
    if (dice_.chance(10)) i.who = static_cast<std::uint8_t>(dice_.below(4));
    if (auto* c = std::get_if<command>(&r->asked)) {
      if (dice_.chance(30)) envelope_of(r->head, *c, false);
      else std::visit([&](auto& x) { fields(x, false); }, *c);
    } else {
      r->asked = any_look();
    }
    i.frame = fuzz::frame_of(*r, i.who);
  }
  void change_bytes(script_item& i) {
    if (i.frame.size() < protocol::frame_header_bytes) return;
    auto size = i.frame.size();
    i.frame.resize(size + 64);
    const auto body = i.frame.data() + protocol::frame_header_bytes;
    size = protocol::frame_header_bytes + LLVMFuzzerMutate(body, size - protocol::frame_header_bytes, size + 64 - protocol::frame_header_bytes);
    i.frame.resize(size);
    const auto length = static_cast<std::uint32_t>(size);
    std::memcpy(i.frame.data(), &length, sizeof length);
  }

  // ---- pools ----
  std::uint32_t after() {
    static constexpr std::uint32_t all[] = {0, 0, 1, 1'000, 300'000, 2'000'000, 7'000'000, 30'000'000, 700'000'000};
    return one_of(all);
  }
  owner_id owner() { return owner_id{{0xb0b + dice_.below(3), 1}}; }
  id128 id() { return {0x1d, dice_.chance(2) ? 0 : 1 + dice_.below(12)}; }
  /// Mostly one that some hold of the story has.
  hold_id hold() {
    if (!s_.items.empty() && dice_.chance(85))
      for (int tries = 0; tries < 8; ++tries) {
        const auto r = fuzz::request_of(s_.items[dice_.below(s_.items.size())], arena_);
        if (!r) continue;
        if (const auto* c = std::get_if<command>(&r->asked); c != nullptr && std::holds_alternative<hold_seats>(*c)) return r->head.id;
      }
    return hold_id{id()};
  }
  interval_ms interval() {
    static constexpr interval_ms all[] = {0, 1, 900, 4'000, 9'000, 20'000, 60'000, 900'000, 4'294'967'295U};
    return dice_.chance(5) ? one_of(all) : all[1 + dice_.below(7)];
  }
  std::int64_t amount() {
    static constexpr std::int64_t all[] = {0, 1, 100, 5'000, 12'300, -1, std::int64_t{1} << 62U, std::int64_t{1} << 40U};
    return dice_.chance(10) ? one_of(all) : all[dice_.below(5)];
  }
  base::byte_view reference() {
    static constexpr std::uint8_t text[] = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnop";
    if (dice_.chance(3)) return {text, dice_.below(66)};
    return {text + dice_.below(4), 1};
  }
  line any_line() {
    line l;
    if (dice_.chance(70)) {
      l.number = static_cast<std::uint32_t>(dice_.below(dice_.chance(5) ? 40 : 9));
      l.count = dice_.chance(2) ? 2 : 1;
    } else {
      l.kind = place_kind::area;
      l.number = static_cast<std::uint32_t>(dice_.below(3));
      l.count = static_cast<std::uint32_t>(dice_.below(dice_.chance(5) ? 3'000'000 : 6));
    }
    l.price = static_cast<price_ref>(dice_.below(2));
    return l;
  }
  template <class T, class Make>
  std::span<const T> list(std::size_t least, std::size_t most, Make make) {
    const auto n = dice_.between(least, most);
    if (n == 0) return {};
    auto* p = static_cast<T*>(arena_.allocate(n * sizeof(T), alignof(T)));
    for (std::size_t i = 0; i < n; ++i) std::construct_at(p + i, make());
    return {p, n};
  }
  core::lines lines(std::size_t least) {
    return list<line>(least, dice_.chance(90) ? 2 : 7, [this] { return any_line(); });
  }
  core::keys some_keys() {
    if (dice_.chance(60)) {  // what every channel asks for at most
      return list<limit_key>(3, 3, [this, n = 0]() mutable {
        static constexpr key_kind kinds[] = {key_kind::account, key_kind::email, key_kind::code};
        return limit_key{kinds[n++], {1, 1 + dice_.below(2)}};
      });
    }
    return list<limit_key>(0, 4, [this] { return limit_key{static_cast<key_kind>(dice_.below(key_kinds)), {1, dice_.below(3)}}; });
  }
  core::ranges some_ranges() {
    return list<place_range>(1, 2, [this] {
      place_range r;
      r.kind = dice_.chance(70) ? place_kind::seat : place_kind::area;
      r.first = static_cast<std::uint32_t>(dice_.below(r.kind == place_kind::seat ? 9 : 3));
      r.last = r.first;
      if (r.kind == place_kind::seat) {
        r.last += static_cast<std::uint32_t>(dice_.below(4));
      } else {
        r.count = static_cast<std::uint32_t>(dice_.below(6));
        r.allocation = static_cast<std::uint8_t>(dice_.below(3));
      }
      return r;
    });
  }
  look any_look() {
    switch (dice_.below(9)) {
      case 0: return look_session{};
      case 1: return look_hold{owner(), hold()};
      case 2: return look_seat{seat_no{static_cast<std::uint32_t>(dice_.below(12))}};
      case 3: return look_owner{owner()};
      case 4: return look_fate{owner(), command_id{id()}, log_time{dice_.below(2) * 1'700'000'000'000'000}};
      case 5: return look_plan{static_cast<std::uint32_t>(1 + dice_.below(2)), static_cast<std::uint32_t>(dice_.below(2))};
      case 6: return look_seats{static_cast<std::uint32_t>(dice_.below(2))};
      case 7: return look_changes{sequence{dice_.below(20)}};
      default: return look_holds{static_cast<std::uint32_t>(dice_.below(4))};
    }
  }
  std::uint8_t who_asks(command_tag t) {
    if (dice_.chance(5)) return static_cast<std::uint8_t>(dice_.below(4));
    if (t >= command_tag::block_places || (t >= command_tag::open_sale && t <= command_tag::freeze_sale)) return dice_.chance(85) ? 2 : 3;
    return static_cast<std::uint8_t>(t <= command_tag::extend_hold && dice_.chance(25) ? 1 : 0);
  }

  // ---- fields ----
  static void emplace(command& c, command_tag tag) {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      static_cast<void>(((I == static_cast<std::size_t>(tag) ? (c.emplace<I>(), true) : false) || ...));
    }(std::make_index_sequence<command_tags>());
  }
  void envelope_of(envelope& head, const command& c, bool all) {
    const auto maybe = [&] { return all || dice_.chance(30); };
    if (maybe() && !std::holds_alternative<confirm_hold>(c)) head.id = command_id{id()};
    if (maybe()) head.channel = static_cast<channel_no>(dice_.chance(70) ? 0 : dice_.below(5));
    if (maybe()) {
      static constexpr std::uint64_t ahead[] = {0, 1, 300'000, 1'500'000, 1'500'000, 1'500'000, 60'000'000};
      head.client_deadline = log_time{std::holds_alternative<hold_seats>(c) && dice_.chance(90) ? 1'500'000 : one_of(ahead)};
    }
    if (dice_.chance(3)) head.note = reference();
  }
  template <class C>
  void fields(C& c, bool all) {
    const auto maybe = [&] { return all || dice_.chance(35); };
    if constexpr (requires { c.owner; }) if (maybe()) c.owner = owner();
    if constexpr (requires { c.hold; }) if (maybe()) c.hold = hold();
    if constexpr (requires { c.order; }) if (maybe()) c.order = hold();
    if constexpr (requires { c.keys; }) if (maybe()) c.keys = std::is_same_v<C, hold_seats> || dice_.chance(30) ? some_keys() : core::keys{};
    if constexpr (requires { c.lines; })
      if (maybe()) c.lines = lines(std::is_same_v<C, hold_seats> ? 1 : 0);
    if constexpr (requires { c.add; }) if (maybe()) c.add = lines(0);
    if constexpr (requires { c.drop; }) if (maybe()) c.drop = lines(0);
    if constexpr (requires { c.interval; }) if (maybe()) c.interval = interval();
    if constexpr (requires { c.plan_revision; }) if (dice_.chance(2)) c.plan_revision = 2;
    if constexpr (requires { c.basket; }) if (dice_.chance(10)) c.basket = basket_id{id()};
    if constexpr (requires { c.attempt; }) if (maybe()) c.attempt = reference();
    if constexpr (requires { c.payment; }) if (maybe()) c.payment = reference();
    if constexpr (requires { c.reference; }) if (maybe()) c.reference = reference();
    if constexpr (requires { c.amount; }) if (maybe()) c.amount = amount();
    if constexpr (requires { c.kind; }) if (maybe()) c.kind = static_cast<payment_kind>(dice_.below(payment_kinds));
    if constexpr (requires { c.withdrawn; }) if (maybe()) c.withdrawn = dice_.chance(15);
    if constexpr (requires { c.number; }) if (maybe()) c.number = refund_no{static_cast<std::uint32_t>(dice_.below(5))};
    if constexpr (requires { c.ranges; }) if (maybe()) c.ranges = some_ranges();
    if constexpr (requires { c.reason; }) if (maybe()) c.reason = static_cast<reason_code>(dice_.below(3));
    if constexpr (requires { c.allocation; }) if (maybe()) c.allocation = static_cast<std::uint8_t>(dice_.below(4));
    if constexpr (requires { c.channels; }) if (maybe()) c.channels = dice_.chance(60) ? all_channels : static_cast<channel_set>(dice_.below(32));
    if constexpr (requires { c.by; }) if (maybe()) c.by = interval();
    if constexpr (requires { c.shift; }) if (maybe()) c.shift = interval();
  }

  script& s_;
  base::random dice_;
  std::pmr::monotonic_buffer_resource arena_;
};

std::size_t give(script& s, std::uint8_t* out, std::size_t max_size) {
  base::bytes b;
  for (;;) {
    b.clear();
    fuzz::write_script(s, b);
    if (b.size() <= max_size || s.items.empty()) break;
    s.items.pop_back();
  }
  const auto n = std::min(b.size(), max_size);
  std::memcpy(out, b.data(), n);
  return n;
}

}  // namespace

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size, unsigned seed) {
  auto s = fuzz::read_script({data, size});
  teller(s, seed).change();
  return give(s, data, max_size);
}

/// The beginning of one story and the end of another.
extern "C" std::size_t LLVMFuzzerCustomCrossOver(const std::uint8_t* data1, std::size_t size1, const std::uint8_t* data2, std::size_t size2,
                                                 std::uint8_t* out, std::size_t max_out_size, unsigned seed) {
  base::random dice(seed);
  auto s = fuzz::read_script({data1, size1});
  const auto other = fuzz::read_script({data2, size2});
  s.items.resize(dice.below(s.items.size() + 1));
  for (auto i = dice.below(other.items.size() + 1); i < other.items.size() && s.items.size() < fuzz::script_items_max; ++i)
    s.items.push_back(other.items[i]);
  return give(s, out, max_out_size);
}
