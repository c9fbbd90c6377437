#include "tests/system/rush.hpp"

#include <functional>

#include <fmt/format.h>

namespace holdfast::system_test {
namespace {

constexpr core::interval_ms hold_for = 600'000;

std::string reference(std::uint64_t n) { return fmt::format("pay-{:012x}", n); }

bool money(promise::kind k) { return k == promise::kind::confirm || k == promise::kind::stray_confirm; }

}  // namespace

std::uint64_t rush::add(promise p) {
  p.order = ++orders_;
  promises_.push_back(p);
  return promises_.size() - 1;
}

void rush::send(std::uint32_t connection, std::uint64_t index, const core::command& c) {
  std::uint64_t ticket = 0;
  if (free_tickets_.empty()) {
    ticket = tickets_.size();
    tickets_.emplace_back();
  } else {
    ticket = free_tickets_.back();
    free_tickets_.pop_back();
  }
  tickets_[ticket] = {false, index, false};
  core::envelope head;
  head.id = promises_[index].id;
  if (!money(promises_[index].what)) head.client_deadline = link_->deadline(std::chrono::seconds(300));
  link_->send(connection, ticket, session_, head, c);
}

/// One more thing that a box office does: mostly new holds, then all that may follow on one.
void rush::next(std::uint32_t connection) {
  const auto pick = random_.below(100);
  promise p;
  if (pick < 45 || baskets_.empty()) {
    p.what = promise::kind::hold;
    p.owner = core::owner_id{random_.id()};
    p.id = p.hold = core::command_id{random_.id()};
    basket_of_[p.hold.value.lo] = baskets_.size();
    baskets_.push_back({p.owner, p.hold, {}});
    const core::limit_key key{core::key_kind::account, p.owner.value};
    core::line lines[2];
    const std::size_t n = 1 + random_.below(2);
    const auto seat = static_cast<std::uint32_t>(random_.below(seats_ - 1));
    for (std::size_t i = 0; i < n; ++i) lines[i] = {core::place_kind::seat, seat + static_cast<std::uint32_t>(i), 1, 3};
    core::hold_seats c;
    c.owner = p.owner;
    c.keys = {&key, 1};
    c.lines = {lines, n};
    c.interval = hold_for;
    const auto index = add(p);
    baskets_.back().promises.push_back(index);
    return send(connection, index, c);
  }
  if (pick < 47) {  // money for a hold that nobody knows: must end as a refund due
    p.what = promise::kind::stray_confirm;
    p.owner = core::owner_id{random_.id()};
    p.hold = core::hold_id{random_.id()};
    p.payment = random_.next();
    const auto ref = reference(p.payment);
    return send(connection, add(p), core::confirm_hold{p.owner, p.hold, base::as_bytes(ref), 4'200, core::payment_kind::card});
  }
  // Something on one of the newest holds.
  const auto newest = std::min<std::size_t>(baskets_.size(), 4'000);
  auto& b = baskets_[baskets_.size() - 1 - random_.below(newest)];
  p.owner = b.owner;
  p.hold = b.hold;
  if (pick < 80) {
    p.what = promise::kind::confirm;
    p.payment = random_.next();  // a second payment for a hold comes out of this now and then
    const auto ref = reference(p.payment);
    const auto index = add(p);
    b.promises.push_back(index);
    return send(connection, index, core::confirm_hold{p.owner, p.hold, base::as_bytes(ref), 4'200, core::payment_kind::card});
  }
  p.id = core::command_id{random_.id()};
  if (pick < 86) {
    p.what = promise::kind::extend;
    const auto index = add(p);
    b.promises.push_back(index);
    return send(connection, index, core::extend_hold{p.owner, p.hold, hold_for});
  }
  if (pick < 92) {
    p.what = promise::kind::pay;
    const auto index = add(p);
    b.promises.push_back(index);
    return send(connection, index, core::begin_payment{p.owner, p.hold, base::as_bytes("attempt"), hold_for, {}});
  }
  p.what = promise::kind::release;
  const auto index = add(p);
  b.promises.push_back(index);
  send(connection, index, core::release_hold{p.owner, p.hold, {}, false});
}

void rush::answered(const client::arrival& a) {
  const auto t = tickets_[a.ticket];
  free_tickets_.push_back(a.ticket);
  auto& p = promises_[t.promise];
  if (t.verifying) {
    if (first_seen_.value == 0) first_seen_ = a.message.now;
    return check(p, a.message, t.look);
  }
  if (crashed_) return;  // read after the crash: came before it all the same, but does not count
  last_seen_ = std::max(last_seen_, a.message.now);
  last_heard_ = std::chrono::steady_clock::now();
  if (a.message.said.refused != core::refusal::none) {
    ++tally_.refused;
  } else {
    p.acknowledged = true;
    p.said = a.message.said;
    ++tally_.acknowledged;
  }
}

void rush::given_up(std::uint32_t, std::uint64_t ticket, const base::error&) {
  gone_ = true;
  if (tickets_[ticket].verifying)
    found_.blame(found_.lost, "the server went away while it was asked");
  free_tickets_.push_back(ticket);
}

base::result<tally> rush::run(const client::options& to, std::uint64_t acks, std::size_t flying, const std::function<void()>& crash) {
  client::pipelined_options o;
  o.link = to;
  o.link.attempts = 1;
  o.connections = 8;
  o.depth = 128;
  auto opened = client::pipelined::open(o, *this);
  if (!opened) return opened.failure();
  link_ = opened->get();
  tally_ = {};
  crashed_ = gone_ = false;
  last_seen_ = {};
  while (true) {
    // What is still to be read of an ended server counts: it was said.
    if (gone_ && link_->in_flight() == 0) break;
    for (std::uint32_t c = 0; c < link_->connections() && !gone_; ++c)
      while (link_->room(c)) next(c);
    const bool enough = tally_.acknowledged >= acks;
    link_->turn(std::chrono::milliseconds(enough ? 0 : 1'000));  // what was asked is on its way now, what was answered is read
    tally_.in_flight_at_kill = link_->in_flight();
    if (!gone_ && enough && tally_.in_flight_at_kill >= flying) break;
  }
  crash();
  silence_ = std::chrono::steady_clock::now() - last_heard_;
  crashed_ = true;
  link_ = nullptr;
  return tally_;
}

void rush::check(const promise& p, const protocol::answer_message& m, bool look) {
  ++found_.checked;
  const auto name = base::to_hex(p.hold.value);
  // Known holds are never refused a look: unknown_session or busy here would be a promise broken as much as a lost record.
  if (!money(p.what) && m.said.refused != core::refusal::none)
    return found_.blame(found_.lost, fmt::format("hold {} is refused: {}", name, core::name_of(m.said.refused)));
  if (look) {  // the hold itself
    const auto* seen = std::get_if<core::hold_seen>(&m.shown);
    if (seen == nullptr) return found_.blame(found_.lost, fmt::format("hold {} is unknown", name));
    const bool live = seen->state == core::hold_state::held || seen->state == core::hold_state::paying;
    // Time left when we last heard of the server, less what has passed until it was down and since it is back, must still be there.
    if (!live || p.said.granted.value == 0) return;
    const auto left_then = static_cast<std::int64_t>(p.said.granted.value) - static_cast<std::int64_t>(last_seen_.value);
    const auto left_now = static_cast<std::int64_t>(seen->deadline.value) - static_cast<std::int64_t>(m.now.value);
    const auto served = static_cast<std::int64_t>(m.now.value - first_seen_.value) +
                        std::chrono::duration_cast<std::chrono::microseconds>(silence_).count() + 2'000'000;
    if (left_now + served < left_then)
      found_.blame(found_.short_of_time, fmt::format("hold {} had {} s left and has {} s", name, left_then / 1'000'000, left_now / 1'000'000));
    return;
  }
  if (money(p.what)) {
    const auto& s = m.said;
    if (s.refused != core::refusal::none || s.outcome == core::money_outcome::none)
      return found_.blame(found_.wrong, fmt::format("payment {} for {} came to nothing: {}", reference(p.payment), name, core::name_of(s.refused)));
    if (!p.acknowledged) return;
    if (!s.repeated) return found_.blame(found_.lost, fmt::format("payment {} for {} was forgotten", reference(p.payment), name));
    if (s.outcome != p.said.outcome || s.reason != p.said.reason || s.number != p.said.number)
      return found_.blame(found_.wrong, fmt::format("payment {} for {} is answered differently", reference(p.payment), name));
    return;
  }
  const auto* seen = std::get_if<core::fate_seen>(&m.shown);
  if (seen == nullptr || seen->what != core::fate::accepted) return found_.blame(found_.lost, fmt::format("a command on hold {} was forgotten", name));
  if (seen->first.granted != p.said.granted) return found_.blame(found_.wrong, fmt::format("a command on hold {} is answered differently", name));
}

base::result<findings> rush::verify(const client::options& to) {
  client::pipelined_options o;
  o.link = to;
  o.connections = 4;
  o.depth = 256;
  auto opened = client::pipelined::open(o, *this);
  if (!opened) return opened.failure();
  link_ = opened->get();
  found_ = {};
  first_seen_ = {};
  tickets_.clear();
  free_tickets_.clear();
  std::uint32_t connection = 0;
  const auto ask = [&](std::uint64_t index, bool look, const auto& what) {
    while (!link_->room(connection)) {
      connection = (connection + 1) % link_->connections();
      if (connection == 0) link_->turn(std::chrono::milliseconds(100));
    }
    std::uint64_t ticket = tickets_.size();
    if (!free_tickets_.empty()) {
      ticket = free_tickets_.back();
      free_tickets_.pop_back();
    } else {
      tickets_.emplace_back();
    }
    tickets_[ticket] = {true, index, look};
    if constexpr (std::is_same_v<std::decay_t<decltype(what)>, core::look>) link_->send(connection, ticket, session_, what);
    else link_->send(connection, ticket, session_, core::envelope{}, what);
  };
  for (std::uint64_t i = 0; i < promises_.size(); ++i) {
    const auto p = promises_[i];
    if (p.what == promise::kind::hold && p.acknowledged) ask(i, true, core::look(core::look_hold{p.owner, p.hold}));
    if (!money(p.what) && p.acknowledged) ask(i, false, core::look(core::look_fate{p.owner, p.id, {}}));
  }
  // Every payment is asked again, the unknown ones too: each must end as sold once or as a refund due.
  for (std::uint64_t i = 0; i < promises_.size(); ++i) {
    const auto p = promises_[i];
    if (!money(p.what) || !p.acknowledged) continue;
    const auto ref = reference(p.payment);
    ask(i, false, core::command(core::confirm_hold{p.owner, p.hold, base::as_bytes(ref), 4'200, core::payment_kind::card}));
  }
  while (link_->in_flight() > 0) link_->turn(std::chrono::milliseconds(100));
  link_ = nullptr;
  return found_;
}

}  // namespace holdfast::system_test
