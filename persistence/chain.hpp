// The chain: each block names the hash of the one before, so the last hash vouches for everything before it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "persistence/block.hpp"
#include "persistence/block_store.hpp"

namespace holdfast::persistence {

/// Where a chain stands.
struct chain_tip {
  block_mark block;
  std::uint64_t epoch = 0;
  std::uint64_t log_time = 0;
};

/// Sees a checked block; the view is valid during the call. False ends the scan without error.
using block_visitor = std::function<base::result<bool>(const block_view&)>;

/// Accepts blocks one after the other. Checks form and hash of each, that it continues the one before (number,
/// hash, log time, epoch), and that `started` records stand where they belong and only there.
class chain {
 public:
  /// Takes the first block that it is given for good, if that is whole; the caller compares its hash with one
  /// that is known.
  chain(std::uint16_t partition, const base::id128& journal) : partition_(partition), journal_(journal) {}
  /// The next block must continue `tip`.
  chain(std::uint16_t partition, const base::id128& journal, const chain_tip& tip)
      : partition_(partition), journal_(journal), tip_(tip) {}

  /// The block kept under `number`. Error: corrupt; names the block; the tip stays where it was.
  base::result<block_view> accept(std::uint64_t number, base::byte_view bytes);
  /// Nothing before the first block.
  [[nodiscard]] const std::optional<chain_tip>& tip() const { return tip_; }

 private:
  [[nodiscard]] const char* contradiction(const block_view& block) const;

  std::uint16_t partition_;
  base::id128 journal_;
  std::optional<chain_tip> tip_;
  sha256 hasher_;
};

/// Scans `store` from the block after the chain's tip (without a tip: from `from`) to the block `to`, or to the end
/// if `to` is 0, through `c`. Error: corrupt, if a block is damaged, missing or out of place, or `to` is not reached
/// though the visitor wanted more; io; or the visitor's.
base::result<void> scan_chain(block_store& store, chain& c, std::uint64_t from, std::uint64_t to,
                              const block_visitor& visit);

}  // namespace holdfast::persistence
