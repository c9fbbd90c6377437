// A rush: many buyers over many connections fight for one session. Each holds a few places, may extend, pays and confirms, or
// gives up in one of two ways. The buyers at work are records in one array, and every answer makes its buyer ask the next.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <vector>

#include "apps/holdfast/hall_knowledge.hpp"
#include "base/histogram.hpp"
#include "client/pipelined.hpp"
#include "history/history.hpp"

namespace holdfast::cli {

struct rush_options {
  std::uint64_t requests = 0;        ///< buyers' requests at least; they go on until all is sold, too
  std::uint64_t buyers = 0;          ///< who come at most; 0: as many as it takes
  std::uint32_t at_once = 8;         ///< buyers at work a connection
  std::uint32_t places_max = 4;      ///< a buyer wants 1 to so many
  unsigned blind_percent = 25;       ///< pick without looking
  unsigned leave_percent = 5;        ///< walk away: their holds expire
  unsigned give_back_percent = 5;    ///< release
  unsigned extend_percent = 10;
  unsigned fail_percent = 5;         ///< of payments; they are tried again
  unsigned again_percent = 0;        ///< of what was accepted is sent once more, and must be answered the same
  std::uint64_t accounts = 0;        ///< so many share the buying, and the limits with it; 0: one each
  std::chrono::milliseconds hold_for{120'000};
  std::chrono::milliseconds leave_after{1'000};  ///< how long the holds of those last who walk away
  std::chrono::milliseconds look_every{250};     ///< the shared picture of the hall is renewed
  /// Without a number of buyers: over when for so long nobody got a hold, and enough was asked. Others' holds may keep what is not sold.
  std::chrono::milliseconds give_up_after{10'000};
  core::channel_no channel = 0;
  std::int64_t price = 5'000;        ///< a place, minor units
  std::uint64_t seed = 1;
};

/// The requests that buyers make, as the table of latencies has them.
enum class step : std::uint8_t { hold, extend, release, begin_payment, payment_failed, confirm };
inline constexpr std::size_t steps = 6;
[[nodiscard]] std::string_view name_of(step s);

/// Why no more buyers came.
enum class ending : std::uint8_t { none, all_gone, as_many_as_asked, nothing_to_be_had, no_answer };

struct rush_counts {
  static constexpr std::size_t codes = 128;  ///< of core::refusal
  std::uint64_t asked = 0;                   ///< by buyers, but for what they asked again
  std::uint64_t asked_again = 0;
  std::uint64_t buyers = 0, satisfied = 0, turned_away = 0, walked_away = 0, gave_back = 0, failed_on_the_way = 0;
  std::array<std::uint64_t, steps> accepted{};
  std::array<std::array<std::uint64_t, codes>, steps> refused{};
  std::uint64_t places_sold = 0, orders = 0, late_refunds = 0, places_left = 0, unknown_outcome = 0, looks = 0;
  std::uint64_t seats_sold_twice = 0;        ///< two buyers were told that one seat is theirs: must be 0
  std::uint64_t other_answers = 0;           ///< to what was asked again: must be 0
  core::log_time last_left;                  ///< the newest deadline of a hold that nobody came back to
  core::log_time first_sale, last_sale;
};

class rush final : public client::receiver {
 public:
  rush(rush_options o, core::session_id session, std::uint32_t plan_revision, const core::plan& p);

  /// Notes every operation there, from now on.
  void record_in(history::recorder& r) { recorder_ = &r; }
  /// Who carries the requests; its depth must be above at_once by one, for the looks.
  void start(client::pipelined& over);
  /// What is to be done once a turn: looks, buyers that wait for their chance.
  void tend();
  /// No buyer is at work and no more will come.
  [[nodiscard]] bool over() const { return at_work_ == 0 && (stopping_ || !may_begin()); }
  [[nodiscard]] ending ended() const;
  [[nodiscard]] const rush_counts& counts() const { return counts_; }
  [[nodiscard]] const base::histogram& latency(step s) const { return latency_[static_cast<std::size_t>(s)]; }
  /// Of all requests asked for, or of all places, what is done.
  [[nodiscard]] double done() const;
  [[nodiscard]] const hall_knowledge& hall() const { return hall_; }

  void answered(const client::arrival& a) override;
  void given_up(std::uint32_t connection, std::uint64_t ticket, const base::error& why) override;

 private:
  static constexpr std::size_t lines_most = 8;
  static constexpr std::uint64_t look_ticket = std::uint64_t{1} << 33U;  ///< above every buyer's
  struct buyer {
    core::id128 owner, account, hold, reference;
    std::array<core::line, lines_most> lines;
    std::uint32_t places = 0;
    std::uint8_t line_count = 0, tries = 0;
    step at = step::hold;
    core::envelope head;         ///< of what was asked last
    core::answer said;           ///< while it is asked again: the answer
    core::log_time said_at;
    std::uint64_t asked_at = 0;  ///< for the history
    bool again = false;
    bool will_leave = false, will_give_back = false, will_extend = false, will_fail = false;
  };

  [[nodiscard]] bool may_begin() const;
  void fill();
  void begin(std::uint32_t b);
  [[nodiscard]] core::id128 account();
  void choose(buyer& who);
  void end(std::uint32_t b);
  void ask(std::uint32_t b, step s);
  void send(std::uint32_t b);
  void go_on(std::uint32_t b, const core::answer& said, core::log_time at);
  void note(std::uint32_t b, const client::arrival* a);
  void look();
  void ask_for_page(std::uint32_t page);
  void looked(const protocol::answer_message& m);
  void learn(const buyer& who, const core::answer& said);
  void sold(const buyer& who, core::log_time at);
  [[nodiscard]] std::uint32_t connection_of(std::uint32_t b) const { return b / options_.at_once; }

  const rush_options options_;
  const core::session_id session_;
  const std::uint32_t revision_;
  hall_knowledge hall_;
  history::recorder* recorder_ = nullptr;
  base::random chance_;
  client::pipelined* over_ = nullptr;
  std::vector<buyer> buyers_;
  std::vector<std::uint32_t> idle_;
  std::vector<bool> sold_;
  std::uint64_t at_work_ = 0;
  bool stopping_ = false;   ///< no more buyers begin; those at work go on to their end
  bool all_gone_ = false;
  std::chrono::steady_clock::time_point last_luck_{};  ///< when a hold was last accepted
  std::uint32_t pages_ = 1, pages_out_ = 0;
  std::uint64_t left_by_look_ = 0;  ///< places that may still be sold to us, in the look under way
  std::chrono::steady_clock::time_point next_look_{}, next_noted_look_{};
  std::uint64_t look_asked_at_ = 0;  ///< for the history; 0: not for it
  std::uint64_t places_in_all_ = 0;
  rush_counts counts_;
  std::array<base::histogram, steps> latency_;
};

/// A page of seats as it was seen, for a history. Not one that may still count holds that are over.
void note_look(history::recorder& to, const core::seats_seen& s, const core::answer& said, core::log_time now, std::uint64_t asked_at,
               std::uint64_t shift_us);

}  // namespace holdfast::cli
