// Sessions as the journal tells them: applies durable records, block after block, from the journal's beginning or from
// a checkpoint. Recovery makes the server's sessions this way, the snapshotter keeps one beside the server, and both
// get the same bytes, because there is nothing else here than session::apply.
//
// A session that a checkpoint has may sleep: its snapshot file stands for it, and it takes no memory until a record
// comes for it. So the snapshotter's replica is as large as what was written to lately, not as large as the server.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <memory_resource>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "core/session.hpp"
#include "persistence/block.hpp"
#include "persistence/checkpoint.hpp"
#include "persistence/record_codec.hpp"

namespace holdfast::persistence {

/// Digest of a session: SHA-256 of everything that decides. Equal for equal states, however they came about.
[[nodiscard]] digest session_digest(const core::session& s);

class replica {
 public:
  /// By session id.
  using sessions_map = std::map<std::uint64_t, core::session>;

  /// The state before the first block.
  explicit replica(const core::session_options& options);

  /// The state that checkpoint `c` vouches for. Error: bad_bytes or io, names what is wrong; take an older checkpoint
  /// then.
  static base::result<replica> load(const checkpoint_files& files, const checkpoint& c,
                                    const core::session_options& options);

  /// The same with all sessions asleep: their snapshots are read and checked, and left where they are. `c` must stay
  /// among the checkpoints that are kept until `rest` is given a newer one.
  static base::result<replica> load_asleep(const checkpoint_files& files, const checkpoint& c,
                                           const core::session_options& options);

  /// Applies all records of the next block. Blocks are the chain's to check; a record that does not decode, does not
  /// follow its session's last one, or needs a plan that is not there is an error. Error: corrupt, names block, session
  /// and record; another kind if a sleeping session's snapshot cannot be read. The replica is of no further use then.
  base::result<void> apply(const block_view& block);

  /// Writes what changed since `before` (null: everything) as snapshots, and the checkpoint for the present block.
  base::result<checkpoint> save(checkpoint_files& files, std::uint16_t partition, const base::id128& journal,
                                const checkpoint* before) const;
  /// Sends to sleep whom nothing has happened to since the checkpoint before `c`, which `save` has just written.
  void rest(const checkpoint_files& files, const checkpoint& c);

  /// Shares the sessions out to `n` replicas: each applies the records of its own alone, so each needs every block, and
  /// a thread may have one. Needs: nobody sleeps.
  static std::vector<replica> split(replica whole, std::size_t n);
  /// Puts them together again; all must have come to the same block.
  static replica join(std::vector<replica> parts);

  /// Without those that sleep.
  [[nodiscard]] const sessions_map& sessions() const { return sessions_; }
  [[nodiscard]] sessions_map& sessions() { return sessions_; }
  [[nodiscard]] const std::shared_ptr<plan_library>& plans() const { return plans_; }
  /// The newest block applied; block 0 before the first.
  [[nodiscard]] const block_mark& at() const { return at_; }
  /// Records applied since the replica was made.
  [[nodiscard]] std::uint64_t records() const { return records_; }

 private:
  /// Records that are decoded before the first of them is applied, so that what they touch is on its way from memory.
  static constexpr std::size_t window = 64;
  /// A session, and a hold number up to which its holds exist for sure; 0 if that is not known.
  struct place {
    core::session* session = nullptr;
    std::uint32_t holds = 0;
  };
  struct pending {
    core::session_id session;
    place* known = nullptr;
    bool by_number = false;  ///< names a hold that exists already
    core::table_places ahead;  ///< what it will look up
    core::record record;
  };
  /// Whom snapshots stand for, and where these are.
  struct sleepers {
    checkpoint_files files;
    checkpoint newest;  ///< without its list
    std::unordered_map<std::uint64_t, snapshot_entry> entries;  ///< by session
  };
  static base::result<core::session> read_session(const checkpoint_files& files, const checkpoint& c, const snapshot_entry& entry,
                                                  const plan_library& plans, const core::session_options& options, base::bytes& buffer);
  static std::span<const snapshot_entry> sessions_of(const checkpoint& c);
  base::result<void> apply_window(std::uint64_t block);
  void prefetch_window();
  place* find(std::uint64_t id);
  base::result<void> wake(std::uint64_t id);

  core::session_options options_;
  std::shared_ptr<plan_library> plans_;
  sessions_map sessions_;
  block_mark at_;
  std::uint64_t records_ = 0;
  std::optional<sleepers> asleep_;
  std::size_t part_ = 0, parts_ = 1;  ///< whose id leaves `part_` when divided by `parts_` is its own

  std::unique_ptr<std::pmr::monotonic_buffer_resource> arena_;
  std::vector<pending> window_;    ///< used again; the first `waiting_` are filled
  std::size_t waiting_ = 0;
  std::unordered_map<std::uint64_t, place> places_;
  std::uint64_t last_id_ = 0;
  place* last_found_ = nullptr;
};

}  // namespace holdfast::persistence
