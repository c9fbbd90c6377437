// Between a loop and the actors: what goes out, and what comes in. The bridge (bridge.hpp) is the door to CAF; tests make
// doors of their own.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "actors/interfaces.hpp"

namespace holdfast::gateway {

/// What actors have sent to a loop. Any thread puts, the loop takes; one wake-up is under way at most.
class inbox {
 public:
  struct content {
    std::vector<actors::answer_delivery_ptr> deliveries;
    std::vector<actors::session_answer_ptr> session_answers;
    std::vector<actors::inspection_ptr> inspections;
    std::vector<actors::directory_ptr> directories;
    std::uint64_t oldest = 0;  ///< steady_ns of the first put
    void clear() {
      deliveries.clear();
      session_answers.clear();
      inspections.clear();
      directories.clear();
      oldest = 0;
    }
  };

  /// `wake` is called from the thread that puts, must not block, and leads to a `take` by the loop.
  explicit inbox(std::function<void()> wake) : wake_(std::move(wake)) {}

  void put(actors::answer_delivery_ptr d) { add([&](content& c) { c.deliveries.push_back(std::move(d)); }); }
  void put(actors::session_answer_ptr a) { add([&](content& c) { c.session_answers.push_back(std::move(a)); }); }
  void put(actors::inspection_ptr i) { add([&](content& c) { c.inspections.push_back(std::move(i)); }); }
  void put(actors::directory_ptr d) { add([&](content& c) { c.directories.push_back(std::move(d)); }); }

  /// Swaps `out`, which must be empty, with what is there: both keep their memory.
  void take(content& out) {
    const std::scoped_lock lock(mutex_);
    std::swap(out, waiting_);
    woken_ = false;
  }
  [[nodiscard]] std::uint64_t waiting() const {
    const std::scoped_lock lock(mutex_);
    return waiting_.deliveries.size() + waiting_.session_answers.size() + waiting_.inspections.size();
  }

 private:
  template <class Add>
  void add(Add&& put_in) {
    {
      const std::scoped_lock lock(mutex_);
      if (waiting_.oldest == 0) waiting_.oldest = actors::steady_ns();
      put_in(waiting_);
      if (std::exchange(woken_, true)) return;
    }
    wake_();
  }
  const std::function<void()> wake_;
  mutable std::mutex mutex_;
  content waiting_;     ///< under mutex_
  bool woken_ = false;  ///< under mutex_
};

/// One loop's. All functions are called by the loop's thread.
class door {
 public:
  virtual ~door() = default;
  /// Answers come to the inbox as answer_delivery. Requests of one connection are sent in their order.
  virtual void send(const actors::session_entry& to, actors::request_batch_ptr batch) = 0;
  /// Answered by a session_answer with its ticket; the sink is set here.
  virtual void create(std::shared_ptr<actors::create_session_request> asked) = 0;
  virtual void clear_fault(std::shared_ptr<actors::clear_fault_request> asked) = 0;
  /// Answered by an inspection with this ticket.
  virtual void inspect(std::uint64_t ticket) = 0;
  /// When it returns nothing more is put into the inbox.
  virtual void detach() = 0;
};

}  // namespace holdfast::gateway
