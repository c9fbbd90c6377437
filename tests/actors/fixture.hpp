// Words for stories about actors: a house on virtual time, a journal whose disk the test holds in its hand, and a
// counter ("loop") that asks and hears.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <caf/scoped_actor.hpp>
#include <doctest/doctest.h>

#include "actors/house.hpp"
#include "actors/journal_actor.hpp"
#include "persistence/record_codec.hpp"

namespace holdfast::tests {

using namespace holdfast::actors;
namespace core = holdfast::core;

inline constexpr std::uint64_t noon = 1'700'000'000'000'000;  // microseconds
inline constexpr std::uint64_t ms = 1'000;
inline constexpr std::uint64_t second = 1'000'000;
inline constexpr std::uint64_t minute = 60 * second;

class manual_time final : public time_source {
 public:
  [[nodiscard]] core::log_time now() const override { return core::log_time{log.load()}; }
  [[nodiscard]] std::uint64_t wall_clock() const override { return wall.load(); }
  std::atomic<std::uint64_t> log{noon};
  std::atomic<std::uint64_t> wall{noon};
};

/// The server's own codec.
class records final : public record_encoder {
 public:
  void encode(const core::record& r, base::bytes& out) const override { persistence::encode_record(r, out); }
  bool encode_plan(const std::shared_ptr<const core::plan>& seating, base::bytes& out) override {
    const auto added = plans.add(seating);
    if (added.fresh) out.insert(out.end(), added.what->bytes.begin(), added.what->bytes.end());
    return added.fresh;
  }
  persistence::plan_library plans;
};

/// Keeps blocks; fails when told to; calls the test in the middle of each append.
class held_journal final : public persistence::journal {
 public:
  struct kept {
    std::uint64_t session, sequence, log_time;
    base::bytes bytes;
  };
  std::vector<std::vector<kept>> blocks;
  std::function<void()> while_writing = [] {};
  std::optional<persistence::journal_failure> fails_with;
  std::uint64_t ticks = 0;
  bool closed = false;

  base::result<persistence::appended> append(std::span<const persistence::record_ref> all, std::uint64_t now) override {
    CHECK_FALSE(closed);
    while_writing();
    if (fails_with) return failed();
    std::vector<kept> block;
    for (const auto& r : all) {
      CHECK(r.log_time <= now);
      block.push_back({r.session, r.sequence, r.log_time, {r.bytes.begin(), r.bytes.end()}});
    }
    blocks.push_back(std::move(block));
    due_ = now + 100 * ms;
    return persistence::appended{blocks.size() + 1, now};
  }
  base::result<void> tick(std::uint64_t now) override {
    ++ticks;
    if (fails_with) return failed();
    due_ = now + second;
    return {};
  }
  [[nodiscard]] std::uint64_t next_due() const override { return due_; }
  base::result<void> scan(std::uint64_t, std::uint64_t, const persistence::block_visitor&) const override { return {}; }
  [[nodiscard]] const base::id128& id() const override { return id_; }
  [[nodiscard]] std::uint64_t epoch() const override { return 1; }
  [[nodiscard]] std::uint64_t first_block() const override { return 1; }
  [[nodiscard]] persistence::block_mark last_block() const override { return {blocks.size() + 1, {}}; }
  [[nodiscard]] const std::optional<persistence::journal_failure>& failure() const override { return failure_; }
  base::result<void> close(std::uint64_t) override {
    closed = true;
    return {};
  }

  [[nodiscard]] std::vector<kept> of(std::uint64_t session) const {
    std::vector<kept> all;
    for (const auto& b : blocks)
      for (const auto& r : b)
        if (r.session == session) all.push_back(r);
    return all;
  }

 private:
  base::error failed() {
    failure_ = fails_with;
    return fails_with->what;
  }
  std::optional<persistence::journal_failure> failure_;
  std::uint64_t due_ = noon + second;
  base::id128 id_{1, 2};
};

/// What came to a loop.
struct mail {
  std::vector<ticket_answer> answers;
  std::vector<std::size_t> deliveries;  ///< batches in each
  std::vector<session_answer> sessions;
  std::vector<directory_ptr> directories;
  directory known;  ///< all of them together
  std::vector<inspection_ptr> inspections;

  [[nodiscard]] const core::answer* to(std::uint64_t ticket) const {
    for (const auto& a : answers)
      if (a.ticket == ticket) return &a.said;
    return nullptr;
  }
  [[nodiscard]] const core::seen* shown(std::uint64_t ticket) const {
    for (const auto& a : answers)
      if (a.ticket == ticket) return a.shown.get();
    return nullptr;
  }
};

inline caf::behavior collect(caf::event_based_actor*, std::shared_ptr<mail> to) {
  return {
      [to](const answer_delivery_ptr& d) {
        to->deliveries.push_back(d->batches.size());
        for (const auto& b : d->batches) to->answers.insert(to->answers.end(), b->answers.begin(), b->answers.end());
      },
      [to](const session_answer_ptr& a) { to->sessions.push_back(*a); },
      [to](const directory_ptr& d) {
        to->directories.push_back(d);
        to->known.add(*d);
      },
      [to](const inspection_ptr& i) { to->inspections.push_back(i); },
  };
}

inline std::shared_ptr<const core::plan> hall_of(std::uint32_t seats) {
  auto p = std::make_shared<core::plan>();
  p->name = "hall";
  p->categories = {{"all", ""}};
  p->zones = {"main"};
  p->rows = {{0, "A"}};
  for (std::uint32_t i = 0; i < seats; ++i) {
    core::plan_seat s;
    s.number = std::to_string(i + 1);
    s.identity = "A/" + s.number;
    p->seats.push_back(s);
  }
  return p;
}

inline std::shared_ptr<const core::session_terms> terms_of(std::string name, std::uint32_t seats) {
  auto t = std::make_shared<core::session_terms>();
  t->name = std::move(name);
  t->currency = "EUR";
  t->zone = "Europe/Berlin";
  t->rules = core::default_policy();
  t->seating = hall_of(seats);
  return t;
}

inline constexpr core::channel_no box_office = 1;  // of the default policy: no purchase limit

inline core::command_id id(std::uint64_t n) { return core::command_id{{n, 0x6964}}; }
inline core::owner_id owner(std::uint64_t n) { return core::owner_id{{n, 0x6f77}}; }

inline core::envelope by(core::role who, core::command_id command = {}) {
  core::envelope e;
  e.from = {who, 1};
  e.channel = box_office;
  e.id = command;
  return e;
}

/// Commands in the making; everything they borrow lies in the batch.
class asking {
 public:
  asking(pool<request_batch>& from, caf::actor sink) : batch_(from.take()) { batch_->sink = std::move(sink); }

  template <class T>
  std::span<const T> keep(std::initializer_list<T> items) {
    auto* at = static_cast<T*>(batch_->arena().allocate(items.size() * sizeof(T), alignof(T)));
    std::uninitialized_copy(items.begin(), items.end(), at);
    return {at, items.size()};
  }
  asking& ask(std::uint64_t ticket, const core::envelope& head, core::command c) {
    batch_->requests.push_back({ticket, head, std::move(c)});
    return *this;
  }
  asking& look(std::uint64_t ticket, core::look l) {
    batch_->requests.push_back({ticket, by(core::role::op), std::move(l)});
    return *this;
  }
  asking& open(std::uint64_t ticket) { return ask(ticket, by(core::role::op, id(ticket)), core::open_sale{}); }
  asking& hold(std::uint64_t ticket, std::uint64_t now, std::uint32_t seat, core::interval_ms interval = 60'000) {
    auto head = by(core::role::shop, id(ticket));
    head.client_deadline = core::log_time{now + minute};
    core::hold_seats h;
    h.owner = owner(ticket);
    h.lines = keep<core::line>({{core::place_kind::seat, seat, 1, 7}});
    h.interval = interval;
    return ask(ticket, head, h);
  }
  asking& confirm(std::uint64_t ticket, std::uint64_t hold_ticket, std::int64_t amount = 2500) {
    core::confirm_hold c;
    c.owner = owner(hold_ticket);
    c.hold = id(hold_ticket);
    c.payment = keep<std::uint8_t>({'p', static_cast<std::uint8_t>(hold_ticket), static_cast<std::uint8_t>(hold_ticket >> 8U)});
    c.amount = amount;
    return ask(ticket, by(core::role::shop), c);
  }
  [[nodiscard]] request_batch_ptr take() { return std::move(batch_); }

 private:
  request_batch_ptr batch_;
};

struct test_config : caf::actor_system_config {
  test_config() { set("scheduler.policy", caf::atom("testing")); }
};

/// A whole house on virtual time. Nothing runs but in `settle`, `pass` and `run_only`.
class stage {
 public:
  explicit stage(registry_options options = {}, std::vector<recovered_session> recovered = {}, std::size_t block_bytes_max = 64U << 20U)
      : failure_([this](const stop_reason& r) { stops.push_back(r); }) {
    house_options h;
    h.registry = std::move(options);
    h.block_bytes_max = block_bytes_max;
    h.journal_detached = false;
    house_ = std::make_unique<house>(system, journal, std::move(recovered), time, codec, failure_, std::move(h));
    loop = system.spawn(collect, heard);
    caf::anon_send(house_->registry(), join_atom::value, loop);
    settle();
  }
  ~stage() {
    caf::anon_send(house_->registry(), stop_atom::value);
    caf::anon_send(house_->inspector(), stop_atom::value);
    caf::anon_send_exit(loop, caf::exit_reason::user_shutdown);
    for (const auto& l : more_loops) caf::anon_send_exit(l, caf::exit_reason::user_shutdown);
    settle();
    // What CAF's clock still holds would keep its actors.
    scheduler().clock().cancel_all();
  }

  caf::scheduler::test_coordinator& scheduler() { return dynamic_cast<caf::scheduler::test_coordinator&>(system.scheduler()); }
  /// Until nobody has a message left; no time passes.
  void settle() {
    while (scheduler().try_run_once()) {
    }
  }
  /// Lets everybody but the journal's actor work: its disk takes its time.
  void settle_but_journal() {
    scheduler().run_jobs_filtered([](caf::resumable* job) { return dynamic_cast<journal_shell*>(job) == nullptr; });
  }
  void pass(std::uint64_t us) {
    time.log += us;
    time.wall += us;
    scheduler().advance_time(std::chrono::microseconds(us));
    settle();
  }
  asking ask() { return asking(requests, loop); }
  const session_entry& session(std::uint64_t n) {
    const auto& all = heard->known.by_id;
    const auto it = all.find(core::session_id{n});
    REQUIRE(it != all.end());
    return *it->second;
  }
  void send(std::uint64_t to, asking&& a) { send_to(session(to), a.take()); }
  /// Creates and opens session `name`; returns its id.
  std::uint64_t opened(std::string name, std::uint32_t seats) {
    const auto sid = created(terms_of(std::move(name), seats));
    auto a = ask();
    a.open(900'000 + sid);
    send(sid, std::move(a));
    settle();
    const auto* said = heard->to(900'000 + sid);
    REQUIRE(said != nullptr);
    REQUIRE(said->refused == core::refusal::none);
    return sid;
  }
  std::uint64_t created(std::shared_ptr<const core::session_terms> terms) {
    create(1, std::move(terms));
    settle();
    REQUIRE_FALSE(heard->sessions.empty());
    REQUIRE(heard->sessions.back().said.refused == core::refusal::none);
    return heard->sessions.back().session.value;
  }
  void create(std::uint64_t ticket, std::shared_ptr<const core::session_terms> terms) {
    auto r = std::make_shared<create_session_request>();
    r->ticket = ticket;
    r->sink = loop;
    r->head = by(core::role::op);
    r->terms = std::move(terms);
    caf::anon_send(house_->registry(), create_session_ptr(std::move(r)));
  }
  caf::actor another_loop(std::shared_ptr<mail> to) { return more_loops.emplace_back(system.spawn(collect, std::move(to))); }
  [[nodiscard]] bool sold_out(std::uint64_t n) {
    const core::line any{core::place_kind::seat, 0, 1, 7};
    return session(n).view->judge(box_office, {&any, 1}).refused == core::refusal::sold_out;
  }
  house& actors() { return *house_; }

  manual_time time;
  held_journal journal;
  records codec;
  std::vector<stop_reason> stops;
  pool<request_batch> requests;
  std::shared_ptr<mail> heard = std::make_shared<mail>();

 private:
  fail_stop failure_;
  test_config config_;

 public:
  caf::actor_system system{config_};
  caf::actor loop;
  std::vector<caf::actor> more_loops;

 private:
  std::unique_ptr<house> house_;
};

}  // namespace holdfast::tests
