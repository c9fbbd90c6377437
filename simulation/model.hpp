// The naive second opinion: what docs/RULES.md says, told again as slowly and obviously as possible. It shares no code with
// core/ but the words (types, commands, answers), keeps everything in maps, walks all holds where the engine keeps counts, and
// expires everything that is due before each command.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "core/answer.hpp"
#include "core/command.hpp"
#include "core/look.hpp"

namespace holdfast::simulation {

/// A hold is named by its owner and the id that asked for it.
using hold_key = std::pair<core::owner_id, core::hold_id>;

/// The model's plain no.
inline core::answer refuse(core::refusal r) { return core::answer{.refused = r}; }
/// The mark of an offending line or range; of the first 64.
inline std::uint64_t bit(std::size_t line) { return line < 64 ? std::uint64_t{1} << line : 0; }

/// Of an area line: so many places from this allocation, in the order in which they were drawn.
struct model_draw {
  std::uint8_t allocation = 0;
  std::uint32_t count = 0;
};

struct model_line {
  core::line what;
  bool cancelled = false;
  std::vector<model_draw> draws;
};

struct model_payment {
  std::string reference;
  std::int64_t amount = 0;
  core::payment_kind kind = core::payment_kind::card;
  core::answer first;  ///< what was answered when it came
};

struct model_hold {
  std::uint32_t number = 0;
  core::hold_state state = core::hold_state::held;
  core::channel_no channel = 0;
  core::basket_id basket;
  std::map<core::key_kind, base::id128> keys;
  std::vector<model_line> lines;
  std::uint64_t deadline = 0;       ///< hold clock
  std::uint64_t held_deadline = 0;  ///< hold clock: the one it goes back to when a payment fails
  std::uint64_t lifetime_end = 0;   ///< hold clock
  std::uint32_t extensions = 0, attempts = 0, changes = 0;
  bool grace_given = false;
  bool for_ever = false;  ///< its payment began or was attempted: never forgotten
  std::string attempt;
  std::vector<model_payment> payments;
  std::int64_t paid = 0, given_back = 0;

  [[nodiscard]] bool live() const { return state == core::hold_state::held || state == core::hold_state::paying; }
  [[nodiscard]] bool occupies() const { return live() || state == core::hold_state::sold; }
};

struct model_seat {
  std::uint8_t allocation = 0;
  bool blocked = false;
  bool withdrawn = false;
  core::reason_code reason = 0;
  std::optional<hold_key> holder;
};

/// One allocation of an area. What is held, paying and sold is counted by walking the holds.
struct model_share {
  std::uint64_t capacity = 0, blocked = 0, debt = 0;
};

/// The places and who has them. Copied to try things out.
struct model_hall {
  std::vector<model_seat> seats;
  std::vector<std::vector<model_share>> areas;
  std::map<hold_key, model_hold> holds;

  [[nodiscard]] core::place_counts count(std::uint32_t area, std::uint8_t allocation) const;
  [[nodiscard]] core::seat_state state_of(std::uint32_t seat) const;
  /// The places of this line are nobody's any more: free, or blocked if marked or `withdrawn`.
  void give_back(const model_line& l, bool withdrawn);
  /// Takes so many places from `order`, allocation after allocation; false (and nothing taken) if there are fewer.
  [[nodiscard]] std::optional<std::vector<model_draw>> draw(std::uint32_t area, std::uint32_t count,
                                                            const std::vector<std::uint8_t>& order) const;
};

struct model_refund {
  core::refund_reason reason = core::refund_reason::none;
  std::int64_t amount = 0;
  core::owner_id owner;
  core::hold_id hold;
  std::optional<std::string> settled_by;
};

/// One command of a batch.
struct asked {
  core::envelope head;
  core::command what;
};

class model {
 public:
  explicit model(const core::session_terms& terms);
  /// What-if: goes on by itself, the terms are shared.
  model(const model&) = default;
  model& operator=(const model&) = delete;

  /// Expires everything due, decides each command in order; the answers lack only `tells_of` and `waits_for`.
  std::vector<core::answer> step(std::span<const asked> batch, core::log_time now);
  core::answer decide(const core::envelope& head, const core::command& c, core::log_time now);
  void expire(core::log_time now);
  /// The same without expiring anything before: recovery's shift comes before all that came due while the server was away.
  core::answer decide_before_expiry(const core::envelope& head, const core::command& c, core::log_time now);

  /// The session goes out of service; its hold clock stands.
  void fault(core::log_time since) { faulted_since_ = since.value; }

  // ---- looks; `changed`, `last` and reference hashes stay empty ----
  [[nodiscard]] core::session_seen see_session() const;
  [[nodiscard]] std::optional<core::hold_seen> see_hold(core::owner_id owner, core::hold_id id) const;
  [[nodiscard]] core::seat_seen see_seat(std::uint32_t seat) const;
  [[nodiscard]] core::owner_seen see_owner(core::owner_id owner) const;
  [[nodiscard]] core::seats_seen see_seats() const;
  [[nodiscard]] core::fate_seen see_fate(core::owner_id owner, core::command_id id, core::log_time client_deadline) const;
  /// In log time; none while the hold clock stands or nothing is live.
  [[nodiscard]] std::optional<std::uint64_t> next_deadline() const;

  [[nodiscard]] const model_hall& hall() const { return hall_; }
  [[nodiscard]] const core::session_terms& terms() const { return *terms_; }
  [[nodiscard]] std::uint64_t shift() const { return shift_; }
  [[nodiscard]] bool frozen() const { return frozen_at_.has_value(); }
  [[nodiscard]] std::uint32_t refunds() const { return static_cast<std::uint32_t>(refunds_.size()); }
  /// Empty, or what is wrong with the model's own books.
  [[nodiscard]] std::string contradiction() const;

 private:
  struct remembered {
    std::string content;
    core::answer first;
    std::optional<hold_key> hold;  ///< whose command it was; forgotten with it
    core::command_tag tag;
  };
  using id_key = std::pair<core::owner_id, core::command_id>;

  // step 7, one per command
  core::answer open(const core::open_sale& c);
  core::answer pause();
  core::answer resume();
  core::answer close(const core::close_sale& c);
  core::answer freeze();
  core::answer hold(const core::envelope& head, const core::hold_seats& c);
  core::answer change(const core::envelope& head, const core::change_hold& c);
  core::answer extend(const core::envelope& head, const core::extend_hold& c);
  core::answer begin(const core::envelope& head, const core::begin_payment& c);
  core::answer failed(const core::payment_failed& c);
  core::answer confirm(const core::confirm_hold& c);
  core::answer late(model_hold& h, const core::confirm_hold& c);
  core::answer release(const core::envelope& head, const core::release_hold& c);
  core::answer cancel(const core::cancel_order& c);
  core::answer settle(const core::settle_refund& c);
  core::answer block(const core::block_places& c);
  core::answer unblock(const core::unblock_places& c);
  core::answer allocate(const core::allocate_places& c);
  core::answer shift(const core::envelope& head, const core::shift_deadlines& c);
  core::answer clear(const core::clear_fault& c);
  core::answer own_rules(const core::envelope& head, const core::command& c);
  core::answer in_order(const core::envelope& head, const core::command& c);

  [[nodiscard]] core::refusal gate(core::channel_no channel) const;
  [[nodiscard]] core::answer judge_places(const model_hall& in, core::lines wanted, core::channel_no channel) const;
  [[nodiscard]] core::answer judge_limits(const model_hall& in, const std::map<core::key_kind, base::id128>& keys,
                                          const std::vector<core::line>& added, core::channel_no channel) const;
  [[nodiscard]] core::answer places_exist(core::lines wanted) const;
  [[nodiscard]] std::uint64_t used(const model_hall& in, core::key_kind kind, const base::id128& value, std::uint64_t categories) const;
  [[nodiscard]] std::uint64_t places_in(const std::vector<core::line>& lines, std::uint64_t categories) const;
  [[nodiscard]] std::vector<std::uint8_t> draw_order(core::channel_no channel) const;
  [[nodiscard]] std::uint8_t category_of(const core::line& l) const;
  [[nodiscard]] core::channel_set policy_channels() const;
  void take(model_hall& in, const hold_key& key, core::lines wanted, core::channel_no channel) const;

  model_hold* find(core::owner_id owner, core::hold_id id);
  [[nodiscard]] const model_hold* find(core::owner_id owner, core::hold_id id) const;
  void around(core::answer& a, const std::optional<hold_key>& named) const;
  core::answer refund(core::refund_reason why, const core::confirm_hold& c);
  void ended(const hold_key& key);
  void remember(const core::envelope& head, const core::command& c, const core::answer& a);
  /// The hold clock at `now_`.
  [[nodiscard]] std::uint64_t clock() const;

  std::shared_ptr<const core::session_terms> terms_;
  const core::policy& rules_;
  const core::plan& plan_;

  std::uint64_t now_ = 0;  ///< log time of the step at work
  std::uint64_t shift_ = 0, downtime_shift_ = 0;
  core::sale_state sale_ = core::sale_state::announced;
  core::channel_set open_channels_ = 0;
  std::optional<std::uint64_t> frozen_at_, faulted_since_;

  model_hall hall_;
  std::vector<model_refund> refunds_;  ///< number 1 first
  std::map<std::tuple<core::owner_id, core::hold_id, std::string>, model_payment> payments_;
  std::map<id_key, remembered> ids_;
  std::deque<core::command_id> operator_ids_;                 ///< oldest first
  std::deque<std::pair<hold_key, std::uint64_t>> ended_;      ///< oldest first, with log time; only what may be forgotten
  std::deque<std::uint32_t> free_numbers_;                    ///< first forgotten at the front
  std::uint32_t next_number_ = 1;
  std::uint64_t forgotten_early_ = 0;
  std::optional<std::uint64_t> newest_forgotten_;
};

/// Takes these lines (areas: so many places of them) out of the hold and puts them into `out`; `not_in_hold` with those it lacks.
core::answer model_cut(model_hold& h, core::lines named, std::vector<model_line>& out);

/// Steps 1 and 2 of the order of precedence: what can be said of a command without looking at the session.
core::refusal judge_role(const core::envelope& head, const core::command& c);
core::refusal judge_content(const core::envelope& head, const core::command& c, core::channel_set policy_channels);
core::owner_id model_owner_of(const core::command& c);

}  // namespace holdfast::simulation
