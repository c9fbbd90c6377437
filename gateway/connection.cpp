#include "gateway/connection.hpp"

#include <utility>

#include <sys/socket.h>

#include "base/check.hpp"
#include "base/planted.hpp"
#include "gateway/loop.hpp"
#include "protocol/codec.hpp"

namespace holdfast::gateway {

using protocol::listener_kind;
using protocol::protocol_error;

namespace {

// What a peer may still send while it has been told that the connection ends; more than that is not listened to.
constexpr std::size_t linger_bytes_max = 1U << 20U;
// Sent bytes at the front of the output are let go when there are more than this.
constexpr std::size_t compact_bytes = 64 * 1024;

// What the beginning of a frame gets at first when it is left alone; what the loop lends is where frames are read into.
constexpr std::size_t first_own_bytes = 1'024;

}  // namespace

connection::connection(loop& home, listener& door, int fd, const remote_address& from, connection_id id, time_point now)
    : loop_(home), listener_(door), wire_(home.io(), fd, door.limits().kind == listener_kind::admin), from_(from), id_(id),
      in_(protocol::direction::from_client, door.limits().handshake_bytes_max, first_own_bytes),
      credits_(door.limits().inflight_max, door.limits().money_inflight_max, door.limits().pages_inflight_max), patience_(now) {
  context_.listener = door.limits().kind;
  context_.channel = door.limits().channel;
  switch (context_.listener) {
    case listener_kind::buyer: context_.from.who = core::role::buyer; break;
    case listener_kind::shop: context_.from.who = core::role::shop; break;
    case listener_kind::admin: {
      context_.from.who = core::role::op;
      // The kernel says who is there; nothing that the client sends can change it.
      ucred peer{};
      socklen_t size = sizeof peer;
      if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0) context_.from.principal = peer.uid;
      break;
    }
  }
}

void connection::start() { read(); }

// ---- reading ------------------------------------------------------------------------------------------------

void connection::read() {
  if (reading_ || closed()) return;
  reading_ = true;
  wire_.async_wait_readable([this](const boost::system::error_code& failed) {
    loop_.begin_turn();
    reading_ = false;
    on_readable(static_cast<bool>(failed));
    if (closed()) return loop_.bury(*this);
    in_.settle();
  });
}

void connection::on_readable(bool failed) {
  if (closed()) return;
  std::size_t n = 0;
  const auto lent = loop_.lent_to_read();
  const auto how = failed ? wire::moved::broken : wire_.try_read(state_ == state::lingering ? lent : in_.room(lent), n);
  if (how == wire::moved::would_block) return read();
  if (how == wire::moved::broken) {
    // The end of the stream, or a reset. Who ends his side after asking still gets his answers.
    if (state_ == state::greeting || state_ == state::lingering) return close(state_ == state::greeting ? closing::peer : ending_);
    if (state_ == state::open) {
      state_ = state::draining;
      patience_.no_frame();
      mark();
    }
    return;
  }
  loop_.counters().reads.add();
  loop_.counters().bytes_in.add(n);
  if (state_ == state::lingering) {
    lingered_bytes_ += n;
    if (lingered_bytes_ > linger_bytes_max) return close(ending_);
    return read();
  }
  in_.filled(n);
  consume();
}

void connection::consume() {
  while (state_ == state::greeting || state_ == state::open) {
    if (!may_go_on()) {
      patience_.no_frame();  // it is us who do not read
      paused_ = true;
      (output_full() ? loop_.counters().output_pauses : loop_.counters().credit_pauses).add();
      return;
    }
    const auto next = in_.next();
    if (next.is == protocol::cut::what::need_more) {
      if (in_.pending() > 0)
        patience_.frame_begun(loop_.now());
      else
        patience_.no_frame();
      return read();
    }
    if (next.is == protocol::cut::what::broken) {
      loop_.counters().received.add();
      loop_.counters().ended_at(stage::broken_frame);
      return fail(next.error, next.frame.head.request_id);
    }
    patience_.no_frame();
    patience_.active(loop_.now());
    if (!take(next.frame)) return;
  }
}

bool connection::take(const protocol::frame& f) {
  const auto family = protocol::family_of(f.head.kind);
  if (state_ == state::greeting) {
    if (family != protocol::family::hello) {
      loop_.counters().received.add();
      loop_.counters().ended_at(stage::not_authenticated);
      fail(protocol_error::hello_expected, f.head.request_id);
      return false;
    }
    greet(f);
    return state_ == state::open;
  }
  switch (family) {
    case protocol::family::session:
    case protocol::family::house:
      if (const auto wrong = loop_.request(*this, f, family); wrong != protocol_error::none) {
        fail(wrong, f.head.request_id);
        return planted(bug::reads_on_after_bad_frame);
      }
      return true;
    case protocol::family::goodbye:
      drain(protocol::goodbye_code::asked, closing::peer);
      return false;
    case protocol::family::hello:
      fail(protocol_error::second_hello, f.head.request_id);
      return false;
    case protocol::family::unknown:
      loop_.counters().received.add();
      loop_.counters().ended_at(stage::broken_frame);
      fail(protocol_error::unknown_kind, f.head.request_id);
      return false;
  }
  return false;
}

void connection::greet(const protocol::frame& f) {
  protocol::hello hello;
  if (const auto wrong = protocol::decode_hello(f, context_.listener, hello); wrong != protocol_error::none)
    return fail(wrong, f.head.request_id);
  // Tokens go here: the credential yields principal, owner, keys and channel, or bad_credential.
  if (context_.listener == listener_kind::buyer) {
    context_.owner = hello.owner;
    context_.keys = std::move(hello.keys);
  }
  const auto& limits = listener_.limits();
  in_.set_limit(limits.frame_bytes_max);
  protocol::welcome w;
  w.version = protocol::version_max < hello.version_max ? protocol::version_max : hello.version_max;
  w.who = context_.from.who;
  w.principal = context_.from.principal;
  w.now = loop_.log_now();
  w.request_bytes_max = limits.frame_bytes_max;
  w.answer_bytes_max = protocol::limits::answer_bytes_max;
  w.inflight_max = limits.inflight_max;
  w.money_inflight_max = limits.money_inflight_max;
  w.idle_max = static_cast<core::interval_ms>(limits.times.idle.count());
  w.server = loop_.server_name();
  protocol::encode_welcome(f.head.request_id, w, output());
  state_ = state::open;
  patience_.greeted(loop_.now());
  loop_.counters().handshakes.add();
}

// ---- writing ------------------------------------------------------------------------------------------------

base::bytes& connection::output() {
  HOLDFAST_CHECK(!closed(), "an answer for a closed connection");
  if (out_.capacity() == 0) out_ = loop_.spare_buffer();
  mark();
  return out_;
}

void connection::answered() { mark(); }

void connection::mark() {
  if (!std::exchange(marked_, true)) loop_.marked(*this);
}

void connection::end_turn() {
  marked_ = false;
  if (closed()) return loop_.bury(*this);
  if (!waiting_writable_) write();
  if (!closed() && paused_ && may_go_on()) {
    paused_ = false;
    consume();  // what it answers is written in the next round of this turn
    in_.settle();
  }
  if (closed()) loop_.bury(*this);
}

void connection::write() {
  bool progress = false;
  while (sent_ < out_.size()) {
    std::size_t taken = 0;
    const auto how = wire_.try_write(base::byte_view(out_).subspan(sent_), taken);
    loop_.counters().writes.add();
    if (how == wire::moved::broken) return close(ending_);
    if (how == wire::moved::would_block) {
      if (sent_ > compact_bytes && sent_ > out_.size() / 2) {
        out_.erase(out_.begin(), out_.begin() + static_cast<std::ptrdiff_t>(sent_));
        sent_ = 0;
      }
      patience_.output_waits(loop_.now(), progress);
      waiting_writable_ = true;
      loop_.counters().output_waiting.add();
      return wire_.async_wait_writable([this](const boost::system::error_code&) {
        loop_.begin_turn();
        waiting_writable_ = false;
        loop_.counters().output_waiting.sub();
        if (closed()) return loop_.bury(*this);
        mark();
      });
    }
    sent_ += taken;
    progress = progress || taken > 0;
    loop_.counters().bytes_out.add(taken);
  }
  written();
}

void connection::written() {
  if (out_.capacity() != 0) {
    loop_.give_back(std::move(out_));
    out_ = {};
    sent_ = 0;
    patience_.output_done();
    patience_.active(loop_.now());
  }
  if (state_ == state::draining && (credits_.in_flight() == 0 || planted(bug::stops_with_answers_owed))) {
    if (!std::exchange(says_goodbye_, false)) return leave();
    protocol::encode_goodbye(protocol::direction::from_server, {goodbye_, {}}, output());
    state_ = state::leaving;  // marked by output(): the loop comes back in this turn
  } else if (state_ == state::leaving) {
    leave();
  }
}

void connection::leave() {
  wire_.shut_down();
  // Closing over bytes that were not read would reset the connection, and the peer might never see the last word.
  state_ = state::lingering;
  patience_.left(loop_.now());
  read();
}

// ---- endings ------------------------------------------------------------------------------------------------

void connection::drain(protocol::goodbye_code why, closing counted) {
  if (state_ == state::greeting) return dismiss(why, counted);
  if (state_ != state::open) return;
  state_ = state::draining;
  goodbye_ = why;
  says_goodbye_ = true;
  ending_ = counted;
  patience_.no_frame();
  mark();
}

void connection::dismiss(protocol::goodbye_code why, closing counted) {
  if (state_ >= state::leaving) return;
  ending_ = counted;
  protocol::encode_goodbye(protocol::direction::from_server, {why, {}}, output());
  state_ = state::leaving;
}

void connection::fail(protocol_error why, std::uint64_t request_id) {
  if (state_ >= state::leaving) return;
  ending_ = closing::protocol_error;
  loop_.note_problem(context_.listener, why);
  protocol::encode_problem(request_id, {why, std::string(protocol::explain(why))}, output());
  if (planted(bug::reads_on_after_bad_frame)) return;
  state_ = state::leaving;
}

void connection::close(closing why) {
  if (closed()) return;
  state_ = state::closed;
  wire_.close();
  if (out_.capacity() != 0) loop_.give_back(std::move(out_));
  out_ = {};
  sent_ = 0;
  listener_.left(from_);
  loop_.counters().closed_for(why);
  loop_.counters().connections.sub();
}

void connection::check_time(time_point now) {
  if (closed()) return;
  switch (patience_.look(now, listener_.limits().times, credits_.in_flight() > 0)) {
    case overdue::none: return;
    case overdue::handshake: return dismiss(protocol::goodbye_code::handshake_too_slow, closing::handshake_late);
    case overdue::frame: return dismiss(protocol::goodbye_code::frame_too_slow, closing::frame_late);
    case overdue::idle: return dismiss(protocol::goodbye_code::idle, closing::idle);
    // Nothing more can be told to who takes nothing; that it was not_reading is counted.
    case overdue::stalled: close(closing::stalled); break;
    case overdue::lingering: close(ending_); break;
  }
  loop_.bury(*this);
}

}  // namespace holdfast::gateway
