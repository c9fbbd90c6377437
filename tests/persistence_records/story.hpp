// A box office at work over a journal in memory: the real rules, the real records, the real journal logic.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <memory_resource>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "base/random.hpp"
#include "core/engine.hpp"
#include "persistence/journal_log.hpp"
#include "persistence/memory_block_store.hpp"
#include "persistence/record_codec.hpp"
#include "persistence/recovery.hpp"

namespace holdfast::tests {

using namespace holdfast::persistence;

inline constexpr std::uint64_t noon = 1'700'000'000'000'000;
inline constexpr std::uint64_t ms = 1'000;
inline constexpr std::uint64_t second = 1'000'000;
inline constexpr std::uint64_t minute = 60 * second;

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

inline base::id128 id(std::uint64_t n) { return {n, 0x5eed}; }
inline core::owner_id owner(std::uint64_t n) { return core::owner_id{id(1'000'000 + n)}; }
inline core::command_id named(std::uint64_t n) { return core::command_id{id(n)}; }
inline core::line seat(std::uint32_t n, core::price_ref price = 7) { return {core::place_kind::seat, n, 1, price}; }
inline core::line standing(std::uint32_t area, std::uint32_t count, core::price_ref price = 9) {
  return {core::place_kind::area, area, count, price};
}

/// `seats` seats in rows of ten, two categories, one allocation beside public, two areas.
std::shared_ptr<const core::plan> small_hall(std::uint32_t seats, const std::string& name = "small hall");
std::shared_ptr<const core::session_terms> terms(const std::string& name, std::shared_ptr<const core::plan> hall);

/// One record as it would go to the journal.
struct written {
  std::uint64_t session = 0, sequence = 0, at = 0;
  base::bytes bytes;
  [[nodiscard]] record_ref ref() const { return {session, sequence, at, bytes}; }
};

/// The journal's disk, and what writes to it.
class box_office {
 public:
  explicit box_office(std::uint64_t seed = 1);

  /// Creates a session and opens its sale for all channels.
  void open(std::uint64_t session, std::shared_ptr<const core::plan> hall);
  /// Creates a session; nothing more.
  void create(std::uint64_t session, std::shared_ptr<const core::plan> hall);
  core::answer ask(std::uint64_t session, core::role who, core::command asked, core::command_id command = {});
  /// As a buyer's command with a fresh id; refused or not.
  core::answer buy(std::uint64_t session, core::command asked) {
    return ask(session, core::role::shop, std::move(asked), fresh());
  }
  core::answer operate(std::uint64_t session, core::command asked) {
    return ask(session, core::role::op, std::move(asked), fresh());
  }
  /// Lets time pass and the sessions notice.
  void wait(std::uint64_t us);
  /// Writes what is pending as one block.
  void commit();
  core::command_id fresh() { return core::command_id{random.id()}; }

  /// `n` commands of all kinds on all sessions, sensible and not, with time passing; commits now and then.
  void rush(std::size_t n);

  [[nodiscard]] const core::session& state(std::uint64_t session) const { return sessions_.at(session)->state(); }
  [[nodiscard]] std::map<std::uint64_t, digest> digests() const;
  /// Everything written so far, in order.
  [[nodiscard]] const std::vector<written>& records() const { return all_; }

  std::uint64_t now = noon;
  std::uint64_t ended_holds_max = 0;  ///< of sessions to come; few let numbers of holds be given out again
  base::random random;
  std::shared_ptr<memory_disk> disk = std::make_shared<memory_disk>();
  std::unique_ptr<journal_log> journal;
  plan_library plans;
  std::uint64_t accepted = 0, refused = 0;

 private:
  void step(std::uint64_t session, std::span<const core::request> batch);
  void one_command(std::uint64_t session);

  struct known_hold {
    core::owner_id owner;
    core::hold_id id;
    std::vector<core::line> lines;
    base::bytes attempt;
  };
  std::map<std::uint64_t, std::unique_ptr<core::engine>> sessions_;
  std::map<std::uint64_t, std::vector<known_hold>> holds_;
  std::vector<written> pending_;
  std::vector<written> all_;
};

/// The records of a story on a disk of their own, `per_block` in a block; not shown to any guard. For what the box
/// office would never write.
std::shared_ptr<memory_disk> rechained(const std::vector<written>& records, std::size_t per_block = 7);

std::unique_ptr<journal_log> open_journal(std::shared_ptr<memory_disk> disk, std::uint64_t wall_clock);

/// Decodes, lets `edit` change and encodes again. The record must be one of `records`.
template <class Edit>
void edit(written& w, const plan_library& plans, Edit&& change) {
  std::pmr::monotonic_buffer_resource arena;
  auto r = good(decode_record(w.ref(), &plans, arena));
  change(r);
  w.at = r.at.value;
  w.sequence = r.number.value;
  w.bytes.clear();
  encode_record(r, w.bytes);
}

/// A directory that goes away with the object.
class temporary_directory {
 public:
  temporary_directory();
  ~temporary_directory();
  temporary_directory(const temporary_directory&) = delete;
  temporary_directory& operator=(const temporary_directory&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace holdfast::tests
