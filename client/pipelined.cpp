#include "client/pipelined.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "client/ids.hpp"
#include "client/pipelined_link.hpp"
#include "protocol/codec.hpp"

namespace holdfast::client {

using base::trouble;
using steady = server_clock::steady;

namespace {

constexpr milliseconds check_every{50};
constexpr std::size_t events_max = 1'024;
// While connections are opened, no more than these are under way: a listener's queue is short.
constexpr std::size_t opening_max = 64;

/// Room for that many descriptors, as far as the system lets us.
void raise_descriptor_limit(rlim_t wanted) {
  rlimit l{};
  if (::getrlimit(RLIMIT_NOFILE, &l) != 0 || l.rlim_cur >= wanted) return;
  l.rlim_cur = std::min(l.rlim_max, wanted);
  ::setrlimit(RLIMIT_NOFILE, &l);
}

}  // namespace

pipelined::pipelined(pipelined_options o, std::vector<endpoint> to, int poll, receiver& into)
    : options_(std::move(o)), to_(std::move(to)), poll_(poll), receiver_(into), chance_(random_seed()), depth_(options_.depth), now_(steady::now()),
      next_check_(now_) {
  const auto money = options_.link.money_apart ? options_.money_connections : 0;
  for (std::uint32_t i = 0; i < options_.connections + money; ++i) links_.push_back(std::make_unique<pipelined_link>(*this, i));
  marked_.reserve(links_.size());
  being_written_.reserve(links_.size());
}

pipelined::~pipelined() { ::close(poll_); }

base::result<std::unique_ptr<pipelined>> pipelined::open(pipelined_options o, receiver& into) {
  if (o.connections == 0 || o.depth == 0 || (o.link.money_apart && o.money_connections == 0))
    return base::error{trouble::bad_input, "a pipelined client needs at least one connection and one request in flight"};
  auto to = resolve(o.link.to);
  if (!to) return to.failure();
  raise_descriptor_limit(o.connections + o.money_connections + 64U);
  const int poll = ::epoll_create1(EPOLL_CLOEXEC);
  if (poll < 0) return base::error{trouble::io, std::string("epoll: ") + std::strerror(errno)};
  std::unique_ptr<pipelined> p(new pipelined(std::move(o), std::move(*to), poll, into));
  // The first connection tells whether there is anybody; once reached it may take as many attempts as the rest.
  std::size_t begun = 0, welcomed = 0;
  while (welcomed < p->links_.size()) {
    const auto at_once = welcomed == 0 ? 1 : opening_max;
    while (begun < p->links_.size() && begun - welcomed < at_once) p->links_[begun++]->connect();
    p->turn(milliseconds(10));
    welcomed = 0;
    for (std::size_t i = 0; i < begun; ++i) {
      const auto& l = *p->links_[i];
      if (l.is() == pipelined_link::state::open) ++welcomed;
      const bool nobody = begun == 1 && !l.reached() && l.is() == pipelined_link::state::waiting && p->counts_.lost_connections >= p->to_.size();
      if (l.is() == pipelined_link::state::dead || nobody) return l.trouble();
    }
  }
  p->counts_ = {};
  return p;
}

bool pipelined::room(std::uint32_t connection) const {
  const auto& l = *links_[connection];
  return l.in_flight() < depth_ && l.is() != pipelined_link::state::dead;
}

pipelined_link& pipelined::carrier(std::uint32_t connection, std::uint16_t kind) {
  if (options_.link.money_apart && protocol::is_money(kind))
    return *links_[options_.connections + connection % options_.money_connections];
  return *links_[connection];
}

void pipelined::send(std::uint32_t connection, std::uint64_t ticket, core::session_id session, const core::envelope& head,
                     const core::command& c, bool retry) {
  carrier(connection, protocol::kind_of(c)).send(connection, ticket, [&](std::uint64_t id, base::bytes& out) {
    protocol::encode_request(id, options_.link.listener, session, head, c, retry, out);
  });
}

void pipelined::send(std::uint32_t connection, std::uint64_t ticket, core::session_id session, const core::look& l) {
  carrier(connection, protocol::kind_of(l)).send(connection, ticket, [&](std::uint64_t id, base::bytes& out) {
    protocol::encode_request(id, options_.link.listener, session, l, false, out);
  });
}

void pipelined::flush() {
  // Giving up requests may lead to new ones, which mark their links again: those wait for the next turn.
  being_written_.swap(marked_);
  for (auto* l : being_written_) l->write();
  being_written_.clear();
}

void pipelined::look_at_the_clock() {
  now_ = steady::now();
  if (now_ < next_check_) return;
  next_check_ = now_ + check_every;
  for (const auto& l : links_) l->check(now_);
}

void pipelined::turn(milliseconds patience) {
  now_ = steady::now();
  flush();
  std::array<epoll_event, events_max> events;
  const auto wait = marked_.empty() ? std::min(patience, check_every) : milliseconds(0);
  const int n = ::epoll_wait(poll_, events.data(), static_cast<int>(events.size()), static_cast<int>(wait.count()));
  now_ = steady::now();
  for (int i = 0; i < n; ++i) {
    const auto& e = events[static_cast<std::size_t>(i)];
    auto& l = *links_[e.data.u32];
    if ((e.events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0) l.writable();
    if ((e.events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0) l.readable();
  }
  look_at_the_clock();
  flush();
}

core::log_time pipelined::now() const { return clock_.at(now_); }
core::log_time pipelined::deadline(milliseconds ahead) const {
  return core::log_time{now().value + static_cast<std::uint64_t>(ahead.count()) * core::us_per_ms};
}

}  // namespace holdfast::client
