// One session: its seats, holds, orders and refunds, and the rules over them (docs/RULES.md). Pure and deterministic: no clock, no
// randomness but the hash key, which changes no answer. `apply` is the only mutator; it never refuses, it checks.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "core/answer.hpp"
#include "core/command.hpp"
#include "core/deadlines.hpp"
#include "core/event.hpp"
#include "core/look.hpp"
#include "core/state.hpp"
#include "core/storage.hpp"
#include "core/view.hpp"

namespace holdfast::core {

struct session_options {
  std::uint64_t hash_key = 0;         ///< secret of the process: keeps tables from being aimed at
  std::uint32_t changes_ring = 16'384;  ///< how many durable changes `look_changes` can go back
};

/// What the rules say to a command. Borrows from the session until its next decide, apply or look.
struct verdict {
  bool accepted = false;
  event done;    ///< accepted: what to record
  answer said;   ///< the body; tells_of and waits_for are set for refusals and repeats
};

inline constexpr std::uint32_t expiries_per_record_max = 256;
inline constexpr std::uint64_t downtime_shift_per_start_max_us = 10 * 60 * us_per_s;
inline constexpr std::uint64_t downtime_shift_total_max_us = 30 * 60 * us_per_s;

/// What a command looks up in a session's tables. The hashes are made ahead of the decision, so that memory can be fetched
/// meanwhile; decide adds where a hold's owner and keys were found, so that apply need not look again.
struct table_places {
  std::uint64_t id = 0, named = 0, owner = 0;       ///< hashes of (owner, command id), of (owner, hold named), of the owner
  std::uint64_t key[limits::keys_max] = {};         ///< hashes of the command's keys
  std::uint32_t owner_ref = 0;                      ///< 0: not there
  std::uint32_t key_ref[limits::keys_max] = {};
};

/// Hash of what a command asks, for "same id, same content". `hold` stands in for the id where the command names it by number.
[[nodiscard]] std::uint64_t content_hash(const command& asked, const envelope& head, hold_id hold);

class session {
 public:
  /// From its first record (number 1, create_session with terms, plan and checked policy).
  [[nodiscard]] static session create(session_id id, const record& created, const session_options& options);

  session(session&&) noexcept = default;
  session& operator=(session&&) noexcept = default;

  /// Accept with an event, or refuse; changes nothing. Due holds that the command touches should have been expired before
  /// (engine::step does); otherwise they still count as live here. `ahead` is what look_ahead made of this command.
  [[nodiscard]] verdict decide(const envelope& head, const command& asked, log_time now) const;
  [[nodiscard]] verdict decide(const envelope& head, const command& asked, log_time now, table_places& ahead) const;

  /// Makes it so. The record must be the session's next. `changes`, if given, gets what the record does to the view. `found`, if
  /// given, comes from the decide that made the record, with nothing applied since.
  void apply(const record& r, std::vector<view_change>* changes = nullptr, const table_places* found = nullptr);

  /// Fills owner and hold id of a decoded record that names its hold by number; to be called before the record is applied.
  void complete(record& r) const;

  /// What a look shows; refusal::unknown_hold and the like in `said` if there is nothing to show. Sets tells_of and waits_for.
  [[nodiscard]] std::shared_ptr<const seen> show(const look& asked, const origin& from, log_time now, answer& said) const;

  // ---- time ----
  [[nodiscard]] hold_time hold_clock(log_time now) const {
    auto t = now.value;
    if (frozen_at_.value != 0) t = std::min(t, frozen_at_.value);
    if (fault_at_.value != 0) t = std::min(t, fault_at_.value);
    return hold_time{t > shift_ ? t - shift_ : 0};
  }
  [[nodiscard]] log_time in_log_time(hold_time t) const { return log_time{t.value + shift_}; }
  /// The hold that is due next and when, on the hold clock; none if no hold is live.
  struct due { hold_time at; hold_no hold; };
  [[nodiscard]] std::optional<due> next_due() const {
    const auto first = due_.first();
    if (!first) return std::nullopt;
    return due{hold_time{first->time}, hold_no{first->number}};
  }
  [[nodiscard]] bool is_due(hold_no h, hold_time clock) const;
  [[nodiscard]] bool frozen() const { return frozen_at_.value != 0; }
  [[nodiscard]] std::uint64_t shift_us() const { return shift_; }
  [[nodiscard]] bool clock_stands() const { return frozen_at_.value != 0 || fault_at_.value != 0; }

  /// The due holds that `asked` touches by name (its hold, the one it placed if it is asked again, the holders of its seats, those in an
  /// area from which it withdraws places while some are owed already), each once; of a full area not all at once.
  void touched(const envelope& head, const command& asked, hold_time clock, std::vector<hold_no>& out) const;
  /// The due holds that could change the refusal `said` to `asked` (short areas, short keys, the owner's number), as above.
  void behind(const envelope& head, const command& asked, const answer& said, hold_time clock, std::vector<hold_no>& out) const;
  /// The due holds of areas from which the accepted `asked` would draw otherwise if they were gone: some of what it draws is not of the
  /// allocation that it would have been drawn from first.
  void in_the_way(const envelope& head, const command& asked, const event& done, hold_time clock, std::vector<hold_no>& out) const;
  void touched(const look& asked, hold_time clock, std::vector<hold_no>& out) const;
  /// Due holds in the order (deadline, number), at most `most`, starting from the first.
  void due_now(hold_time clock, std::size_t most, std::vector<hold_no>& out) const;
  [[nodiscard]] bool earlier(hold_no a, hold_no b) const;
  /// Whether a record made at `at` may expire these: each live and due then, in the order (deadline, number).
  [[nodiscard]] bool may_expire(std::span<const hold_no> holds, log_time at) const;

  // ---- out of service (not part of the journal's state) ----
  void set_faulted(log_time since) { fault_at_ = since; }
  [[nodiscard]] bool faulted() const { return fault_at_.value != 0; }

  // ---- state as bytes ----
  /// Everything that decides, in one canonical order; equal states give equal bytes. The plan is not in it.
  void save(base::byte_writer& out) const;
  [[nodiscard]] static base::result<session> load(session_id id, base::byte_view state, std::shared_ptr<const plan> seating,
                                                  const session_options& options);

  // ---- plain facts ----
  [[nodiscard]] session_id id() const { return id_; }
  [[nodiscard]] sequence last() const { return last_; }
  [[nodiscard]] log_time last_time() const { return last_at_; }
  [[nodiscard]] const session_terms& terms() const { return *terms_; }
  [[nodiscard]] std::shared_ptr<const session_terms> shared_terms() const { return terms_; }
  [[nodiscard]] const policy& rules() const { return terms_->rules; }
  [[nodiscard]] session_seen brief(log_time now) const;
  [[nodiscard]] hold_state state_of(hold_no h) const { return holds_.at(h.value).state; }
  [[nodiscard]] log_time deadline_of(hold_no h) const;
  void for_each_sold(const std::function<void(const piece&)>& visit) const;
  /// Changes that lead a fresh view to the present state.
  void describe_view(std::vector<view_change>& out) const;
  /// Walks everything and aborts on a broken invariant; proportional to the state, for tests and audit.
  void verify() const;
  /// Bytes of memory per kind of thing, for reports.
  struct footprint { std::size_t seats, holds, ids, owners, keys, indexes; };
  [[nodiscard]] footprint memory() const;

  // ---- looking ahead: each call fetches what the calls before it have found, and changes nothing ----
  /// Hashes what `asked` will look up, fetches the slots of the indexes and its seats.
  void look_ahead(const envelope& head, const command& asked, table_places& ahead) const;
  /// Fetches the entries behind the slots; `further` counts the commands before this one, whose new entries come first.
  void fetch_entries(const command& asked, const table_places& ahead, std::size_t further) const;
  /// Fetches what those entries point at: the hold named, the holders of the seats.
  void fetch_holds(const command& asked, const table_places& ahead) const;
  /// Fetches the seat and memberships of the hold named.
  void fetch_parts(const command& asked, const table_places& ahead) const;

 private:
  void due_in(std::uint32_t area, hold_time clock, std::vector<hold_no>& out) const;
  session(session_id id, std::shared_ptr<const session_terms> terms, const session_options& options);

  // ---- decide (decide*.cpp) ----
  friend struct decider;
  // ---- apply (apply.cpp) ----
  friend struct place_changes;
  friend struct link_changes;
  friend struct applier;
  // ---- looks (looks.cpp), state as bytes (session_write.cpp, session_read.cpp), verify ----
  friend struct viewer;
  friend struct saver;
  friend struct loader;
  friend struct verifier;

  // Lookups (lookup.hpp): a hash each, made by the first four.
  [[nodiscard]] std::uint64_t hash_owner(const id128& o) const;
  [[nodiscard]] std::uint64_t hash_key(const limit_key& k) const;
  [[nodiscard]] std::uint64_t hash_id(const id128& owner, const id128& id) const;
  [[nodiscard]] std::uint64_t hash_stray(const id128& owner, const id128& hold, const id128& reference) const;
  [[nodiscard]] std::uint32_t find_owner(const id128& o, std::uint64_t hash) const;
  [[nodiscard]] std::uint32_t find_owner(const id128& o) const { return find_owner(o, hash_owner(o)); }
  [[nodiscard]] std::uint32_t find_key(const limit_key& k, std::uint64_t hash) const;
  [[nodiscard]] std::uint32_t find_key(const limit_key& k) const { return find_key(k, hash_key(k)); }
  [[nodiscard]] std::uint32_t find_id(const id128& owner, const id128& id, std::uint64_t hash) const;
  [[nodiscard]] std::uint32_t find_id(const id128& owner, const id128& id) const { return find_id(owner, id, hash_id(owner, id)); }
  [[nodiscard]] std::uint32_t find_hold(const id128& owner, const id128& hold, std::uint64_t hash) const;
  [[nodiscard]] std::uint32_t find_hold(const id128& owner, const id128& hold) const { return find_hold(owner, hold, hash_id(owner, hold)); }
  [[nodiscard]] std::uint32_t find_stray(const id128& owner, const id128& hold, const id128& reference) const;
  void hash(const envelope& head, const command& asked, table_places& out) const;
  /// While a list of holds ends and the oldest ended ones are forgotten: fetches what the next ones will touch.
  void fetch_ending(std::span<const hold_no> holds, std::size_t at) const;
  void fetch_forgotten() const;
  void fetch_around(const state::hold& h) const;
  [[nodiscard]] bool seats_free(lines asked) const;
  /// Its hold's number as far as the index can tell without a comparison; for prefetching only.
  [[nodiscard]] std::uint32_t guess_hold(std::uint64_t hash) const;
  [[nodiscard]] std::span<const state::part> parts_of(const state::hold& h) const;
  [[nodiscard]] std::span<state::part> parts_of(state::hold& h);
  [[nodiscard]] state::stock& stock_of(std::uint32_t area, std::uint32_t allocation) { return stocks_[area * allocations_ + allocation]; }
  [[nodiscard]] const state::stock& stock_of(std::uint32_t area, std::uint32_t allocation) const {
    return stocks_[area * allocations_ + allocation];
  }
  [[nodiscard]] std::uint8_t category_of(place_kind kind, std::uint32_t number) const {
    return kind == place_kind::seat ? seats_[number].category : terms_->seating->areas[number].category;
  }
  [[nodiscard]] std::uint64_t ended_max() const;
  [[nodiscard]] std::uint64_t ended_hard_max() const;

  session_id id_;
  session_options options_;
  std::shared_ptr<const session_terms> terms_;
  std::uint32_t allocations_ = 1;

  /// A channel's rules with the count they look at.
  struct counted_rule { key_kind kind; std::uint8_t mask; std::uint32_t places_max; };
  std::vector<std::vector<counted_rule>> rules_;                 ///< per channel
  std::vector<std::uint64_t> masks_[key_kinds];                  ///< per kind: the category masks that are counted

  sequence last_;
  log_time last_at_;
  sale_state sale_ = sale_state::announced;
  channel_set open_ = 0;
  log_time frozen_at_{};
  log_time fault_at_{};                    ///< of this process, not of the journal
  std::uint64_t shift_ = 0;                ///< hold clock = log time - shift_
  std::uint64_t downtime_shift_ = 0;
  std::uint64_t control_seq_ = 0;
  std::uint64_t forgot_seq_ = 0;           ///< the last record by which an id was forgotten
  std::uint64_t forgotten_end_ = 0;        ///< log time at which the newest forgotten hold had ended
  std::uint64_t forgotten_early_ = 0;

  std::vector<state::seat> seats_;
  std::vector<state::stock> stocks_;       ///< area x allocation
  slab<state::hold> holds_;
  slab<state::id_entry> ids_;
  slab<state::owner> owners_;
  slab<state::key> keys_;
  slab<state::member> members_;
  slab<state::extra> extras_;
  slab<state::payment> payments_;
  slab<state::stray> strays_;
  chunked<state::refund> refunds_;         ///< [n - 1] is refund n
  list_pool<state::part> lists_;
  flat_index id_index_, owner_index_, key_index_, stray_index_;
  deadlines due_;                          ///< of the live holds
  std::vector<due_heap> area_due_;         ///< live holds with places in the area

  /// Ended holds that may be forgotten, in the order in which they ended.
  struct ended { std::uint32_t hold; std::uint64_t at; };
  chunked_queue<ended> ended_;
  chunked_queue<std::uint32_t> operator_ids_;

  std::uint64_t live_ = 0, orders_ = 0, ended_count_ = 0;
  std::uint64_t refunds_open_ = 0, strays_open_ = 0;
  std::int64_t paid_ = 0, due_back_ = 0;
  place_counts totals_;

  chunked_queue<change> ring_;             ///< newest last; bounded; not part of the saved state

  /// Where decide puts what a verdict borrows.
  struct scratch {
    std::vector<draw> draws;
    std::vector<piece> pieces;
    struct taken { std::uint32_t area; std::uint32_t allocation; std::int64_t count; };
    std::vector<taken> taken_places;       ///< of areas, by earlier lines of the command; negative: dropped ones back
    std::vector<state::part> cut;
    deadlines::walk walk;                  ///< through the deadlines
  };
  mutable std::unique_ptr<scratch> scratch_;
};

}  // namespace holdfast::core
