#include "actors/journal_actor.hpp"

#include <algorithm>
#include <chrono>
#include <span>

#include "base/check.hpp"
#include "base/planted.hpp"

namespace holdfast::actors {

namespace {
void add(std::atomic<std::uint64_t>& to, std::uint64_t n) { to.store(to.load(std::memory_order_relaxed) + n, std::memory_order_relaxed); }
}  // namespace

journal_shell::journal_shell(caf::actor_config& config, persistence::journal& journal, std::size_t block_bytes_max,
                             surroundings_ptr around)
    : journal_actor::base(config), around_(std::move(around)), journal_(journal), block_bytes_max_(block_bytes_max) {
  around_->figures->last_block.store(journal_.last_block().number, std::memory_order_relaxed);
}

journal_shell::behavior_type journal_shell::make_behavior() {
  arm();
  return {
      [this](append_batch_ptr& batch) {
        waiting_.push_back(std::move(batch));
        // A mailbox is first in, first out: a message to oneself now arrives behind everything that came while the last block was
        // being written, so the block takes all of it and waits for nothing.
        if (!flush_sent_) {
          flush_sent_ = true;
          send(this, flush_atom::value);
        }
      },
      [this](flush_atom) {
        flush_sent_ = false;
        flush();
      },
      [this](wake_atom, std::uint64_t generation) {
        if (generation != generation_) return;
        armed_for_.reset();
        if (around_->failure.tripped()) return;
        if (!journal_.tick(around_->time.now().value)) return failed();
        arm();
      },
      [this](stop_atom) {
        while (!waiting_.empty() && !around_->failure.tripped()) flush();
        // Everything is durable now. The journal stays open, so that those who read it can catch up before its owner closes it.
        if (!around_->failure.tripped() && !journal_.tick(around_->time.now().value)) failed();
        quit();
        return done_atom::value;
      },
  };
}

// The surroundings hold the journal's handle: let go, or the two would keep each other for ever.
void journal_shell::on_exit() { around_.reset(); }

void journal_shell::flush() {
  if (around_->failure.tripped()) return waiting_.clear();
  std::size_t batches = 0;
  for (std::size_t bytes = 0; batches < waiting_.size(); ++batches) {
    bytes += waiting_[batches]->bytes.size();
    if (batches != 0 && bytes > block_bytes_max_) break;
  }
  const auto began = steady_ns();
  if (planted(bug::answers_before_the_write)) release(batches);
  if (!write(batches)) return;
  if (!planted(bug::answers_before_the_write)) release(batches);
  const auto ended = steady_ns();
  for (std::size_t i = 0; i < batches; ++i) {
    const auto& b = *waiting_[i];
    around_->journal_mailbox->handled(b.handed_over, b.records.size(), i == 0 ? began : ended, ended);
  }
  waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(batches));
  if (!waiting_.empty() && !flush_sent_) {
    flush_sent_ = true;
    send(this, flush_atom::value);
  }
  arm();
}

bool journal_shell::write(std::size_t batches) {
  records_.clear();
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < batches; ++i) {
    const auto& b = *waiting_[planted(bug::batches_in_reverse) ? batches - 1 - i : i];
    const base::byte_view all(b.bytes);
    for (const auto& r : b.records) {
      records_.push_back({b.session.value, r.sequence, r.log_time, all.subspan(r.begin, r.end - r.begin)});
    }
    bytes += b.bytes.size();
  }
  // Answers alone: what they wait for was in an earlier block, because a session's messages keep their order.
  if (records_.empty()) return true;

  const auto began = steady_ns();
  around_->figures->write_began_ns.store(static_cast<std::int64_t>(began), std::memory_order_relaxed);
  const auto written = journal_.append(records_, around_->time.now().value);
  around_->figures->write_began_ns.store(0, std::memory_order_relaxed);
  if (!written) {
    failed();
    return false;
  }
  const auto took = steady_ns() - began;
  auto& f = *around_->figures;
  add(f.blocks, 1);
  add(f.records, records_.size());
  add(f.bytes, bytes);
  f.write_ns.add(took);
  f.write_ns_max.store(std::max(took, f.write_ns_max.load(std::memory_order_relaxed)), std::memory_order_relaxed);
  // Readers that scan up to here see what was written.
  f.last_block.store(written->block, std::memory_order_release);
  return true;
}

void journal_shell::release(std::size_t batches) {
  // Views first, all of them: whoever hears an answer of this block may ask the funnel next.
  for (std::size_t i = 0; i < batches; ++i) {
    const auto& b = *waiting_[i];
    if (!b.records.empty()) b.view->apply(b.view_changes, b.last);
  }
  for (std::size_t i = 0; i < batches; ++i) {
    auto& b = *waiting_[i];
    if (!b.waiting || !b.sink) continue;
    auto it = std::ranges::find(deliveries_, b.sink, &decltype(deliveries_)::value_type::first);
    if (it == deliveries_.end()) it = deliveries_.emplace(deliveries_.end(), b.sink, std::make_shared<answer_delivery>());
    it->second->batches.push_back(std::move(b.waiting));
  }
  for (auto& [sink, delivery] : deliveries_) caf::anon_send(sink, answer_delivery_ptr(std::move(delivery)));
  deliveries_.clear();
}

void journal_shell::failed() {
  waiting_.clear();
  const auto& why = journal_.failure();
  HOLDFAST_CHECK(why.has_value(), "a journal failed and does not say why");
  stop_reason reason{why->what.text, std::nullopt};
  if (why->session) reason.session = core::session_id{*why->session};
  around_->failure.trip(reason);
}

void journal_shell::arm() {
  const auto due = journal_.next_due();
  if (armed_for_ && *armed_for_ <= due) return;
  armed_for_ = due;
  const auto now = around_->time.now().value;
  delayed_send(this, std::chrono::microseconds(due > now ? due - now : 0), wake_atom::value, ++generation_);
}

}  // namespace holdfast::actors
