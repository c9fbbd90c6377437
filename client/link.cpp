#include "client/link.hpp"

#include "protocol/codec.hpp"

namespace holdfast::client {

using base::trouble;
using protocol::from_server_message;
using steady = std::chrono::steady_clock;

namespace {

milliseconds left_until(steady::time_point until) {
  const auto left = std::chrono::ceil<milliseconds>(until - steady::now());
  return left.count() > 0 ? left : milliseconds(0);
}

std::string said(std::string_view what, std::string_view code, const std::string& text) {
  return std::string(what) + std::string(code) + (text.empty() ? "" : " (" + text + ")");
}

const base::error gone{trouble::unavailable, "the server closed the connection"};

}  // namespace

base::error error_of(const protocol::problem& p) {
  // Who may not come in can do something about it; anything else is our bytes.
  const bool refused = p.code >= protocol::protocol_error::no_common_version && p.code <= protocol::protocol_error::bad_identity;
  return {refused ? trouble::bad_input : trouble::bad_bytes, said("the server will not go on: ", protocol::name_of(p.code), p.text)};
}

base::error error_of(const protocol::goodbye& g) {
  return {trouble::unavailable, said("the server ended the connection: ", protocol::name_of(g.code), g.text)};
}

base::result<link> link::open(const options& o, std::span<const endpoint> to) {
  auto s = reach(o, to);
  if (!s) return s.failure();
  return greet(o, std::move(*s));
}

base::result<socket> link::reach(const options& o, std::span<const endpoint> to) {
  auto s = socket::connect(to, o.connect_patience);
  if (!s) return base::error{s.failure().kind, "no server at " + to_text(o.to) + ": " + s.failure().text};
  return s;
}

base::result<link> link::greet(const options& o, socket to) {
  const auto until = steady::now() + o.connect_patience;
  link l(std::move(to));
  base::bytes hello;
  protocol::encode_hello(1, o.hello(), hello);
  if (auto sent = l.send(hello, left_until(until)); !sent) return sent.failure();
  from_server_message m;
  if (auto got = l.receive(m, until); !got) return got.failure();
  if (const auto* p = std::get_if<protocol::problem>(&m)) return error_of(*p);
  if (const auto* g = std::get_if<protocol::goodbye>(&m)) return error_of(*g);
  auto* w = std::get_if<protocol::welcome>(&m);
  if (w == nullptr) return base::error{trouble::bad_bytes, "the server at " + to_text(o.to) + " answers before it was asked"};
  l.clock_.set(w->now);
  l.greeting_ = std::move(*w);
  return l;
}

base::result<protocol::answer_message> link::ask(base::byte_view frame, std::uint64_t request_id, milliseconds patience) {
  const auto until = steady::now() + patience;
  if (auto sent = send(frame, patience); !sent) return sent.failure();
  from_server_message m;
  for (;;) {
    if (auto got = receive(m, until); !got) return got.failure();
    if (const auto* p = std::get_if<protocol::problem>(&m)) return error_of(*p);
    if (const auto* g = std::get_if<protocol::goodbye>(&m)) return error_of(*g);
    if (auto* a = std::get_if<protocol::answer_message>(&m); a != nullptr && a->id == request_id) return std::move(*a);
  }
}

base::result<void> link::send(base::byte_view what, milliseconds patience) {
  const auto until = steady::now() + patience;
  while (!what.empty()) {
    std::size_t n = 0;
    switch (socket_.write(what, n)) {
      case socket::moved::some: what = what.subspan(n); break;
      case socket::moved::ended: {
        // The server may have said why before it closed.
        from_server_message m;
        if (auto got = receive(m, steady::now()); got) {
          if (const auto* p = std::get_if<protocol::problem>(&m)) return error_of(*p);
          if (const auto* g = std::get_if<protocol::goodbye>(&m)) return error_of(*g);
        }
        return gone;
      }
      case socket::moved::would_block:
        if (!socket_.wait_writable(left_until(until))) return base::error{trouble::unavailable, "the server takes no more bytes"};
        break;
    }
  }
  return {};
}

base::result<void> link::receive(from_server_message& out, steady::time_point until) {
  for (;;) {
    const auto next = in_.next();
    if (next.is == protocol::cut::what::whole) {
      const auto wrong = protocol::decode_from_server(next.frame, out);
      if (wrong == protocol::protocol_error::none) return {};
      if (wrong == protocol::protocol_error::unknown_kind) continue;
      return base::error{trouble::bad_bytes, "the server's answer does not decode: " + std::string(protocol::name_of(wrong))};
    }
    if (next.is == protocol::cut::what::broken)
      return base::error{trouble::bad_bytes, "what answers is no Holdfast server: " + std::string(protocol::name_of(next.error))};
    if (!socket_.wait_readable(left_until(until))) return base::error{trouble::unavailable, "the server did not answer in time"};
    std::size_t n = 0;
    if (socket_.read(in_.room(), n) == socket::moved::ended) return gone;
    in_.filled(n);
  }
}

}  // namespace holdfast::client
