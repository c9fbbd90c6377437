#include "apps/holdfastd/background.hpp"

#include <map>
#include <set>
#include <tuple>

#include <spdlog/spdlog.h>

namespace holdfast::server {
namespace {

constexpr std::uint64_t index_blocks_per_turn = 16;
constexpr std::size_t find_rows_max = 1'000;

/// A record's position as one number, for who asks for the next page: a block has at most 2^29 bytes, and no record fits into eight.
constexpr unsigned record_bits = 26;
std::uint64_t page_of(const persistence::record_position& p) { return p.block << record_bits | p.record; }
persistence::record_position position_of(std::uint64_t page) {
  return {page >> record_bits, static_cast<std::uint32_t>(page & ((1U << record_bits) - 1))};
}

/// How far behind the log they may fall while it is busy, in bytes of records. A start replays what no checkpoint covers, so the
/// first bounds the time of a start after a crash in a rush: some eleven million records.
constexpr std::uint64_t replica_behind_max = 512U << 20U;
constexpr std::uint64_t index_behind_max = 512U << 20U;

/// Every hold, order or refund that the rows tell of, as it is after the newest of them.
class told {
 public:
  void add(const persistence::index_row& r) {
    auto& row = rows_[{r.session, r.hold_id.value, r.hold_id.value.zero() ? r.refund.value : 0}];
    row.session = r.session;
    row.number = r.number;
    row.at = r.at;
    if (!r.owner.value.zero()) row.owner = r.owner;
    row.hold = r.hold_id;
    if (!r.basket.value.zero()) row.basket = r.basket;
    if (r.refund.value != 0) {
      row.refund = r.refund;
      row.reason = r.reason;
    }
    const auto event = persistence::name_of_event(r);
    if (event == "hold_placed") {
      row.state = core::hold_state::held;
      row.lines = r.lines;
      row.command = core::command_tag::hold_seats;
    } else if (event == "payment_begun") {
      row.state = core::hold_state::paying;
      row.command = core::command_tag::begin_payment;
    } else if (event == "payment_rejected") {
      row.state = core::hold_state::held;
      row.command = core::command_tag::payment_failed;
    } else if (event == "hold_confirmed") {
      row.state = core::hold_state::sold;
      row.lines = r.lines;
      paid(row, r);
    } else if (event == "refund_recorded") {
      paid(row, r);
    } else if (event == "hold_released") {
      take(row, r.lines, core::hold_state::released);
      row.command = core::command_tag::release_hold;
    } else if (event == "order_cancelled") {
      take(row, r.lines, core::hold_state::cancelled);
      row.command = core::command_tag::cancel_order;
    } else if (event == "holds_expired") {
      row.state = core::hold_state::expired;
      row.command = core::command_tag::expire_due;
    } else if (event == "refund_closed") {
      row.settled = true;
      row.command = core::command_tag::settle_refund;
    } else if (event == "hold_changed") {
      row.command = core::command_tag::change_hold;
    } else if (event == "hold_extended") {
      row.command = core::command_tag::extend_hold;
    }
  }
  [[nodiscard]] protocol::found done() && {
    protocol::found f;
    for (auto& [key, row] : rows_) f.rows.push_back(std::move(row));
    return f;
  }

 private:
  static void paid(protocol::found_row& row, const persistence::index_row& r) {
    row.amount = r.amount;
    row.payment = std::string(base::as_text(r.reference));
    row.command = core::command_tag::confirm_hold;
  }
  static void take(protocol::found_row& row, const std::vector<core::line>& gone, core::hold_state all_gone) {
    for (const auto& g : gone)
      for (auto& l : row.lines)
        if (l.kind == g.kind && l.number == g.number && l.price == g.price) l.count -= std::min(l.count, g.count);
    std::erase_if(row.lines, [](const core::line& l) { return l.count == 0; });
    if (row.lines.empty() || gone.empty()) row.state = all_gone;
  }
  std::map<std::tuple<core::session_id, core::id128, std::uint32_t>, protocol::found_row> rows_;
};

}  // namespace

background::background(const persistence::journal& journal, std::shared_ptr<const actors::journal_figures> figures,
                       persistence::snapshotter snapshots, std::unique_ptr<persistence::journal_index> index)
    : journal_(journal),
      first_durable_(journal.last_block().number),
      figures_(std::move(figures)),
      snapshots_(std::move(snapshots)),
      index_(std::move(index)),
      thread_([this] { run(); }) {}

background::~background() { stop(); }

/// The journal's own last_block belongs to its thread; its actor publishes the number after each sync.
std::uint64_t background::durable() const {
  return std::max(first_durable_, figures_->last_block.load(std::memory_order_acquire));
}

/// No checkpoint here: it could take seconds, and the next start replays at most what snapshot_policy allows anyway.
void background::stop() {
  {
    const std::lock_guard held(lock_);
    if (stop_) return;
    stop_ = true;
  }
  stopping_.notify_all();
  thread_.join();
  if (index_)
    if (auto done = index_->flush(); !done) spdlog::warn("index: {}", done.failure().text);
}

void background::run() {
  std::unique_lock held(lock_);
  while (!stop_) {
    held.unlock();
    turn();
    held.lock();
    stopping_.wait_for(held, std::chrono::nanoseconds(pace::sample_ns), [this] { return stop_; });
  }
}

bool background::stopped() {
  const std::lock_guard held(lock_);
  return stop_;
}

void background::turn() {
  advance_checkpoints();
  advance_index();
}

void background::advance_checkpoints() {
  for (bool more = !snapshots_failed_; more;) {
    pace_.look(actors::steady_ns(), durable(), figures_->bytes.load(std::memory_order_relaxed));
    if (stopped() || (replayed_ != 0 && pace_.rest(replayed_, replica_behind_max))) return;
    const auto p = snapshots_.step(durable());
    if (!p) {
      spdlog::error("no further checkpoints: {}", p.failure().text);
      snapshots_failed_ = true;
      return;
    }
    for (const auto& w : p->warnings) spdlog::warn("checkpoint left out: {}", w);
    replayed_ = p->at;
    if (p->checkpoint) {
      checkpoint_block_ = *p->checkpoint;
      ++checkpoints_;
      spdlog::info("checkpoint of block {}", *p->checkpoint);
    }
    more = p->behind;
  }
}

void background::advance_index() {
  if (!index_) return;
  for (bool more = !index_failed_; more;) {
    pace_.look(actors::steady_ns(), durable(), figures_->bytes.load(std::memory_order_relaxed));
    if (stopped() || pace_.rest(index_->position(), index_behind_max)) return;
    const std::lock_guard held(index_lock_);
    const auto done = index_->catch_up(journal_, durable(), index_blocks_per_turn);
    if (!done) {
      spdlog::error("index is no longer kept: {}", done.failure().text);
      index_failed_ = true;
      return;
    }
    more = *done;
  }
}

base::result<protocol::found> background::find(const protocol::find& asked) {
  if (!index_) return base::error{base::trouble::bad_input, "there is no index: it is switched off (index.enabled), or could not be opened, as the server's log says; restart when that is mended"};
  const std::lock_guard held(index_lock_);
  for (bool more = true; more;) {
    const auto done = index_->catch_up(journal_, durable(), index_blocks_per_turn);
    if (!done) return done.failure();
    more = *done;
  }
  persistence::index_query q;
  switch (asked.by) {
    case protocol::find_by::owner: q = persistence::by_owner{core::owner_id{asked.id}}; break;
    case protocol::find_by::basket: q = persistence::by_basket{core::basket_id{asked.id}}; break;
    case protocol::find_by::order: q = persistence::by_hold{core::hold_id{asked.id}}; break;
    case protocol::find_by::payment: {
      const auto b = base::as_bytes(asked.payment);
      q = persistence::by_reference{base::bytes(b.begin(), b.end())};
      break;
    }
  }
  auto first = index_->find(journal_, q, find_rows_max, position_of(asked.from));
  if (!first) return first.failure();
  told all;
  // A payment or basket names holds; what became of them stands in the holds' other rows.
  std::set<core::id128> seen;
  for (const auto& r : first->rows) {
    if (r.hold_id.value.zero()) {
      all.add(r);
      continue;
    }
    if (!seen.insert(r.hold_id.value).second) continue;
    auto rows = index_->find(journal_, persistence::by_hold{r.hold_id}, find_rows_max);
    if (!rows) return rows.failure();
    for (const auto& x : rows->rows) all.add(x);
  }
  auto page = std::move(all).done();
  if (first->next) page.next_from = page_of(*first->next);
  return page;
}

void background::add_stats(protocol::stats_seen& into) const {
  const auto gauge = [&](const char* name, std::uint64_t v) { into.values.push_back({name, true, static_cast<std::int64_t>(v)}); };
  const auto count = [&](const char* name, std::uint64_t v) { into.values.push_back({name, false, static_cast<std::int64_t>(v)}); };
  gauge("checkpoint.block", checkpoint_block_);
  count("checkpoint.written", checkpoints_);
  gauge("checkpoint.replica_at", replayed_);
  gauge("index.position", index_ ? index_->position() : 0);
  gauge("index.behind", index_ ? durable() - std::min(durable(), index_->position()) : 0);
}

}  // namespace holdfast::server
