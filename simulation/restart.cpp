// How a process of the world ends, and how the next one begins from what the disk has kept.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "persistence/downtime.hpp"
#include "persistence/record_codec.hpp"
#include "simulation/world.hpp"

namespace holdfast::simulation {

using namespace core;
using persistence::memory_disk;

namespace {

constexpr std::uint64_t minute = 60 * us_per_s;

/// Mostly a blink, now and then longer than the rules give back.
std::uint64_t outage(base::random& chance) {
  const auto roll = chance.below(100);
  if (roll < 60) return chance.below(2 * us_per_s);
  if (roll < 90) return chance.below(30 * us_per_s);
  if (roll < 97) return chance.below(12 * minute);
  return chance.below(20 * 60 * minute);
}

base::bytes bytes_of(const session& s) {
  base::bytes out;
  base::byte_writer w(out);
  s.save(w);
  return out;
}

/// Asks the true guard, and keeps what passes: records that recovery writes itself are nobody's step.
class listening_guard final : public persistence::record_guard {
 public:
  explicit listening_guard(persistence::sold_guard& inner) : inner_(inner) {}
  base::result<void> admit(const persistence::record_ref& r) override {
    heard.push_back({r.session, r.sequence, r.log_time, base::bytes(r.bytes.begin(), r.bytes.end())});
    return inner_.admit(r);
  }
  struct kept { std::uint64_t session, sequence, log_time; base::bytes bytes; };
  std::vector<kept> heard;

 private:
  persistence::sold_guard& inner_;
};

}  // namespace

void world::crash() {
  ++result_.counts.crashes;
  died_ = true;
  tell("the process dies");
  const auto which = static_cast<std::size_t>(chance_.below(sales_.size()));
  if (!chance_.chance(weather_.fault) || !sales_[which]->exists()) return;
  if (std::ranges::any_of(faulted_, [&](const auto& f) { return index_of(f.session.value) == which; })) return;
  ++result_.counts.faults;
  faulted_.push_back({sales_[which]->id(), now_});
}

persistence::start_options world::options_at(std::uint64_t wall_clock) const {
  persistence::start_options o;
  o.wall_clock = wall_clock;
  o.program = "holdfast simulate";
  o.sessions = sale::options;
  o.new_journal = {options_.seed, 1};
  return o;
}

void world::restart() {
  died_ = false;
  journal_.reset();
  guard_.reset();
  plans_.reset();
  for (auto& s : sales_) s->close();
  auto& n = result_.counts;
  auto starts_to_come = chance_.chance(weather_.storm) ? chance_.between(2, 8) : 1;
  bool witness_behind = false;
  for (int failed = 0; ok();) {
    const bool power = chance_.chance(weather_.power_cut);
    tell("{}", power ? "power cut" : "killed");
    if (power) {
      ++n.power_cuts;
      options_.lying_disk ? cut_power_of_liar(*disk_, chance_) : cut_power(*disk_, chance_);
    } else {
      disk_->kill();
    }
    auto wall = now_.value + outage(chance_);
    // From a power cut until a start comes through the witness may be a little older than what was acknowledged, and damage on top may
    // pass (docs/JOURNAL.md).
    witness_behind |= power;
    if (!power && chance_.chance(weather_.rot) && !witness_behind) rot_a_copy(wall);
    std::optional<base::trouble> expected;
    if (disk_->witness && chance_.chance(weather_.clock)) {
      if (chance_.chance(50)) {
        wall = now_.value - chance_.below(chance_.chance(50) ? us_per_s : 400 * 24 * 60 * minute);
      } else {
        wall = now_.value + 25 * 60 * minute + chance_.below(400 * 24 * 60 * minute);
        expected = base::trouble::clock;
      }
    }
    const bool breaks = failed < 6 && chance_.chance(weather_.crash_in_recovery);
    if (breaks) {
      ++n.broken_writes;
      disk_->plan({disk_->steps() + chance_.between(1, 9), static_cast<memory_disk::moment>(chance_.below(3)), chance_.chance(50)});
    }
    if (!start(wall, expected, breaks)) {
      ++failed;
      continue;
    }
    witness_behind = false;
    if (--starts_to_come == 0) return;
    // Restart storm: it goes down again before anybody came in.
    journal_.reset();
    guard_.reset();
    plans_.reset();
    for (auto& s : sales_) s->close();
    ++n.crashes;
  }
}

/// False: this process ended before it was at work, as it had to.
bool world::start(std::uint64_t wall_clock, std::optional<base::trouble> expected, bool breaks) {
  const auto before = disk_->steps();
  auto s = persistence::start(std::make_unique<persistence::memory_block_store>(disk_), nullptr, faulted_, options_at(wall_clock));
  if (!s) {
    ++result_.counts.failed_starts;
    tell("does not start: {}", s.failure().text);
    if (expected && s.failure().kind == *expected) {
      ++result_.counts.clock_refusals;
      if (disk_->steps() != before) wrong("a start that was refused has written");
    } else if (!breaks || s.failure().kind != base::trouble::io) {
      wrong("a start was refused: " + s.failure().text);
    }
    return false;
  }
  if (expected) wrong("a start took a wall clock that is a day ahead");
  ++result_.counts.starts;
  now_ = log_time{s->report.time.log_time};
  tell("started, epoch {}, {} us away, {} blocks", s->journal->epoch(), s->state.downtime_us, s->journal->last_block().number);
  settle_after(*s);
  for (const auto& f : s->state.faulted) sales_[index_of(f.session.value)]->fault(f.since);
  if (!ok() || !give_back(*s)) return false;
  take_over(*s);
  return ok();
}

/// What came back is a prefix of what was decided, ends where a step ends, and holds everything that anybody was told.
void world::settle_after(const persistence::started& s) {
  const auto found = [&](std::size_t which) -> const session* {
    const auto at = s.state.sessions.find(sales_[which]->id().value);
    return at == s.state.sessions.end() ? nullptr : &at->second;
  };
  std::vector<bool> cut(sales_.size());
  bool any_lost = false;
  for (; ok() && !steps_.empty(); retire()) {
    const auto& at = *steps_.front();
    const auto* state = found(at.of);
    const std::uint64_t last = state == nullptr ? 0 : state->last().value;
    if (!at.records.empty()) {
      const bool whole = at.records.back().sequence <= last;
      if (!whole && last != 0 && at.records.front().sequence <= last)
        wrong(fmt::format("half of a step came back: record {} without {}", last, at.records.back().sequence));
      if (whole && any_lost) wrong("records came back, and older ones did not");
      if (!whole) any_lost = cut[at.of] = true;
    }
    if (!cut[at.of]) {
      wrong(sales_[at.of]->settle(at));
      continue;
    }
    ++result_.counts.steps_lost;
    for (const auto& t : at.said) result_.counts.answers_of_lost_steps += t.left ? 1 : 0;
    wrong(sales_[at.of]->forget(at));
  }
  for (std::size_t i = 0; ok() && i < sales_.size(); ++i) {
    sales_[i]->forgot();
    const auto* state = found(i);
    const auto last = state == nullptr ? sequence{} : state->last();
    if (last < acknowledged_[i])
      wrong(fmt::format("session {} came back with record {}, and record {} had been told of", i + 1, last.value, acknowledged_[i].value));
    if ((state != nullptr) != sales_[i]->exists())
      wrong(fmt::format("session {} {}", i + 1, state != nullptr ? "came from nowhere" : "is gone"));
    if (ok() && state != nullptr) wrong(sales_[i]->recovered(*state));
  }
}

/// The shift for the outage: exactly what the rules say, in a record that the sales then know. False: the disk failed in it.
bool world::give_back(persistence::started& s) {
  listening_guard guard(*s.guard);
  s.journal->guard_with(guard);
  const auto given = persistence::give_back_downtime(s, now_);
  s.journal->guard_with(*s.guard);
  std::pmr::monotonic_buffer_resource arena;
  std::vector<interval_ms> by(sales_.size());
  for (const auto& kept : guard.heard) {
    const auto decoded = persistence::decode_record({kept.session, kept.sequence, kept.log_time, kept.bytes}, s.state.plans.get(), arena);
    const auto* shift = decoded ? std::get_if<shift_deadlines>(&decoded->asked) : nullptr;
    if (shift == nullptr) return wrong("recovery wrote a record that is no shift"), false;
    const auto which = index_of(kept.session);
    by[which] = shift->by;
    auto& step = new_step(which);
    step.now = decoded->at;
    step.recovers = true;
    step.last = decoded->number;
    step.bytes = kept.bytes;
    step.records.push_back({kept.sequence, kept.log_time, 0, kept.bytes.size()});
    step.asked.push_back({0, decoded->head, decoded->asked});
    told t;
    t.said.tells_of = t.said.waits_for = t.after = decoded->number;
    step.said.push_back(std::move(t));
  }
  for (std::size_t i = 0; i < sales_.size(); ++i) {
    const auto due = sales_[i]->exists() ? sales_[i]->shift_after(s.state.downtime_us) : 0;
    if (by[i] != due)
      wrong(fmt::format("session {} got {} ms back for an outage of {} us, due are {}", i + 1, by[i],
                        s.state.downtime_us, due));
  }
  if (!given) {
    if (given.failure().kind != base::trouble::io) wrong("the shift for an outage was refused: " + given.failure().text);
    ++result_.counts.failed_starts;
    return false;
  }
  for (; ok() && !steps_.empty(); retire()) wrong(sales_[steps_.front()->of]->settle(*steps_.front()));
  return ok();
}

void world::take_over(persistence::started& s) {
  for (auto& [id, state] : s.state.sessions) {
    std::optional<log_time> since;
    for (const auto& f : s.state.faulted)
      if (f.session.value == id) since = f.since;
    sales_[index_of(id)]->open(std::move(state), since);
  }
  plans_ = s.state.plans;
  guard_ = std::move(s.guard);
  journal_ = std::move(s.journal);
}

/// A damaged copy of the directory is refused without a byte being written, or tells everything that was ever told.
void world::rot_a_copy(std::uint64_t wall_clock) {
  const auto damaged = std::make_shared<memory_disk>(*disk_);
  const auto how = rot(*damaged, chance_);
  if (how.empty()) return;
  ++result_.counts.damaged_copies;
  const auto before = damaged->steps();
  const auto start_on = [&](std::shared_ptr<memory_disk> disk) {
    return persistence::start(std::make_unique<persistence::memory_block_store>(std::move(disk)), nullptr, faulted_,
                              options_at(wall_clock));
  };
  const auto bad = start_on(damaged);
  if (!bad) {
    ++result_.counts.refused_copies;
    if (bad.failure().kind != base::trouble::corrupt) wrong(how + ", and a start says: " + bad.failure().text);
    if (damaged->steps() != before) wrong(how + ", and the start that was refused has written");
    return;
  }
  const auto good = start_on(std::make_shared<memory_disk>(*disk_));
  if (!good) return wrong("a copy does not start: " + good.failure().text);
  for (std::size_t i = 0; i < sales_.size(); ++i) {
    const auto a = good->state.sessions.find(i + 1), b = bad->state.sessions.find(i + 1);
    const auto last = b == bad->state.sessions.end() ? sequence{} : b->second.last();
    if (last < acknowledged_[i])
      return wrong(fmt::format("{}, and a start forgets: session {} has record {} of {}", how, i + 1, last.value, acknowledged_[i].value));
    if (a != good->state.sessions.end() && last == a->second.last() && bytes_of(a->second) != bytes_of(b->second))
      return wrong(how + ", and a start comes to another state");
  }
}

}  // namespace holdfast::simulation
