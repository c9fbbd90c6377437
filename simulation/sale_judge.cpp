// What the engine said and showed, against what the model says of the same moment.
#include <fmt/format.h>

#include "simulation/agreement.hpp"
#include "simulation/describe.hpp"
#include "simulation/sale.hpp"

namespace holdfast::simulation {

using namespace core;

namespace {

std::string at(log_time now) { return fmt::format("at {} ", now.value); }

complaint judge_look(const model& second, const look& l, const told& t) {
  const auto* s = t.shown.get();
  if (const auto* h = std::get_if<look_hold>(&l)) {
    const auto other = second.see_hold(h->owner, h->hold);
    if ((s != nullptr) != other.has_value()) return s != nullptr ? "shows a hold that is not there" : "hides a hold";
    return s == nullptr ? "" : simulation::compare("look_hold: ", std::get<hold_seen>(*s), *other).value_or("");
  }
  if (s == nullptr) return "a look was refused: " + text_of(t.said);
  if (const auto* f = std::get_if<look_fate>(&l)) {
    const auto a = std::get<fate_seen>(*s);
    const auto b = second.see_fate(f->owner, f->id, f->client_deadline);
    if (a.what != b.what) return fmt::format("look_fate: engine {}, model {}", static_cast<int>(a.what), static_cast<int>(b.what));
    if (a.what == fate::accepted && !same_body(a.first, b.first))
      return "look_fate:\n  engine " + text_of(a.first) + "\n  model  " + text_of(b.first);
  } else if (const auto* seat = std::get_if<look_seat>(&l)) {
    const auto a = std::get<seat_seen>(*s);
    const auto b = second.see_seat(seat->seat.value);
    if (a.state != b.state || a.withdrawn != b.withdrawn || a.owner != b.owner || a.hold != b.hold || a.deadline != b.deadline)
      return fmt::format("look_seat {}: engine {}, model {}", seat->seat.value, core::name_of(a.state), core::name_of(b.state));
  } else if (std::holds_alternative<look_session>(l)) {
    const auto& a = std::get<session_seen>(*s);
    if (a.expiries_pending) return {};
    const auto b = second.see_session();
    const auto counts = [](const session_seen& x) {
      return fmt::format(
          "{} free, {} held, {} paying, {} sold, {} blocked, {} withdrawn, {} live, {} refunds, {} open, paid {}, sale {}",
          x.places.free, x.places.held, x.places.paying, x.places.sold, x.places.blocked, x.places.withdrawn,
          x.live_holds, x.refunds_total, x.refunds_open, x.amount_paid, core::name_of(x.sale));
    };
    if (counts(a) != counts(b)) return "look_session: engine " + counts(a) + "; model " + counts(b);
  }
  return {};
}

bool of_the_gate(refusal r) { return r == refusal::not_open || r == refusal::paused || r == refusal::closed || r == refusal::frozen; }

constexpr int rank_of_command = 3;
constexpr int rank_of_places = 50;

/// How late in the order of precedence a refusal comes (docs/RULES.md, step 7); equal for those that tell of the same thing.
int rank_of(const command& c, refusal r) {
  const auto n = static_cast<int>(r);
  const bool gate = of_the_gate(r);
  const bool places = r >= refusal::not_in_your_channel && r <= refusal::not_enough;
  if (r == refusal::none) return 1'000;
  if (n < 13 || r == refusal::faulted) return 0;
  if (n >= 30 && n < 40) return r == refusal::id_reused ? 1 : 2;
  if (r == refusal::no_such_channel) return rank_of_command;
  if (places) return rank_of_places;
  if (r == refusal::over_limit) return 60;
  if (r == refusal::table_full) return 70;
  if (std::holds_alternative<hold_seats>(c)) {
    if (gate) return 10;
    return r == refusal::too_many_holds ? 40 : 20;  // plan_changed, too_many_lines, no_such_place, limit_key_missing: of the command
  }
  if (r == refusal::unknown_hold || r == refusal::hold_ended || r == refusal::hold_paying || r == refusal::not_paying ||
      r == refusal::not_this_attempt || r == refusal::not_an_order)
    return 10;
  if (gate) return 20;
  return 30;
}

}  // namespace

/// An answer that left although records before it were lost: whatever it names, and what let it pass on the way there, is in what came
/// back (docs/RULES.md, "What an answer waits for"). So without the lost records the same refusal must stand, unless places stand
/// before it now.
complaint sale::judge_without(const request& r, const told& t, log_time now) {
  const auto* c = std::get_if<command>(&r.asked);
  if (c == nullptr) {
    const auto wrong = judge_look(*without_, std::get<look>(r.asked), t);
    return wrong.empty() ? wrong : at(now) + wrong;
  }
  if (t.said.refused == refusal::busy) return {};
  // Asked of copies: what the model might accept here was refused in truth.
  const auto other = model(*without_).decide(r.head, *c, now);
  const auto before_expiry = model(*without_).decide_before_expiry(r.head, *c, now);
  const auto complain = [&] {
    return at(now) + text_of(r.head) + "\n  " + text_of(*c) + "\n  engine " + text_of(t.said) +
           "\n  without them, the model  " + text_of(other);
  };
  if (before_expiry.repeated && !t.said.repeated) return complain();
  if (same_body(t.said, other)) return {};
  // Expiring on its own, this model may forget more of what has ended; what was still known is true all the same.
  const bool memory = t.said.repeated || t.said.refused == refusal::id_reused || other.refused == refusal::unknown_hold;
  if (memory && same_body(t.said, before_expiry)) return {};
  // What is repeated is told by its id before anything but the role, the content and a fault is looked at.
  const auto said = t.said.refused == refusal::none ? 1 : rank_of(*c, t.said.refused), without = rank_of(*c, other.refused);
  if (without < said) {
    // Up to here an answer tells of the command, the clock and its id alone: true whatever was lost.
    if (said <= rank_of_command) return {};
    return without == rank_of_places ? complaint() : complain();
  }
  if (without > said) return complain();
  if (said == rank_of_places) return (t.said.lines & ~other.lines) == 0 ? complaint() : complain();
  return t.said.refused == other.refused && t.said.left == other.left && t.said.state == other.state ? complaint() : complain();
}

complaint sale::judge(model& second, const request& r, const told& t, log_time now) const {
  if (const auto* l = std::get_if<look>(&r.asked)) {
    second.expire(now);
    const auto wrong = judge_look(second, *l, t);
    return wrong.empty() ? wrong : at(now) + wrong;
  }
  const auto& c = std::get<command>(r.asked);
  // The only answer that tells that holds are left to expire; the model leaves none.
  if (t.said.refused == refusal::busy && std::holds_alternative<shift_deadlines>(c) && r.head.from.who == role::op) return {};
  const auto other = second.decide(r.head, c, now);
  if (same_body(t.said, other)) return {};
  return at(now) + text_of(r.head) + "\n  " + text_of(c) + "\n  engine " + text_of(t.said) + "\n  model  " + text_of(other);
}

std::shared_ptr<const seen> sale::peek(const core::look& l, log_time now, answer* said) {
  request r;
  r.head.from = {role::op, 0};
  r.asked = l;
  look_shown_.reset();
  engine_->step({&r, 1}, now, *this);
  if (said != nullptr) *said = look_said_;
  return std::move(look_shown_);
}

complaint sale::compare(log_time now) {
  model_->expire(now);
  const auto about = fmt::format("session {} compared after record {}: ", id_.value, settled().value);
  const looker ask = [this, now](const core::look& l, answer* said) { return peek(l, now, said); };
  const auto said = [&](const std::optional<std::string>& wrong) { return wrong ? about + *wrong : std::string(); };
  if (auto t = said(compare_places(ask, *model_)); !t.empty()) return t;
  if (auto t = said(compare_holds(ask, *model_)); !t.empty()) return t;
  if (auto t = said(compare_memory(ask, *model_, crowd_.recent(), crowd_.owners())); !t.empty()) return t;
  if (!engine_->state().faulted()) {
    sale_view fresh(terms_->seating, terms_->rules);
    std::vector<view_change> changes;
    engine_->state().describe_view(changes);
    fresh.apply(changes, settled());
    if (auto t = said(compare_view(*view_, fresh, *model_)); !t.empty()) return t;
  }
  engine_->state().verify();
  ours_.clear(), theirs_.clear();
  base::byte_writer a(ours_), b(theirs_);
  engine_->state().save(a);
  shadow_->save(b);
  if (ours_ != theirs_) return about + "the records come to another state than the engine's";
  return {};
}

}  // namespace holdfast::simulation
