// The exact search, one seat at a time (Wing and Gong; Lowe): forward in time, keeping every state that the seat can be in together
// with which of the operations under way have happened already. It stays small because few operations on a seat change it, and
// those that only see it are put where they first fit, which loses nothing; those that came to see the same share a bit.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "history/stories.hpp"

namespace holdfast::history {

enum class phase : std::uint8_t { free, held, sold };
constexpr std::uint8_t bit_of(phase p) { return static_cast<std::uint8_t>(1U << static_cast<unsigned>(p)); }

/// One operation on one seat.
struct touch {
  enum class kind : std::uint8_t { take, sell, give, end, see } what = kind::see;
  std::uint8_t fits = 0;      ///< see: the phases that it may have seen
  bool late_sale = false;     ///< sell: may have found the seat free again
  bool or_never = false;      ///< did not happen after `to`, and perhaps not at all; what ends never is so, too
  std::uint32_t row = 0, hold = nobody;
  std::uint64_t from = 0, to = never;
};

struct config {
  phase in = phase::free;
  std::uint32_t holder = nobody;
  std::uint64_t done = 0;  ///< of the operations under way, by their bits
  friend bool operator==(const config&, const config&) = default;
};

/// The search on one seat; its memory is used again for the next.
class seat_search {
 public:
  enum class result { fits, violation, too_much };

  result run(std::span<const touch> touches, phase at_first) {
    events_.clear();
    for (std::uint32_t i = 0; i < touches.size(); ++i) {
      events_.push_back({touches[i].from, i, false});
      if (touches[i].to != never) events_.push_back({touches[i].to, i, true});
    }
    std::sort(events_.begin(), events_.end(),
              [](const event& a, const event& b) { return a.at != b.at ? a.at < b.at : a.returns < b.returns; });
    configs_.assign(1, {at_first, nobody, 0});
    bits_.assign(1, 0);
    bit_of_.assign(touches.size(), 0);
    find_refusals(touches);
    under_way_.fill(nobody);
    used_ = optional_ = sees_ = 0;
    for (const auto& e : events_) {
      const auto& t = touches[e.touch];
      if (!e.returns) {
        if (!begin(touches, e.touch)) return result::too_much;
        continue;
      }
      if (!finish(touches, e.touch)) {
        worst_ = t.row;
        return result::violation;
      }
    }
    return result::fits;
  }
  [[nodiscard]] std::uint32_t worst() const { return worst_; }

 private:
  /// A copy of what was refused is accepted after the refusal, or not at all.
  void find_refusals(std::span<const touch> touches) {
    refusal_of_.assign(touches.size(), nobody);
    for (std::uint32_t i = 0; i < touches.size(); ++i) {
      if (!touches[i].or_never) continue;
      const auto own = std::ranges::find_if(touches, [&](const touch& t) { return t.what == touch::kind::see && t.row == touches[i].row; });
      if (own != touches.end()) refusal_of_[i] = static_cast<std::uint32_t>(own - touches.begin());
    }
  }
  [[nodiscard]] bool refused_by_now(std::uint32_t i, const config& c) const {
    return refusal_of_[i] == nobody || (bits_[bit_of_[refusal_of_[i]]] & ~c.done) == 0;
  }

  struct event { std::uint64_t at; std::uint32_t touch; bool returns; };

  bool begin(std::span<const touch> touches, std::uint32_t i) {
    const auto& t = touches[i];
    // What has seen what it saw in every possible world needs no bit.
    if (t.what == touch::kind::see && std::ranges::all_of(configs_, [&](const config& c) { return (t.fits & bit_of(c.in)) != 0; }))
      return true;
    if (t.what == touch::kind::see && share(touches, i)) return true;
    if (~used_ == 0) reclaim(touches);
    if (~used_ == 0 || configs_.size() > 256) return false;
    const auto n = static_cast<unsigned>(__builtin_ctzll(~used_));
    used_ |= std::uint64_t{1} << n;
    under_way_[n] = i;
    const auto bit = std::uint64_t{1} << n;
    bit_of_[i] = static_cast<std::uint32_t>(bits_.size());
    bits_.push_back(bit);
    if (t.to == never || t.or_never) optional_ |= bit;
    if (t.what != touch::kind::see) return true;
    sees_ |= bit;
    for (auto& c : configs_)
      if ((t.fits & bit_of(c.in)) != 0) c.done |= bit;
    return true;
  }

  /// Whoever came to see the same, and has seen it in the same worlds, has seen it from now on whenever this one has.
  bool share(std::span<const touch> touches, std::uint32_t i) {
    for (auto rest = used_ & sees_; rest != 0; rest &= rest - 1) {
      const auto bit = rest & -rest;
      const auto other = under_way_[static_cast<unsigned>(__builtin_ctzll(rest))];
      if (touches[other].fits != touches[i].fits) continue;
      const auto same = [&](const config& c) { return ((c.done & bit) != 0) == ((touches[i].fits & bit_of(c.in)) != 0); };
      if (!std::ranges::all_of(configs_, same)) continue;
      bit_of_[i] = bit_of_[other];
      return true;
    }
    return false;
  }

  /// What has happened in every possible world is under way no more; nor is the end of a hold that no world has or can get.
  void reclaim(std::span<const touch> touches) {
    auto all = used_;
    for (const auto& c : configs_) all &= c.done;
    for (auto rest = used_ & ~all & ~sees_; rest != 0; rest &= rest - 1) {
      const auto& t = touches[under_way_[static_cast<unsigned>(__builtin_ctzll(rest))]];
      if (t.what == touch::kind::end && t.to == never && !may_have(touches, t.hold)) all |= rest & -rest;
    }
    for (auto& c : configs_) c.done &= ~all;
    forget(all);
  }

  /// Some world has the seat in this hold, or it may still be taken for it.
  [[nodiscard]] bool may_have(std::span<const touch> touches, std::uint32_t hold) const {
    if (std::ranges::any_of(configs_, [&](const config& c) { return c.holder == hold; })) return true;
    for (auto rest = used_ & ~sees_; rest != 0; rest &= rest - 1) {
      const auto& t = touches[under_way_[static_cast<unsigned>(__builtin_ctzll(rest))]];
      if (t.what == touch::kind::take && t.hold == hold) return true;
    }
    return false;
  }

  void forget(std::uint64_t bits) {
    for (auto rest = bits; rest != 0; rest &= rest - 1) bits_[bit_of_[under_way_[static_cast<unsigned>(__builtin_ctzll(rest))]]] = 0;
    used_ &= ~bits;
    optional_ &= ~bits;
    sees_ &= ~bits;
  }

  /// Whatever can follow on `b` can follow on `a`: it has seen as much, and what may happen or not is still before it.
  [[nodiscard]] bool covers(const config& a, const config& b) const {
    if (a.in != b.in || a.holder != b.holder) return false;
    const auto must = ~(optional_ | sees_);
    return ((a.done ^ b.done) & must) == 0 && (b.done & sees_ & ~a.done) == 0 && (a.done & optional_ & ~b.done) == 0;
  }

  void keep(std::vector<config>& in, const config& c) const {
    if (std::ranges::none_of(in, [&](const config& k) { return covers(k, c); })) in.push_back(c);
  }

  static bool legal(const touch& t, const config& c) {
    switch (t.what) {
      case touch::kind::take: return c.in == phase::free;
      case touch::kind::sell: return (c.in == phase::held && c.holder == t.hold) || (t.late_sale && c.in == phase::free);
      case touch::kind::give:
      case touch::kind::end: return c.in == phase::held && c.holder == t.hold;
      case touch::kind::see: return false;
    }
    return false;
  }

  config after(std::span<const touch> touches, const touch& t, std::uint64_t bit, config c) const {
    const bool frees = t.what == touch::kind::give || t.what == touch::kind::end;
    c.in = frees ? phase::free : t.what == touch::kind::take ? phase::held : phase::sold;
    c.holder = frees ? nobody : t.hold;
    c.done |= bit;
    for (auto rest = used_ & ~c.done; rest != 0; rest &= rest - 1) {
      const auto& other = touches[under_way_[static_cast<unsigned>(__builtin_ctzll(rest))]];
      if (other.what == touch::kind::see && (other.fits & bit_of(c.in)) != 0) c.done |= rest & -rest;
    }
    return c;
  }

  /// Keeps the worlds in which operation `i` has happened by now, found by letting others happen before it; and those in which it
  /// never will, if it need not. False: there is none.
  bool finish(std::span<const touch> touches, std::uint32_t i) {
    const auto bit = bits_[bit_of_[i]];
    if (bit == 0) return true;  // it has happened in every world
    const bool end = touches[i].what == touch::kind::end;
    reached_.clear();
    kept_.clear();
    for (const auto& c : configs_) keep(reached_, c);
    if (touches[i].or_never)
      for (const auto& c : configs_)
        if ((c.done & bit) == 0) keep(kept_, c);
    for (std::size_t k = 0; k < reached_.size(); ++k) {
      const auto c = reached_[k];
      // A deadline that passes a hold which has not the seat is nothing.
      const bool happened = (c.done & bit) != 0 || (end && !(c.in == phase::held && c.holder == touches[i].hold));
      if (happened) {
        auto kept = c;
        kept.done &= ~bit;
        keep(kept_, kept);
        continue;
      }
      for (auto rest = used_ & ~c.done; rest != 0; rest &= rest - 1) {
        const auto next = under_way_[static_cast<unsigned>(__builtin_ctzll(rest))];
        const auto& t = touches[next];
        if (legal(t, c) && refused_by_now(next, c)) keep(reached_, after(touches, t, rest & -rest, c));
      }
    }
    configs_.swap(kept_);
    forget(bit);
    return !configs_.empty();
  }

  std::vector<event> events_;
  std::vector<config> configs_, kept_, reached_;
  std::vector<std::uint32_t> refusal_of_;  ///< of what need not have happened: where it was refused
  std::vector<std::uint32_t> bit_of_;  ///< of each touch, an index into `bits_`
  std::vector<std::uint64_t> bits_;    ///< 0: has happened in every world; the first one always is
  std::array<std::uint32_t, 64> under_way_{};
  std::uint64_t used_ = 0, optional_ = 0, sees_ = 0;
  std::uint32_t worst_ = 0;
};

}  // namespace holdfast::history
