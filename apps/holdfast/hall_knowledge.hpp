// What the buyers of a rush believe about the hall. It is always a little behind; that is what they fight over.
#pragma once

#include <cstdint>
#include <vector>

#include "base/random.hpp"
#include "core/look.hpp"
#include "core/plan.hpp"

namespace holdfast::cli {

class hall_knowledge {
 public:
  /// Nothing is believed free before the first look. Seats outside public allocation may turn out not to be for everybody.
  explicit hall_knowledge(const core::plan& p) : state_(p.seats.size(), taken), place_(p.seats.size(), none), areas_free_(p.areas.size(), 0) {
    for (const auto& s : p.seats) public_.push_back(s.allocation == 0);
    free_.reserve(p.seats.size());
  }

  [[nodiscard]] std::size_t seats() const { return state_.size(); }
  [[nodiscard]] std::size_t free_seats() const { return free_.size(); }
  [[nodiscard]] bool is_free(std::uint32_t seat) const { return state_[seat] == free; }
  [[nodiscard]] bool is_barred(std::uint32_t seat) const { return seat < state_.size() && state_[seat] == never; }
  [[nodiscard]] bool is_public(std::uint32_t seat) const { return public_[seat]; }
  [[nodiscard]] std::uint64_t free_in(std::uint32_t area) const { return areas_free_[area]; }
  [[nodiscard]] std::size_t areas() const { return areas_free_.size(); }
  [[nodiscard]] std::uint64_t free_standing() const {
    std::uint64_t n = 0;
    for (const auto a : areas_free_) n += a;
    return n;
  }

  void freed(std::uint32_t seat) {
    if (state_[seat] != taken) return;
    state_[seat] = free;
    place_[seat] = static_cast<std::uint32_t>(free_.size());
    free_.push_back(seat);
  }
  void gone(std::uint32_t seat) {
    if (state_[seat] == free) forget(seat);
  }
  /// Not for us, whatever its state.
  void barred(std::uint32_t seat) {
    if (state_[seat] == free) forget(seat);
    state_[seat] = never;
  }
  void area_has(std::uint32_t area, std::uint64_t n) { areas_free_[area] = n; }

  /// A page of seat states, and on page 0 the areas: what allocation 0 has.
  void learn(const core::seats_seen& s) {
    for (std::size_t i = 0; i < s.states.size() && s.first + i < state_.size(); ++i) {
      const auto seat = static_cast<std::uint32_t>(s.first + i);
      if (s.states[i] == static_cast<std::uint8_t>(core::seat_state::free)) freed(seat);
      else gone(seat);
    }
    for (std::size_t a = 0; a < s.areas.size() && a < areas_free_.size(); ++a)
      areas_free_[a] = s.areas[a].allocations.empty() ? 0 : s.areas[a].allocations[0].free;
  }

  /// A seat that is believed to be free; there must be one.
  [[nodiscard]] std::uint32_t some_free_seat(base::random& chance) const { return free_[chance.below(free_.size())]; }
  [[nodiscard]] std::uint32_t any_seat(base::random& chance) const { return static_cast<std::uint32_t>(chance.below(state_.size())); }

 private:
  enum : std::uint8_t { taken, free, never };
  static constexpr std::uint32_t none = ~std::uint32_t{0};

  void forget(std::uint32_t seat) {
    // The last of the free ones takes its place.
    const auto at = place_[seat];
    free_[at] = free_.back();
    place_[free_[at]] = at;
    free_.pop_back();
    place_[seat] = none;
    state_[seat] = taken;
  }

  std::vector<std::uint8_t> state_;
  std::vector<std::uint32_t> place_;  ///< in free_
  std::vector<std::uint32_t> free_;
  std::vector<bool> public_;
  std::vector<std::uint64_t> areas_free_;
};

}  // namespace holdfast::cli
