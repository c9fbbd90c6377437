// Credits bound what is in flight, and are taken before anything is sent to an actor: mailboxes have no limit.
//
// Of a connection: inflight_max, open to money too, and money_inflight_max more for money alone. Only the total is
// counted: all but money is admitted below the first bound and money below the sum, so that money never waits behind
// the rest and the rest never takes what is kept for money.
// Of a session: session_inflight_max over all connections and loops. Money goes on beyond it, bounded by what its
// connections may have in flight.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "base/check.hpp"
#include "base/planted.hpp"
#include "core/types.hpp"

namespace holdfast::gateway {

/// What a request takes from its connection until its answer is there.
enum class weight : std::uint8_t {
  plain = 0,
  page = 1,   ///< a look whose answer may be long
  money = 2,  ///< never refused for being too much
};

/// One connection's; touched by its loop alone.
class connection_credits {
 public:
  connection_credits(std::uint32_t inflight_max, std::uint32_t money_max, std::uint32_t pages_max)
      : plain_max_(inflight_max), all_max_(inflight_max + money_max), pages_max_(pages_max) {}

  /// False: nothing taken. For money that means: do not read on until an answer came back.
  [[nodiscard]] bool take(weight w) {
    switch (w) {
      case weight::money:
        if (all_ >= all_max_) return false;
        break;
      case weight::page:
        if (all_ >= plain_max_ || pages_ >= pages_max_) return false;
        ++pages_;
        break;
      case weight::plain:
        if (all_ >= plain_max_) return false;
        break;
    }
    ++all_;
    return true;
  }
  void give_back(weight w) {
    HOLDFAST_CHECK(all_ > 0, "more answers than requests on a connection");
    if (!planted(bug::credit_never_given_back)) --all_;
    if (planted(bug::credit_given_back_twice) && all_ > 0) --all_;
    if (w == weight::page) {
      HOLDFAST_CHECK(pages_ > 0, "more long answers than long looks on a connection");
      --pages_;
    }
  }
  [[nodiscard]] bool money_left() const { return all_ < all_max_; }
  [[nodiscard]] std::uint32_t in_flight() const { return all_; }

 private:
  std::uint32_t plain_max_, all_max_, pages_max_;
  std::uint32_t all_ = 0, pages_ = 0;
};

/// One session's; shared by all loops.
class session_credits {
 public:
  explicit session_credits(std::uint32_t inflight_max) : max_(inflight_max) {}

  [[nodiscard]] bool take(weight w) {
    const auto before = in_flight_.fetch_add(1, std::memory_order_relaxed);
    if (w == weight::money || before < max_ || planted(bug::session_without_bound)) return true;
    in_flight_.fetch_sub(1, std::memory_order_relaxed);
    return false;
  }
  void give_back(std::uint32_t answers) {
    const auto before = in_flight_.fetch_sub(answers, std::memory_order_relaxed);
    HOLDFAST_CHECK(before >= answers, "more answers than requests on a session");
  }
  [[nodiscard]] std::uint32_t in_flight() const { return in_flight_.load(std::memory_order_relaxed); }

 private:
  std::uint32_t max_;
  std::atomic<std::uint32_t> in_flight_{0};
};

/// Finds each session's credits for every loop.
class credit_book {
 public:
  explicit credit_book(std::uint32_t session_inflight_max) : max_(session_inflight_max) {}

  /// From any thread; the same for the same session.
  [[nodiscard]] std::shared_ptr<session_credits> of(core::session_id s) {
    const std::scoped_lock lock(mutex_);
    auto& c = book_[s.value];
    if (!c) c = std::make_shared<session_credits>(max_);
    return c;
  }

 private:
  const std::uint32_t max_;
  std::mutex mutex_;
  std::unordered_map<std::uint64_t, std::shared_ptr<session_credits>> book_;
};

}  // namespace holdfast::gateway
