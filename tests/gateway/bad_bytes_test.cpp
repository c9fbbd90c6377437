// Bytes that are no frames, frames that are no requests, and requests that are not the asker's to make.
#include "base/random.hpp"
#include "tests/gateway/fixture.hpp"

namespace holdfast::tests {

using protocol::protocol_error;

namespace {

protocol_error after_hello(counter& c, base::byte_view bytes) {
  client shop(c.port());
  shop.greet(listener_kind::shop);
  shop.send(bytes);
  return shop.problem();
}

void put(base::bytes& frame, std::size_t at, std::uint64_t value, std::size_t size) { std::memcpy(frame.data() + at, &value, size); }

}  // namespace

TEST_CASE("wrong frames get their own error and the connection is closed; no actor hears of it") {
  counter c;
  const auto good = say{}.hold(1, 1, 0);
  auto f = good;
  f[7] = 0x47;
  CHECK(after_hello(c, f) == protocol_error::not_a_frame);
  f = good;
  put(f, 0, 15, 4);
  CHECK(after_hello(c, f) == protocol_error::frame_too_short);
  for (const std::uint64_t length : {std::uint64_t{64 * 1024 + 1}, std::uint64_t{0x7fffffff}, std::uint64_t{0xffffffff}}) {
    f = good;
    put(f, 0, length, 4);
    CHECK(after_hello(c, base::byte_view(f).first(16)) == protocol_error::frame_too_long);
  }
  f = good;
  f[5] |= 0x80;
  CHECK(after_hello(c, f) == protocol_error::wrong_direction);
  f = good;
  f[6] = 2;
  CHECK(after_hello(c, f) == protocol_error::unknown_flags);
  f = good;
  put(f, 8, 0, 8);
  CHECK(after_hello(c, f) == protocol_error::zero_request_id);
  f = good;
  put(f, 4, 0x0777, 2);
  CHECK(after_hello(c, f) == protocol_error::unknown_kind);
  f = good;
  f.push_back(0);
  put(f, 0, f.size(), 4);
  CHECK(after_hello(c, f) == protocol_error::trailing_bytes);
  f = good;
  f.resize(f.size() - 1);
  put(f, 0, f.size(), 4);
  CHECK(after_hello(c, f) == protocol_error::malformed);
  CHECK(after_hello(c, say{}.hello()) == protocol_error::second_hello);
  CHECK(c.by_hand.heard() == 0);
  CHECK(c.log_lines >= 1);
  CHECK(c.at(stage::broken_frame) == 11);
  CHECK(until([&] { return c.closed(closing::protocol_error) == 12; }));
}

TEST_CASE("every request cut short is malformed, whatever it is") {
  counter c;
  const auto good = say{}.hold(1, 1, 0);
  for (std::size_t n = 16; n < good.size(); ++n) {
    auto f = base::bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(n));
    put(f, 0, n, 4);
    CAPTURE(n);
    CHECK(after_hello(c, f) == protocol_error::malformed);
  }
  CHECK(c.by_hand.heard() == 0);
}

TEST_CASE("the first frame must be a hello, and a small one") {
  counter c;
  {
    client shop(c.port());
    shop.send(say{}.hold(1, 1, 0));
    CHECK(shop.problem() == protocol_error::hello_expected);
    CHECK(c.at(stage::not_authenticated) == 1);
  }
  {
    client shop(c.port());
    auto f = say{}.hello();
    put(f, 0, 2'049, 4);
    shop.send(f);
    CHECK(shop.problem() == protocol_error::frame_too_long);
  }
  {
    client shop(c.port());
    shop.send(say{listener_kind::buyer}.hello());
    CHECK(shop.problem() == protocol_error::wrong_listener);
  }
  {
    client shop(c.port());
    auto f = say{}.hello();
    f[16] ^= 1;
    shop.send(f);
    CHECK(shop.problem() == protocol_error::bad_magic);
  }
  {
    client buyer(c.port(listener_kind::buyer));
    protocol::hello h;
    h.listener = listener_kind::buyer;  // who is it?
    base::bytes f;
    protocol::encode_hello(1, h, f);
    buyer.send(f);
    CHECK(buyer.problem() == protocol_error::bad_identity);
  }
  {
    client http(c.port());
    http.send(base::as_bytes("GET / HTTP/1.1\r\nHost: tickets.example\r\n\r\n"));
    CHECK(http.problem() == protocol_error::not_a_frame);
  }
  CHECK(c.by_hand.heard() == 0);
}

TEST_CASE("random bytes, before and after the handshake: closed, nothing passes, others are served on") {
  counter c;
  base::random any(5);
  client steady(c.port());
  steady.greet(listener_kind::shop);
  for (int round = 0; round < 200; ++round) {
    client noise(c.port());
    if (any.chance(50)) noise.greet(listener_kind::shop);
    base::bytes b(16 + any.below(3'000));
    for (auto& x : b) x = static_cast<std::uint8_t>(any.next());
    noise.send(b);
    CHECK(noise.problem() != protocol_error::none);
  }
  steady.send(say{}.ping(1));
  CHECK(steady.answer().id == 1);
  CHECK(c.by_hand.heard() == 0);
}

TEST_CASE("flipped bits in good frames never stop the server") {
  counter c;
  base::random any(6);
  for (int round = 0; round < 300; ++round) {
    client shop(c.port());
    shop.greet(listener_kind::shop);
    auto f = any.chance(50) ? say{}.hold(1, 1, 0) : say{}.confirm(1, 1, 1);
    f[any.below(f.size())] ^= static_cast<std::uint8_t>(1U << any.below(8));
    shop.send(f);
    shop.end_writing();
    while (shop.next()) {}  // an answer or a problem, then the end
  }
  c.settle();
}

TEST_CASE("the same bytes in pieces of any size get the same answers") {
  const auto script = [] {
    base::bytes all;
    const auto add = [&](const base::bytes& b) { all.insert(all.end(), b.begin(), b.end()); };
    add(say{}.hello());
    add(say{}.ping(10));
    add(say{}.hold(11, 1, 3));
    add(say{}.hold(12, 9, 3));
    add(say{}.confirm(13, 1, 11));
    add(say{}.look(14, 2));
    add(say{}.command(15, 1, core::pause_sale{}));
    add(say{}.house(16, protocol::session_named{"session-2"}));
    add(say{}.house(17, protocol::look_stats{}));
    add(say{}.goodbye());
    return all;
  }();
  const auto answers_to_pieces_of = [&](std::size_t piece) {
    counter c;
    client shop(c.port());
    for (std::size_t at = 0; at < script.size(); at += piece) {
      REQUIRE(shop.send(base::byte_view(script).subspan(at, std::min(piece, script.size() - at))));
    }
    std::map<std::uint64_t, std::pair<refusal, std::uint64_t>> got;
    bool goodbye = false;
    while (auto m = shop.next()) {
      if (const auto* a = std::get_if<protocol::answer_message>(&*m)) got[a->id] = {a->said.refused, a->said.tells_of.value};
      goodbye = goodbye || std::holds_alternative<protocol::goodbye>(*m);
    }
    CHECK(goodbye);
    CHECK(c.server->stats().received == 8);
    return got;
  };
  const auto whole = answers_to_pieces_of(script.size());
  CHECK(whole.size() == 8);
  CHECK(whole.at(15).first == refusal::not_allowed);
  CHECK(whole.at(17).first == refusal::not_allowed);
  for (const std::size_t piece : {1U, 2U, 3U, 7U, 16U, 17U, 61U}) {
    CAPTURE(piece);
    CHECK(answers_to_pieces_of(piece) == whole);
  }
}

TEST_CASE("buyers send no money and no operators' messages; shops none of the operators'") {
  counter c;
  client buyer(c.port(listener_kind::buyer));
  buyer.greet(listener_kind::buyer);
  const say b{listener_kind::buyer};
  std::uint64_t r = 1;
  const auto refused = [&](client& who, const base::bytes& frame) {
    who.send(frame);
    return who.answer().said.refused == refusal::not_allowed;
  };
  const std::string ref = "ref";
  core::begin_payment begin;
  begin.hold = id(1);
  begin.attempt = base::as_bytes(ref);
  begin.interval = 60'000;
  CHECK(refused(buyer, b.command(r++, 1, begin)));
  core::payment_failed failed;
  failed.hold = id(1);
  failed.attempt = base::as_bytes(ref);
  CHECK(refused(buyer, b.command(r++, 1, failed)));
  CHECK(refused(buyer, b.confirm(r++, 1, 1)));
  core::cancel_order cancel;
  cancel.order = id(1);
  CHECK(refused(buyer, b.command(r++, 1, cancel)));
  CHECK(refused(buyer, b.command(r++, 1, core::settle_refund{core::refund_no{1}, base::as_bytes(ref)})));
  CHECK(refused(buyer, b.look(r++, 1, core::look_changes{})));
  client shop(c.port());
  shop.greet(listener_kind::shop);
  for (auto* who : {&buyer, &shop}) {
    const say s{who == &buyer ? listener_kind::buyer : listener_kind::shop};
    CHECK(refused(*who, s.command(r++, 1, core::open_sale{})));
    CHECK(refused(*who, s.command(r++, 1, core::freeze_sale{})));
    CHECK(refused(*who, s.command(r++, 1, core::clear_fault{})));
    CHECK(refused(*who, s.look(r++, 1, core::look_holds{})));
    for (const protocol::house_asked& h : std::initializer_list<protocol::house_asked>{
             protocol::list_sessions{}, protocol::look_actors{}, protocol::look_actor_inside{}, protocol::look_stats{}, protocol::find{}})
      CHECK(refused(*who, s.house(r++, h)));
  }
  CHECK(c.by_hand.heard() == 0);
  // Owner and keys of a buyer are those of the handshake: the bytes have no room for others.
  buyer.send(b.hold(r, 1, 0));
  CHECK(buyer.answer().said.refused == refusal::none);
}

}  // namespace holdfast::tests
