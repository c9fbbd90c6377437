// Who was last in which record, told from the records alone: what an answer must wait for at least.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/answer.hpp"
#include "core/event.hpp"
#include "simulation/model.hpp"

namespace holdfast::simulation {

class witness {
 public:
  explicit witness(const core::session_terms& terms) : seats_(terms.seating->seats.size()), out_of_sale_(seats_.size()) {
    for (const auto& seat : terms.seating->seats) allocations_.push_back(seat.allocation);
  }

  /// Takes in the session's next record; its commands on a hold carry owner and id. Returns what is wrong with it, if anything.
  std::string on_record(const core::record& r);

  /// Checks tells_of and waits_for of the answer to `a`, given right after the records so far. Empty, or what is wrong.
  [[nodiscard]] std::string judge(const asked& a, const core::answer& said);

  [[nodiscard]] core::sequence last() const { return last_; }

 private:
  struct seen_hold {
    hold_key key;
    std::set<std::uint32_t> seats;
    core::sequence changed;
  };
  void touch(seen_hold& h, core::lines lines, bool takes);
  void touch_all(seen_hold& h, bool paying = false);

  core::sequence last_{1}, control_{1}, shifted_{1};  ///< shifted_: moved all deadlines in log time
  core::command_tag last_tag_ = core::command_tag::create_session;
  /// Of a seat: the last record that gave or took it, that changed its hold's state, its mark or its allocation.
  struct seat_changes {
    core::sequence taken, paid, marked, allocated;
  };
  std::vector<seat_changes> seats_;
  std::vector<std::uint8_t> out_of_sale_;            ///< blocked or marked: an unblock changes it
  std::vector<std::uint8_t> allocations_;
  std::map<core::hold_no, seen_hold> holds_;
  std::map<hold_key, core::hold_no> numbers_;
  std::map<std::pair<core::owner_id, core::command_id>, core::sequence> first_;      ///< record of an accepted id
  std::map<std::tuple<core::owner_id, core::hold_id, std::string>, core::sequence> payments_;
};

}  // namespace holdfast::simulation
