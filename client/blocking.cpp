#include "client/blocking.hpp"

#include <thread>
#include <utility>

#include "client/ids.hpp"
#include "protocol/codec.hpp"

namespace holdfast::client {

using base::trouble;

base::result<blocking> blocking::connect(options o) {
  auto to = resolve(o.to);
  if (!to) return to.failure();
  auto reached = link::reach(o, *to);
  if (!reached) return reached.failure();
  const auto until = std::chrono::steady_clock::now() + o.connect_patience;
  auto first = link::greet(o, std::move(*reached));
  base::random chance(random_seed());
  // A server that takes connections and says nothing uses up the patience at once.
  const auto worth_it = [&](unsigned attempt) {
    return first.failure().kind == trouble::unavailable && attempt < o.attempts && std::chrono::steady_clock::now() < until;
  };
  for (unsigned attempt = 1; !first && worth_it(attempt); ++attempt) {
    std::this_thread::sleep_for(o.backoff.before(attempt - 1, chance));
    first = link::open(o, *to);
  }
  if (!first) return first.failure();
  return blocking(std::move(o), std::move(*to), std::move(*first));
}

blocking::blocking(options o, std::vector<endpoint> to, link first)
    : options_(std::move(o)), to_(std::move(to)), link_(std::move(first)), greeting_(link_->greeting()), chance_(random_seed()) {}

core::log_time blocking::now() const {
  if (link_) return link_->now();
  if (money_) return money_->now();
  return greeting_.now;
}

core::envelope blocking::envelope(core::command_id id, core::channel_no channel, milliseconds patience) const {
  core::envelope e;
  e.id = id;
  e.channel = channel;
  e.client_deadline = core::log_time{now().value + static_cast<std::uint64_t>(patience.count()) * core::us_per_ms};
  return e;
}

template <class Encode>
base::result<protocol::answer_message> blocking::exchange(bool money, Encode encode) {
  auto& over = money && options_.money_apart ? money_ : link_;
  bool retry = false;
  for (unsigned attempt = 0;; ++attempt) {
    base::error lost;
    if (!over) {
      auto fresh = link::open(options_, to_);
      if (fresh) over = std::move(*fresh);
      else lost = fresh.failure();
    }
    if (over) {
      out_.clear();
      const auto id = next_id_++;
      encode(id, retry, out_);
      // A server that says its limit would otherwise have to close the connection over this frame.
      if (out_.size() > over->greeting().request_bytes_max)
        return base::error{trouble::bad_input, "the request has " + std::to_string(out_.size()) + " bytes and the server takes " +
                                                   std::to_string(over->greeting().request_bytes_max) + ": ask for less at once"};
      auto a = over->ask(out_, id, options_.answer_patience);
      if (a) return a;
      lost = a.failure();
      over.reset();
      retry = true;
    }
    if (lost.kind != trouble::unavailable || attempt + 1 >= options_.attempts) return lost;
    std::this_thread::sleep_for(options_.backoff.before(attempt, chance_));
  }
}

blocking::answer blocking::tell(session s, const head& h, const core::command& c) {
  const auto money = protocol::is_money(protocol::kind_of(c));
  auto a = exchange(money, [&](std::uint64_t id, bool retry, base::bytes& out) {
    protocol::encode_request(id, options_.listener, s, h, c, retry, out);
  });
  if (!a) return a.failure();
  return answered{a->said, a->now};
}

namespace {

template <class Seen>
base::result<looked<Seen>> shown_in(base::result<protocol::answer_message> a) {
  if (!a) return a.failure();
  looked<Seen> l{a->said, a->now, {}};
  if (l.said.refused != core::refusal::none) return l;
  auto* seen = std::get_if<Seen>(&a->shown);
  if (seen == nullptr) return base::error{trouble::bad_bytes, "the server shows something else than was asked"};
  l.seen = std::move(*seen);
  return l;
}

}  // namespace

template <class Seen>
base::result<looked<Seen>> blocking::look(session s, const core::look& l) {
  return shown_in<Seen>(exchange(false, [&](std::uint64_t id, bool retry, base::bytes& out) {
    protocol::encode_request(id, options_.listener, s, l, retry, out);
  }));
}
template base::result<looked<core::session_seen>> blocking::look(session, const core::look&);
template base::result<looked<core::hold_seen>> blocking::look(session, const core::look&);
template base::result<looked<core::seat_seen>> blocking::look(session, const core::look&);
template base::result<looked<core::owner_seen>> blocking::look(session, const core::look&);
template base::result<looked<core::fate_seen>> blocking::look(session, const core::look&);
template base::result<looked<protocol::plan_page>> blocking::look(session, const core::look&);
template base::result<looked<core::seats_seen>> blocking::look(session, const core::look&);
template base::result<looked<core::changes_seen>> blocking::look(session, const core::look&);
template base::result<looked<core::holds_seen>> blocking::look(session, const core::look&);

template <class Seen>
base::result<looked<Seen>> blocking::house(const protocol::house_asked& h) {
  return shown_in<Seen>(exchange(false, [&](std::uint64_t id, bool retry, base::bytes& out) {
    protocol::encode_house_request(id, h, retry, out);
  }));
}

base::result<looked<protocol::session_brief>> blocking::session_named(std::string_view name) {
  return house<protocol::session_brief>(protocol::session_named{std::string(name)});
}
base::result<looked<protocol::session_brief>> blocking::create_session(const protocol::create_session& c) {
  return house<protocol::session_brief>(c);
}
base::result<looked<protocol::sessions_listed>> blocking::list_sessions(const protocol::list_sessions& l) {
  return house<protocol::sessions_listed>(l);
}
base::result<looked<protocol::actors_seen>> blocking::actors(const protocol::look_actors& l) { return house<protocol::actors_seen>(l); }
base::result<looked<protocol::actor_inside_seen>> blocking::actor_inside(std::uint64_t id) {
  return house<protocol::actor_inside_seen>(protocol::look_actor_inside{id});
}
base::result<looked<protocol::stats_seen>> blocking::stats() { return house<protocol::stats_seen>(protocol::look_stats{}); }
base::result<looked<protocol::found>> blocking::find(const protocol::find& f) { return house<protocol::found>(f); }

base::result<answered> blocking::ping() {
  auto a = exchange(false, [&](std::uint64_t id, bool retry, base::bytes& out) { protocol::encode_house_request(id, protocol::ping{}, retry, out); });
  if (!a) return a.failure();
  return answered{a->said, a->now};
}

}  // namespace holdfast::client
