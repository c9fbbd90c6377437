// Reads a journal from end to end and says whether it may be continued. Changes nothing, so the server asks before
// it writes and the auditor asks instead of writing. docs/JOURNAL.md has the table of situations.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "persistence/block_store.hpp"
#include "persistence/chain.hpp"
#include "persistence/checkpoint.hpp"

namespace holdfast::persistence {

struct check_options {
  std::uint16_t partition = 0;
  /// Blocks that checkpoints vouch for, newest first. The chain is verified from the first one that the journal
  /// contains; without any from the first block kept.
  std::vector<checkpoint_mark> checkpoints;
};

struct journal_state {
  bool exists = false;        ///< false: there is no journal yet, and nothing hints that there ever was one
  base::id128 journal;        ///< zero if none was drawn yet; set though `exists` is false: a creation was interrupted
  std::uint64_t first_block = 1;
  chain_tip tip;              ///< block 0 if there is none
  std::optional<witness> acknowledged;
  /// Which of the given checkpoints are of this journal and may be used; the check began at the first of them.
  std::vector<std::size_t> checkpoints;
  std::vector<std::string> warnings;

  /// The newest log time that anything vouches for; 0 for a new journal.
  [[nodiscard]] std::uint64_t last_known_time() const;
};

/// Error: corrupt, if a block is damaged or missing, fewer blocks or other ones are there than were acknowledged or
/// a checkpoint vouches for, or the witness is gone; io. The text names block and remedy.
base::result<journal_state> check_journal(block_store& store, const check_options& options);

}  // namespace holdfast::persistence
