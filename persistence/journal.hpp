// The journal: the durable order log, as those see it who write to it and read from it. The embedded journal is
// journal_log (journal_log.hpp); a replicated one fits behind the same promises:
//
//  - Durable when it completes: when `append` returns a value, the records survive a crash of everything that the
//    implementation tolerates, and every later `scan` shows them. Nobody is told of a record before.
//  - One order: blocks are numbered without gaps; a record belongs to one block. A scan shows every block whole, in
//    order, each checked against the one before it.
//  - Fenced by epoch: opening for writing begins a new epoch, written as the first record of its first block. Once an
//    epoch is durable no writer of an earlier one can append. The embedded journal has this from the exclusive
//    lock on its directory; a replicated one must make each append conditional on its epoch.
//  - After any error: silence. Whether the records of a failed append are durable is unknown until the journal is
//    opened again; until then every call fails with the first error. Nothing is retried.
//
// Time is an argument everywhere: log time, microseconds UTC since 1970, never decreasing (blueprint of the core).
// One thread calls; only `scan` may be called by others at the same time.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "base/result.hpp"
#include "persistence/block.hpp"
#include "persistence/chain.hpp"

namespace holdfast::persistence {

struct appended {
  std::uint64_t block = 0;
  std::uint64_t log_time = 0;
};

/// Why a journal stopped.
struct journal_failure {
  base::error what;
  std::optional<std::uint64_t> session;  ///< the session whose record the second line of defence refused
};

class journal {
 public:
  virtual ~journal() = default;

  /// Writes all records as one block: all of them are durable or none is. They may belong to any sessions but 0; those
  /// of one session are in the order of their sequence. An empty span writes nothing.
  virtual base::result<appended> append(std::span<const record_ref> records, std::uint64_t now) = 0;

  /// To be called when log time reaches `next_due`; sooner or later does no harm.
  virtual base::result<void> tick(std::uint64_t now) = 0;
  [[nodiscard]] virtual std::uint64_t next_due() const = 0;

  /// Shows blocks `from` to `to`, both included; `to` must be durable already. Error: corrupt (names the block), io,
  /// bad_input if they are not kept, or the visitor's own.
  virtual base::result<void> scan(std::uint64_t from, std::uint64_t to, const block_visitor& visit) const = 0;

  [[nodiscard]] virtual const base::id128& id() const = 0;
  [[nodiscard]] virtual std::uint64_t epoch() const = 0;
  [[nodiscard]] virtual std::uint64_t first_block() const = 0;
  /// The newest durable block; never 0, for opening wrote one.
  [[nodiscard]] virtual block_mark last_block() const = 0;
  /// Nothing as long as the journal works.
  [[nodiscard]] virtual const std::optional<journal_failure>& failure() const = 0;

  /// Last sync, orderly end. After a failure it does nothing and returns that failure.
  virtual base::result<void> close(std::uint64_t now) = 0;
};

/// The second line of defence, independent of the rules: sees every record on its way to the disk, in the journal's
/// order, and may refuse one. A refusal stops the journal before anything of the block is written.
class record_guard {
 public:
  virtual ~record_guard() = default;
  /// Error: corrupt; its text says which rule the record breaks.
  virtual base::result<void> admit(const record_ref& record) = 0;
};

}  // namespace holdfast::persistence
