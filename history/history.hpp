// A history in memory, and on its way to and from a file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <functional>
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
  std::vector<std::uint64_t> area_places;
  std::vector<row> rows;
  std::vector<std::uint64_t> first_item;  ///< of each row, an index into `items`
  std::vector<line_item> items;

  void add(const row& r, std::span<const line_item> more);
  [[nodiscard]] std::span<const line_item> lines_of(std::size_t i) const { return {items.data() + first_item[i], rows[i].items}; }
  /// The seats that a look shows: from the first on, before the last.
  [[nodiscard]] std::uint32_t first_seen(std::size_t look) const { return static_cast<std::uint32_t>(rows[look].hold); }
  [[nodiscard]] std::uint32_t last_seen(std::size_t look) const { return first_seen(look) + static_cast<std::uint32_t>(rows[look].account); }
  /// The state of one of them: core::seat_state.
  [[nodiscard]] unsigned state_of(std::size_t look, std::uint32_t seat) const {
    return reinterpret_cast<const unsigned char*>(items.data() + first_item[look])[seat - first_seen(look)] & 0x7fU;
  }
};

/// How much of something long is done, 0 to 1. Called now and then.
using progress = std::function<void(double)>;

/// Error: bad_input, if it is no history, was not finished, or is damaged; io.
[[nodiscard]] base::result<history> read(const std::filesystem::path& path, const progress& tell = {});

/// Writes rows as they come. Errors are kept and told by `close`. A history that was not closed says so, and is refused: what was
/// under way when its clients died is missing in it.
class recorder {
 public:
  static base::result<recorder> create(const std::filesystem::path& path, std::uint64_t session, std::uint32_t seats,
                                       std::span<const std::uint64_t> area_places);
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
