// What a history says of each hold, and when in the clients' time an instant of the server's time was.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "history/history.hpp"

namespace holdfast::history {

inline constexpr std::uint64_t never = std::numeric_limits<std::uint64_t>::max();
inline constexpr std::uint32_t nobody = std::numeric_limits<std::uint32_t>::max();

/// For clocks that are read one after the other.
inline constexpr std::uint64_t slack_us = 1'000;
/// What refuses before the session is asked tells the time at which its turn began, and reads questions on for that long at most.
inline constexpr std::uint64_t turn_us = 1'000'000;

/// Bounds for the moment at which the server's clock showed an instant. Nothing is assumed of that clock but that it never runs
/// backwards: whoever was accepted at an earlier time had asked before the moment, whoever was answered with a later one heard
/// it after.
class clock_map {
 public:
  explicit clock_map(const history& h);
  /// Not before this, in the clients' time.
  [[nodiscard]] std::uint64_t earliest(std::uint64_t server) const;
  /// Not after this; never, if nothing was heard from then on.
  [[nodiscard]] std::uint64_t latest(std::uint64_t server) const;

 private:
  struct mark { std::uint64_t server, invoked, answered; };
  [[nodiscard]] std::size_t first_from(std::uint64_t server) const;
  std::vector<mark> marks_;             ///< by server time; invoked: the largest up to here, answered: the smallest from here
  std::vector<std::uint32_t> buckets_;  ///< first mark of each slice of server time
  std::uint64_t from_ = 0, slice_ = 1;
};

/// One hold as its client saw it. A client asks one thing after the other about a hold.
struct hold_story {
  std::uint32_t row = nobody;         ///< of the hold itself
  outcome placed = outcome::unknown;
  std::uint64_t invoked = 0, answered = never;
  std::uint64_t late_until = 0;       ///< server time: refused, but a copy of it may have been accepted until then; 0: not so
  std::uint64_t deadline = 0;         ///< server time: alive until then at least, if nothing below ends it
  bool deadline_open = false;         ///< it may be later: something that moves it was not answered
  outcome confirmed = outcome::no;    ///< no: or not tried
  std::uint64_t confirm_invoked = never, confirm_answered = never;
  outcome released = outcome::no;
  std::uint64_t release_invoked = never, release_answered = never;

  [[nodiscard]] bool may_exist() const { return placed != outcome::no; }
};

struct stories {
  std::vector<hold_story> holds;
  std::vector<std::uint32_t> hold_of;  ///< of each row; nobody: of a look
  /// Of each row: the latest server time that anybody had been told when it was asked. It was decided then or later, and not
  /// after its own server time, which is that of its sending.
  std::vector<std::uint64_t> told_before;
  /// Looks that were over before anything else was asked: what they show was there before.
  std::vector<std::uint32_t> first_looks;
};
[[nodiscard]] stories tell(const history& h);

/// By how much the session says that it moved deadlines between the first and the last look, us. Nothing, unless the last row is a look.
[[nodiscard]] std::optional<std::uint64_t> shift_told(const history& h);

}  // namespace holdfast::history
