// The house as the server runs it: worker threads, the journal detached, the embedded journal's logic over a disk in memory.
#include <condition_variable>
#include <mutex>
#include <thread>

#include <caf/actor_companion.hpp>
#include <doctest/doctest.h>

#include "actors/log_clock.hpp"
#include "persistence/guard.hpp"
#include "persistence/journal_log.hpp"
#include "persistence/memory_block_store.hpp"
#include "tests/actors/fixture.hpp"

namespace holdfast::tests {

namespace {

/// A loop as the gateway has them: a companion whose handler runs in the sender's thread and only moves the message over.
class counter {
 public:
  explicit counter(caf::actor_system& system) : companion_(system.spawn<caf::actor_companion>()) {
    caf::actor_cast<caf::actor_companion*>(companion_)->on_enqueue([this](caf::mailbox_element_ptr m) {
      auto content = m->move_content_to_message();
      const std::lock_guard hold(lock_);
      if (content.match_elements<directory_ptr>()) directory_.add(*content.get_as<directory_ptr>(0));
      if (content.match_elements<session_answer_ptr>()) created_.push_back(content.get_as<session_answer_ptr>(0));
      if (content.match_elements<answer_delivery_ptr>()) {
        for (const auto& b : content.get_as<answer_delivery_ptr>(0)->batches) {
          for (const auto& a : b->answers) {
            ++answers_;
            if (a.said.outcome == core::money_outcome::sold) ++sold_;
          }
        }
      }
      changed_.notify_all();
    });
  }
  ~counter() { caf::actor_cast<caf::actor_companion*>(companion_)->on_enqueue(nullptr); }

  template <class Predicate>
  bool wait(Predicate p) {
    std::unique_lock hold(lock_);
    return changed_.wait_for(hold, std::chrono::seconds(60), p);
  }
  [[nodiscard]] const caf::actor& sink() const { return companion_; }

  directory directory_;
  std::vector<session_answer_ptr> created_;
  std::uint64_t answers_ = 0, sold_ = 0;

 private:
  caf::actor companion_;
  std::mutex lock_;
  std::condition_variable changed_;
};

}  // namespace

TEST_CASE("two loops sell three halls over real threads; every answer comes, every seat is sold once") {
  constexpr std::uint32_t seats = 2'000;
  constexpr std::uint64_t halls = 3, loops = 2, batch = 100;

  auto disk = std::make_shared<persistence::memory_disk>();
  persistence::journal_options how;
  how.wall_clock = wall_clock_now();
  auto opened = persistence::journal_log::open(std::make_unique<persistence::memory_block_store>(disk), how);
  REQUIRE(opened.ok());
  auto& journal = *opened.value().journal;
  records codec;
  persistence::sold_guard guard(codec.plans);
  journal.guard_with(guard);

  const log_clock time(core::log_time{opened.value().report.time.log_time});
  std::atomic<int> stops{0};
  fail_stop failure([&](const stop_reason& why) {
    MESSAGE(why.text);
    ++stops;
  });
  caf::actor_system_config config;
  configure(config, {2, "sharing"});
  caf::actor_system system{config};
  {
    house actors(system, journal, {}, time, codec, failure, {});
    std::vector<std::unique_ptr<counter>> counters;
    for (std::uint64_t i = 0; i < loops; ++i) {
      counters.push_back(std::make_unique<counter>(system));
      caf::anon_send(actors.registry(), join_atom::value, counters.back()->sink());
    }
    auto& first = *counters.front();
    for (std::uint64_t h = 0; h < halls; ++h) {
      auto r = std::make_shared<create_session_request>();
      r->ticket = h;
      r->sink = first.sink();
      r->head = by(core::role::op);
      r->terms = terms_of("hall-" + std::to_string(h), seats);
      caf::anon_send(actors.registry(), create_session_ptr(std::move(r)));
    }
    REQUIRE(first.wait([&] { return first.created_.size() == halls; }));

    pool<request_batch> requests;
    for (const auto& [sid, entry] : first.directory_.by_id) {
      asking open(requests, first.sink());
      open.open(sid.value);
      send_to(*entry, open.take());
    }
    REQUIRE(first.wait([&] { return first.answers_ == halls; }));
    first.answers_ = 0;

    // Both loops go for every seat of every hall, hold and confirm in one batch.
    std::vector<std::thread> threads;
    for (std::uint64_t l = 0; l < loops; ++l) {
      threads.emplace_back([&, l] {
        for (std::uint32_t seat = 0; seat < seats; seat += batch) {
          for (const auto& [sid, entry] : first.directory_.by_id) {
            asking a(requests, counters[l]->sink());
            for (std::uint32_t i = seat; i < seat + batch; ++i) {
              const auto ticket = (l + 1) * 1'000'000 + sid.value * 100'000 + i;
              a.hold(ticket, time.now().value, i).confirm(ticket + 50'000, ticket);
            }
            send_to(*entry, a.take());
          }
        }
      });
    }
    for (auto& t : threads) t.join();
    std::uint64_t sold = 0;
    for (auto& c : counters) {
      CHECK(c->wait([&] { return c->answers_ == halls * seats * 2; }));
      sold += c->sold_;
    }
    CHECK(sold == halls * seats);
    for (const auto& [sid, entry] : first.directory_.by_id) {
      CHECK(guard.sold(sid) == seats);
      const core::line any{core::place_kind::seat, 0, 1, 7};
      CHECK(entry->view->judge(box_office, {&any, 1}).refused == core::refusal::sold_out);
    }
    for (const auto& c : counters) caf::anon_send(actors.registry(), leave_atom::value, c->sink());
    actors.stop();
    for (const auto& c : counters) caf::anon_send_exit(c->sink(), caf::exit_reason::user_shutdown);
    // One plan; each hall created and opened; each seat held, sold, and paid for once in vain.
    CHECK(actors.figures()->records.load() == 1 + halls * (2 + seats * 3));
    CHECK(journal.close(time.now().value).ok());
  }
  CHECK(stops == 0);
}

}  // namespace holdfast::tests
