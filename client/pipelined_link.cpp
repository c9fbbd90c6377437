#include "client/pipelined_link.hpp"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include <sys/epoll.h>

#include "client/link.hpp"

namespace holdfast::client {

using base::trouble;
using steady = server_clock::steady;

namespace {

constexpr std::size_t flags_at = 6;  // in a frame's header
constexpr int reads_in_a_row = 4;    // then the other connections have their turn

std::size_t first_buffer(std::uint32_t depth) { return depth >= 128 ? 64 * 1024 : 8 * 1024; }

}  // namespace

pipelined_link::pipelined_link(pipelined& home, std::uint32_t place)
    : home_(home), place_(place),
      in_(protocol::direction::from_server, protocol::limits::answer_bytes_max, first_buffer(home.options_.depth)) {}

void pipelined_link::connect() {
  // One name may stand for several addresses; each attempt takes the next.
  const auto& to = home_.to_[attempt_ % home_.to_.size()];
  auto s = socket::begin(to);
  if (!s) return lose({s.failure().kind, "no server at " + to_text(home_.options_.link.to) + ": " + s.failure().text});
  socket_ = std::move(*s);
  in_ = {protocol::direction::from_server, protocol::limits::answer_bytes_max, first_buffer(home_.options_.depth)};
  out_.clear();
  written_ = 0;
  state_ = state::connecting;
  until_ = home_.now_ + home_.options_.link.connect_patience;
  waits_writable_ = true;
  epoll_event e{};
  e.events = EPOLLIN | EPOLLOUT;
  e.data.u32 = place_;
  if (::epoll_ctl(home_.poll_, EPOLL_CTL_ADD, socket_.fd(), &e) != 0) lose({trouble::io, "epoll takes no more connections"});
}

void pipelined_link::watch(bool for_writing) {
  if (waits_writable_ == for_writing) return;
  waits_writable_ = for_writing;
  epoll_event e{};
  e.events = for_writing ? EPOLLIN | EPOLLOUT : EPOLLIN;
  e.data.u32 = place_;
  ::epoll_ctl(home_.poll_, EPOLL_CTL_MOD, socket_.fd(), &e);
}

void pipelined_link::writable() {
  if (state_ == state::connecting) {
    if (const int wrong = socket_.connected(); wrong != 0)
      return lose({trouble::unavailable, "no server at " + to_text(home_.options_.link.to) + ": " + std::strerror(wrong)});
    state_ = state::greeting;
    reached_ = true;
    protocol::encode_hello(1, home_.options_.link.hello(), out_);
  }
  if (state_ == state::greeting || state_ == state::open) write();
}

void pipelined_link::readable() {
  if (state_ != state::greeting && state_ != state::open) return;
  for (int i = 0; i < reads_in_a_row; ++i) {
    const auto room = in_.room();
    std::size_t n = 0;
    const auto how = socket_.read(room, n);
    if (how == socket::moved::would_block) return;
    if (how == socket::moved::ended) return lose({trouble::unavailable, "the server closed the connection"});
    ++home_.counts_.reads;
    home_.counts_.bytes_in += n;
    in_.filled(n);
    home_.now_ = steady::now();
    for (;;) {
      const auto next = in_.next();
      if (next.is == protocol::cut::what::need_more) break;
      if (next.is == protocol::cut::what::broken)
        return lose({trouble::bad_bytes, "what answers is no Holdfast server: " + std::string(protocol::name_of(next.error))});
      if (!take(next.frame)) return;
    }
    if (n < room.size()) return;  // that was all
  }
}

bool pipelined_link::take(const protocol::frame& f) {
  const auto wrong = protocol::decode_from_server(f, message_);
  if (wrong == protocol::protocol_error::unknown_kind) return true;
  if (wrong != protocol::protocol_error::none) {
    lose({trouble::bad_bytes, "the server's answer does not decode: " + std::string(protocol::name_of(wrong))});
    return false;
  }
  if (const auto* a = std::get_if<protocol::answer_message>(&message_)) {
    auto* r = flight_.find(a->id);
    if (r == nullptr) return true;
    const auto ticket = r->ticket;
    const auto waited = home_.now_.time_since_epoch().count() - r->sent_ns;
    const bool retried = r->retried;
    flight_.give_back(*r);
    --home_.in_flight_;
    ++home_.counts_.answered;
    attempt_ = 0;
    home_.receiver_.answered({static_cast<std::uint32_t>(ticket >> ticket_bits), ticket & ((std::uint64_t{1} << ticket_bits) - 1), waited,
                              retried, *a});
    return true;
  }
  if (const auto* w = std::get_if<protocol::welcome>(&message_)) {
    home_.clock_.set(w->now, home_.now_);
    if (w->inflight_max != 0) home_.depth_ = std::min(home_.depth_, w->inflight_max);
    state_ = state::open;
    until_ = home_.now_;
    // With requests waiting, only their answers show that this attempt was a good one.
    if (flight_.size() == 0) attempt_ = 0;
    resend();
    return true;
  }
  if (const auto* p = std::get_if<protocol::problem>(&message_)) lose(error_of(*p));
  else if (const auto* g = std::get_if<protocol::goodbye>(&message_)) lose(error_of(*g));
  return false;
}

void pipelined_link::mark() {
  if (!std::exchange(marked_, true)) home_.marked_.push_back(this);
}

void pipelined_link::put(flight::request& r) {
  r.sent = true;
  out_.insert(out_.end(), r.frame.begin(), r.frame.end());
  mark();
}

void pipelined_link::resend() {
  if (flight_.size() == 0) return;
  for (auto* r : flight_.in_order()) {
    if (r->sent) {
      r->frame[flags_at] |= protocol::flag_retry;
      if (!std::exchange(r->retried, true)) ++home_.counts_.retried;
    }
    put(*r);
  }
}

void pipelined_link::write() {
  marked_ = false;
  if (state_ == state::dead) return give_up();
  if (state_ != state::open && state_ != state::greeting) return;
  while (written_ < out_.size()) {
    std::size_t n = 0;
    const auto how = socket_.write(base::byte_view(out_).subspan(written_), n);
    if (how == socket::moved::would_block) return watch(true);
    // What ends the writing side is told when reading: the server's last word may be there.
    if (how == socket::moved::ended) return watch(false);
    ++home_.counts_.writes;
    home_.counts_.bytes_out += n;
    written_ += n;
  }
  out_.clear();
  written_ = 0;
  watch(false);
}

void pipelined_link::lose(base::error why) {
  socket_.close();  // which takes it out of epoll, too
  ++home_.counts_.lost_connections;
  trouble_ = std::move(why);
  ++attempt_;
  if (trouble_.kind != trouble::unavailable || attempt_ >= home_.options_.link.attempts) {
    state_ = state::dead;
    mark();
    return;
  }
  state_ = state::waiting;
  until_ = home_.now_ + home_.options_.link.backoff.before(attempt_ - 1, home_.chance_);
}

void pipelined_link::give_up() {
  // All of them are let go before the receiver hears of any: it may send again.
  std::vector<std::uint64_t> tickets;
  for (auto* r : flight_.in_order()) {
    tickets.push_back(r->ticket);
    flight_.give_back(*r);
  }
  home_.in_flight_ -= tickets.size();
  home_.counts_.given_up += tickets.size();
  for (const auto t : tickets)
    home_.receiver_.given_up(static_cast<std::uint32_t>(t >> ticket_bits), t & ((std::uint64_t{1} << ticket_bits) - 1), trouble_);
}

void pipelined_link::check(time_point now) {
  switch (state_) {
    case state::connecting:
    case state::greeting:
      if (now >= until_) lose({trouble::unavailable, "the server at " + to_text(home_.options_.link.to) + " does not answer in time"});
      break;
    case state::open: {
      // What was sent again has its time from the new connection on.
      const auto oldest = std::max(flight_.oldest_ns(), static_cast<std::int64_t>(until_.time_since_epoch().count()));
      const auto patience = std::chrono::nanoseconds(home_.options_.link.answer_patience).count();
      if (flight_.size() != 0 && now.time_since_epoch().count() - oldest > patience)
        lose({trouble::unavailable, "the server did not answer in time"});
      break;
    }
    case state::waiting:
      if (now >= until_) connect();
      break;
    case state::idle:
    case state::dead: break;
  }
}

}  // namespace holdfast::client
