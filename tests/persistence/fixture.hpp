// Words for stories about a journal.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "persistence/journal_log.hpp"
#include "persistence/memory_block_store.hpp"

namespace holdfast::tests {

using namespace holdfast::persistence;

inline constexpr std::uint64_t noon = 1'700'000'000'000'000;  // log time, microseconds
inline constexpr std::uint64_t ms = 1'000;
inline constexpr std::uint64_t second = 1'000'000;
inline constexpr base::id128 journal_id{0x1122334455667788, 0x99aabbccddeeff00};

/// A record that owns its text.
struct note {
  std::uint64_t session;
  std::uint64_t sequence;
  std::string text;

  friend bool operator==(const note&, const note&) = default;
};

inline record_ref ref(const note& n, std::uint64_t time) { return {n.session, n.sequence, time, base::as_bytes(n.text)}; }

/// The `i`-th note of a story, different from all others.
inline note nth(std::uint64_t i) {
  return {1 + i % 3, 1 + i / 3, fmt::format("note {} {}", i, std::string(static_cast<std::size_t>(i % 50), 'x'))};
}

inline journal_options options_at(std::uint64_t wall_clock) {
  journal_options o;
  o.wall_clock = wall_clock;
  o.new_journal = journal_id;
  o.program = "test";
  return o;
}

inline base::result<appended> write(journal& j, const std::vector<note>& notes, std::uint64_t now) {
  std::vector<record_ref> refs;
  for (const auto& n : notes) refs.push_back(ref(n, now));
  return j.append(refs, now);
}

/// All records of sessions, in the journal's order.
inline std::vector<note> read_all(const journal& j) {
  std::vector<note> all;
  const auto ok = j.scan(j.first_block(), j.last_block().number, [&](const block_view& b) -> base::result<bool> {
    for (const auto& r : b)
      if (r.session != system_session) all.push_back({r.session, r.sequence, std::string(base::as_text(r.bytes))});
    return true;
  });
  REQUIRE_MESSAGE(ok.ok(), (ok.ok() ? "" : ok.failure().text));
  return all;
}

/// A directory that goes away with the object.
class temporary_directory {
 public:
  temporary_directory() {
    std::string name = (std::filesystem::temp_directory_path() / "holdfast-test-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~temporary_directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  temporary_directory(const temporary_directory&) = delete;
  temporary_directory& operator=(const temporary_directory&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

template <class T>
const T& good(const base::result<T>& r) {
  REQUIRE_MESSAGE(r.ok(), (r.ok() ? "" : r.failure().text));
  return r.value();
}
template <class T>
T good(base::result<T>&& r) {
  REQUIRE_MESSAGE(r.ok(), (r.ok() ? "" : r.failure().text));
  return std::move(r).value();
}
inline void good(base::result<void>&& r) { REQUIRE_MESSAGE(r.ok(), (r.ok() ? "" : r.failure().text)); }

inline bool says(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace holdfast::tests
