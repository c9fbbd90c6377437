#include "simulation/sale.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/check.hpp"
#include "persistence/record_codec.hpp"
#include "simulation/agreement.hpp"
#include "simulation/describe.hpp"

namespace holdfast::simulation {

using namespace core;

namespace {

void bytes_of(const session& s, base::bytes& out) {
  out.clear();
  base::byte_writer w(out);
  s.save(w);
}

std::string where(session_id id, sequence s) { return fmt::format("session {} after record {}: ", id.value, s.value); }

}  // namespace

sale::sale(std::uint64_t seed, session_id id, const mix& m) : id_(id), terms_(random_terms(seed, m)), crowd_(seed, terms_, m) {}

// ---- the server's side --------------------------------------------------------------------------------------------

void sale::create(log_time now, persistence::plan_library& library, step& s) const {
  s.now = now;
  s.creates = true;
  const auto kept = library.add(terms_->seating);
  if (kept.fresh) {
    s.bytes = kept.what->bytes;
    s.records.push_back({persistence::plan_sequence, now.value, 0, s.bytes.size()});
  }
  record r;
  r.number = s.last = sequence{1};
  r.at = now;
  r.rules_version = rules_version;
  r.head.from = {role::op, 0};
  r.asked = create_session{terms_};
  r.done = session_created{};
  const auto begin = s.bytes.size();
  persistence::encode_record(r, s.bytes);
  s.records.push_back({1, now.value, begin, s.bytes.size()});
}

void sale::open(session state, std::optional<log_time> faulted_since) {
  view_ = std::make_shared<sale_view>(terms_->seating, terms_->rules);
  std::vector<view_change> changes;
  state.describe_view(changes);
  view_->apply(changes, state.last());
  engine_.emplace(std::move(state), faulted_since);
}

void sale::open_new() {
  bytes_of(*shadow_, ours_);
  open(std::move(session::load(id_, ours_, terms_->seating, options)).value(), std::nullopt);
}

void sale::play(step& s) {
  at_ = &s;
  engine_->durable(view_->durable());
  engine_->step(s.asked, s.now, *this);
  s.last = engine_->state().last();
  at_ = nullptr;
}

void sale::on_record(const record& r) {
  HOLDFAST_CHECK(at_ != nullptr, "a look recorded something");
  const auto begin = at_->bytes.size();
  persistence::encode_record(r, at_->bytes);
  at_->records.push_back({r.number.value, r.at.value, begin, at_->bytes.size()});
}

void sale::on_view_change(const view_change& c) { at_->changes.push_back(c); }

void sale::on_answer(std::uint64_t ticket, const answer& said, std::shared_ptr<const seen> shown) {
  if (at_ == nullptr) {
    look_said_ = said;
    look_shown_ = std::move(shown);
    return;
  }
  HOLDFAST_CHECK(ticket == at_->said.size(), "answers come in another order than the questions");
  at_->said.push_back({said, engine_->state().last(), said.waits_for <= engine_->durable(), std::move(shown)});
}

// ---- the second opinion -------------------------------------------------------------------------------------------

complaint sale::settle(const step& s) {
  if (s.creates) {
    for (std::size_t i = 0; i < s.records.size(); ++i)
      if (auto wrong = found(s, i); !wrong.empty()) return wrong;
    return {};
  }
  if (s.said.size() != s.asked.size()) return where(id_, settled()) + "not every question got an answer";
  if (!s.recovers) model_->expire(s.now);
  std::size_t next = 0;
  for (std::size_t i = 0; i < s.said.size(); ++i) {
    for (; next < s.records.size() && s.records[next].sequence <= s.said[i].after.value; ++next)
      if (auto wrong = take(s, next); !wrong.empty()) return wrong;
    const auto& r = s.asked[i];
    if (const auto* c = std::get_if<command>(&r.asked))
      if (auto wrong = witness_->judge({r.head, *c}, s.said[i].said); !wrong.empty())
        return where(id_, settled()) + text_of(*c) + "\n  answered " + text_of(s.said[i].said) + "\n  " + wrong;
    if (s.recovers) {
      const auto by = model_->decide_before_expiry(r.head, std::get<command>(r.asked), s.now);
      if (by.refused != refusal::none) return where(id_, settled()) + "recovery's shift is none for the model: " + text_of(by);
    } else if (auto wrong = judge(*model_, r, s.said[i], s.now); !wrong.empty()) {
      return where(id_, settled()) + wrong;
    }
  }
  for (; next < s.records.size(); ++next)
    if (auto wrong = take(s, next); !wrong.empty()) return wrong;
  if (auto wrong = model_->contradiction(); !wrong.empty()) return where(id_, settled()) + "the model contradicts itself: " + wrong;
  return {};
}

/// The session's first records: its plan, if that was new, and itself.
complaint sale::found(const step& s, std::size_t i) {
  const auto framed = s.ref(i, id_);
  if (framed.sequence == persistence::plan_sequence) {
    if (auto ok = plans_.add(framed.bytes); !ok) return "the plan's bytes do not decode: " + ok.failure().text;
    return {};
  }
  static_cast<void>(plans_.add(terms_->seating));  // as if another session had brought it
  if (auto ok = persistence::decode_record(framed, &plans_, arena_, decoded_); !ok) return "record 1 does not decode: " + ok.failure().text;
  shadow_.emplace(session::create(id_, decoded_, options));
  model_.emplace(*terms_);
  witness_.emplace(*terms_);
  return {};
}

complaint sale::take(const step& s, std::size_t i) {
  arena_.release();
  const auto framed = s.ref(i, id_);
  if (auto ok = persistence::decode_record(framed, &plans_, arena_, decoded_); !ok)
    return fmt::format("session {}: record {} does not decode: {}", id_.value, framed.sequence, ok.failure().text);
  if (decoded_.number.value != shadow_->last().value + 1)
    return fmt::format("session {}: record {} follows record {}", id_.value, decoded_.number.value, shadow_->last().value);
  if (decoded_.at != s.now) return where(id_, decoded_.number) + "a record of another time than its step's";
  shadow_->complete(decoded_);
  if (const auto* e = std::get_if<holds_expired>(&decoded_.done); e != nullptr && !shadow_->may_expire(e->holds, decoded_.at))
    return where(id_, decoded_.number) + "what expired was not due";
  shadow_->apply(decoded_);
  if (auto wrong = witness_->on_record(decoded_); !wrong.empty()) return where(id_, decoded_.number) + wrong;
  return {};
}

complaint sale::forget(const step& s) {
  if (s.creates) return {};
  if (!without_) without_ = std::make_unique<model>(*model_);
  for (std::size_t i = 0; i < s.said.size(); ++i) {
    if (!s.said[i].left) continue;
    if (auto wrong = judge_without(s.asked[i], s.said[i], s.now); !wrong.empty())
      return where(id_, settled()) + "an answer left, and what it tells of is gone: " + wrong;
  }
  return {};
}

complaint sale::recovered(const session& state) const {
  if (state.last() != settled())
    return fmt::format("session {} came back with record {}, not {}", id_.value, state.last().value, settled().value);
  base::bytes ours, theirs;
  bytes_of(*shadow_, ours);
  bytes_of(state, theirs);
  if (ours != theirs) return where(id_, settled()) + "recovery came to another state than the records";
  return {};
}

interval_ms sale::shift_after(std::uint64_t downtime_us) const {
  const auto now = model_->see_session();
  // Asked of the shadow, because a hold may have ended for the model whose ending is in no record yet.
  if (now.frozen || now.faulted || !shadow_->next_due()) return 0;
  const auto left = downtime_shift_total_max_us - std::min(now.downtime_shift_us, downtime_shift_total_max_us);
  return static_cast<interval_ms>(std::min({downtime_us, left, downtime_shift_per_start_max_us}) / us_per_ms);
}

void sale::fault(log_time since) {
  model_->fault(since);
  crowd_.hear_of_fault(since);
}

}  // namespace holdfast::simulation
