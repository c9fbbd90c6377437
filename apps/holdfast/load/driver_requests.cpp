// The driver's requests: what is asked next, how it goes out, and what its answer means.
#include <cstring>

#include "apps/holdfast/load/driver.hpp"
#include "protocol/frame.hpp"

namespace holdfast::cli::load {

namespace {

constexpr std::size_t answer_id_at = 8, refusal_at = 42, outcome_at = 44, answer_bytes_min = 45;
constexpr std::uint8_t refund_due = static_cast<std::uint8_t>(core::money_outcome::refund_due);

template <class T>
T get(const std::uint8_t* from, std::size_t at) {
  T t;
  std::memcpy(&t, from + at, sizeof t);
  return t;
}

}  // namespace

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
  const auto request = get<std::uint64_t>(frame, answer_id_at);
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

}  // namespace holdfast::cli::load
