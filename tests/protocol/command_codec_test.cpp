#include "core/command_codec.hpp"

#include <doctest/doctest.h>

#include "tests/protocol/counting_new.hpp"
#include "tests/protocol/random_messages.hpp"
#include "tests/protocol/same.hpp"

using namespace holdfast;
using namespace holdfast::core;
using tests::random_messages;
using tests::same;

namespace {

base::bytes encoded(const command& c, command_form form = command_form::whole) {
  base::bytes out;
  base::byte_writer w(out);
  encode_command(c, form, w);
  return out;
}

/// Decodes all of `b`; empty if it is not one whole command.
std::optional<command> decoded(command_tag tag, const base::bytes& b, std::pmr::memory_resource& arena,
                               command_form form = command_form::whole, refusal* impossible = nullptr) {
  base::byte_reader in(b);
  auto r = decode_command(tag, form, in, arena, impossible);
  if (!r || !in.done()) return std::nullopt;
  return *r;
}

/// What is left of a command when a form leaves something out.
command without(command c, command_form form) {
  std::visit(
      [form](auto& x) {
        constexpr bool on_a_hold = requires { x.hold; }
        || requires { x.order; };
        if (form == command_form::by_connection) {
          if constexpr (requires { x.owner; }) x.owner = {};
          if constexpr (requires { x.keys; }) x.keys = {};
        }
        if constexpr (on_a_hold) {
          if (form == command_form::by_number) {
            x.owner = {};
            if constexpr (requires { x.hold; }) x.hold = {};
            if constexpr (requires { x.order; }) x.order = {};
          }
        }
      },
      c);
  return c;
}

const owner_id owner{{1, 2}};
const hold_id hold{{3, 4}};
const limit_key account{key_kind::account, {5, 6}};

}  // namespace

TEST_CASE("every command comes back from its bytes, in every form") {
  const std::uint64_t seed = 20260101;
  MESSAGE("seed ", seed);
  random_messages make(seed);
  for (int round = 0; round < 400; ++round) {
    for (std::size_t t = 0; t < command_tags; ++t) {
      const auto tag = static_cast<command_tag>(t);
      const auto c = make.command(tag);
      for (const auto form : {command_form::whole, command_form::by_number, command_form::by_connection}) {
        const auto bytes = encoded(c, form);
        std::pmr::monotonic_buffer_resource arena;
        const auto back = decoded(tag, bytes, arena, form);
        CAPTURE(t);
        CAPTURE(round);
        REQUIRE(back.has_value());
        REQUIRE(same(*back, without(c, form)));
        REQUIRE(encoded(*back, form) == bytes);
      }
    }
  }
}

TEST_CASE("no command survives being cut short") {
  random_messages make(7);
  for (std::size_t t = 0; t < command_tags; ++t) {
    const auto tag = static_cast<command_tag>(t);
    auto bytes = encoded(make.command(tag));
    if (bytes.size() > 400) bytes.resize(400);
    std::pmr::monotonic_buffer_resource arena;
    for (std::size_t n = 0; n < bytes.size(); ++n)
      CHECK_FALSE(decoded(tag, {bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(n)}, arena));
  }
}

TEST_CASE("the budget of the journal: a one-line hold and a confirm are short") {
  const line seat{place_kind::seat, 49'999, 1, 300};
  const auto hold_bytes =
      encoded(hold_seats{owner, {&account, 1}, {&seat, 1}, 900'000, 1, {}}, command_form::by_number);
  // 16 owner, 16 key, 1 head, 1 lines head, 3 place, 2 price, 3 interval
  CHECK(hold_bytes.size() == 42);
  const base::bytes payment(16, 0x77);
  CHECK(encoded(confirm_hold{owner, hold, payment, 12'300, payment_kind::card}, command_form::by_number).size() ==
        1 + 17 + 3);
}

TEST_CASE("impossible content goes through to the rules") {
  std::pmr::monotonic_buffer_resource arena;
  const line odd[] = {
      {place_kind::seat, 4'294'967'295, 0, 0}, {place_kind::seat, 1, 2, 0}, {place_kind::seat, 1, 2, 0}};
  const limit_key twice[] = {account, account};
  const place_range backwards[] = {{place_kind::seat, 9, 3, 1, 1}, {place_kind::area, 1, 4'294'967'295, 0, 200}};
  for (const command& c :
       {command{hold_seats{}}, command{hold_seats{owner, twice, odd, 0, 0, {}}}, command{change_hold{}},
        command{extend_hold{}}, command{confirm_hold{{}, {}, {}, -5, payment_kind::other}}, command{cancel_order{}},
        command{settle_refund{}}, command{block_places{backwards, 0}}, command{allocate_places{{}, 255}},
        command{open_sale{0}}}) {
    refusal impossible = refusal::busy;
    const auto back = decoded(tag_of(c), encoded(c), arena, command_form::whole, &impossible);
    REQUIRE(back.has_value());
    CHECK(same(*back, c));
    CHECK(impossible == refusal::none);
  }
}

TEST_CASE("content that no session could judge is refused, not broken; in a journal it is broken") {
  std::pmr::monotonic_buffer_resource arena;
  const std::vector<line> too_many(limits::lines_max + 1, line{place_kind::seat, 1, 1, 1});
  const std::vector<limit_key> five(5, account), nine(9, account);
  const std::vector<place_range> many_ranges(limits::ranges_max + 1, place_range{place_kind::area, 1, 1, 1, 1});
  const limit_key of_no_kind{static_cast<key_kind>(6), {1, 1}};
  const base::bytes long_reference(65, 1);
  const struct {
    command c;
    refusal expected;
  } cases[] = {
      {hold_seats{owner, {}, too_many, 1, 1, {}}, refusal::too_many_lines},
      {change_hold{owner, hold, {}, too_many, 1}, refusal::too_many_lines},
      {hold_seats{owner, five, {}, 1, 1, {}}, refusal::bad_keys},
      {hold_seats{owner, nine, {}, 1, 1, {}}, refusal::bad_keys},
      {hold_seats{owner, {&of_no_kind, 1}, {}, 1, 1, {}}, refusal::bad_keys},
      {block_places{many_ranges, 1}, refusal::bad_range},
      {begin_payment{owner, hold, long_reference, 1, {}}, refusal::bad_reference},
      {confirm_hold{owner, hold, long_reference, 1, payment_kind::card}, refusal::bad_reference},
      {confirm_hold{owner, hold, {}, 1, static_cast<payment_kind>(5)}, refusal::bad_content},
      {confirm_hold{owner, hold, {}, 1, static_cast<payment_kind>(200)}, refusal::bad_content},
  };
  for (const auto& [c, expected] : cases) {
    CAPTURE(name_of(expected));
    const auto bytes = encoded(c);
    refusal impossible = refusal::none;
    CHECK(decoded(tag_of(c), bytes, arena, command_form::whole, &impossible).has_value());
    CHECK(impossible == expected);
    CHECK_FALSE(decoded(tag_of(c), bytes, arena).has_value());
  }
  auto terms = std::make_shared<session_terms>();
  terms->rules = default_policy();
  terms->name = std::string(65, 'x');
  refusal impossible = refusal::none;
  CHECK(decoded(command_tag::create_session, encoded(create_session{terms}), arena, command_form::whole, &impossible)
            .has_value());
  CHECK(impossible == refusal::bad_content);
  terms->name.resize(64);
  terms->rules.channels.clear();
  CHECK(decoded(command_tag::create_session, encoded(create_session{terms}), arena, command_form::whole, &impossible)
            .has_value());
  CHECK(impossible == refusal::bad_content);
}

TEST_CASE("a content has one form only") {
  std::pmr::monotonic_buffer_resource arena;
  const auto refuses = [&arena](command_tag tag, base::bytes b) {
    refusal impossible = refusal::none;
    return !decoded(tag, b, arena, command_form::by_number, &impossible).has_value();
  };
  using enum command_tag;
  CHECK_FALSE(refuses(pause_sale, {0x00}));
  CHECK(refuses(pause_sale, {0x01}));  // a bit that means nothing here
  CHECK(refuses(pause_sale, {0x40}));
  CHECK(refuses(pause_sale, {0x80, 0x00}));                         // extras that say nothing
  CHECK(refuses(pause_sale, {0x80, 0x02}));                         // a basket on a pause
  CHECK(refuses(open_sale, {0x40, 0xff, 0xff, 0xff, 0xff, 0x0f}));  // all channels, spelled out
  CHECK_FALSE(refuses(release_hold, {0x00, 0x00}));
  CHECK(refuses(release_hold, {0x00, 0x01}));  // counted, but no line needs it
  CHECK(refuses(release_hold, {0x00, 0x03, 0x02, 0x01, 0x00}));
  CHECK(refuses(release_hold, {0x00, 0x80, 0x00}));  // a longer varint than needed
  CHECK_FALSE(refuses(unblock_places, {0x00, 0x01, 0x04, 0x00}));
  CHECK(refuses(unblock_places, {0x00, 0x01, 0x06, 0x00, 0x00, 0x00}));  // odd, but nothing is
  CHECK(refuses(unblock_places, {0x00, 0x01, 0x00, 0x01}));              // ends before seat 0
  CHECK(refuses(change_hold, {0x80, 0x04, 0x00, 0x00, 0x01}));           // revision 1, spelled out
}

TEST_CASE("options: unknown ones are skipped, unknown critical ones refused, and they stand in order") {
  std::pmr::monotonic_buffer_resource arena;
  const auto reads = [&arena](base::bytes options) {
    base::bytes b{0x80, 0x01};
    b.insert(b.end(), options.begin(), options.end());
    return decoded(command_tag::pause_sale, b, arena).has_value();
  };
  CHECK(reads({0x01, 0x02, 0x00}));
  CHECK(reads({0x02, 0x02, 0x01, 0xff, 0x04, 0x00}));
  CHECK_FALSE(reads({0x00}));
  CHECK_FALSE(reads({0x01, 0x03, 0x00}));
  CHECK_FALSE(reads({0x02, 0x04, 0x00, 0x02, 0x00}));
  CHECK_FALSE(reads({0x02, 0x02, 0x00, 0x02, 0x00}));
  CHECK_FALSE(reads({0x01, 0x02, 0x05, 0x00}));

  base::bytes needs{0x80, 0x01, 0x01, 0x03, 0x00};
  base::byte_reader in(needs);
  const auto r = decode_command(command_tag::pause_sale, command_form::whole, in, arena);
  REQUIRE_FALSE(r.ok());
  CHECK(r.failure().text.find("option 3") != std::string::npos);
}

TEST_CASE("a count that the bytes cannot hold allocates nothing") {
  const auto before = tests::allocated();
  std::pmr::monotonic_buffer_resource arena(std::pmr::null_memory_resource());
  for (const auto tag : {command_tag::release_hold, command_tag::block_places}) {
    const base::bytes huge{0x00, 0xfe, 0xff, 0xff, 0xff, 0x0f};
    base::byte_reader in(huge);
    refusal impossible = refusal::none;
    CHECK_FALSE(decode_command(tag, command_form::by_number, in, arena, &impossible).ok());
  }
  CHECK(tests::allocated().bytes - before.bytes < 4096);  // the error's text
}

TEST_CASE("decoding a hold takes memory from the arena alone") {
  const line seat{place_kind::seat, 49'999, 1, 300};
  const auto bytes = encoded(hold_seats{owner, {&account, 1}, {&seat, 1}, 900'000, 1, {}});
  alignas(16) std::byte room[256];
  const auto before = tests::allocated();
  for (int i = 0; i < 1000; ++i) {
    std::pmr::monotonic_buffer_resource arena(room, sizeof room, std::pmr::null_memory_resource());
    base::byte_reader in(bytes);
    const auto c = decode_command(command_tag::hold_seats, command_form::whole, in, arena);
    if (!c.ok()) FAIL("does not decode");
  }
  CHECK(tests::allocated().count == before.count);
}
