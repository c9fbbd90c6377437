// The lines of our CSV files, as seats and areas: the plan itself (csv.hpp) and the side file of a drawn plan
// (side_file.hpp) have the same columns. docs/PLANS.md explains them to the people who write such files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "plans/csv_reader.hpp"
#include "plans/seat_list.hpp"

namespace holdfast::plans {

/// One line. With a capacity it is a standing area: `zone` is its name, `rows` and `seats` are empty.
struct seat_line {
  std::string where;  ///< "file:line"
  std::string zone;
  std::vector<std::string> rows;
  seat_list seats;
  std::string category;
  std::string allocation;
  std::uint8_t flags = 0;      ///< core::seat_flag bits
  std::uint32_t capacity = 0;  ///< places of an area; 0: these are seats

  [[nodiscard]] bool is_area() const { return capacity != 0; }
};

class seat_table {
 public:
  /// Reads the header. `text` is borrowed. With `needs_category`, lines must name one.
  [[nodiscard]] static base::result<seat_table> open(std::string_view text, const std::string& source, bool needs_category);

  /// False at the end. Fields are checked one by one; what they mean for a plan is the caller's.
  [[nodiscard]] base::result<bool> next(seat_line& out);

  /// Columns that mean nothing to us, as warnings.
  [[nodiscard]] std::vector<std::string> warnings() const;

 private:
  enum column : std::size_t { zone, row, seat, category, allocation, flags, capacity, columns };

  seat_table(std::string_view text, const std::string& source, bool needs_category)
      : reader_(text, source), source_(source), needs_category_(needs_category) {}
  base::result<void> read_header();
  [[nodiscard]] const std::string& field(column c) const;

  static constexpr std::size_t absent = ~std::size_t{0};
  csv_reader reader_;
  std::string source_;
  bool needs_category_;
  csv_record record_;
  std::size_t header_fields_ = 0;
  std::size_t place_[columns] = {absent, absent, absent, absent, absent, absent, absent};
  std::vector<std::string> unknown_;
};

/// Bits of "accessible|companion|restricted". The error does not say where.
[[nodiscard]] base::result<std::uint8_t> parse_flags(std::string_view text);

}  // namespace holdfast::plans
