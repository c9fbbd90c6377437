// The second line of defence: between the rules and the disk stands a bitmap of sold seats and a count of sold places
// for each session, fed by the bytes of records alone. It knows no command, no hold and no time, shares no code with
// the rules, and so does not share their mistakes. What it refuses stops the server before anything is written.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "core/session.hpp"
#include "persistence/journal.hpp"
#include "persistence/record_codec.hpp"

namespace holdfast::persistence {

/// Refuses a record
///  - that does not decode as far as the guard reads it, or does not follow its session's last one,
///  - of a session that was not created, or whose plan is not in the library,
///  - that sells a seat already sold or outside the plan, or more places of an area than it has,
///  - that gives back what is not sold.
/// Used by the journal's thread alone once it is at work; about 10 ns for a record that neither sells nor gives back.
class sold_guard final : public record_guard {
 public:
  /// `plans` must outlive the guard, and know a plan before the first record of its first session comes.
  explicit sold_guard(const plan_library& plans) : plans_(plans) {}

  /// Takes over a recovered session: what it has sold, and the number of its last record.
  void watch(const core::session& s);

  base::result<void> admit(const record_ref& record) override;

  [[nodiscard]] std::size_t sessions() const { return halls_.size(); }
  /// Places sold in a session; 0 if it is unknown.
  [[nodiscard]] std::uint64_t sold(core::session_id id) const;

 private:
  struct area {
    std::uint64_t capacity = 0;
    std::uint64_t sold = 0;
  };
  struct hall {
    std::uint64_t last = 0;
    std::uint64_t seats = 0;
    std::vector<std::uint64_t> words;  ///< bit: sold
    std::vector<area> areas;
    std::uint64_t sold = 0;
  };
  static hall empty_hall(const core::plan& p);
  static const char* sell(hall& h, const core::piece& p);
  static const char* give_back(hall& h, const core::piece& p);

  const plan_library& plans_;
  std::unordered_map<std::uint64_t, hall> halls_;
};

}  // namespace holdfast::persistence
