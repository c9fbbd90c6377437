// A session with a generated hall, for benchmarks: one million owners, each with an account key.
#pragma once

#include <memory>
#include <vector>

#include "base/random.hpp"
#include "core/engine.hpp"

namespace holdfast::bench {

inline constexpr std::uint64_t owners = 1'000'000;

inline core::session make_session(std::shared_ptr<const core::plan> seating, std::uint64_t ended_holds_max = 0) {
  auto terms = std::make_shared<core::session_terms>();
  terms->name = "bench";
  terms->currency = "EUR";
  terms->rules = core::default_policy();
  terms->rules.ended_holds_max = ended_holds_max;
  terms->rules.ended_holds_hard_max = ended_holds_max;
  terms->seating = std::move(seating);
  const core::record created{core::sequence{1}, core::log_time{1'000'000}, core::rules_version, {}, core::create_session{terms}, core::session_created{}};
  return core::session::create(core::session_id{1}, created, {.hash_key = 0x5ca1ab1e});
}

/// What a hold that won is answered with.
inline core::answer a_granted_hold() {
  core::answer said;
  said.state = core::hold_state::held;
  said.granted = said.deadline = core::log_time{1'700'000'000'000'000};
  said.tells_of = said.waits_for = core::sequence{123'456};
  return said;
}

/// Requests that borrow from themselves: one seat, one account key each.
class requests {
 public:
  explicit requests(std::size_t n) : lines_(n), keys_(n), asked_(n) {}

  /// Request `i` of the batch holds `seat` for owner number `owner`.
  void hold(std::size_t i, std::uint32_t seat, std::uint64_t owner, const core::id128& id, core::log_time now) {
    lines_[i] = {core::place_kind::seat, seat, 1, 7};
    const core::id128 who{owner * 0x9e3779b97f4a7c15ULL + 1, owner + 1};
    keys_[i] = {core::key_kind::account, {who.lo * 0xff51afd7ed558ccdULL, who.hi}};
    auto& r = asked_[i];
    r.ticket = i;
    r.head = {};
    r.head.from.who = core::role::shop;
    r.head.id = core::command_id{id};
    r.head.client_deadline = core::log_time{now.value + 60 * core::us_per_s};
    core::hold_seats c;
    c.owner = core::owner_id{who};
    c.keys = {&keys_[i], 1};
    c.lines = {&lines_[i], 1};
    c.interval = 900'000;
    r.asked = core::command{c};
  }
  [[nodiscard]] std::span<const core::request> first(std::size_t n) const { return std::span(asked_).first(n); }
  core::request& at(std::size_t i) { return asked_[i]; }

 private:
  std::vector<core::line> lines_;
  std::vector<core::limit_key> keys_;
  std::vector<core::request> asked_;
};

/// Counts what comes out and keeps nothing.
struct counting_sink final : core::step_sink {
  std::uint64_t records = 0, accepted = 0, refused = 0;
  void on_record(const core::record&) override { ++records; }
  void on_view_change(const core::view_change&) override {}
  void on_answer(std::uint64_t, const core::answer& said, std::shared_ptr<const core::seen>) override {
    ++(said.refused == core::refusal::none ? accepted : refused);
  }
};

inline void open_for_all(core::engine& e, core::log_time now, base::random& random) {
  counting_sink sink;
  core::request r;
  r.head.from.who = core::role::op;
  r.head.id = core::command_id{random.id()};
  r.asked = core::command{core::open_sale{}};
  e.step({&r, 1}, now, sink);
  HOLDFAST_CHECK(sink.accepted == 1, "the sale opens");
}

}  // namespace holdfast::bench
