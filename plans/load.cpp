#include "plans/load.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "core/plan_text.hpp"
#include "plans/csv.hpp"
#include "plans/naming.hpp"
#include "plans/pretix.hpp"
#include "plans/side_file.hpp"

namespace holdfast::plans {

namespace {

namespace fs = std::filesystem;

base::result<std::string> read_file(const fs::path& file) {
  std::error_code ec;
  if (fs::is_directory(file, ec)) return bad_plan(file.string(), "is a directory: name the file of the seating plan");
  errno = 0;
  std::ifstream in(file, std::ios::binary);
  if (!in)
    return bad_plan(file.string(), fmt::format("cannot be read ({}): check name and permissions", std::strerror(errno)));
  // The size is not asked for in advance: the file may be a pipe.
  std::string text;
  char chunk[1U << 16U];
  while (in.read(chunk, sizeof chunk) || in.gcount() > 0) {
    text.append(chunk, static_cast<std::size_t>(in.gcount()));
    if (text.size() > plan_file_bytes_max)
      return bad_plan(file.string(),
          fmt::format("is larger than {} MiB: it is no seating plan", plan_file_bytes_max >> 20U));
  }
  if (in.bad())
    return base::error{base::trouble::io, fmt::format("{}: reading failed ({})", file.string(), std::strerror(errno))};
  return text;
}

bool is_json(const fs::path& file, std::string_view text) {
  if (file.extension() == ".json") return true;
  if (file.extension() == ".csv") return false;
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  const auto first = text.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && text[first] == '{';
}

base::result<side_file> load_side(const fs::path& file) {
  const auto text = read_file(file);
  if (!text) return text.failure();
  if (file.extension() == ".toml") return read_side_toml(*text, file.string());
  if (file.extension() == ".csv") return read_side_csv(*text, file.string());
  return bad_plan(file.string(), "a side file is TOML or CSV: name it .toml or .csv");
}

/// "stadium" of "plans/stadium.pretix.json", as far as it fits.
std::string stem(const fs::path& file) {
  auto name = file.filename().string();
  const auto dot = name.find('.', 1);
  if (dot != std::string::npos) name.resize(dot);
  return core::plan_text_trouble("", name, core::limits::name_bytes_max, false).empty() ? name : "plan";
}

}  // namespace

base::result<import_report> load_plan(const fs::path& file, const load_options& options) {
  side_file side;
  if (!options.side.empty()) {
    auto read = load_side(options.side);
    if (!read) return read.failure();
    side = *std::move(read);
  }
  const auto text = read_file(file);
  if (!text) return text.failure();
  const bool json = is_json(file, *text);

  import_options how;
  how.source = file.string();
  how.name = !options.name.empty() ? options.name : side.name;
  how.identity = options.identity;
  how.category_names = side.category_names;
  if (how.name.empty() && !json) how.name = stem(file);
  if (auto t = core::plan_text_trouble("the plan's name", how.name, core::limits::name_bytes_max, true); !t.empty())
    return bad_plan(file.string(), t);

  auto report = json ? import_pretix(*text, how) : import_csv(*text, how);
  if (!report) return report;
  if (auto r = apply_side_file(side, *report); !r) return r.failure();
  if (report->plan.places() == 0)
    return bad_plan(file.string(), "the plan has no seats: draw some, or give standing areas in a side file");
  if (auto r = core::check_plan(report->plan); !r) return bad_plan(file.string(), r.failure().text);
  return report;
}

}  // namespace holdfast::plans
