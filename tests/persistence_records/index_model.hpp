// A naive index: walks over the records once, in their order, remembers everything, and keeps every row.
#pragma once

#include <set>

#include "persistence/index.hpp"
#include "tests/persistence_records/story.hpp"

namespace holdfast::tests {

class index_model {
 public:
  explicit index_model(const box_office& b);

  [[nodiscard]] std::vector<index_row> find(const index_query& q) const;

  std::set<base::id128> owners, baskets, holds;
  std::set<base::bytes> references;
  std::size_t rows = 0;
  std::size_t numbers_given_again = 0;  ///< holds placed under a number that was another's
  std::size_t unknown = 0;              ///< refunds of holds that no session knew
  std::size_t settled = 0;

 private:
  struct seen_hold {
    core::owner_id owner;
    core::hold_id id;
    core::basket_id basket;
    std::vector<core::line> lines;
  };
  struct seen_refund {
    core::hold_no hold;
    core::owner_id owner;
    core::hold_id id;
  };
  void add(const core::record& r, core::session_id session);
  void keep(index_row row);

  std::map<std::pair<core::session_id, core::hold_no>, seen_hold> holds_;
  std::map<std::pair<core::session_id, core::refund_no>, seen_refund> refunds_;
  std::vector<index_row> rows_;
};

}  // namespace holdfast::tests
