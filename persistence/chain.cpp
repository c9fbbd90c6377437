#include "persistence/chain.hpp"

#include <fmt/format.h>

#include "base/planted.hpp"
#include "persistence/system_record.hpp"

namespace holdfast::persistence {

base::result<block_view> chain::accept(std::uint64_t number, base::byte_view bytes) {
  const auto refuse = [&](std::string_view why) {
    return base::error{base::trouble::corrupt, fmt::format("block {} is damaged: {}", number, why)};
  };
  if (tip_ && number != tip_->block.number + 1)
    return base::error{base::trouble::corrupt,
                       number > tip_->block.number
                           ? fmt::format("block {} is missing, block {} follows block {}", tip_->block.number + 1, number,
                                         tip_->block.number)
                           : fmt::format("block {} comes after block {}", number, tip_->block.number)};
  auto block = decode_block(bytes, hasher_);
  if (!block) return refuse(block.failure().text);
  if (block->header.number != number) return refuse(fmt::format("it calls itself block {}", block->header.number));
  if (const char* why = contradiction(*block)) return refuse(why);
  tip_ = chain_tip{block->mark(), block->header.epoch, block->header.log_time};
  return block;
}

const char* chain::contradiction(const block_view& block) const {
  const auto& h = block.header;
  if (h.partition != partition_) return "it belongs to another partition";
  if (h.epoch == 0) return "it has no epoch";

  if (block.begins_with_system_record) {
    const auto first = block.begin();
    const auto started = decode_started(first->bytes);
    if (!started) return "its system record does not decode";
    if (started->journal != journal_) return "it belongs to another journal";
    if (started->epoch != h.epoch || first->sequence != h.epoch) return "its started record has another epoch";
  }
  if (!tip_) return nullptr;
  if (h.previous != tip_->block.hash && !planted(bug::chain_link_not_checked)) return "it does not continue the block before it";
  if (h.log_time < tip_->log_time) return "its log time runs backwards";
  if (h.epoch != tip_->epoch + (block.begins_with_system_record ? 1 : 0) && !planted(bug::epoch_not_checked)) return "its epoch does not follow from the block before it";
  return nullptr;
}

base::result<void> scan_chain(block_store& store, chain& c, std::uint64_t from, std::uint64_t to,
                              const block_visitor& visit) {
  bool ended = false;
  bool store_spoke = true;  // whose error it is: the store's does not name a block yet
  const auto start = c.tip() ? c.tip()->block.number + 1 : from;
  if (to != 0 && start > to) return {};
  auto done = store.scan(start, [&](std::uint64_t number, base::byte_view bytes) -> base::result<bool> {
    store_spoke = false;
    if (!c.tip() && number != from)
      return base::error{base::trouble::corrupt, fmt::format("block {} is missing, the next one is {}", from, number)};
    auto block = c.accept(number, bytes);
    if (!block) return block.failure();
    auto more = visit ? visit(*block) : base::result<bool>(true);
    if (!more) return more;
    store_spoke = true;
    ended = !*more || number == to;
    return !ended;
  });
  if (!done) {
    if (!store_spoke) return done;
    return base::error{done.failure().kind, c.tip() ? fmt::format("after block {}: {}", c.tip()->block.number, done.failure().text)
                                                    : fmt::format("at block {}: {}", start, done.failure().text)};
  }
  if (to != 0 && !ended)
    return base::error{base::trouble::corrupt, fmt::format("the journal ends before block {}", to)};
  return {};
}

}  // namespace holdfast::persistence
