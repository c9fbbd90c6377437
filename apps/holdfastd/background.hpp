// What runs behind the log, on one thread: checkpoints and the index. Neither is the truth; if one fails it is said once, and the
// server sells on. While the journal is busy both rest, within bounds (pace.hpp).
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

#include "actors/surroundings.hpp"
#include "apps/holdfastd/pace.hpp"
#include "persistence/data_directory.hpp"
#include "persistence/index.hpp"
#include "persistence/snapshotter.hpp"
#include "protocol/messages.hpp"

namespace holdfast::server {

class background {
 public:
  /// `journal` and `plain` outlive it. `index` may be null.
  background(const persistence::journal& journal, std::shared_ptr<const actors::journal_figures> figures, persistence::snapshotter snapshots,
             std::unique_ptr<persistence::journal_index> index);
  ~background();

  /// For operators: brings the index up to the newest block and asks it. Any thread.
  [[nodiscard]] base::result<protocol::found> find(const protocol::find& asked);
  void add_stats(protocol::stats_seen& into) const;
  /// Ends the thread.
  void stop();

 private:
  void run();
  void turn();
  void advance_checkpoints();
  void advance_index();
  [[nodiscard]] bool stopped();
  [[nodiscard]] std::uint64_t durable() const;

  const persistence::journal& journal_;
  const std::uint64_t first_durable_;
  std::shared_ptr<const actors::journal_figures> figures_;
  persistence::snapshotter snapshots_;
  std::unique_ptr<persistence::journal_index> index_;
  std::mutex index_lock_;

  std::atomic<std::uint64_t> checkpoint_block_{0}, checkpoints_{0}, replayed_{0};
  bool snapshots_failed_ = false, index_failed_ = false;
  pace pace_;
  std::mutex lock_;
  std::condition_variable stopping_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace holdfast::server
