// A rush on a session that remembers every promise it was given, and can hold the server to them after a crash.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/random.hpp"
#include "client/pipelined.hpp"
#include "tests/system/server.hpp"

namespace holdfast::system_test {

/// A command whose acceptance the server has acknowledged, or whose fate is unknown because the connection went.
struct promise {
  enum class kind : std::uint8_t { hold, extend, pay, release, confirm, stray_confirm } what = kind::hold;
  core::owner_id owner;
  core::hold_id hold;
  core::command_id id;            ///< zero for confirms
  std::uint64_t payment = 0;      ///< confirms: makes the reference
  std::uint64_t order = 0;        ///< in which it was sent, per hold
  bool acknowledged = false;
  core::answer said;              ///< acknowledged: the body
};

/// What a buyer has in hand.
struct basket {
  core::owner_id owner;
  core::hold_id hold;
  std::vector<std::uint64_t> promises;  ///< indexes, in order
};

struct tally {
  std::uint64_t acknowledged = 0;   ///< acceptances
  std::uint64_t refused = 0;
  std::uint64_t in_flight_at_kill = 0;
};

struct findings {
  std::uint64_t checked = 0, lost = 0, wrong = 0, short_of_time = 0;
  std::vector<std::string> examples;  ///< at most 5
  void blame(std::uint64_t& which, std::string text) {
    ++which;
    if (examples.size() < 5) examples.push_back(std::move(text));
  }
  [[nodiscard]] bool clean() const { return lost == 0 && wrong == 0 && short_of_time == 0; }
};

class rush final : public client::receiver {
 public:
  rush(core::session_id session, std::uint32_t seats, std::uint64_t seed) : session_(session), seats_(seats), random_(seed) {}

  /// Sends until at least `acks` acceptances came *and* `flying` requests are in flight, then calls `crash` at once; what had not been
  /// answered by then stays unknown. A server that ends by itself before that is noticed, `crash` is called all the same.
  /// Error: the server could not be reached in the first place.
  base::result<tally> run(const client::options& to, std::uint64_t acks, std::size_t flying, const std::function<void()>& crash);

  /// Asks for the fate of everything that was acknowledged (and of all payments again), over a server started anew.
  base::result<findings> verify(const client::options& to);

  void answered(const client::arrival& a) override;
  void given_up(std::uint32_t connection, std::uint64_t ticket, const base::error& why) override;

 private:
  struct waiting {
    bool verifying = false;
    std::uint64_t promise = 0;
    bool look = false;
  };
  void next(std::uint32_t connection);
  void send(std::uint32_t connection, std::uint64_t index, const core::command& c);
  std::uint64_t add(promise p);
  void check(const promise& p, const protocol::answer_message& m, bool look);

  core::session_id session_;
  std::uint32_t seats_;
  base::random random_;
  std::vector<promise> promises_;
  std::vector<basket> baskets_;
  std::unordered_map<std::uint64_t, std::size_t> basket_of_;   ///< by hold id's low half
  std::vector<waiting> tickets_;
  std::vector<std::uint64_t> free_tickets_;
  client::pipelined* link_ = nullptr;
  std::uint64_t orders_ = 0;
  tally tally_;
  findings found_;
  bool crashed_ = false;
  bool gone_ = false;          ///< a connection was given up
  core::log_time last_seen_;   ///< log time of the newest answer before the crash
  std::chrono::steady_clock::time_point last_heard_;   ///< when that was
  std::chrono::steady_clock::duration silence_{};      ///< from then until it was down: it may have served, though nobody was told
  core::log_time first_seen_;  ///< of the first one after it
};

}  // namespace holdfast::system_test
