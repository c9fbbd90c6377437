// The actor of the journal: collects what the sessions sent while the last sync ran, writes it as one block, shows it in the
// sessions' views, and lets the answers go. Chain, witness and disk are persistence's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <caf/typed_event_based_actor.hpp>

#include "actors/interfaces.hpp"
#include "actors/surroundings.hpp"
#include "persistence/journal.hpp"

namespace holdfast::actors {

class journal_shell final : public journal_actor::base {
 public:
  /// `block_bytes_max` bounds the records of one block; one batch may exceed it alone.
  journal_shell(caf::actor_config& config, persistence::journal& journal, std::size_t block_bytes_max, surroundings_ptr around);

  behavior_type make_behavior() override;
  const char* name() const override { return "journal"; }
  void on_exit() override;

 private:
  void flush();
  /// False after a failure; then nothing of the batches may become known.
  bool write(std::size_t batches);
  void release(std::size_t batches);
  void arm();
  void failed();

  surroundings_ptr around_;
  persistence::journal& journal_;
  const std::size_t block_bytes_max_;

  std::deque<append_batch_ptr> waiting_;
  bool flush_sent_ = false;

  // Used again for each block.
  std::vector<persistence::record_ref> records_;
  std::vector<std::pair<caf::actor, std::shared_ptr<answer_delivery>>> deliveries_;

  std::uint64_t generation_ = 0;
  std::optional<std::uint64_t> armed_for_;
};

}  // namespace holdfast::actors
