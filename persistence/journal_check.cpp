#include "persistence/journal_check.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/planted.hpp"
#include "persistence/journal_meta.hpp"

namespace holdfast::persistence {

namespace {

constexpr const char* remedy =
    "; nothing was changed: restore the data directory from a copy, or examine this one with `holdfast audit verify`";

template <class... Args>
base::error refuse(fmt::format_string<Args...> text, Args&&... args) {
  return {base::trouble::corrupt, fmt::format(text, std::forward<Args>(args)...) + remedy};
}

base::error with_remedy(const base::error& e) {
  const bool damaged = e.kind == base::trouble::corrupt || e.kind == base::trouble::bad_bytes;
  return damaged ? base::error{base::trouble::corrupt, e.text + remedy} : e;
}

/// One pass over one store; exists for the length of a check.
class checker {
 public:
  checker(block_store& store, const check_options& options) : store_(store), options_(options) {}

  base::result<journal_state> run() {
    auto stored = store_.read_witness();
    if (!stored) return with_remedy(stored.failure());
    if (!*stored) {
      if (store_.pristine()) return state_;
      return refuse("the witness file is missing, so nobody knows how many blocks were acknowledged");
    }
    auto reading = read_witness(**stored, hasher_);
    if (!reading) return with_remedy(reading.failure());
    known_ = reading->newest;
    state_.acknowledged = known_;
    state_.journal = known_.journal;
    if (reading->slots_bad != 0) state_.warnings.emplace_back("one slot of the witness is damaged or torn; the other one was used");
    if (known_.partition != options_.partition)
      return refuse("the witness belongs to partition {}, not {}", known_.partition, options_.partition);

    auto bounds = find_bounds();
    if (!bounds) return bounds.failure();
    if (!state_.exists || last_ == 0) return state_;
    if (auto ok = pick_checkpoints(); !ok) return ok.failure();
    if (auto ok = walk(); !ok) return ok.failure();
    return state_;
  }

 private:
  /// Meta record, first and last block, each against the witness.
  base::result<void> find_bounds() {
    auto meta_bytes = store_.read_meta();
    if (!meta_bytes) return with_remedy(meta_bytes.failure());
    auto first = store_.first();
    if (!first) return with_remedy(first.failure());
    auto last = store_.last();
    if (!last) return with_remedy(last.failure());
    last_ = last->value_or(0);
    if (known_.block.number > last_ && !planted(bug::witness_ignored_at_start))
      return refuse("the journal ends at block {}, but block {} was acknowledged (log time {}): blocks are missing", last_,
                    known_.block.number, known_.log_time);
    if (!*meta_bytes) {
      if (last_ != 0) return refuse("the journal has blocks up to {}, but no meta record", last_);
      if (auto ok = no_checkpoint_beyond(0); !ok) return ok;
      return {};  // creation was interrupted before anything was acknowledged
    }
    auto meta = decode_meta(**meta_bytes, hasher_);
    if (!meta) return with_remedy(meta.failure());
    meta_ = *meta;
    if (meta_.partition != options_.partition)
      return refuse("the journal belongs to partition {}, not {}", meta_.partition, options_.partition);
    if (meta_.journal != known_.journal)
      return refuse("the witness belongs to journal {}, the blocks to journal {}", base::to_hex(known_.journal),
                    base::to_hex(meta_.journal));
    if (last_ != 0 && first->value_or(0) != meta_.first_block)
      return refuse("the journal begins at block {}, but should begin at block {}: blocks are missing", first->value_or(0),
                    meta_.first_block);
    if (last_ == 0 && meta_.first_block != 1) return refuse("the journal is empty, but should begin at block {}", meta_.first_block);
    if (auto ok = no_checkpoint_beyond(last_); !ok) return ok;
    state_.exists = true;
    state_.first_block = meta_.first_block;
    state_.tip.block = {meta_.first_block - 1, meta_.before_first};
    return {};
  }

  /// A checkpoint is made of durable blocks alone, so one that knows more than the journal proves a loss.
  base::result<void> no_checkpoint_beyond(std::uint64_t last) const {
    if (planted(bug::checkpoint_beyond_the_journal)) return {};
    for (const auto& c : options_.checkpoints)
      if (c.journal == known_.journal && c.block.number > last)
        return refuse("the journal ends at block {}, but a checkpoint was made at block {}: blocks are missing", last,
                      c.block.number);
    return {};
  }

  base::result<block_mark> read_block(std::uint64_t number, chain& c) {
    if (auto ok = scan_chain(store_, c, number, number, nullptr); !ok) return with_remedy(ok.failure());
    return c.tip()->block;
  }

  base::result<void> pick_checkpoints() {
    for (std::size_t i = 0; i < options_.checkpoints.size(); ++i) {
      const auto& c = options_.checkpoints[i];
      const auto skip = [&](const char* why) {
        state_.warnings.push_back(fmt::format("the checkpoint at block {} was not used: {}", c.block.number, why));
      };
      if (c.journal != meta_.journal) {
        skip("it belongs to another journal");
      } else if (c.block.number < meta_.first_block) {
        skip("that block is no longer kept");
      } else {
        chain at_checkpoint(options_.partition, meta_.journal);
        auto mark = read_block(c.block.number, at_checkpoint);
        if (!mark) return mark.failure();
        if (*mark != c.block) {
          skip("the journal has another block of that number");
          continue;
        }
        if (state_.checkpoints.empty()) state_.tip = *at_checkpoint.tip();
        state_.checkpoints.push_back(i);
      }
    }
    return {};
  }

  base::result<void> walk() {
    std::optional<chain_tip> at_witness;
    if (known_.block.number == state_.tip.block.number) at_witness = state_.tip;
    if (known_.block.number < state_.tip.block.number && known_.block.number >= meta_.first_block) {
      chain c(options_.partition, meta_.journal);
      if (auto mark = read_block(known_.block.number, c); !mark) return mark.failure();
      at_witness = c.tip();
    }
    // With no block kept before the first, its epoch is taken as found: only the very first one must be 1.
    chain c = !state_.checkpoints.empty() || meta_.first_block == 1 ? chain(options_.partition, meta_.journal, state_.tip)
                                                          : chain(options_.partition, meta_.journal);
    auto scanned = scan_chain(store_, c, meta_.first_block, 0, [&](const block_view& b) -> base::result<bool> {
      if (b.header.number == meta_.first_block && b.header.previous != meta_.before_first)
        return base::error{base::trouble::corrupt, fmt::format("block {} is damaged: it does not continue the block before it",
                                                               b.header.number)};
      if (b.header.number == known_.block.number) at_witness = chain_tip{b.mark(), b.header.epoch, b.header.log_time};
      return true;
    });
    if (!scanned) return with_remedy(scanned.failure());
    state_.tip = *c.tip();
    if (state_.tip.block.number != last_)
      return refuse("the journal ends at block {}, but block {} was seen before", state_.tip.block.number, last_);
    if (planted(bug::witness_ignored_at_start)) return {};
    if (!at_witness) return refuse("block {}, which the witness names, is no longer kept", known_.block.number);
    if (at_witness->block != known_.block || at_witness->epoch != known_.epoch)
      return refuse("block {} is not the one that was acknowledged: its hash or epoch differs from the witness", known_.block.number);
    return {};
  }

  block_store& store_;
  const check_options& options_;
  sha256 hasher_;
  witness known_;
  journal_meta meta_;
  std::uint64_t last_ = 0;
  journal_state state_;
};

}  // namespace

std::uint64_t journal_state::last_known_time() const {
  return std::max(tip.log_time, acknowledged ? acknowledged->log_time : 0);
}

base::result<journal_state> check_journal(block_store& store, const check_options& options) {
  // Without witness and store a checkpoint is all that is left of a journal.
  auto state = checker(store, options).run();
  if (state && !state->acknowledged && !options.checkpoints.empty())
    return refuse("journal and witness are missing, but a checkpoint was made at block {}", options.checkpoints.front().block.number);
  return state;
}

}  // namespace holdfast::persistence
