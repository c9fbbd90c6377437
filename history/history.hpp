// A history in memory, and on its way to and from a file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "history/row.hpp"

namespace holdfast::history {

/// The clients' clock: one for all processes of a machine.
[[nodiscard]] std::uint64_t monotonic_ns();

/// Rows in the order in which they were written, and their items one after the other.
struct history {
  std::uint64_t session = 0;
  std::uint32_t seats = 0;
  std::vector<row> rows;
  std::vector<std::uint64_t> first_item;  ///< of each row, an index into `items`
  std::vector<line_item> items;

  void add(const row& r, std::span<const line_item> more);
  [[nodiscard]] std::span<const line_item> lines_of(std::size_t i) const { return {items.data() + first_item[i], rows[i].items}; }
  /// The state of a seat in a look: core::seat_state.
  [[nodiscard]] unsigned state_of(std::size_t look, std::uint32_t seat) const {
    return reinterpret_cast<const unsigned char*>(items.data() + first_item[look])[seat] & 0x7fU;
  }
};

/// Error: bad_input, if it is no history or ends in the middle of a row; io.
[[nodiscard]] base::result<history> read(const std::filesystem::path& path);

/// Writes rows as they come. Errors are kept and told by `close`.
class recorder {
 public:
  static base::result<recorder> create(const std::filesystem::path& path, std::uint64_t session, std::uint32_t seats);
  void add(const row& r, std::span<const line_item> items);
  [[nodiscard]] std::uint64_t rows() const { return rows_; }
  base::result<void> close();

 private:
  struct closer {
    void operator()(std::FILE* f) const { std::fclose(f); }
  };
  recorder(std::FILE* f, std::string path) : file_(f), path_(std::move(path)) {}
  std::unique_ptr<std::FILE, closer> file_;
  std::string path_;
  std::uint64_t rows_ = 0;
  bool failed_ = false;
};

}  // namespace holdfast::history
