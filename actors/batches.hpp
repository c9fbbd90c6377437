// What the messages of the main road carry. One batch a hop: the gateway hands a session all that its connections asked
// in one turn of a loop; the session hands the journal the records and the answers that wait for them; the journal
// hands each loop all answers that one sync set free. All are pooled and reused (pool.hpp).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <memory_resource>
#include <vector>

#include <caf/actor.hpp>

#include "actors/meter.hpp"
#include "base/bytes.hpp"
#include "core/engine.hpp"
#include "core/view.hpp"

namespace holdfast::actors {

/// Asked of one session. Filled by one thread, then given away: nobody writes it after it was sent.
struct request_batch {
  static constexpr std::size_t arena_bytes = 64U << 10U;

  core::session_id session;
  caf::actor sink;                      ///< gets the answers as answer_delivery_ptr; none: nobody wants them
  std::uint64_t handed_over = 0;        ///< steady_ns() when it was sent
  std::vector<core::request> requests;  ///< decided in this order; what they borrow lies in `arena`

  /// For lines, keys and references of `requests`. Lives exactly as long as the batch's present use.
  std::pmr::memory_resource& arena() { return arena_; }

  request_batch() = default;
  void reset() {
    requests.clear();
    sink = nullptr;
    arena_.release();
  }

 private:
  std::unique_ptr<std::byte[]> first_{new std::byte[arena_bytes]};
  std::pmr::monotonic_buffer_resource arena_{first_.get(), arena_bytes};
};
using request_batch_ptr = std::shared_ptr<request_batch>;

/// One answer on its way to the loop that holds the ticket.
struct ticket_answer {
  std::uint64_t ticket = 0;
  core::answer said;
  std::shared_ptr<const core::seen> shown;  ///< looks that were not refused
};

/// Answers of one step of one session, in the order of their requests. Everything they tell of is durable when a sink
/// gets to see them.
struct answer_batch {
  core::session_id session;
  core::log_time at;  ///< when the session decided
  std::vector<ticket_answer> answers;

  void reset() { answers.clear(); }
};
using answer_batch_ptr = std::shared_ptr<answer_batch>;

/// What a sink gets: all that became free for it at once.
struct answer_delivery {
  std::vector<answer_batch_ptr> batches;
};
using answer_delivery_ptr = std::shared_ptr<const answer_delivery>;

/// One step of one session, for the journal. Records of a session arrive in the order of their sequence, because one
/// actor sends them and messages between two actors keep their order.
struct append_batch {
  struct record_mark {
    std::uint64_t sequence = 0;
    std::uint64_t log_time = 0;
    std::size_t begin = 0, end = 0;  ///< in `bytes`
  };

  core::session_id session;
  std::shared_ptr<core::sale_view> view;        ///< the journal is its only writer
  base::bytes bytes;                            ///< the records, encoded by the session's thread
  std::vector<record_mark> records;
  std::vector<core::view_change> view_changes;  ///< of all records, in order
  core::sequence last;                          ///< of the session when the step ended; recorded here or before
  answer_batch_ptr waiting;                     ///< leaves when `last` is durable; may be none
  caf::actor sink;                              ///< of `waiting`
  std::uint64_t handed_over = 0;

  void reset() {
    constexpr std::size_t kept_bytes_max = 4U << 20U;
    if (bytes.capacity() > kept_bytes_max) base::bytes().swap(bytes);
    bytes.clear();
    records.clear();
    view_changes.clear();
    view.reset();
    waiting.reset();
    sink = nullptr;
  }
};
using append_batch_ptr = std::shared_ptr<append_batch>;

}  // namespace holdfast::actors
