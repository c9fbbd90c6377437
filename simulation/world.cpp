#include "simulation/world.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/hash.hpp"
#include "persistence/audit.hpp"
#include "simulation/describe.hpp"

namespace holdfast::simulation {

using namespace core;

namespace {

constexpr log_time creation{1'699'999'000'000'000};

/// Other weights for other seeds, so that each rule meets a crowd that leans on it.
mix mix_of(std::uint64_t seed) {
  mix m;
  m.restart_percent = m.fault_per_mille = 0;  // the world does that
  m.batch_max = seed % 3 == 0 ? 12 : 6;
  m.forgetting = seed % 4 < 2;
  m.recovery_shifts = seed % 5 == 0;
  if (seed % 4 == 2) m.confirm = 30, m.begin = 20, m.cancel = 12, m.settle = 8;
  if (seed % 4 == 3) m.hold = 60, m.retry = 30, m.sale = m.freeze = m.block = 1;
  return m;
}

}  // namespace

world::world(const simulation_options& o)
    : options_(o),
      chance_(o.seed * 0x9e3779b97f4a7c15ULL + 1),
      weather_(weather_of(o.seed)),
      mix_(mix_of(o.seed)),
      disk_(std::make_shared<persistence::memory_disk>()),
      now_(creation) {
  const auto n = o.seed % 4 == 1 ? 2U : 1U;
  for (std::uint64_t i = 0; i < n; ++i) sales_.push_back(std::make_unique<sale>(o.seed * 4 + i, session_id{i + 1}, mix_));
  acknowledged_.resize(n);
}

world::~world() = default;

void world::wrong(complaint what) {
  if (!what.empty() && ok()) result_.violation = std::move(what);
}

simulation_result world::run() {
  restart();
  for (result_.counts.turns = 1; ok() && result_.counts.turns <= options_.steps; ++result_.counts.turns) {
    turn();
    if (died_ && ok()) restart();
    if (ok() && result_.counts.turns % options_.compare_every == 0) compare_if_quiet();
    result_.at_turn = result_.counts.turns;
  }
  --result_.counts.turns;
  if (ok()) finish();
  result_.counts.blocks = disk_->blocks.size();
  if (!disk_->blocks.empty()) {
    const auto& last = disk_->blocks.rbegin()->second.bytes;
    result_.digest = base::stable_hash64(last.data(), last.size(), result_.digest);
  }
  return std::move(result_);
}

void world::turn() {
  const auto which = static_cast<std::size_t>(chance_.below(sales_.size()));
  if (!sales_[which]->is_open()) return create(which);
  if (journal_->next_due() <= now_.value && chance_.chance(80)) tick();
  if (died_) return;
  const auto roll = chance_.below(100);
  if (roll < weather_.crash) return crash();
  if (roll < weather_.crash + weather_.broken_write)
    disk_->plan({disk_->steps() + chance_.between(1, 8),
                 static_cast<persistence::memory_disk::moment>(chance_.below(3)), chance_.chance(50)});
  if (chance_.chance(weather_.timer)) wake(which);
  else ask(which);
  if (chance_.chance(weather_.flush)) flush(chance_.chance(70) ? steps_.size() : 1 + chance_.below(steps_.size() + 1));
}

// ---- requests ------------------------------------------------------------------------------------------------------

step& world::new_step(std::size_t which) {
  if (idle_.empty()) idle_.push_back(std::make_unique<step>());
  steps_.push_back(std::move(idle_.back()));
  idle_.pop_back();
  auto& s = *steps_.back();
  s.of = which;
  s.now = now_;
  return s;
}

void world::retire() {
  steps_.front()->clear();
  idle_.push_back(std::move(steps_.front()));
  steps_.pop_front();
}

/// The registry's business: record 1 stands beside its answer until it is durable.
void world::create(std::size_t which) {
  const bool under_way = std::ranges::any_of(steps_, [which](const auto& s) { return s->of == which && s->creates; });
  if (!under_way) {
    now_.value += chance_.below(1'000);
    sales_[which]->create(now_, *plans_, new_step(which));
  } else {
    flush(steps_.size());
  }
}

void world::ask(std::size_t which) {
  auto& crowd = sales_[which]->crowd();
  crowd.set_time(now_);
  const auto h = crowd.next();
  now_ = std::max(now_, h.now);
  auto& s = new_step(which);
  const auto push = [&s](const request& r) {
    s.asked.push_back(r);
    s.asked.back().ticket = s.asked.size() - 1;
  };
  auto& n = result_.counts;
  for (const auto& a : h.batch) {
    const request r{0, a.head, a.what};
    const auto luck = chance_.below(100);
    if (luck < weather_.lost) {
      ++n.requests_lost;
    } else if (luck < weather_.lost + weather_.late) {
      ++n.requests_late;
      late_requests_.push_back({which, r, {}});
    } else {
      push(r);
      if (!chance_.chance(weather_.twice)) continue;
      ++n.requests_twice;
      if (chance_.chance(50)) push(r);
      else late_requests_.push_back({which, r, {}});
    }
  }
  for (std::size_t i = 0; i < late_requests_.size();) {
    if (late_requests_[i].to != which || !chance_.chance(15)) {
      ++i;
      continue;
    }
    push(late_requests_[i].what);
    late_requests_.erase(late_requests_.begin() + static_cast<std::ptrdiff_t>(i));
  }
  if (chance_.chance(25)) {
    request r;
    r.head.from.who = role::shop;
    r.asked = crowd.any_look();
    push(r);
  }
  // A failed payment may leave a hold that is due, a cleared fault many: where the order of endings matters, time comes before the
  // next command.
  if (mix_.forgetting) {
    const auto leaves_due = std::ranges::find_if(s.asked, [](const request& r) {
      const auto* c = std::get_if<command>(&r.asked);
      return c != nullptr && (std::holds_alternative<payment_failed>(*c) || std::holds_alternative<clear_fault>(*c));
    });
    if (leaves_due != s.asked.end()) s.asked.erase(leaves_due + 1, s.asked.end());
  }
  play(s);
}

/// A timer: in time, too late, or armed for something that is long over.
void world::wake(std::size_t which) {
  const auto roll = chance_.below(3);
  const auto next = sales_[which]->engine().next_deadline();
  if (roll == 0 && next) now_ = std::max(now_, *next);
  if (roll == 1) now_.value += chance_.below(5'000'000);
  play(new_step(which));
}

void world::play(step& s) {
  s.now = now_;
  auto& from = *sales_[s.of];
  from.play(s);
  for (std::size_t i = 0; i < s.asked.size() && i < s.said.size(); ++i) {
    ++(std::holds_alternative<look>(s.asked[i].asked) ? result_.counts.looks : result_.counts.commands);
    if (s.said[i].left) deliver(s, i);
  }
  for (std::size_t i = 0; i < late_answers_.size();) {
    if (!chance_.chance(20)) {
      ++i;
      continue;
    }
    hear(late_answers_[i].to, late_answers_[i].what, late_answers_[i].said);
    late_answers_.erase(late_answers_.begin() + static_cast<std::ptrdiff_t>(i));
  }
  result_.counts.records += s.records.size();
  if (options_.story) tell_step(s);
  settle_idle();
}

void world::tell_step(const step& s) {
  tell("session {}: a step of {} up to record {}{}", s.of + 1, s.asked.size(), s.last.value, s.asked.empty() ? " (timer)" : "");
  for (std::size_t i = 0; i < s.asked.size() && i < s.said.size(); ++i) {
    const auto* c = std::get_if<command>(&s.asked[i].asked);
    tell("  {} {}", c != nullptr ? text_of(s.asked[i].head) : std::string("look"), c != nullptr ? text_of(*c) : std::string());
    tell("    {}{}", text_of(s.said[i].said), s.said[i].left ? "" : " (waits)");
  }
}

/// An answer goes out. From here on no crash may take back what it tells of.
void world::deliver(const step& s, std::size_t i) {
  const auto& said = s.said[i].said;
  acknowledged_[s.of] = std::max(acknowledged_[s.of], said.waits_for);
  const std::uint64_t told[] = {
      s.of, static_cast<std::uint64_t>(said.refused), said.granted.value, said.waits_for.value, said.lines, said.left};
  result_.digest = base::stable_hash64(told, sizeof told, result_.digest);
  const auto* c = std::get_if<command>(&s.asked[i].asked);
  if (c == nullptr) return;
  if (std::holds_alternative<clear_fault>(*c) && said.refused == refusal::none)
    std::erase_if(faulted_, [&](const auto& f) { return index_of(f.session.value) == s.of; });
  const auto luck = chance_.below(100);
  if (luck < weather_.lost) {
    ++result_.counts.answers_lost;
  } else if (luck < weather_.lost + weather_.late) {
    ++result_.counts.answers_late;
    late_answers_.push_back({s.of, s.asked[i], said});
  } else {
    hear(s.of, s.asked[i], said);
  }
}

void world::hear(std::size_t which, const request& r, const answer& said) {
  sales_[which]->crowd().learn({r.head, std::get<command>(r.asked)}, said);
}

// ---- the journal ---------------------------------------------------------------------------------------------------

/// One block of the oldest steps, at most `most` of them; then views, then answers.
void world::flush(std::size_t most) {
  most = std::min(most, steps_.size());
  if (most == 0) return;
  refs_.clear();
  for (std::size_t i = 0; i < most; ++i) {
    const auto& s = *steps_[i];
    for (std::size_t r = 0; r < s.records.size(); ++r) refs_.push_back(s.ref(r, sales_[s.of]->id()));
  }
  const auto written = journal_->append(refs_, now_.value);
  tell("journal: {} steps, {} records: {}", most, refs_.size(), written ? "durable" : written.failure().text);
  if (!written) {
    if (journal_->failure()->session) wrong("the second line of defence spoke up: " + written.failure().text);
    // Sticky: what the disk does now is nobody's business any more.
    if (journal_->append(refs_, now_.value).ok() || journal_->tick(now_.value).ok()) wrong("the journal goes on after an error");
    died_ = true;
    return;
  }
  if (weather_.crash != 0 && chance_.below(400) == 0) return crash();  // durable, and nobody has heard of it
  for (std::size_t i = 0; i < most; ++i) {
    auto& s = *steps_[i];
    if (s.creates) {
      wrong(sales_[s.of]->settle(s));
      acknowledged_[s.of] = s.last;
      sales_[s.of]->open_new();
    } else if (!s.records.empty()) {
      sales_[s.of]->show(s);
    }
  }
  for (; most > 0 && ok(); --most) {
    auto& s = *steps_.front();
    for (std::size_t i = 0; i < s.said.size(); ++i)
      if (!s.said[i].left) deliver(s, i);
    if (!s.creates) wrong(sales_[s.of]->settle(s));
    retire();
  }
  if (ok()) settle_idle();
}

/// Steps that recorded nothing and whose answers have all left wait for nobody, once they are the oldest.
void world::settle_idle() {
  while (ok() && !steps_.empty()) {
    const auto& s = *steps_.front();
    if (!s.records.empty() || std::ranges::any_of(s.said, [](const told& t) { return !t.left; })) return;
    wrong(sales_[s.of]->settle(s));
    retire();
  }
}

void world::tick() {
  if (!journal_->tick(now_.value)) died_ = true;
}

// ---- looking closely -------------------------------------------------------------------------------------------------

/// Compares where that changes nothing: all that was decided is settled, and nothing is due.
void world::compare_if_quiet() {
  if (!steps_.empty() || journal_ == nullptr) return;
  for (auto& s : sales_) {
    if (!s->is_open()) continue;
    if (s->engine().state().brief(now_).expiries_pending) continue;
    ++result_.counts.comparisons;
    wrong(s->compare(now_));
    if (!ok()) return;
  }
}

/// The faults stop. What was under way comes to its end, every hold that nobody pays for expires, and the books are closed.
void world::finish() {
  weather_ = {};
  weather_.crash = 0;
  disk_->plan({});
  const auto settle_all = [&] {
    while (ok() && !died_ && !steps_.empty()) flush(steps_.size());
    if (died_ && ok()) wrong("the journal fails on a good disk");
  };
  settle_all();
  compare_if_quiet();
  for (std::size_t i = 0; ok() && i < sales_.size(); ++i) {
    if (!sales_[i]->is_open()) continue;
    for (int rounds = 0; ok(); ++rounds) {
      const auto next = sales_[i]->engine().next_deadline();
      if (!next) break;
      if (rounds == 1'000) wrong("holds expire for ever");
      now_ = std::max(now_, *next);
      play(new_step(i));
      settle_all();
    }
  }
  if (ok()) compare_if_quiet();
  if (ok()) audit();
}

void world::audit() {
  ++result_.counts.audits;
  persistence::memory_block_store store(disk_);
  const auto report = persistence::audit(store, nullptr, {});
  if (!report) return wrong("the audit cannot read the journal: " + report.failure().text);
  if (report->wrong)
    wrong(fmt::format("audit: block {}, session {}, record {}: {}", report->wrong->block, report->wrong->session, report->wrong->sequence,
                      report->wrong->what));
}

}  // namespace holdfast::simulation
