#include "persistence/journal_log.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <sys/random.h>

#include "base/check.hpp"
#include "base/planted.hpp"
#include "persistence/journal_check.hpp"
#include "persistence/journal_meta.hpp"
#include "persistence/system_record.hpp"

namespace holdfast::persistence {

namespace {

base::result<base::id128> draw_id() {
  base::id128 id;
  while (id.zero())
    if (::getrandom(&id, sizeof id, 0) != static_cast<ssize_t>(sizeof id))
      return base::error{base::trouble::io, "the operating system gives no random bytes"};
  return id;
}

/// Witness first, store second, meta record third: whatever a crash leaves of these, the next start either finds
/// block 0 acknowledged and goes on creating, or finds a journal.
base::result<journal_meta> create(block_store& store, std::uint16_t partition, const journal_state& state,
                                  base::id128 id, std::uint64_t now) {
  sha256 hasher;
  if (state.acknowledged) id = state.journal;
  journal_meta meta{partition, id, 1, genesis_hash(id, hasher)};
  if (!state.acknowledged) {
    block_store::witness_content slots;
    for (std::uint64_t i = 0; i < witness_slots; ++i)
      encode_witness({partition, i, id, 0, {0, meta.before_first}, now}, hasher, slots[i]);
    if (auto ok = store.create_witness(slots); !ok) return ok.failure();
  }
  if (auto ok = store.begin_writing(); !ok) return ok.failure();
  base::bytes bytes;
  encode_meta(meta, hasher, bytes);
  if (auto ok = store.write_meta(bytes); !ok) return ok.failure();
  return meta;
}

/// Opening for writing recovers the store a second time. It must have come to the same end.
base::result<void> still_ends_at(block_store& store, std::uint16_t partition, const base::id128& id, const chain_tip& tip) {
  auto last = store.last();
  if (!last) return last.failure();
  const auto found = last->value_or(0);
  bool same = found == tip.block.number;
  if (same && found != 0) {
    chain c(partition, id);
    if (auto ok = scan_chain(store, c, found, found, nullptr); !ok) return ok;
    same = c.tip()->block == tip.block;
  }
  if (same) return {};
  return base::error{base::trouble::corrupt, fmt::format("opened for writing the journal ends at another block {} than the "
                                                         "verified block {}: restore the data directory from a copy",
                                                         found, tip.block.number)};
}

}  // namespace

base::result<journal_log::opened> journal_log::open(std::unique_ptr<block_store> store, const journal_options& options) {
  auto state = check_journal(*store, {options.partition, options.checkpoints});
  if (!state) return state.failure();
  auto time = decide_start_time(state->last_known_time(), options.wall_clock, options.clock);
  if (!time) return time.failure();

  // Up to here nothing was changed.
  start_report report{!state->exists, *time, state->tip.block, std::move(state->checkpoints), std::move(state->warnings)};
  if (time->clock_behind != 0)
    report.warnings.push_back(fmt::format("the wall clock is {} ms behind the journal; log time goes on from the journal",
                                          time->clock_behind / 1000));
  if (!state->exists) {
    auto id = options.new_journal.zero() ? draw_id() : base::result<base::id128>(options.new_journal);
    if (!id) return id.failure();
    auto meta = create(*store, options.partition, *state, *id, time->log_time);
    if (!meta) return meta.failure();
    state->journal = meta->journal;
    state->tip.block = {0, meta->before_first};
    report.recovered = state->tip.block;
  } else {
    if (auto ok = store->begin_writing(); !ok) return ok.failure();
    if (auto ok = still_ends_at(*store, options.partition, state->journal, state->tip); !ok) return ok.failure();
    // The slot that was read as the newest may be known to the page cache alone. It must be whole on the disk before the other
    // slot is written over: a power cut that tears both would leave none.
    if (auto ok = store->sync_witness(); !ok) return ok.failure();
  }
  const auto writes = state->acknowledged ? state->acknowledged->writes + 1 : witness_slots;
  opened o;
  o.journal.reset(new journal_log(std::move(store), options.partition, state->journal, state->first_block, state->tip, writes,
                                  time->log_time));
  o.report = std::move(report);
  if (auto ok = o.journal->begin_epoch(options, time->log_time); !ok) return ok.failure();
  return o;
}

journal_log::journal_log(std::unique_ptr<block_store> store, std::uint16_t partition, const base::id128& id,
                         std::uint64_t first_block, const chain_tip& tip, std::uint64_t witness_writes, std::uint64_t now)
    : store_(std::move(store)),
      partition_(partition),
      id_(id),
      first_block_(first_block),
      tip_(tip),
      keeper_(now),
      witness_writes_(witness_writes) {}

base::result<void> journal_log::begin_epoch(const journal_options& options, std::uint64_t now) {
  const auto epoch = tip_.epoch + 1;
  base::bytes bytes;
  encode_started({id_, epoch, options.wall_clock, options.program}, bytes);
  const record_ref started{system_session, epoch, now, bytes};
  if (auto done = commit({&started, 1}, epoch, now); !done) return done.failure();
  // A server that starts and then stands still has a synced witness too.
  return keep_witness({.write = false, .sync = true}, now);
}

base::result<appended> journal_log::append(std::span<const record_ref> records, std::uint64_t now) {
  if (failure_) return failure_->what;
  if (records.empty()) return appended{tip_.block.number, tip_.log_time};
  std::size_t total = block_overhead_bytes;
  for (const auto& record : records) {
    HOLDFAST_CHECK(record.session != system_session, "session 0 belongs to the journal");
    if (guard_ != nullptr)
      if (auto ok = guard_->admit(record); !ok)
        return fail({ok.failure().kind, fmt::format("session {}: record {} was refused on its way to the disk: {}", record.session,
                                                    record.sequence, ok.failure().text)},
                    record.session);
    if (record.bytes.empty() || record.bytes.size() > record_bytes_max)
      return fail({base::trouble::bad_input, fmt::format("session {}: record {} has {} bytes, allowed are 1 to {}", record.session,
                                                         record.sequence, record.bytes.size(), record_bytes_max)});
    total += 40 + record.bytes.size();
  }
  if (total > block_bytes_max)
    return fail({base::trouble::bad_input, fmt::format("{} records in one commit are too long for a block", records.size())});
  return commit(records, tip_.epoch, now);
}

base::result<appended> journal_log::commit(std::span<const record_ref> records, std::uint64_t epoch, std::uint64_t now) {
  auto time = std::max(now, tip_.log_time);
  for (const auto& record : records) time = std::max(time, record.log_time);
  encoder_.begin({partition_, tip_.block.number + 1, epoch, time, 0, planted(bug::block_without_chain) ? digest{} : tip_.block.hash});
  for (const auto& record : records) encoder_.add(record);
  const auto block = encoder_.finish(hasher_);

  const chain_tip next{{tip_.block.number + 1, encoder_.hash()}, epoch, time};
  if (planted(bug::witness_before_the_block)) {
    const auto before = std::exchange(tip_, next);
    static_cast<void>(keep_witness({.write = true, .sync = true}, time));
    tip_ = before;
  }
  auto stored = store_->append_synced(next.block.number, block);
  if (!stored && planted(bug::failed_write_tried_again)) stored = store_->append_synced(next.block.number, block);
  if (!stored) return fail(stored.failure());
  if (auto ok = store_->health(); !ok) return fail(ok.failure());
  tip_ = next;
  // The witness knows of the block before anybody else does.
  if (auto ok = keep_witness(keeper_.block_durable(time), time); !ok) return ok.failure();
  return appended{tip_.block.number, time};
}

base::result<void> journal_log::tick(std::uint64_t now) {
  if (failure_) return failure_->what;
  if (auto ok = store_->health(); !ok) return fail(ok.failure());
  return keep_witness(keeper_.tick(now), now);
}

base::result<void> journal_log::keep_witness(witness_keeper::task task, std::uint64_t now) {
  now = std::max(now, tip_.log_time);
  if (task.write) {
    encode_witness({partition_, witness_writes_, id_, tip_.epoch, tip_.block, now}, hasher_, witness_buffer_);
    const auto slot = planted(bug::witness_in_one_slot) ? 0U : static_cast<unsigned>(witness_writes_ % witness_slots);
    if (auto ok = store_->write_witness(slot, witness_buffer_); !ok) return fail(ok.failure());
    ++witness_writes_;
    keeper_.wrote(now);
  }
  if (task.sync && !planted(bug::witness_never_synced)) {
    if (auto ok = store_->sync_witness(); !ok) return fail(ok.failure());
    keeper_.synced();
  }
  return {};
}

base::result<void> journal_log::scan(std::uint64_t from, std::uint64_t to, const block_visitor& visit) const {
  if (from < first_block_)
    return base::error{base::trouble::bad_input, fmt::format("block {} is no longer kept, the first one is {}", from, first_block_)};
  chain c(partition_, id_);
  return scan_chain(*store_, c, from, to, visit);
}

base::result<void> journal_log::close(std::uint64_t now) {
  if (failure_) return failure_->what;
  if (auto ok = keep_witness({.write = true, .sync = true}, now); !ok) return ok;
  if (auto ok = store_->close(); !ok) return fail(ok.failure());
  failure_ = journal_failure{{base::trouble::io, "the journal is closed"}, {}};
  return {};
}

base::error journal_log::fail(base::error what, std::optional<std::uint64_t> session) {
  if (planted(bug::failed_journal_goes_on)) return what;
  if (!failure_) failure_ = journal_failure{std::move(what), session};
  return failure_->what;
}

}  // namespace holdfast::persistence
