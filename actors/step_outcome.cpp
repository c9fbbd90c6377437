#include "actors/step_outcome.hpp"

#include <utility>

#include "base/check.hpp"
#include "base/planted.hpp"

namespace holdfast::actors {

step_outcome::step_outcome(surroundings_ptr around, core::session_id session, std::shared_ptr<core::sale_view> view)
    : around_(std::move(around)), session_(session), view_(std::move(view)), durable_(view_->durable()), recorded_(durable_) {}

void step_outcome::begin(core::sequence durable, core::log_time now) {
  HOLDFAST_CHECK(!append_ && !free_, "a step began before the one before it was sent");
  durable_ = durable;
  now_ = now;
}

append_batch& step_outcome::append() {
  if (!append_) {
    append_ = around_->appends.take();
    append_->session = session_;
    append_->view = view_;
  }
  return *append_;
}

void step_outcome::on_plan(const std::shared_ptr<const core::plan>& seating) {
  HOLDFAST_CHECK(recorded_.value == 0, "a plan stands before a session's first record or nowhere");
  auto& out = append();
  const auto begin = out.bytes.size();
  if (around_->codec.encode_plan(seating, out.bytes)) out.records.push_back({0, now_.value, begin, out.bytes.size()});
}

void step_outcome::on_record(const core::record& r) {
  HOLDFAST_CHECK(r.number.value == recorded_.value + 1, "a session's records have no gaps");
  recorded_ = r.number;
  auto& out = append();
  const auto begin = out.bytes.size();
  around_->codec.encode(r, out.bytes);
  out.records.push_back({r.number.value, r.at.value, begin, out.bytes.size()});
}

void step_outcome::on_view_change(const core::view_change& c) {
  if (planted(bug::view_ahead_of_the_journal)) return view_->apply({&c, 1}, view_->durable());
  append().view_changes.push_back(c);
}

void step_outcome::on_answer(std::uint64_t ticket, const core::answer& said, std::shared_ptr<const core::seen> shown) {
  HOLDFAST_CHECK(said.waits_for <= recorded_, "an answer waits for a record that nobody writes");
  if (muted_) return;
  answer_batch_ptr* to = &free_;
  if (said.waits_for > durable_ && !planted(bug::answer_before_durable)) to = &append().waiting;
  if (!*to) {
    *to = around_->answers.take();
    (*to)->session = session_;
    (*to)->at = now_;
  }
  auto& answers = (*to)->answers;
  answers.push_back({ticket, said, std::move(shown)});
  if (planted(bug::answers_change_places) && answers.size() == 2) std::swap(answers[0].ticket, answers[1].ticket);
}

void step_outcome::send(const caf::actor& sink) {
  if (append_) {
    append_->last = recorded_;
    append_->sink = sink;
    around_->send_to_journal(std::move(append_));
    append_ = nullptr;
  }
  if (free_) {
    // Durable or not: once the journal has failed nobody is told anything.
    if (sink && (!around_->failure.tripped() || planted(bug::answers_after_the_failure))) {
      auto delivery = std::make_shared<answer_delivery>();
      delivery->batches.push_back(std::move(free_));
      caf::anon_send(sink, answer_delivery_ptr(std::move(delivery)));
    }
    free_ = nullptr;
  }
}

}  // namespace holdfast::actors
