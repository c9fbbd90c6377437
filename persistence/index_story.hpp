// What happened to one hold, told from its records: the rows that the index answers with. Private to the index.
#pragma once

#include <vector>

#include "persistence/index.hpp"

namespace holdfast::persistence {

/// From its second record on a hold goes by its number; owner, id, basket and lines are known from those before.
class hold_story {
 public:
  explicit hold_story(core::session_id s) : session_(s) {}

  /// The records in their order: the one that placed the hold, or the refund of one that the session did not know, and
  /// then all others but settlements. Error: corrupt, if it is not about this hold.
  base::result<void> add(record_position at, const core::record& r);
  /// A settlement of one of `refunds`. After all others.
  base::result<void> add_settlement(record_position at, const core::record& r);

  [[nodiscard]] core::session_id session() const { return session_; }
  /// None if the session did not know it.
  [[nodiscard]] core::hold_no hold() const { return hold_; }
  /// Recorded by it.
  [[nodiscard]] const std::vector<core::refund_no>& refunds() const { return refunds_; }

  struct told {
    record_position at;
    index_row row;
  };
  [[nodiscard]] std::vector<told>& rows() { return rows_; }

 private:
  [[nodiscard]] index_row begin_row(const core::record& r) const;
  [[nodiscard]] bool is_about(const core::record& r) const;
  void begin(index_row& row, const core::record& r);
  void go_on(index_row& row, const core::record& r);
  void drop(core::lines gone);

  core::session_id session_;
  core::hold_no hold_;
  core::owner_id owner_;
  core::hold_id id_;
  core::basket_id basket_;
  std::vector<core::line> lines_;  ///< as they are after the newest record
  std::vector<core::refund_no> refunds_;
  std::vector<told> rows_;
};

}  // namespace holdfast::persistence
