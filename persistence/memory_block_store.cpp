#include "persistence/memory_block_store.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/check.hpp"

namespace holdfast::persistence {

memory_disk::memory_disk(const memory_disk& other)
    : blocks(other.blocks),
      meta(other.meta),
      witness(other.witness),
      created(other.created),
      fault_(other.fault_),
      steps_(other.steps_),
      crashed_(other.crashed_) {}

memory_disk::verdict memory_disk::step() {
  if (crashed_) return verdict::fail_before;
  ++steps_;
  if (!fault_ || fault_->at_step != steps_) return verdict::go_on;
  crashed_ = fault_->crash;
  switch (fault_->when) {
    case moment::before: return verdict::fail_before;
    case moment::after: return verdict::fail_after;
    case moment::torn: return verdict::fail_torn;
  }
  return verdict::fail_before;
}

void memory_disk::power_cut() {
  std::erase_if(blocks, [](const auto& b) { return !b.second.synced; });
  if (witness) witness->written = witness->synced;
  kill();
}

void memory_disk::kill() {
  drop_torn();
  fault_.reset();
  crashed_ = false;
}

void memory_disk::drop_torn() {
  std::erase_if(blocks, [](const auto& b) { return b.second.torn; });
}

template <class Effect>
base::result<void> memory_block_store::step(const char* name, const Effect& effect) {
  const std::lock_guard lock(disk_->mutex_);
  const auto verdict = disk_->step();
  if (verdict == memory_disk::verdict::go_on || verdict == memory_disk::verdict::fail_after) effect(false);
  if (verdict == memory_disk::verdict::fail_torn) effect(true);
  if (verdict == memory_disk::verdict::go_on) return {};
  return base::error{base::trouble::io, fmt::format("the disk failed at step {}: {}", disk_->steps_, name)};
}

bool memory_block_store::pristine() const { return !disk_->created; }

base::result<std::optional<base::bytes>> memory_block_store::read_meta() { return disk_->meta; }

base::result<std::optional<std::uint64_t>> memory_block_store::first() {
  if (disk_->blocks.empty()) return std::optional<std::uint64_t>();
  return std::optional(disk_->blocks.begin()->first);
}

base::result<std::optional<std::uint64_t>> memory_block_store::last() {
  if (disk_->blocks.empty()) return std::optional<std::uint64_t>();
  return std::optional(disk_->blocks.rbegin()->first);
}

base::result<void> memory_block_store::scan(std::uint64_t from, const visitor& visit) {
  std::unique_lock lock(disk_->mutex_);
  for (auto it = disk_->blocks.lower_bound(from); it != disk_->blocks.end(); ++it) {
    // A block once written stays where it is, so the visitor may take its time without the lock.
    lock.unlock();
    auto more = visit(it->first, it->second.bytes);
    if (!more) return more.failure();
    if (!*more) return {};
    lock.lock();
  }
  return {};
}

base::result<std::optional<block_store::witness_content>> memory_block_store::read_witness() {
  if (!disk_->witness) return std::optional<witness_content>();
  return std::optional(disk_->witness->written);
}

base::result<void> memory_block_store::create_witness(const witness_content& slots) {
  HOLDFAST_CHECK(!disk_->witness, "a witness is created twice");
  return step("create the witness", [&](bool torn) {
    if (!torn) disk_->witness = memory_disk::witness_file{slots, slots};
  });
}

base::result<void> memory_block_store::begin_writing() {
  HOLDFAST_CHECK(!writing_, "begin_writing twice");
  writing_ = true;
  auto created = step("create the store", [&](bool torn) {
    if (!torn) disk_->created = true;
  });
  if (!created) return created;
  return step("sync what is there", [&](bool torn) {
    if (torn) return;
    for (auto& [number, block] : disk_->blocks) block.synced = true;
  });
}

base::result<void> memory_block_store::write_meta(base::byte_view meta) {
  HOLDFAST_CHECK(writing_, "a write before begin_writing");
  return step("write the meta record", [&](bool torn) {
    if (!torn) disk_->meta = base::bytes(meta.begin(), meta.end());
  });
}

base::result<void> memory_block_store::append_synced(std::uint64_t number, base::byte_view block) {
  HOLDFAST_CHECK(writing_, "a write before begin_writing");
  auto written = step("write a block", [&](bool torn) {
    const auto size = torn ? block.size() / 2 : block.size();
    disk_->blocks.insert_or_assign(
        number, memory_disk::block_file{base::bytes(block.begin(), block.begin() + static_cast<std::ptrdiff_t>(size)), false, torn});
  });
  if (!written) return written;
  return step("sync a block", [&](bool torn) {
    if (!torn) disk_->blocks.at(number).synced = true;
  });
}

base::result<void> memory_block_store::write_witness(unsigned slot, base::byte_view bytes) {
  HOLDFAST_CHECK(writing_ && disk_->witness, "a witness write before there is one");
  return step("write the witness", [&](bool torn) {
    auto& to = disk_->witness->written.at(slot);
    to.resize(std::max(to.size(), bytes.size()));
    std::copy_n(bytes.begin(), torn ? bytes.size() / 2 : bytes.size(), to.begin());
  });
}

base::result<void> memory_block_store::sync_witness() {
  return step("sync the witness", [&](bool torn) {
    if (!torn) disk_->witness->synced = disk_->witness->written;
  });
}

base::result<void> memory_block_store::health() const {
  if (disk_->crashed_) return base::error{base::trouble::io, "the disk is gone"};
  return {};
}

base::result<void> memory_block_store::close() { return {}; }

}  // namespace holdfast::persistence
