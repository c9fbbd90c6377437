#include "persistence/data_directory.hpp"

#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "persistence/files.hpp"

namespace holdfast::persistence {

namespace {

/// Two numbers with one space between them.
bool parse(std::string_view line, faulted_session& f) {
  const char* end = line.data() + line.size();
  const auto session = std::from_chars(line.data(), end, f.session.value);
  if (session.ec != std::errc() || session.ptr == end || *session.ptr != ' ') return false;
  const auto since = std::from_chars(session.ptr + 1, end, f.since.value);
  return since.ec == std::errc() && since.ptr == end && f.session.value != 0;
}

base::result<void> write(const data_directory& d, const std::vector<faulted_session>& all) {
  std::string text;
  for (const auto& f : all) text += fmt::format("{} {}\n", f.session.value, f.since.value);
  return replace_file(d.faulted(), {base::as_bytes(text)});
}

}  // namespace

base::result<std::vector<faulted_session>> read_faulted(const data_directory& d) {
  std::vector<faulted_session> all;
  std::error_code ec;
  if (!std::filesystem::exists(d.faulted(), ec)) {
    if (ec) return base::error{base::trouble::io, fmt::format("{}: {}", d.faulted().string(), ec.message())};
    return all;
  }
  auto bytes = read_file(d.faulted());
  if (!bytes) return bytes.failure();
  std::string_view left = base::as_text(*bytes);
  for (unsigned number = 1; !left.empty(); ++number) {
    const auto line = left.substr(0, left.find('\n'));
    left.remove_prefix(std::min(left.size(), line.size() + 1));
    faulted_session f;
    if (line.empty()) continue;
    if (!parse(line, f))
      return base::error{base::trouble::bad_input,
                         fmt::format("{}: line {} is not a session and a log time: correct or remove the line",
                                     d.faulted().string(), number)};
    all.push_back(f);
  }
  return all;
}

base::result<void> note_faulted(const data_directory& d, const faulted_session& f) {
  auto all = read_faulted(d);
  if (!all) return all.failure();
  if (std::ranges::any_of(*all, [&](const auto& kept) { return kept.session == f.session; })) return {};
  all->push_back(f);
  return write(d, *all);
}

base::result<void> forget_faulted(const data_directory& d, core::session_id session) {
  auto all = read_faulted(d);
  if (!all) return all.failure();
  if (std::erase_if(*all, [&](const auto& kept) { return kept.session == session; }) == 0) return {};
  return write(d, *all);
}

}  // namespace holdfast::persistence
