// What the journal needs of a disk, and nothing more. Everything that decides (chain, witness, group commit,
// recovery) lies above this interface and runs unchanged over each store:
//
//   rocksdb_block_store   the server's
//   memory_block_store    tests: keeps synced and unsynced bytes apart, fails or crashes at the n-th step
//   a simulated disk      belongs here too: it implements these calls and passes the contract test
//
// Contract, tested for every store by tests/persistence/journal_contract_test.cpp:
//  - A store opens without changing a byte. `begin_writing` is the line after which it may.
//  - Nor may it stand on sand: a process that was killed leaves bytes that only the page cache knows, and they look
//    like all others. `begin_writing` makes durable whatever the store has shown, before anything is put on top.
//  - What was synced is there after a crash. What was not may be there or not, but a block is there whole or not
//    at all: the store detects its own torn writes and drops them.
//  - One thread calls; only `scan` may be called by others at the same time, and then sees at least the blocks whose
//    append had returned.
//  - After any error of a writing call the state of the disk is unknown: the caller stops and starts anew.
//
// Errors are io (the disk), corrupt (the store itself finds its bytes damaged) or busy.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "persistence/witness.hpp"

namespace holdfast::persistence {

class block_store {
 public:
  using witness_content = std::array<base::bytes, witness_slots>;
  /// Sees one block; the bytes are valid during the call. False ends the scan without error.
  using visitor = std::function<base::result<bool>(std::uint64_t number, base::byte_view block)>;

  virtual ~block_store() = default;

  /// True if nothing of a journal is there: neither blocks nor meta record nor the store's own files (the witness
  /// is asked for apart).
  [[nodiscard]] virtual bool pristine() const = 0;
  virtual base::result<std::optional<base::bytes>> read_meta() = 0;
  virtual base::result<std::optional<std::uint64_t>> first() = 0;
  virtual base::result<std::optional<std::uint64_t>> last() = 0;
  /// Blocks from `from` on in ascending order of number; gaps are the caller's to notice.
  virtual base::result<void> scan(std::uint64_t from, const visitor& visit) = 0;
  /// The bytes of both slots as they are, possibly short; nothing if there is no witness at all.
  virtual base::result<std::optional<witness_content>> read_witness() = 0;

  /// Makes the witness with both slots in one atomic, synced step. Only where there is none.
  virtual base::result<void> create_witness(const witness_content& slots) = 0;
  /// From here on bytes may change: creates the store if it is pristine, else makes durable all that it has shown. At
  /// most once.
  virtual base::result<void> begin_writing() = 0;
  virtual base::result<void> write_meta(base::byte_view meta) = 0;  ///< synced when it returns
  virtual base::result<void> append_synced(std::uint64_t number, base::byte_view block) = 0;
  virtual base::result<void> write_witness(unsigned slot, base::byte_view bytes) = 0;  ///< survives a kill, not a power cut
  virtual base::result<void> sync_witness() = 0;

  /// Trouble that the store met in the background; once bad, always bad.
  [[nodiscard]] virtual base::result<void> health() const = 0;
  /// Nothing may be called afterwards. Called by nobody after a failure.
  virtual base::result<void> close() = 0;
};

}  // namespace holdfast::persistence
