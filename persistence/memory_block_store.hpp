// A block store in memory, for tests: it knows what was synced and what was not, so a crash can take the rest away.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "persistence/block_store.hpp"

namespace holdfast::persistence {

/// What survives: the disk below any number of stores, one at a time. Copies are disks of their own.
///
/// Each writing call is made of steps (append: write, sync; witness write: write; ...), which are counted; `plan` lets
/// one of them go wrong.
class memory_disk {
 public:
  enum class moment {
    before,  ///< the step has no effect
    after,   ///< the step has its effect, the caller does not hear of it
    torn,    ///< half of the bytes get there; like `before` for steps that write none
  };
  struct fault {
    std::uint64_t at_step = 0;  ///< the first step is 1
    moment when = moment::before;
    bool crash = false;         ///< true: every later call fails, as in a process that died; false: the step returns an error
  };

  memory_disk() = default;
  memory_disk(const memory_disk& other);
  memory_disk& operator=(const memory_disk&) = delete;

  void plan(const fault& f) { fault_ = f; }
  [[nodiscard]] std::uint64_t steps() const { return steps_; }
  [[nodiscard]] bool crashed() const { return crashed_; }

  /// Everything that was not synced is gone.
  void power_cut();
  /// The process died, the machine lives: what was written is there, synced or not.
  void kill();

  // The disk's content is open to tests that damage it.
  struct block_file {
    base::bytes bytes;
    bool synced = false;
    bool torn = false;
  };
  struct witness_file {
    block_store::witness_content synced;
    block_store::witness_content written;
  };
  std::map<std::uint64_t, block_file> blocks;
  std::optional<base::bytes> meta;
  std::optional<witness_file> witness;
  bool created = false;

 private:
  friend class memory_block_store;
  enum class verdict { go_on, fail_before, fail_after, fail_torn };
  verdict step();
  void drop_torn();

  mutable std::mutex mutex_;  // a scan may run beside an append
  std::optional<fault> fault_;
  std::uint64_t steps_ = 0;
  bool crashed_ = false;
};

class memory_block_store final : public block_store {
 public:
  explicit memory_block_store(std::shared_ptr<memory_disk> disk) : disk_(std::move(disk)) {}

  [[nodiscard]] bool pristine() const override;
  base::result<std::optional<base::bytes>> read_meta() override;
  base::result<std::optional<std::uint64_t>> first() override;
  base::result<std::optional<std::uint64_t>> last() override;
  base::result<void> scan(std::uint64_t from, const visitor& visit) override;
  base::result<std::optional<witness_content>> read_witness() override;
  base::result<void> create_witness(const witness_content& slots) override;
  base::result<void> begin_writing() override;
  base::result<void> write_meta(base::byte_view meta) override;
  base::result<void> append_synced(std::uint64_t number, base::byte_view block) override;
  base::result<void> write_witness(unsigned slot, base::byte_view bytes) override;
  base::result<void> sync_witness() override;
  [[nodiscard]] base::result<void> health() const override;
  base::result<void> close() override;

 private:
  /// Runs one step under the disk's lock: `effect(torn)` unless the plan says otherwise.
  template <class Effect>
  base::result<void> step(const char* name, const Effect& effect);

  std::shared_ptr<memory_disk> disk_;
  bool writing_ = false;
};

}  // namespace holdfast::persistence
