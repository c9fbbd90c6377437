#include "persistence/audit.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/modulo.hpp"
#include "base/planted.hpp"
#include "persistence/chain.hpp"
#include "persistence/journal_check.hpp"
#include "persistence/journal_meta.hpp"
#include "persistence/rocksdb_block_store.hpp"

namespace holdfast::persistence {

namespace {

constexpr std::uint64_t progress_every = 1'000;  // records

using finding = std::optional<std::string>;

/// One session under audit: the real state and the book beside it.
class subject {
 public:
  subject(core::session_id id, const core::record& created, const core::session_options& options)
      : state_(core::session::create(id, created, options)), book_(state_.shared_terms()) {
    const auto& t = state_.terms();
    tally_.id = id.value;
    tally_.name = t.name;
    tally_.kind = t.kind;
    tally_.currency = t.currency;
    tally_.capacity = t.seating->places();
    tally_.records = 1;
  }

  finding take(core::record& r, std::uint64_t compare_every) {
    if (r.number.value != state_.last().value + 1)
      return fmt::format("record {} is missing: record {} follows record {}", state_.last().value + 1, r.number.value,
                         state_.last().value);
    if (r.at < state_.last_time()) return "its log time runs backwards";
    if (r.rules_version != core::rules_version)
      return fmt::format("version {} of the rules decided it, this program has version {}", r.rules_version,
                         core::rules_version);
    if (std::holds_alternative<core::create_session>(r.asked)) return "creates a session that exists";
    // The book first: what it lets through names holds that exist, so the state can be asked about them.
    if (auto wrong = book_.book(r); wrong && !planted(bug::audit_keeps_no_book)) return wrong;
    if (const auto hold = hold_of(r.done); hold.value != 0 && !std::holds_alternative<core::hold_placed>(r.done) &&
                                           state_.state_of(hold) == core::hold_state::none)
      return fmt::format("is on hold {}, which has been forgotten", hold.value);
    state_.complete(r);
    if (auto wrong = decide_again(r)) return wrong;
    count(r);
    state_.apply(r);
    ++tally_.records;
    if (tally_.records % compare_every == 0) return compare();
    return {};
  }

  /// The state's own counts against the book's, and their sum against the plan.
  [[nodiscard]] finding compare() const {
    const auto seen = state_.brief(state_.last_time());
    const auto& p = seen.places;
    const auto& seats = book_.seats();
    const auto& areas = book_.areas();
    if (p.free + p.held + p.paying + p.sold + p.blocked != tally_.capacity)
      return fmt::format("{} free, {} held, {} paying, {} sold and {} blocked places are not the plan's {}", p.free,
                         p.held, p.paying, p.sold, p.blocked, tally_.capacity);
    const auto differs = [](const char* what, std::uint64_t state, std::uint64_t book) {
      return fmt::format("the state has {} {} places, the record-by-record book {}", state, what, book);
    };
    if (p.held != seats.held + areas.held) return differs("held", p.held, seats.held + areas.held);
    if (p.paying != seats.paying + areas.paying) return differs("paying", p.paying, seats.paying + areas.paying);
    if (p.sold != seats.sold + areas.sold) return differs("sold", p.sold, seats.sold + areas.sold);
    if (p.blocked < seats.blocked) return differs("blocked", p.blocked, seats.blocked);
    if (seen.refunds_open != book_.refunds_open().size())
      return differs("refunds due for", seen.refunds_open, book_.refunds_open().size());
    return {};
  }

  [[nodiscard]] const core::session& state() const { return state_; }

  [[nodiscard]] session_audit result() const {
    auto t = tally_;
    t.last = state_.last_time();
    t.places = state_.brief(state_.last_time()).places;
    t.orders_standing = book_.orders();
    t.refunds_due = book_.refunds();
    for (const auto& [number, refund] : book_.refunds_open()) {
      t.refunds_open.push_back(refund);
      base::add_modulo(t.amount_refunds_open, refund.amount);
    }
    t.refunds_settled = t.refunds_due - t.refunds_open.size();
    t.state = session_digest(state_);
    return t;
  }

 private:
  /// The rules of today at the recorded time must come to the recorded event.
  finding decide_again(const core::record& r) {
    // Time's command is not decided but done; the book has seen that every hold was due.
    if (std::holds_alternative<core::expire_due>(r.asked) || planted(bug::audit_believes_records)) return {};
    auto head = r.head;
    // Not recorded, for it is not content; any that was still to come is as good.
    if (std::holds_alternative<core::hold_seats>(r.asked)) head.client_deadline = core::log_time{r.at.value + 1};
    if (std::holds_alternative<core::clear_fault>(r.asked)) state_.set_faulted(state_.last_time());
    auto v = state_.decide(head, r.asked, r.at);
    if (!v.accepted)
      return fmt::format("the rules refuse its {} ({})", name_of(core::tag_of(r.asked)),
                         v.said.repeated ? "it was accepted before" : core::name_of(v.said.refused));
    if (v.done.index() != r.done.index())
      return fmt::format("it says {}, the rules say {}", name_of(r.done), name_of(v.done));
    auto again = r;
    again.done = std::move(v.done);
    recorded_.clear();
    decided_.clear();
    encode_record(r, recorded_);
    encode_record(again, decided_);
    if (recorded_ != decided_) return fmt::format("its {} is not what the rules decide", name_of(r.done));
    return {};
  }

  void count(const core::record& r) {
    if (const auto* e = std::get_if<core::hold_placed>(&r.done)) {
      ++tally_.holds_placed;
      ++tally_.by_channel[r.head.channel].holds;
      if (placed_by_.size() <= e->hold.value) placed_by_.resize(e->hold.value + 1);
      placed_by_[e->hold.value] = r.head.channel;
    } else if (std::holds_alternative<core::hold_released>(r.done)) {
      const auto& c = std::get<core::release_hold>(r.asked);
      if (c.lines.empty()) ++tally_.holds_released;
    } else if (const auto* x = std::get_if<core::holds_expired>(&r.done)) {
      tally_.holds_expired += x->holds.size();
    } else if (const auto* s = std::get_if<core::hold_confirmed>(&r.done)) {
      ++tally_.orders_confirmed;
      tally_.late += s->late ? 1 : 0;
      base::add_modulo(tally_.amount_sold, std::get<core::confirm_hold>(r.asked).amount);
      auto& channel = tally_.by_channel[placed_by_[s->hold.value]];
      ++channel.orders;
      for (const auto& p : s->sold) channel.places += p.count;
    } else if (std::holds_alternative<core::order_cancelled>(r.done)) {
      ++tally_.cancellations;
    }
  }

  core::session state_;
  hall_book book_;
  session_audit tally_;
  std::vector<core::channel_no> placed_by_;  ///< index: hold number
  base::bytes recorded_, decided_;
};

class auditor {
 public:
  auditor(const checkpoint_files* files, const audit_options& options, audit_report& report)
      : files_(files), options_(options), report_(report) {}

  base::result<void> list_checkpoints() {
    if (files_ == nullptr) return {};
    auto listed = files_->list();
    if (!listed) return listed.failure();
    for (const auto& skipped : listed->skipped) report_.warnings.push_back("cannot use " + skipped);
    checkpoints_ = std::move(listed->checkpoints);
    return {};
  }

  /// False: something is wrong, stop.
  bool take(const block_view& block, std::uint64_t last_block) {
    std::uint64_t number = 0;
    for (const auto& record : block) {
      ++number;
      finding wrong;
      if (record.session == system_session) {
        ++report_.starts;  // the chain has looked at it
        continue;
      }
      if (record.sequence == plan_sequence) {
        if (auto ok = plans_.add(record.bytes); !ok) wrong = ok.failure().text;
      } else {
        wrong = take(record);
        ++report_.records;
      }
      if (wrong) {
        report_.wrong = violation{block.header.number, number, record.session, record.sequence, std::move(*wrong)};
        return false;
      }
    }
    ++report_.blocks;
    report_.bytes += block.whole.size();
    report_.last_block = block.header.number;
    if (options_.progress && report_.records >= next_progress_) {
      next_progress_ = report_.records + progress_every;
      options_.progress(block.header.number, last_block, report_.records);
    }
    return compare_checkpoints(block.mark());
  }

  void finish() {
    for (const auto& [id, s] : sessions_) {
      if (auto wrong = report_.wrong ? finding{} : s.compare())
        report_.wrong = violation{report_.last_block, 0, id, s.state().last().value, std::move(*wrong)};
      report_.sessions.push_back(s.result());
    }
  }

 private:
  finding take(const record_ref& framed) {
    arena_.release();
    auto r = decode_record(framed, &plans_, arena_);
    if (!r) return r.failure().text;
    const auto at = sessions_.find(framed.session);
    if (at != sessions_.end()) return at->second.take(*r, options_.compare_every);

    const auto* created = std::get_if<core::create_session>(&r->asked);
    if (created == nullptr || r->number.value != 1)
      return fmt::format("record {} of a session that was not created", r->number.value);
    if (r->rules_version != core::rules_version)
      return fmt::format("version {} of the rules decided it, this program has version {}", r->rules_version,
                         core::rules_version);
    if (auto ok = core::check_policy(created->terms->rules); !ok) return ok.failure().text;
    if (!names_.emplace(created->terms->name, framed.session).second)
      return fmt::format("a second session has the name {}", created->terms->name);
    sessions_.emplace(framed.session, subject(core::session_id{framed.session}, *r, session_options_));
    return {};
  }

  /// A checkpoint of this block must be what the replay came to.
  bool compare_checkpoints(const block_mark& at) {
    for (const auto& c : checkpoints_) {
      if (c.at.journal != report_.journal || c.at.block.number != at.number) continue;
      finding wrong;
      if (c.at.block.hash != at.hash) wrong = "its hash is not the one that a checkpoint vouches for";
      std::size_t compared = 0;
      auto read =
          wrong ? base::result<void>() : files_->load(c, [&](const snapshot_entry& entry, base::byte_view payload) {
            if (entry.session == system_session) return base::result<void>();
            const auto s = sessions_.find(entry.session);
            if (s == sessions_.end() || s->second.state().last().value != entry.sequence) {
              wrong = fmt::format("session {} does not have the {} records that a checkpoint says", entry.session,
                                  entry.sequence);
              return base::result<void>();
            }
            snapshot_.clear();
            base::byte_writer w(snapshot_);
            s->second.state().save(w);
            const auto state = payload.subspan(std::min(payload.size(), sizeof(digest)));
            if (!std::ranges::equal(state, snapshot_))
              wrong =
                  fmt::format("a checkpoint has another state of session {} than its records lead to", entry.session);
            ++compared;
            return base::result<void>();
          });
      if (!read) {
        report_.warnings.push_back("cannot use a checkpoint: " + read.failure().text);
        continue;
      }
      if (!wrong && compared != sessions_.size()) wrong = "a checkpoint does not have all sessions";
      if (wrong) {
        report_.wrong = violation{at.number, 0, 0, 0, std::move(*wrong)};
        return false;
      }
      ++report_.checkpoints_compared;
    }
    return true;
  }

  const checkpoint_files* files_;
  const audit_options& options_;
  audit_report& report_;
  core::session_options session_options_;
  plan_library plans_;
  std::map<std::uint64_t, subject> sessions_;
  std::map<std::string, std::uint64_t> names_;
  std::vector<checkpoint> checkpoints_;
  std::pmr::monotonic_buffer_resource arena_{64U << 10U};
  base::bytes snapshot_;
  std::uint64_t next_progress_ = progress_every;
};

}  // namespace

base::result<audit_report> audit(block_store& store, const checkpoint_files* files, const audit_options& options) {
  audit_report report;
  sha256 hasher;
  auto meta_read = store.read_meta();
  if (!meta_read) return meta_read.failure();
  if (!*meta_read) return base::error{base::trouble::bad_input, "there is no journal"};
  auto meta = decode_meta(**meta_read, hasher);
  if (!meta) {
    report.wrong = violation{0, 0, 0, 0, meta.failure().text};
    return report;
  }
  report.journal = meta->journal;
  report.first_block = meta->first_block;
  auto last = store.last();
  if (!last) return last.failure();

  auditor a(files, options, report);
  if (auto ok = a.list_checkpoints(); !ok) return ok.failure();
  if (meta->first_block != 1)
    report.warnings.push_back(fmt::format(
        "blocks before block {} are no longer kept; sessions from before cannot be audited", meta->first_block));
  chain c(options.partition, meta->journal);
  auto scanned = scan_chain(store, c, meta->first_block, 0, [&](const block_view& block) -> base::result<bool> {
    if (block.header.number == meta->first_block && block.header.previous != meta->before_first) {
      report.wrong = violation{block.header.number, 0, 0, 0, "it does not follow what the journal's meta record says"};
      return false;
    }
    return a.take(block, last->value_or(0));
  });
  if (!scanned) {
    if (scanned.failure().kind != base::trouble::corrupt) return scanned.failure();
    report.wrong = violation{c.tip() ? c.tip()->block.number + 1 : meta->first_block, 0, 0, 0, scanned.failure().text};
  }
  a.finish();
  if (report.wrong) return report;

  // The blocks are good; whether all of them are there is the witness's to say.
  check_options around{options.partition, {}};
  if (c.tip()) around.checkpoints.push_back({meta->journal, c.tip()->block});
  auto state = check_journal(store, around);
  if (state) {
    report.warnings.insert(report.warnings.end(), state->warnings.begin(), state->warnings.end());
  } else if (state.failure().kind == base::trouble::corrupt) {
    report.wrong = violation{report.last_block, 0, 0, 0, state.failure().text};
  } else {
    return state.failure();
  }
  return report;
}

base::result<audit_report> audit_directory(const data_directory& d, const audit_options& options) {
  rocksdb_store_options so;
  so.data_dir = d.root;
  so.partition = options.partition;
  so.read_only = true;
  auto store = rocksdb_block_store::open(so);
  if (!store) {
    if (store.failure().kind != base::trouble::corrupt) return store.failure();
    audit_report report;
    report.wrong = violation{0, 0, 0, 0, store.failure().text};
    return report;
  }
  const checkpoint_files files(d.snapshots());
  return audit(**store, &files, options);
}

}  // namespace holdfast::persistence
