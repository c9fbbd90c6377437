// How many holds a second: every connection keeps its depth full of holds of one place each, and nothing else.
#pragma once

#include <cstdint>

#include "base/histogram.hpp"
#include "client/pipelined.hpp"

namespace holdfast::cli {

class hold_race final : public client::receiver {
 public:
  /// Seats 0, 1, 2 ... of the session; with `area` places of that area instead.
  hold_race(core::session_id session, std::uint32_t plan_revision, core::channel_no channel, std::uint64_t holds, std::int64_t area, std::uint64_t seed)
      : session_(session), revision_(plan_revision), channel_(channel), holds_(holds), area_(area), chance_(seed) {}

  void start(client::pipelined& over) {
    over_ = &over;
    for (std::uint32_t c = 0; c < over.connections(); ++c)
      while (next_ < holds_ && over.room(c)) ask(c);
  }
  [[nodiscard]] bool over() const { return over_->in_flight() == 0; }
  [[nodiscard]] double done() const { return static_cast<double>(accepted_ + refused_) / static_cast<double>(holds_); }
  [[nodiscard]] std::uint64_t accepted() const { return accepted_; }
  [[nodiscard]] std::uint64_t refused() const { return refused_; }
  [[nodiscard]] std::uint64_t unknown() const { return unknown_; }
  [[nodiscard]] core::refusal last_refusal() const { return last_refusal_; }
  [[nodiscard]] const base::histogram& latency() const { return latency_; }

  void answered(const client::arrival& a) override {
    latency_.add(static_cast<std::uint64_t>(a.waited_ns));
    if (a.message.said.refused == core::refusal::none) {
      ++accepted_;
    } else {
      ++refused_;
      last_refusal_ = a.message.said.refused;
    }
    if (next_ < holds_ && over_->room(a.connection)) ask(a.connection);
  }
  void given_up(std::uint32_t, std::uint64_t, const base::error&) override {
    ++unknown_;
    next_ = holds_;
  }

 private:
  void ask(std::uint32_t connection) {
    core::envelope head;
    head.channel = channel_;
    head.id = core::command_id{chance_.id()};
    head.client_deadline = over_->deadline(std::chrono::milliseconds(60'000));
    const core::owner_id owner{chance_.id()};
    const core::limit_key keys[] = {{core::key_kind::account, owner.value}};
    const bool standing = area_ >= 0;
    const core::line lines[] = {{standing ? core::place_kind::area : core::place_kind::seat,
                                 static_cast<std::uint32_t>(standing ? static_cast<std::uint64_t>(area_) : next_), 1, 1}};
    over_->send(connection, next_++, session_, head, core::hold_seats{owner, keys, lines, 600'000, revision_, {}});
  }

  const core::session_id session_;
  const std::uint32_t revision_;
  const core::channel_no channel_;
  const std::uint64_t holds_;
  const std::int64_t area_;
  base::random chance_;
  client::pipelined* over_ = nullptr;
  std::uint64_t next_ = 0, accepted_ = 0, refused_ = 0, unknown_ = 0;
  core::refusal last_refusal_ = core::refusal::none;
  base::histogram latency_;
};

}  // namespace holdfast::cli
