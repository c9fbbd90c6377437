// After a failed write or sync nothing more is acknowledged: what the disk holds is unknown, and going on would turn a doubt
// into a lie. The journal's actor trips this; everybody who could still let an answer go asks it first.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "core/types.hpp"

namespace holdfast::actors {

/// Why the house stopped, for the exit line. `session` is set if the journal's guard refused one of its records: it opens
/// `faulted` at the next start.
struct stop_reason {
  std::string text;
  std::optional<core::session_id> session;

  static constexpr int exit_guard_refused = 70;   ///< EX_SOFTWARE: a rule was broken on the way to the disk
  static constexpr int exit_journal_failed = 74;  ///< EX_IOERR
  [[nodiscard]] int exit_code() const { return session ? exit_guard_refused : exit_journal_failed; }
};

class fail_stop {
 public:
  /// `hook` is called once, on the thread that met the failure, after which nothing is acknowledged. The server's writes the exit
  /// line (and the `faulted` file) and ends the process without running destructors; a test's may return.
  using hook_type = std::function<void(const stop_reason&)>;
  explicit fail_stop(hook_type hook) : hook_(std::move(hook)) {}

  void trip(const stop_reason& why) {
    if (!tripped_.exchange(true, std::memory_order_acq_rel)) hook_(why);
  }
  [[nodiscard]] bool tripped() const { return tripped_.load(std::memory_order_acquire); }

 private:
  hook_type hook_;
  std::atomic<bool> tripped_{false};
};

}  // namespace holdfast::actors
