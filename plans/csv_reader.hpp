// Records of a CSV file, one at a time (RFC 4180), with the line on which each begins.
//
// Written here because Debian's two small parsers do not fit: fast-cpp-csv-parser fixes the separator when it is
// compiled and cannot quote line breaks, libcsv does not tell lines.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace holdfast::plans {

struct csv_record {
  std::size_t line = 0;  ///< from 1
  std::vector<std::string> fields;
};

/// Fields are separated by whichever of , ; or tab comes first in the first record. A byte order mark, blank lines
/// and lines beginning with # are skipped; spaces around a field are no part of it; lines end in LF, CR LF or CR.
class csv_reader {
 public:
  /// Borrows `text`.
  csv_reader(std::string_view text, std::string source);

  /// False at the end. Errors name source and line.
  [[nodiscard]] base::result<bool> next(csv_record& out);

 private:
  [[nodiscard]] bool at_line_end() const { return at_ == text_.size() || text_[at_] == '\n' || text_[at_] == '\r'; }
  void skip_line_end();
  void skip_line();
  void skip_spaces();
  base::result<void> field(std::string& out);

  std::string_view text_;
  std::string source_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
  char separator_ = 0;  ///< 0 until the first record
};

}  // namespace holdfast::plans
