// Replays a journal on several threads: sessions have nothing to do with each other, so each thread applies what belongs
// to its own, and the caller reads and checks the next blocks meanwhile.
#pragma once

#include <array>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "persistence/replica.hpp"

namespace holdfast::persistence {

/// One thread calls.
class replay {
 public:
  /// Enough that handing over costs nothing, little enough for the cache that threads share.
  static constexpr std::size_t usual_chunk_bytes = 16U << 20U;

  /// Goes on from `state`, with as many threads as `parts`, at least 1; none is begun before the first `chunk_bytes`.
  replay(replica state, std::size_t parts, std::size_t chunk_bytes = usual_chunk_bytes);
  ~replay();
  replay(const replay&) = delete;
  replay& operator=(const replay&) = delete;

  /// Takes the next block, which is copied. Error: that of the first block that could not be applied; perhaps one of those
  /// given before. Nothing but destruction may follow it.
  base::result<void> add(const block_view& block);
  /// The state after all blocks. Error: as above. Nothing but destruction may follow.
  base::result<replica> finish();

 private:
  static constexpr std::size_t chunks = 3;  ///< one is filled, one applied, one is for who is slower

  struct chunk {
    base::bytes bytes;
    std::vector<block_view> blocks;  ///< borrowed from `bytes`
  };
  struct part {
    replica state;
    std::uint64_t taken = 0;  ///< chunks
    std::uint64_t block = 0;  ///< that could not be applied
    std::optional<base::error> failed;
  };

  [[nodiscard]] bool hand_over();
  void work(part& p);
  static void apply(part& p, const chunk& c);
  base::result<void> settle();

  const std::size_t chunk_bytes_;
  std::vector<part> parts_;
  std::array<chunk, chunks> ring_;
  std::mutex lock_;
  std::condition_variable changed_;
  std::uint64_t filled_ = 0;  ///< chunks handed over
  bool failed_ = false;       ///< some part's
  bool closed_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace holdfast::persistence
