#include "apps/holdfast/load/driver.hpp"

#include <array>
#include <cstring>

#include <sys/epoll.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "protocol/frame.hpp"

namespace holdfast::cli::load {

namespace {

using steady = std::chrono::steady_clock;

constexpr std::size_t in_bytes = 256 * 1024, out_bytes = 512 * 1024;
constexpr std::size_t events_max = 512;
constexpr std::int64_t patience_ns = 15'000'000'000;  // for any answer at all
constexpr std::int64_t look_up_ns = 50'000'000;       // from waiting, to see whether to stop
constexpr std::chrono::seconds client_deadline{60};
constexpr std::size_t id_at = 8, refusal_at = 42, outcome_at = 44, answer_bytes_min = 45;
constexpr std::uint8_t refund_due = static_cast<std::uint8_t>(core::money_outcome::refund_due);

template <class T>
T get(const std::uint8_t* from, std::size_t at) {
  T t;
  std::memcpy(&t, from + at, sizeof t);
  return t;
}

}  // namespace

std::int64_t steady_ns() { return std::chrono::duration_cast<std::chrono::nanoseconds>(steady::now().time_since_epoch()).count(); }

driver::driver(const common& c, unsigned number, std::uint32_t depth_max)
    : common_(c), frames_(c.channel, c.hold_for), depth_max_(depth_max), chance_(c.seed + 0x1234567ULL * (number + 1)), in_(in_bytes),
      out_(out_bytes) {}

base::result<std::unique_ptr<driver>> driver::open(const common& c, unsigned number, std::uint32_t connections, std::uint32_t depth_max) {
  std::unique_ptr<driver> d(new driver(c, number, depth_max));
  d->poll_ = ::epoll_create1(EPOLL_CLOEXEC);
  if (d->poll_ < 0) return base::error{base::trouble::io, "the system gives no epoll"};
  d->links_.reserve(connections);
  for (std::uint32_t i = 0; i < connections; ++i) {
    auto l = connection::open(c.link, c.to);
    if (!l) return l.failure();
    epoll_event e{};
    e.events = EPOLLIN;
    e.data.u32 = i;
    if (::epoll_ctl(d->poll_, EPOLL_CTL_ADD, l->fd(), &e) != 0) return base::error{base::trouble::io, "epoll takes no more connections"};
    d->clock_.set(l->greeting().now);
    d->links_.push_back(std::move(*l));
  }
  d->slots_.resize(std::size_t{connections} * depth_max);
  d->free_.resize(connections);
  d->room_.resize(connections);
  return d;
}

driver::~driver() {
  if (poll_ >= 0) ::close(poll_);
}

void driver::begin(const phase& p) {
  phase_ = p;
  phase_.depth = std::min(p.depth, depth_max_);
  schedule_ = rate_schedule(p.begin_ns, p.rate > 0 ? p.rate : 1);
  block_ = {};
  issued_ = in_flight_ = behind_ = 0;
  closing_ = exhausted_ = full_ = false;
  thinking_.clear();
  tally_ = std::make_unique<tally>();
  answered_.store(0, std::memory_order_relaxed);
  for (std::uint32_t c = 0; c < links_.size(); ++c) {
    const auto first = c * depth_max_;
    for (std::uint32_t i = 0; i < depth_max_; ++i) slots_[first + i].next_free = i + 1 < depth_max_ ? first + i + 1 : none;
    free_[c] = first;
    room_[c] = phase_.depth;
  }
}

bool driver::run(const phase& p) {
  // A sleeping thread is woken within microseconds of what it asked for, not within the usual 50.
  ::prctl(PR_SET_TIMERSLACK, 1UL, 0, 0, 0);
  begin(p);
  now_ns_ = heard_ns_ = steady_ns();
  while (now_ns_ < phase_.begin_ns && !stop_.load(std::memory_order_relaxed)) wait();
  deadline_ = core::log_time{clock_.now().value + std::uint64_t{client_deadline.count()} * core::us_per_s};
  fill_closed();
  while (!over()) {
    wait();
    deadline_ = core::log_time{clock_.now().value + std::uint64_t{client_deadline.count()} * core::us_per_s};
    go_on_thinking();
    fill_open();
    if (!trouble_.empty()) return false;
  }
  return trouble_.empty();
}

bool driver::over() {
  const bool stopped = exhausted_ || stop_.load(std::memory_order_relaxed) || issued_ >= phase_.operations_max;
  if (!closing_ && (stopped || now_ns_ >= phase_.until_ns)) {
    closing_ = true;
    behind_ = in_flight_;
    if (open_loop()) {
      const auto due = schedule_.due(std::min(now_ns_, phase_.until_ns));
      tally_->never_sent = due > issued_ && !exhausted_ ? due - issued_ : 0;
      behind_ += tally_->never_sent;
    }
    if (now_ns_ >= phase_.until_ns) phase_.from->close();
  }
  if (in_flight_ != 0 && now_ns_ - heard_ns_ > patience_ns) broken("the server does not answer any more");
  // Of those who think, only they stay who have a hold to see to.
  while (closing_ && !thinking_.empty() && thinking_.front().is.what == asks::something_new && !may_begin()) thinking_.pop();
  return !trouble_.empty() || (closing_ && in_flight_ == 0 && thinking_.empty() && !may_begin());
}

/// Whether there is to be another hold, as far as time and the number asked for say; the stock may still have none.
bool driver::may_begin() const {
  if (exhausted_ || stop_.load(std::memory_order_relaxed) || issued_ >= phase_.operations_max) return false;
  return phase_.work.whole_sales || now_ns_ < phase_.until_ns;
}

bool driver::next_new(task& t) {
  if (!may_begin()) return false;
  if (block_.begin == block_.end) {
    block_ = phase_.from->take();
    if (block_.begin == block_.end) return !(exhausted_ = true);
  }
  const auto where = phase_.from->at(block_.begin++, chance_);
  t.session = where.session;
  t.seat = where.seat;
  t.user = static_cast<std::uint32_t>(chance_.below(common_.users));
  t.what = phase_.work.look_percent != 0 && chance_.chance(phase_.work.look_percent) ? asks::look : asks::hold;
  return true;
}

base::id128 driver::owner_of(std::uint32_t user) const {
  base::random r(common_.seed ^ (std::uint64_t{user} << 20U));
  return r.id();
}

/// Encodes the operation; false if the connection has no room, or nothing is to be asked.
bool driver::put(std::uint32_t connection, task& t, std::int64_t since_ns) {
  if (room_[connection] == 0) return false;
  if (t.what == asks::something_new && !next_new(t)) return false;
  const auto s = free_[connection];
  auto& mine = slots_[s];
  free_[connection] = mine.next_free;
  --room_[connection];
  ++in_flight_;
  ++issued_;
  const auto request = std::uint64_t{s} + 1;
  const auto hall = common_.halls[t.session];
  auto* to = out_.data() + out_size_;
  if (t.what == asks::hold) t.hold = chance_.id();
  const buyer b{owner_of(t.user), t.hold};
  switch (t.what) {
    case asks::something_new:
    case asks::hold: out_size_ += frames_.hold(to, request, hall, deadline_, b, t.seat); break;
    case asks::confirm: out_size_ += frames_.confirm(to, request, hall, b); break;
    case asks::release: out_size_ += frames_.release(to, request, hall, deadline_, b, chance_.id()); break;
    case asks::look: out_size_ += frames_.look(to, request, hall, t.seat); break;
  }
  mine.is = t;
  mine.since_ns = since_ns;
  if (out_size_ + frames::bytes_max > out_.size()) flush(connection);
  return true;
}

void driver::flush(std::uint32_t connection) {
  if (out_size_ == 0) return;
  ++tally_->writes;
  auto& l = links_[connection];
  const bool waited = l.waits();
  const bool all = l.write(base::byte_view(out_).first(out_size_));
  out_size_ = 0;
  if (l.lost()) return broken("the server closed a connection");
  if (!all && !waited) watch(connection, true);
}

void driver::watch(std::uint32_t connection, bool for_writing) {
  epoll_event e{};
  e.events = for_writing ? EPOLLIN | EPOLLOUT : EPOLLIN;
  e.data.u32 = connection;
  ::epoll_ctl(poll_, EPOLL_CTL_MOD, links_[connection].fd(), &e);
}

void driver::fill_closed() {
  if (open_loop()) return;
  for (std::uint32_t c = 0; c < links_.size(); ++c) {
    for (task t; put(c, t, now_ns_); t = {}) {}
    flush(c);
  }
}

/// What is due goes out in as few writes as there are connections with room, an equal share each.
void driver::fill_open() {
  if (!open_loop() || closing_) return;
  const auto due = std::min(schedule_.due(std::min(now_ns_, phase_.until_ns - 1)), phase_.operations_max);
  full_ = false;
  if (due <= issued_) return;
  const auto n = static_cast<std::uint32_t>(links_.size());
  const auto share = (due - issued_ + n - 1) / n;
  for (std::uint32_t tried = 0; tried < n && issued_ < due && trouble_.empty(); ++tried) {
    const auto c = turn_;
    turn_ = turn_ + 1 == n ? 0 : turn_ + 1;
    for (std::uint64_t i = 0; i < share && issued_ < due; ++i) {
      task t;
      const bool follows = !thinking_.empty() && thinking_.front().ready_ns <= now_ns_;
      if (follows) t = thinking_.front().is;
      const auto since = schedule_.at(issued_);
      if (!put(c, t, since)) break;
      if (follows) thinking_.pop();
    }
    flush(c);
  }
  full_ = issued_ < due;
}

/// In a closed loop each goes on where he was; in an open one the schedule takes them.
void driver::go_on_thinking() {
  if (open_loop() && !closing_) return;
  while (!thinking_.empty() && thinking_.front().ready_ns <= now_ns_ && trouble_.empty()) {
    auto w = thinking_.front();
    if (room_[w.connection] == 0) break;  // an open loop's last ones; the next answer makes room
    thinking_.pop();
    if (put(w.connection, w.is, now_ns_)) flush(w.connection);
  }
}

void driver::readable(std::uint32_t connection) {
  auto& l = links_[connection];
  const auto all = l.read(in_);
  ++tally_->reads;
  if (l.lost()) return broken("the server closed a connection");
  if (all.empty()) return;
  now_ns_ = heard_ns_ = steady_ns();
  std::size_t at = 0;
  while (all.size() - at >= protocol::frame_header_bytes) {
    const auto length = get<std::uint32_t>(all.data(), at);
    if (length < protocol::frame_header_bytes) return broken("what answers is no Holdfast server");
    if (all.size() - at < length) break;
    answered(connection, all.data() + at, length);
    at += length;
  }
  if (at < all.size()) l.keep(all.subspan(at));
  if (!open_loop()) flush(connection);
}

void driver::answered(std::uint32_t connection, const std::uint8_t* frame, std::uint32_t length) {
  const auto request = get<std::uint64_t>(frame, id_at);
  // What answers nothing is a last word: why the server goes is in its log.
  if (request == 0 || request > slots_.size()) return broken("the server ended a connection");
  if (length < answer_bytes_min) return broken("an answer is too short");
  const auto place = static_cast<std::uint32_t>(request - 1);
  auto& s = slots_[place];
  s.next_free = free_[connection];
  free_[connection] = place;
  ++room_[connection];
  --in_flight_;
  answered_.store(answered_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);

  const auto said = static_cast<core::refusal>(get<std::uint16_t>(frame, refusal_at));
  const bool won = said == core::refusal::none;
  const auto t = s.is;
  const auto d = t.what == asks::confirm   ? deed::confirm
                 : t.what == asks::release ? deed::release
                 : t.what == asks::look    ? deed::look
                 : won                     ? deed::hold_won
                                           : deed::hold_refused;
  if ((open_loop() ? s.since_ns : now_ns_) >= phase_.count_from_ns) {
    tally_->add(d, said, now_ns_ - s.since_ns);
    tally_->last_ns = now_ns_;
    if (t.what == asks::confirm && won && frame[outcome_at] == refund_due) ++tally_->refunds;
  } else {
    ++tally_->uncounted;
  }
  follow(connection, t, won);
}

/// What the buyer does now that he was answered.
void driver::follow(std::uint32_t connection, const task& t, bool won) {
  auto next = t;
  next.what = asks::something_new;
  if (t.what == asks::hold && won) {
    const auto p = static_cast<unsigned>(phase_.work.confirm_percent == 100 ? 0 : chance_.below(100));
    if (p < phase_.work.confirm_percent) next.what = asks::confirm;
    else if (p < phase_.work.confirm_percent + phase_.work.release_percent) next.what = asks::release;
  }
  if (open_loop() && next.what == asks::something_new) return;
  if (open_loop() || phase_.think_ns > 0) return thinking_.push({now_ns_ + phase_.think_ns, connection, next});
  (void)put(connection, next, now_ns_);
}

void driver::wait() {
  auto until = now_ns_ + look_up_ns;
  if (now_ns_ < phase_.begin_ns) until = std::min(until, phase_.begin_ns);
  else if (open_loop() && !closing_) until = std::min(until, full_ ? phase_.until_ns : schedule_.at(issued_));
  if (!thinking_.empty() && (!open_loop() || closing_)) until = std::min(until, thinking_.front().ready_ns);
  std::array<epoll_event, events_max> events;
  const auto left = std::max<std::int64_t>(0, until - steady_ns());
  const timespec patience{left / 1'000'000'000, left % 1'000'000'000};
  ++tally_->waits;
  const int n = ::epoll_pwait2(poll_, events.data(), static_cast<int>(events.size()), &patience, nullptr);
  now_ns_ = steady_ns();
  for (int i = 0; i < n && trouble_.empty(); ++i) {
    const auto& e = events[static_cast<std::size_t>(i)];
    const auto c = e.data.u32;
    if ((e.events & EPOLLOUT) != 0 && links_[c].push()) watch(c, false);
    if (links_[c].lost()) broken("the server closed a connection");
    if ((e.events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0) readable(c);
  }
}

void driver::broken(std::string why) {
  if (trouble_.empty()) trouble_ = std::move(why);
}

std::uint64_t driver::retransmitted() const {
  std::uint64_t n = 0;
  for (const auto& l : links_) n += l.retransmitted();
  return n;
}

}  // namespace holdfast::cli::load
