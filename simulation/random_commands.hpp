// A seeded crowd around a small hall: buyers who hold, change, pay and lose their answers, shops whose payments come late or
// twice, operators who block and freeze, and now and then plain nonsense. Intervals are short, so something expires all the time.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <memory_resource>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "core/answer.hpp"
#include "core/command.hpp"
#include "core/look.hpp"
#include "simulation/model.hpp"

namespace holdfast::simulation {

/// Relative weights of what is asked, and what a run may contain.
struct mix {
  unsigned hold = 30, change = 9, extend = 6, begin = 10, failed = 4, confirm = 12, release = 6, cancel = 4, settle = 2;
  unsigned sale = 3, freeze = 1, block = 1, unblock = 3, allocate = 1, shift = 1, clear = 1, retry = 9, nonsense = 1;
  unsigned spoiled_percent = 4;      ///< a good command made bad in one place
  unsigned restart_percent = 2;      ///< of steps: saved and loaded
  unsigned fault_per_mille = 2;      ///< of steps: the session goes out of service
  bool forgetting = true;            ///< small tables, so that ids are forgotten
  bool few_expiries = false;         ///< 1-3 expiries a step
  bool recovery_shifts = true;
  unsigned batch_max = 6;
};

/// A small hall with a policy of four channels, different for each seed.
std::shared_ptr<const core::session_terms> random_terms(std::uint64_t seed, const mix& m);

/// One thing that happens to a session.
struct happening {
  enum class kind { step, restart, fault } what = kind::step;
  core::log_time now;
  std::vector<asked> batch;  ///< empty: a timer's step
};

class random_commands {
 public:
  random_commands(std::uint64_t seed, std::shared_ptr<const core::session_terms> terms, const mix& m);

  /// What happens next. Its commands borrow from this object and stay good as long as it lives.
  happening next();
  /// It is this time now, whatever it was before: a server that comes back may find its clock earlier than it left it.
  void set_time(core::log_time now) { now_ = now.value; }
  /// The session went out of service.
  void hear_of_fault(core::log_time since) { faulted_since_ = since.value; }
  /// What became of a command of a step; later commands build on it.
  void learn(const asked& a, const core::answer& said);

  struct known_hold {
    core::owner_id owner;
    core::hold_id id;
    std::vector<core::line> lines;
    std::vector<std::string> attempts;
    std::vector<core::confirm_hold> payments;
    core::hold_state state = core::hold_state::held;
    std::uint64_t deadline = 0;  ///< log time, as last heard
  };
  /// A look at something that somebody may care about.
  [[nodiscard]] core::look any_look();
  [[nodiscard]] const std::vector<known_hold>& holds() const { return holds_; }
  [[nodiscard]] const std::vector<core::owner_id>& owners() const { return owners_; }
  [[nodiscard]] const std::deque<asked>& recent() const { return recent_; }

 private:
  asked make();
  asked on_hold(core::command_tag tag);
  asked for_operator(core::command_tag tag);
  void spoil(asked& a);
  core::line any_line(core::channel_no channel);
  core::lines any_lines(std::size_t most, core::channel_no channel);
  core::lines some_of(const std::vector<core::line>& lines);
  core::keys keys_of(const core::owner_id& owner, core::channel_no channel);
  core::ranges any_ranges();
  core::interval_ms any_interval();
  base::byte_view reference(const std::string& s);
  known_hold* any_hold(core::command_tag what);
  core::command_id fresh_id() { return core::command_id{{random_.next(), ++ids_}}; }
  core::log_time deadline_for_new();

  template <class T>
  std::span<const T> keep(const std::vector<T>& items) {
    if (items.empty()) return {};
    auto* p = static_cast<T*>(arena_.allocate(items.size() * sizeof(T), alignof(T)));
    std::uninitialized_copy(items.begin(), items.end(), p);
    return {p, items.size()};
  }

  base::random random_;
  std::shared_ptr<const core::session_terms> terms_;
  mix mix_;
  std::pmr::monotonic_buffer_resource arena_;
  std::uint64_t now_;
  std::uint64_t ids_ = 0;
  std::vector<core::owner_id> owners_;
  std::vector<known_hold> holds_;
  std::deque<asked> recent_;
  std::deque<std::uint64_t> deadlines_;
  std::uint32_t refunds_ = 0;
  core::sale_state sale_ = core::sale_state::announced;
  bool frozen_ = false;
  std::uint64_t faulted_since_ = 0;
};

/// Copies a command with all it borrows into `arena`, so that nothing of the original is needed.
asked deep_copy(const asked& a, std::pmr::memory_resource& arena);

/// Memory for one batch that is overwritten when it goes, so that whoever kept a pointer into it is found out.
class batch_arena : public std::pmr::memory_resource {
 public:
  batch_arena() = default;
  batch_arena(const batch_arena&) = delete;
  batch_arena& operator=(const batch_arena&) = delete;
  ~batch_arena() override;

 private:
  void* do_allocate(std::size_t bytes, std::size_t alignment) override;
  void do_deallocate(void*, std::size_t, std::size_t) override {}
  [[nodiscard]] bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }
  std::vector<std::pair<unsigned char*, std::size_t>> blocks_;
};

}  // namespace holdfast::simulation
