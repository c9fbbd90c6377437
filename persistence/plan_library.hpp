// Seating plans by the SHA-256 of their bytes. A journal keeps each plan once: a session whose plan is new to the
// journal begins with a record of sequence 0, which holds nothing but the plan's bytes (docs/JOURNAL.md, "Plan"); its
// record 1, and those of all later sessions with the same plan, name it by hash.
#pragma once

#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "core/plan.hpp"
#include "persistence/sha256.hpp"

namespace holdfast::persistence {

/// The name of a plan: hash of its bytes.
[[nodiscard]] digest plan_hash(const core::plan& p);

/// May be used by several threads at once. Plans are never removed.
class plan_library {
 public:
  struct stored {
    std::shared_ptr<const core::plan> plan;
    base::bytes bytes;
  };

  /// Keeps the plan whose bytes these are, unless it is there already. Error: bad_bytes, if they do not decode.
  base::result<digest> add(base::byte_view bytes);
  /// Keeps `p`; `fresh` says that it was not there before, hence its bytes must go to the journal.
  struct added {
    digest hash{};
    bool fresh = false;
    std::shared_ptr<const stored> what;
  };
  added add(std::shared_ptr<const core::plan> p);

  /// Null if it is not there.
  [[nodiscard]] std::shared_ptr<const core::plan> find(const digest& hash) const;
  /// Null if it is not there.
  [[nodiscard]] std::shared_ptr<const stored> find_stored(const digest& hash) const;
  /// In ascending order.
  [[nodiscard]] std::vector<digest> hashes() const;

 private:
  struct first_bytes {
    std::size_t operator()(const digest& d) const {
      std::size_t h = 0;
      std::memcpy(&h, d.data(), sizeof h);
      return h;
    }
  };
  added keep(const digest& hash, std::shared_ptr<const core::plan> p, base::bytes bytes);

  mutable std::mutex lock_;
  std::unordered_map<digest, std::shared_ptr<const stored>, first_bytes> plans_;
};

}  // namespace holdfast::persistence
