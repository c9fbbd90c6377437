// The bytes of records: what goes in comes out, damaged bytes do no harm, and the budgets hold.
#include <doctest/doctest.h>

#include "core/command_codec.hpp"
#include "tests/persistence_records/story.hpp"

using namespace holdfast;
using namespace holdfast::core;
using namespace holdfast::tests;

namespace {

base::bytes encoded(const record& r) {
  base::bytes b;
  encode_record(r, b);
  return b;
}

/// Bytes that a record takes in a block, its frame included, 10 ms before the block's time.
std::size_t in_a_block(const record& r) {
  const auto bytes = encoded(r);
  const record_ref ref{1, r.number.value, r.at.value, bytes};
  block_encoder e;
  e.begin({0, 1, 1, r.at.value + 10'000, 0, {}});
  const auto empty = e.size();
  e.add(ref);
  return e.size() - empty;
}

record plain(command asked, event done) {
  record r;
  r.number = sequence{2'000'000};
  r.at = log_time{noon};
  r.rules_version = rules_version;
  r.head.from = {role::shop, 17};
  r.head.id = named(42);
  r.asked = std::move(asked);
  r.done = std::move(done);
  return r;
}

/// Everything that a record says, in bytes that the codec under test has no part in.
base::bytes told(const record& r) {
  base::bytes b;
  base::byte_writer w(b);
  w.fixed(r.number.value), w.fixed(r.at.value), w.fixed(r.rules_version);
  w.u8(static_cast<std::uint8_t>(r.head.from.who)), w.fixed(r.head.from.principal), w.u8(r.head.channel);
  w.id(r.head.id.value);
  w.sized(r.head.note);
  w.u8(static_cast<std::uint8_t>(r.asked.index()));
  encode_command(r.asked, command_form::whole, w);
  w.u8(static_cast<std::uint8_t>(r.done.index()));
  std::visit(
      [&](const auto& e) {
        if constexpr (requires { e.hold; }) w.fixed(e.hold.value);
        if constexpr (requires { e.deadline; }) w.fixed(e.deadline.value);
        if constexpr (requires { e.number; }) w.fixed(e.number.value);
        if constexpr (requires { e.reason; }) w.u8(static_cast<std::uint8_t>(e.reason));
        if constexpr (requires { e.late; }) w.u8(e.late);
        if constexpr (requires { e.shift_us; }) w.fixed(e.shift_us);
        if constexpr (requires { e.draws; })
          for (const auto& d : e.draws) w.fixed(d.line), w.u8(d.allocation), w.fixed(d.count);
        const auto put = [&](pieces ps) {
          for (const auto& p : ps)
            w.u8(static_cast<std::uint8_t>(p.kind)), w.u8(p.allocation), w.fixed(p.number), w.fixed(p.count);
        };
        if constexpr (requires { e.sold; }) put(e.sold);
        if constexpr (requires { e.back; }) put(e.back);
        if constexpr (requires { e.holds; })
          for (const auto h : e.holds) w.fixed(h.value);
      },
      r.done);
  return b;
}

/// Lists that a random record borrows.
struct store {
  std::vector<limit_key> keys;
  std::vector<line> lines, more;
  std::vector<place_range> ranges;
  std::vector<draw> draws;
  std::vector<piece> pieces;
  std::vector<hold_no> holds;
  base::bytes reference, note;
};

std::uint64_t any(base::random& r, std::uint64_t max) {
  switch (r.below(4)) {
    case 0: return std::min<std::uint64_t>(r.below(3), max);
    case 1: return max - std::min<std::uint64_t>(r.below(3), max);
    default: return max == ~std::uint64_t{0} ? r.next() : r.below(max + 1);
  }
}
std::uint32_t any32(base::random& r) { return static_cast<std::uint32_t>(any(r, 0xffff'ffffU)); }
interval_ms positive(base::random& r) { return std::max<std::uint32_t>(1, any32(r)); }

std::vector<line> any_lines(base::random& r, std::size_t least) {
  std::vector<line> all;
  for (auto n = least + r.below(4); n > 0; --n) {
    if (r.chance(60)) all.push_back({place_kind::seat, any32(r), 1, any32(r)});
    else all.push_back({place_kind::area, any32(r), any32(r), any32(r)});
  }
  return all;
}

record any_record(base::random& r, store& s) {
  s = {};
  for (auto n = r.below(5); n > 0; --n) s.keys.push_back({static_cast<key_kind>(r.below(key_kinds)), r.id()});
  s.lines = any_lines(r, 1);
  s.more = any_lines(r, 0);
  for (auto n = 1 + r.below(3); n > 0; --n) {
    if (r.chance(50)) s.ranges.push_back({place_kind::seat, any32(r), any32(r), 0, 0});
    else {
      const auto area = any32(r);
      s.ranges.push_back({place_kind::area, area, area, any32(r), static_cast<std::uint8_t>(r.below(16))});
    }
  }
  for (auto n = r.below(4); n > 0; --n)
    s.draws.push_back({static_cast<std::uint16_t>(r.below(limits::lines_max)), static_cast<std::uint8_t>(r.below(16)),
                       static_cast<std::uint32_t>(1 + r.below(limits::area_places_max))});
  for (auto n = 1 + r.below(4); n > 0; --n) {
    if (r.chance(50)) s.pieces.push_back({place_kind::seat, 0, any32(r), 1});
    else
      s.pieces.push_back({place_kind::area, static_cast<std::uint8_t>(r.below(16)), any32(r),
                          static_cast<std::uint32_t>(1 + r.below(1'000'000))});
  }
  for (auto n = 1 + r.below(5); n > 0; --n) s.holds.push_back(hold_no{std::max<std::uint32_t>(1, any32(r))});
  for (auto n = 1 + r.below(64); n > 0; --n) s.reference.push_back(static_cast<std::uint8_t>(r.next()));
  if (r.chance(20)) s.note.assign(1 + r.below(64), static_cast<std::uint8_t>(r.next()));

  const hold_no hold{std::max<std::uint32_t>(1, any32(r))};
  const hold_time deadline{any(r, ~std::uint64_t{0})};
  const std::uint64_t shift = any(r, ~std::uint64_t{0});
  const auto amount = static_cast<std::int64_t>(r.next() >> 1U);
  const refund_no refund{std::max<std::uint32_t>(1, any32(r))};
  const reason_code reason = static_cast<reason_code>(r.next());
  record x;
  const auto set = [&](command c, event e) {
    x.asked = std::move(c);
    x.done = std::move(e);
  };
  // By number: what session::complete fills in is zero here.
  switch (r.below(22)) {
    case 0: set(open_sale{static_cast<channel_set>(any32(r))}, sale_opened{}); break;
    case 1: set(pause_sale{}, sale_paused{}); break;
    case 2: set(resume_sale{}, sale_resumed{shift}); break;
    case 3: set(close_sale{static_cast<channel_set>(any32(r))}, sale_closed{}); break;
    case 4: set(freeze_sale{}, sale_frozen{}); break;
    case 5:
    case 6:
      set(hold_seats{owner_id{r.id()}, s.keys, s.lines, positive(r), static_cast<std::uint32_t>(1 + r.below(2)),
                     r.chance(30) ? basket_id{r.id()} : basket_id{}},
          hold_placed{hold, deadline, s.draws});
      break;
    case 7:
      set(change_hold{{}, {}, s.lines, s.more, static_cast<std::uint32_t>(1 + r.below(2))},
          hold_changed{hold, s.draws});
      break;
    case 8: set(extend_hold{{}, {}, positive(r)}, hold_extended{hold, deadline}); break;
    case 9: set(begin_payment{{}, {}, s.reference, positive(r), s.keys}, payment_begun{hold, deadline}); break;
    case 10: set(payment_failed{{}, {}, s.reference}, payment_rejected{hold, deadline}); break;
    case 11:
    case 12:
      set(confirm_hold{{}, {}, s.reference, amount, static_cast<payment_kind>(r.below(payment_kinds))},
          hold_confirmed{hold, r.chance(50), s.pieces});
      break;
    case 13:
      set(confirm_hold{{}, {}, s.reference, amount, payment_kind::cash},
          refund_recorded{refund, static_cast<refund_reason>(1 + r.below(7)), hold});
      break;
    case 14:
      set(confirm_hold{owner_id{r.id()}, hold_id{r.id()}, s.reference, amount, payment_kind::comp},
          refund_recorded{refund, refund_reason::unknown_hold, {}});
      break;
    case 15: set(release_hold{{}, {}, s.more, r.chance(50)}, hold_released{hold}); break;
    case 16:
      set(cancel_order{{}, {}, s.more, amount, r.chance(50)},
          order_cancelled{hold, r.chance(50) ? refund : refund_no{}, s.pieces});
      break;
    case 17: set(settle_refund{refund, s.reference}, refund_closed{}); break;
    case 18: set(block_places{s.ranges, reason}, places_blocked{}); break;
    case 19: set(unblock_places{s.ranges}, places_unblocked{}); break;
    case 20: set(shift_deadlines{positive(r), reason}, deadlines_shifted{shift}); break;
    default: set(expire_due{}, holds_expired{s.holds}); break;
  }
  x.number = sequence{1 + any(r, 1U << 30U)};
  x.at = log_time{noon + any(r, 1U << 30U)};
  x.rules_version = static_cast<std::uint16_t>(1 + r.below(200));
  x.head.from = {static_cast<role>(r.below(7)), any32(r)};
  x.head.channel = static_cast<channel_no>(r.below(16));
  if (r.chance(80)) x.head.id = command_id{r.id()};
  x.head.note = s.note;
  return x;
}

base::result<record> decoded(const record& like, base::byte_view bytes, std::pmr::memory_resource& arena,
                             const plan_library* plans = nullptr) {
  return decode_record({1, like.number.value, like.at.value, bytes}, plans, arena);
}

}  // namespace

TEST_CASE("a record comes out of its bytes as it went in") {
  for (std::uint64_t seed = 1; seed <= 20'000; ++seed) {
    base::random r(seed);
    store s;
    const auto x = any_record(r, s);
    const auto bytes = encoded(x);
    std::pmr::monotonic_buffer_resource arena;
    auto copy = bytes;
    auto y = decoded(x, copy, arena);
    std::fill(copy.begin(), copy.end(), 0xee);  // the record may not borrow from its block
    REQUIRE_MESSAGE(y.ok(), "seed " << seed << ": " << (y.ok() ? "" : y.failure().text));
    REQUIRE_MESSAGE(told(x) == told(*y), "seed " << seed << ", " << name_of(x.done));
    REQUIRE_MESSAGE(encoded(*y) == bytes, "seed " << seed << ", " << name_of(x.done));
  }
}

TEST_CASE("no truncated or changed record does harm, and none has two forms") {
  std::pmr::monotonic_buffer_resource arena(1U << 16U);
  std::size_t still_good = 0, tried = 0;
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    base::random r(seed);
    store s;
    const auto x = any_record(r, s);
    const auto bytes = encoded(x);
    for (std::size_t n = 0; n < bytes.size(); ++n) {
      arena.release();
      // In an allocation of its own, so that the sanitizer sees a read beyond the end.
      const base::bytes cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(n));
      auto y = decoded(x, cut, arena);
      if (y) {
        // Only a note that was cut off whole leaves a record.
        CHECK(!x.head.note.empty());
        CHECK(y->head.note.empty());
      }
      (void)peek_record(cut);
    }
    for (std::size_t n = 0; n < bytes.size(); ++n) {
      for (const auto flip : {0x01, 0x80, 0xff, static_cast<int>(1 + r.below(255))}) {
        arena.release();
        auto bad = bytes;
        bad[n] ^= static_cast<std::uint8_t>(flip);
        ++tried;
        if (auto p = peek_record(bad); p.ok())
          for (std::size_t i = 0; i < p->pieces && p->rest.ok(); ++i) (void)read_piece(p->rest);
        auto y = decoded(x, bad, arena);
        if (!y) continue;
        ++still_good;
        const auto again = encoded(*y);
        if (again == bad) continue;
        // The one thing that decodes and is not written again: options that this program does not know.
        CHECK_MESSAGE(again.size() < bad.size(), "seed " << seed << ", byte " << n << " of " << name_of(x.done));
        CHECK_MESSAGE(told(good(decoded(x, again, arena))) == told(*y),
                      "seed " << seed << ", byte " << n << " of " << name_of(x.done));
      }
    }
  }
  CHECK(still_good > 0);
  CHECK(still_good < tried);
}

TEST_CASE("options: a note is kept, unknown ones are passed over, unless they are critical") {
  auto r = plain(pause_sale{}, sale_paused{});
  const auto note = base::as_bytes("window 7");
  r.head.note = note;
  std::pmr::monotonic_buffer_resource arena;
  auto bytes = encoded(r);
  CHECK(base::as_text(good(decoded(r, bytes, arena)).head.note) == "window 7");

  auto with = [&](std::uint64_t tag) {
    auto b = bytes;
    base::byte_writer w(b);
    w.varint(tag);
    w.sized("xyz");
    return b;
  };
  CHECK(base::as_text(good(decoded(r, with(5 * 2), arena)).head.note) == "window 7");
  const auto critical = decoded(r, with(5 * 2 + 1), arena);
  REQUIRE(!critical.ok());
  CHECK(says(critical.failure().text, "critical option 5"));
  CHECK(!decoded(r, with(1 * 2), arena).ok());  // twice
}

TEST_CASE("a creation names its plan, and finds it in the library") {
  plan_library plans;
  const auto hall = small_hall(40);
  const auto added = plans.add(hall);
  CHECK(added.fresh);
  CHECK(!plans.add(small_hall(40)).fresh);
  CHECK(added.hash == plan_hash(*hall));
  CHECK(good(plans.add(base::byte_view(added.what->bytes))) == added.hash);

  auto r = plain(create_session{terms("gala", hall)}, session_created{});
  r.head.id = {};
  const auto bytes = encoded(r);
  std::pmr::monotonic_buffer_resource arena;
  const auto y = good(decoded(r, bytes, arena, &plans));
  const auto& t = *std::get<create_session>(y.asked).terms;
  CHECK(t.name == "gala");
  CHECK(t.rules == std::get<create_session>(r.asked).terms->rules);
  REQUIRE(t.seating);
  CHECK(t.seating->seats.size() == 40);
  CHECK(good(peek_record(bytes)).plan == added.hash);

  const plan_library empty;
  const auto missing = decoded(r, bytes, arena, &empty);
  REQUIRE(!missing.ok());
  CHECK(missing.failure().kind == base::trouble::corrupt);
  CHECK(says(missing.failure().text, base::to_hex(added.hash)));
}

TEST_CASE("the journal's budgets: 80 bytes for a hold, 56 for a confirm") {
  const std::vector<limit_key> keys{{key_kind::account, id(9)}};
  std::vector<line> lines{seat(65'535, 3'000'000'000U)};
  auto hold = plain(hold_seats{owner(1), keys, lines, 15 * 60'000, 1, {}},
                    hold_placed{hold_no{(1U << 21U) - 1}, hold_time{noon + 15 * minute}, {}});
  hold.number = sequence{(1U << 21U) - 1};
  INFO("a one-line hold with one key: " << in_a_block(hold) << " bytes in a block");
  CHECK(in_a_block(hold) <= 80);
  // The same after an outage of ten minutes has shifted the deadlines, with a price reference of two bytes instead of
  // five.
  lines[0].price = 10'000;
  std::get<hold_placed>(hold.done).deadline.value -= 10 * minute;
  INFO("the same on a shifted hold clock: " << in_a_block(hold) << " bytes");
  CHECK(in_a_block(hold) <= 80);

  const base::bytes reference(16, 0xab);
  const std::vector<piece> sold{{place_kind::seat, 0, 65'535, 1}};
  auto confirm = plain(confirm_hold{{}, {}, reference, 123'45, payment_kind::card},
                       hold_confirmed{hold_no{(1U << 21U) - 1}, false, sold});
  confirm.number = sequence{(1U << 21U) - 1};
  confirm.head.id = {};
  INFO("a confirm with a reference of 16 bytes: " << in_a_block(confirm) << " bytes in a block");
  CHECK(in_a_block(confirm) <= 56);
}
