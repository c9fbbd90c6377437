// What the actors of one house share. Made by house.cpp; everything in it outlives every actor.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "actors/fail_stop.hpp"
#include "actors/interfaces.hpp"
#include "actors/pool.hpp"
#include "actors/time_source.hpp"
#include "base/bytes.hpp"
#include "base/histogram.hpp"
#include "core/event.hpp"
#include "core/plan.hpp"

namespace holdfast::actors {

/// How records become bytes: persistence's business, handed in, because actors know the journal's interface only.
class record_encoder {
 public:
  virtual ~record_encoder() = default;
  /// Appends the bytes of `r`. Called by many threads at once.
  virtual void encode(const core::record& r, base::bytes& out) const = 0;
  /// If the journal has no such plan yet: appends its bytes, which become the session's record 0, and returns true. From then on
  /// the journal counts as having it. Called by the registry only.
  virtual bool encode_plan(const std::shared_ptr<const core::plan>& seating, base::bytes& out) = 0;
};

/// What the journal's actor has done so far. Written by it, read by anybody.
struct journal_figures {
  std::atomic<std::uint64_t> blocks{0}, records{0}, bytes{0};
  std::atomic<std::uint64_t> last_block{0};
  base::histogram write_ns;  ///< in append: encoding the block, writing, syncing, witness
  std::atomic<std::uint64_t> write_ns_max{0};
  std::atomic<std::int64_t> write_began_ns{0};  ///< steady_ns of the append under way; 0: none
};

struct surroundings {
  surroundings(const time_source& clock, record_encoder& records, fail_stop& stop) : time(clock), codec(records), failure(stop) {}

  const time_source& time;
  record_encoder& codec;
  fail_stop& failure;
  journal_actor journal;
  const std::shared_ptr<meter> journal_mailbox = std::make_shared<meter>();
  const std::shared_ptr<journal_figures> figures = std::make_shared<journal_figures>();
  pool<append_batch> appends{256};
  pool<answer_batch> answers{512};

  /// The one way to the journal, so that its meter is right.
  void send_to_journal(append_batch_ptr batch) {
    batch->handed_over = steady_ns();
    journal_mailbox->posted(batch->handed_over);
    caf::anon_send(journal, std::move(batch));
  }
};
using surroundings_ptr = std::shared_ptr<surroundings>;

}  // namespace holdfast::actors
