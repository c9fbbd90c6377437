#include "apps/holdfast/load/driver.hpp"

#include <array>

#include <sys/epoll.h>
#include <sys/prctl.h>
#include <unistd.h>

namespace holdfast::cli::load {

namespace {

using steady = std::chrono::steady_clock;

constexpr std::size_t in_bytes = 256 * 1024, out_bytes = 512 * 1024;
constexpr std::size_t events_max = 512;
constexpr std::int64_t patience_ns = 15'000'000'000;  // for any answer at all
constexpr std::int64_t look_up_ns = 50'000'000;       // from waiting, to see whether to stop
constexpr std::chrono::seconds client_deadline{60};

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
