#include "persistence/downtime.hpp"

#include <variant>
#include <vector>

#include "base/planted.hpp"
#include "persistence/record_codec.hpp"

namespace holdfast::persistence {

base::result<std::size_t> give_back_downtime(started& s, core::log_time now) {
  struct given {
    core::session* to = nullptr;
    core::record record;
    base::bytes bytes;
  };
  std::vector<given> all;
  for (auto& [id, session] : s.state.sessions) {
    bool faulted = false;
    for (const auto& f : s.state.faulted) faulted |= f.session.value == id;
    if (faulted || !session.next_due()) continue;  // no live hold: nothing to give back
    const auto by = downtime_shift(session, s.state.downtime_us) * (planted(bug::outage_given_back_twice) ? 2 : 1);
    if (by == 0) continue;
    core::envelope head;
    head.from.who = core::role::recovery;
    // The epoch makes it the start's own, so that no other command can have this id.
    head.id = core::command_id{{0x656d69746e776f64ULL, s.journal->epoch()}};
    const core::command asked = core::shift_deadlines{by, 0};
    const auto at = std::max(now, session.last_time());
    auto verdict = session.decide(head, asked, at);
    if (!verdict.accepted) continue;
    auto& g = all.emplace_back();
    g.to = &session;
    g.record = {core::sequence{session.last().value + 1}, at, core::rules_version, head, asked, verdict.done};
    encode_record(g.record, g.bytes);
  }
  if (all.empty()) return std::size_t{0};
  std::vector<record_ref> refs;
  for (const auto& g : all) refs.push_back({g.to->id().value, g.record.number.value, g.record.at.value, g.bytes});
  if (auto done = s.journal->append(refs, now.value); !done) return done.failure();
  for (const auto& g : all) g.to->apply(g.record);
  return all.size();
}

}  // namespace holdfast::persistence
