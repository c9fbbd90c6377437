#include <doctest/doctest.h>

#include "tests/protocol/samples.hpp"

using namespace holdfast;
using namespace holdfast::protocol;

namespace {

hello buyer() {
  hello h;
  h.listener = listener_kind::buyer;
  h.owner = core::owner_id{{1, 1}};
  h.keys = {{core::key_kind::account, {2, 2}}, {core::key_kind::email, {3, 3}}};
  h.credential = "token";
  h.client = "shop 1.2";
  return h;
}

protocol_error judged(const hello& h, listener_kind here, hello* back = nullptr) {
  base::bytes out;
  encode_hello(9, h, out);
  hello ignored;
  return decode_hello(tests::frame_in(out, direction::from_client), here, back != nullptr ? *back : ignored);
}

}  // namespace

TEST_CASE("a hello comes back") {
  hello back;
  REQUIRE(judged(buyer(), listener_kind::buyer, &back) == protocol_error::none);
  CHECK(back.listener == listener_kind::buyer);
  CHECK(back.owner == buyer().owner);
  CHECK(back.keys == buyer().keys);
  CHECK(back.credential == "token");
  CHECK(back.client == "shop 1.2");
}

TEST_CASE("a welcome, a problem and a goodbye come back") {
  base::bytes out;
  from_server_message m;
  welcome w;
  w.version = 1;
  w.who = core::role::op;
  w.principal = 1000;
  w.now.value = 77;
  w.request_bytes_max = 1;
  w.answer_bytes_max = 2;
  w.inflight_max = 3;
  w.money_inflight_max = 4;
  w.idle_max = 5;
  w.server = "holdfast";
  encode_welcome(9, w, out);
  REQUIRE(decode_from_server(tests::frame_in(out, direction::from_server), m) == protocol_error::none);
  const auto& back = std::get<welcome>(m);
  CHECK(back.who == core::role::op);
  CHECK(back.principal == 1000);
  CHECK(back.now.value == 77);
  CHECK(back.request_bytes_max == 1);
  CHECK(back.answer_bytes_max == 2);
  CHECK(back.inflight_max == 3);
  CHECK(back.money_inflight_max == 4);
  CHECK(back.idle_max == 5);
  CHECK(back.server == "holdfast");

  out.clear();
  encode_problem(3, {protocol_error::malformed, std::string(2000, 'x')}, out);
  REQUIRE(decode_from_server(tests::frame_in(out, direction::from_server), m) == protocol_error::none);
  CHECK(std::get<problem>(m).code == protocol_error::malformed);
  CHECK(std::get<problem>(m).text.size() == limits::text_bytes_max);

  out.clear();
  encode_goodbye(direction::from_server, {goodbye_code::idle, "idle"}, out);
  REQUIRE(decode_from_server(tests::frame_in(out, direction::from_server), m) == protocol_error::none);
  CHECK(std::get<goodbye>(m).code == goodbye_code::idle);
}

TEST_CASE("each fault of a hello has its own error") {
  CHECK(judged(buyer(), listener_kind::shop) == protocol_error::wrong_listener);

  auto h = buyer();
  h.owner = {};
  CHECK(judged(h, listener_kind::buyer) == protocol_error::bad_identity);
  h = buyer();
  h.keys.push_back(h.keys[0]);
  CHECK(judged(h, listener_kind::buyer) == protocol_error::bad_identity);
  h = buyer();
  h.keys[1].value = {};
  CHECK(judged(h, listener_kind::buyer) == protocol_error::bad_identity);
  h = buyer();
  h.keys.assign(5, h.keys[0]);
  CHECK(judged(h, listener_kind::buyer) == protocol_error::bad_identity);
  h = buyer();
  h.keys[1].kind = static_cast<core::key_kind>(9);
  CHECK(judged(h, listener_kind::buyer) == protocol_error::bad_identity);
  h = buyer();
  h.listener = listener_kind::shop;
  CHECK(judged(h, listener_kind::shop) == protocol_error::bad_identity);

  h = buyer();
  h.credential = std::string(limits::credential_bytes_max, 'c');
  CHECK(judged(h, listener_kind::buyer) == protocol_error::none);
  h.credential += 'c';
  CHECK(judged(h, listener_kind::buyer) == protocol_error::credential_too_long);

  base::bytes ping_bytes;
  encode_house_request(1, ping{}, false, ping_bytes);
  hello ignored;
  CHECK(decode_hello(tests::frame_in(ping_bytes, direction::from_client), listener_kind::shop, ignored) ==
        protocol_error::hello_expected);
}

TEST_CASE("versions: one in common is enough, and it is judged before anything a later version may have changed") {
  auto h = buyer();
  h.version_max = 7;
  CHECK(judged(h, listener_kind::buyer) == protocol_error::none);
  h.version_min = 2;
  CHECK(judged(h, listener_kind::buyer) == protocol_error::no_common_version);
  h.version_min = 0;
  h.version_max = 0;
  CHECK(judged(h, listener_kind::buyer) == protocol_error::no_common_version);

  const base::bytes from_the_future{0x1a, 0, 0, 0,    0x01, 0,    0,    0x48, 1, 0, 0, 0,    0,
                                    0,    0, 0, 0x48, 0x4c, 0x46, 0x54, 2,    0, 9, 0, 0xff, 0xff};
  hello ignored;
  CHECK(decode_hello(tests::frame_in(from_the_future, direction::from_client), listener_kind::buyer, ignored) ==
        protocol_error::no_common_version);
  auto bad = from_the_future;
  bad[16] = 'X';
  CHECK(decode_hello(tests::frame_in(bad, direction::from_client), listener_kind::buyer, ignored) ==
        protocol_error::bad_magic);
}

TEST_CASE("every hello fits into the limit for hellos") {
  auto h = buyer();
  h.keys.assign(4, h.keys[0]);
  h.credential = std::string(limits::credential_bytes_max, 'c');
  h.client = std::string(64, 'c');
  base::bytes out;
  encode_hello(9, h, out);
  CHECK(out.size() <= limits::hello_bytes_max);
}
