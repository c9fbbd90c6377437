// The embedded journal: group commit, chain and witness over a block store.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "persistence/block_store.hpp"
#include "persistence/chain.hpp"
#include "persistence/checkpoint.hpp"
#include "persistence/journal.hpp"
#include "persistence/start_time.hpp"
#include "persistence/witness.hpp"

namespace holdfast::persistence {

struct journal_options {
  std::uint16_t partition = 0;
  std::uint64_t wall_clock = 0;         ///< what the machine says now, microseconds UTC since 1970
  clock_rule clock;
  std::vector<checkpoint_mark> checkpoints;  ///< newest first (journal_check.hpp)
  std::string program;                  ///< name and version, for the started record
  base::id128 new_journal;              ///< id for a new journal; zero: drawn from the operating system
};

/// What happened at the start, for the server's first lines of log.
struct start_report {
  bool created = false;
  start_time time;
  block_mark recovered;  ///< the last block found, before this start wrote its own
  /// Which of the given checkpoints may be used; the verification began at the first of them, without any at the
  /// first block.
  std::vector<std::size_t> checkpoints;
  std::vector<std::string> warnings;
};

class journal_log final : public journal {
 public:
  struct opened;

  /// Verifies what `store` holds (journal_check.hpp) and decides the log time; until both are good no byte changes.
  /// Then creates the journal if there is none, and begins an epoch with a `started` block.
  /// Errors: corrupt (what is there contradicts itself, the witness or a checkpoint), clock, io, busy.
  static base::result<opened> open(std::unique_ptr<block_store> store, const journal_options& options);

  /// `guard` is asked about every record from now on; it must outlive the journal. It is given late because it has
  /// to be brought up to date with a scan first.
  void guard_with(record_guard& guard) { guard_ = &guard; }

  base::result<appended> append(std::span<const record_ref> records, std::uint64_t now) override;
  base::result<void> tick(std::uint64_t now) override;
  [[nodiscard]] std::uint64_t next_due() const override { return keeper_.next_due(); }
  base::result<void> scan(std::uint64_t from, std::uint64_t to, const block_visitor& visit) const override;
  [[nodiscard]] const base::id128& id() const override { return id_; }
  [[nodiscard]] std::uint64_t epoch() const override { return tip_.epoch; }
  [[nodiscard]] std::uint64_t first_block() const override { return first_block_; }
  [[nodiscard]] block_mark last_block() const override { return tip_.block; }
  [[nodiscard]] const std::optional<journal_failure>& failure() const override { return failure_; }
  base::result<void> close(std::uint64_t now) override;

 private:
  journal_log(std::unique_ptr<block_store> store, std::uint16_t partition, const base::id128& id, std::uint64_t first_block,
              const chain_tip& tip, std::uint64_t witness_writes, std::uint64_t now);
  base::result<void> begin_epoch(const journal_options& options, std::uint64_t now);
  base::result<appended> commit(std::span<const record_ref> records, std::uint64_t epoch, std::uint64_t now);
  base::result<void> keep_witness(witness_keeper::task task, std::uint64_t now);
  base::error fail(base::error what, std::optional<std::uint64_t> session = {});

  std::unique_ptr<block_store> store_;
  std::uint16_t partition_;
  base::id128 id_;
  std::uint64_t first_block_;
  chain_tip tip_;
  record_guard* guard_ = nullptr;

  block_encoder encoder_;
  sha256 hasher_;
  witness_keeper keeper_;
  std::uint64_t witness_writes_;
  base::bytes witness_buffer_;
  std::optional<journal_failure> failure_;
};

struct journal_log::opened {
  std::unique_ptr<journal_log> journal;
  start_report report;
};

}  // namespace holdfast::persistence
