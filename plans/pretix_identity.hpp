// By what the seats of a drawn plan are told apart. Real files repeat what should be unique: of the 738 seats in one
// stadium's drawing only 318 have a guid of their own.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "core/plan.hpp"
#include "plans/import.hpp"

namespace holdfast::plans {

/// What the file says about who a seat is.
struct drawn_seat {
  std::string uuid;  ///< empty if absent
  std::string guid;  ///< empty if absent
  std::array<std::uint32_t, 3> at{};  ///< place in the file: zone, row, seat
};

/// Fills in plan_seat::identity. `drawn` is parallel to p.seats. Two seats of one identity are an error that names
/// both; repeated values that are not the identity are warned about.
[[nodiscard]] base::result<void> give_identities(core::plan& p, const std::vector<drawn_seat>& drawn,
                                                 const import_options& options, std::vector<std::string>& warnings);

}  // namespace holdfast::plans
