// Engine against model: the same happenings to both, every answer compared, and beside them a session that knows the records
// alone and must come to the same state.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/engine.hpp"
#include "simulation/model.hpp"
#include "simulation/random_commands.hpp"
#include "simulation/witness.hpp"

namespace holdfast::tests {

using namespace simulation;

class duel : private core::step_sink {
 public:
  static constexpr core::session_id id{7};

  explicit duel(std::shared_ptr<const core::session_terms> terms, core::log_time created);

  /// Lets it happen to both. Returns what they disagree about, or nothing.
  std::optional<std::string> play(const happening& h);

  /// The engine's answers to the batch of the last step.
  [[nodiscard]] const std::vector<core::answer>& said() const { return said_; }

  /// The whole state as looks show it, of everything in `keys`, `ids`.
  std::optional<std::string> compare_state(const std::deque<asked>& recent, const std::vector<core::owner_id>& owners);

  /// The view that the records' changes have built says to each channel and place what the model says of its own state; and a
  /// view begun afresh from the present state says the same.
  std::optional<std::string> compare_view();

  /// Live, replayed and loaded states have the same bytes.
  std::optional<std::string> compare_bytes();

  /// Asks the engine for a look in a step of its own.
  std::shared_ptr<const core::seen> look(const core::look& l, core::answer* said = nullptr);

  [[nodiscard]] core::sequence last() const { return engine_.state().last(); }
  [[nodiscard]] const model& second_opinion() const { return model_; }
  [[nodiscard]] const core::engine& engine() const { return engine_; }
  [[nodiscard]] const core::sale_view& view() const { return view_; }
  [[nodiscard]] core::log_time now() const { return now_; }

 private:
  void on_record(const core::record& r) override;
  void on_view_change(const core::view_change& c) override;
  void on_answer(std::uint64_t ticket, const core::answer& said, std::shared_ptr<const core::seen> shown) override;

  std::optional<std::string> play_step(const happening& h);
  std::optional<std::string> conservation();
  std::optional<std::string> drain();

  std::shared_ptr<const core::session_terms> terms_;
  core::log_time now_;
  model model_;
  witness witness_;
  core::session shadow_;  ///< sees records only
  core::engine engine_;
  core::sale_view view_;
  std::uint64_t places_;

  std::vector<core::answer> said_;
  std::vector<asked> asked_;
  std::shared_ptr<const core::seen> shown_;
  core::answer look_said_;
  std::string trouble_;
};

/// A record's first: the session as it was created.
core::record created_record(const std::shared_ptr<const core::session_terms>& terms, core::log_time at);

}  // namespace holdfast::tests
