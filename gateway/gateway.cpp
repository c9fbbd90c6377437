#include "gateway/gateway.hpp"

#include <algorithm>
#include <future>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include <boost/asio/post.hpp>

#include "protocol/codec.hpp"

namespace holdfast::gateway {

namespace {

/// A descriptor on its way to another loop; closed if it never arrives.
class traveller {
 public:
  explicit traveller(int fd) : fd_(fd) {}
  traveller(traveller&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  traveller(const traveller&) = delete;
  traveller& operator=(const traveller&) = delete;
  ~traveller() {
    if (fd_ >= 0) ::close(fd_);
  }
  int arrive() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

base::bytes farewell() {
  base::bytes b;
  protocol::encode_goodbye(protocol::direction::from_server, {protocol::goodbye_code::too_many_connections, {}}, b);
  return b;
}

}  // namespace

base::result<void> gateway::try_listeners(const options& o) {
  if (auto r = check_options(o); !r) return r.failure();
  for (const auto& l : o.listeners)
    if (auto r = listener::try_address(l); !r) return r.failure();
  return {};
}

base::result<std::unique_ptr<gateway>> gateway::open(options o, surroundings around) {
  if (auto r = check_options(o); !r) return r.failure();
  std::unique_ptr<gateway> g(new gateway(std::move(o), std::move(around)));
  if (auto r = g->listen(); !r) return r.failure();
  return g;
}

gateway::gateway(options o, surroundings around)
    : options_(std::move(o)), around_(std::move(around)), credits_(options_.session_inflight_max) {
  const auto add = [this](std::string name) {
    loops_.push_back(std::make_unique<loop>(std::move(name), options_, around_, credits_, [this] { return loops(); }));
  };
  const auto is_admin = [](const listener_options& l) { return l.kind == listener_kind::admin; };
  if (!std::ranges::all_of(options_.listeners, is_admin))
    for (std::uint32_t i = 0; i < options_.loops; ++i) add(fmt::format("loop {}", i));
  buyers_loops_ = loops_.size();
  if (std::ranges::any_of(options_.listeners, is_admin)) add("operators");
}

gateway::~gateway() {
  stop();
  listeners_.clear();  // before the loops, on whose io_context they wait
}

base::result<void> gateway::listen() {
  for (const auto& l : options_.listeners) {
    auto& home = l.kind == listener_kind::admin ? *loops_.back() : *loops_.front();
    auto opened = listener::open(
        home.io(), l, options_.accept_pause, farewell(),
        [this](listener& through, int fd, const remote_address& from) { take_over(through, fd, from); },
        [&home](listener::trouble_kind what) {
          if (what == listener::trouble_kind::refused)
            home.counters().closed_for(closing::refused);
          else
            home.counters().accept_errors.add();
        });
    if (!opened) return opened.failure();
    listeners_.push_back(std::move(*opened));
  }
  return {};
}

void gateway::take_over(listener& through, int fd, const remote_address& from) {
  if (through.limits().kind == listener_kind::admin) return loops_.back()->adopt(through, fd, from);
  const auto at = next_loop_++ % buyers_loops_;
  if (at == 0) return loops_.front()->adopt(through, fd, from);
  auto& to = *loops_[at];
  boost::asio::post(to.io(), [&to, &through, guest = traveller(fd), from]() mutable { to.adopt(through, guest.arrive(), from); });
}

void gateway::start() {
  for (auto& l : loops_) threads_.emplace_back([&l] { l->run(); });
  // Nobody is let in before every loop knows the sessions: a client that comes back after a restart would hear that its session,
  // and so its hold, is unknown.
  if (around_.sessions_first)
    for (auto& l : loops_) l->first_directory().wait();
  for (auto& l : listeners_) {
    auto& home = l->limits().kind == listener_kind::admin ? *loops_.back() : *loops_.front();
    boost::asio::post(home.io(), [&l] { l->start(); });
  }
}

void gateway::stop() {
  if (threads_.empty()) return;
  // All listeners first: what they handed to other loops arrives there before those begin to drain.
  for (auto& l : listeners_) {
    auto& home = l->limits().kind == listener_kind::admin ? *loops_.back() : *loops_.front();
    std::promise<void> stopped;
    boost::asio::post(home.io(), [&] {
      l->stop();
      stopped.set_value();
    });
    stopped.get_future().wait();
  }
  for (auto& l : loops_) l->stop();
  for (auto& t : threads_) t.join();
  threads_.clear();
}

std::uint16_t gateway::port_of(listener_kind kind) const {
  const auto it = std::ranges::find_if(listeners_, [&](const auto& l) { return l->limits().kind == kind; });
  return it == listeners_.end() ? std::uint16_t{0} : (*it)->port();
}

stats_seen gateway::stats() const {
  stats_seen sum;
  for (const auto& l : loops_) sum += l->read_stats();
  return sum;
}

loops_seen gateway::loops() const {
  loops_seen all;
  for (const auto& l : loops_) all.push_back({l->name(), l->board_row(), l->read_stats()});
  return all;
}

void gateway::sweep() {
  for (auto& l : loops_) l->sweep_all();
}

}  // namespace holdfast::gateway
