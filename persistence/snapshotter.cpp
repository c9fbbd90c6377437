#include "persistence/snapshotter.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace holdfast::persistence {

snapshotter::snapshotter(const journal& j, checkpoint_files files, const core::session_options& options,
                         const snapshot_policy& policy)
    : journal_(j),
      id_(j.id()),
      first_block_(j.first_block()),
      files_(std::move(files)),
      options_(options),
      policy_(policy) {}

base::result<void> snapshotter::begin(progress& p) {
  auto listed = files_.list();
  if (!listed) return listed.failure();
  p.warnings = listed->skipped;
  for (auto& c : listed->checkpoints) {
    if (c.at.journal != id_ || std::ranges::find(unreadable_, c.at.block.number) != unreadable_.end()) continue;
    auto loaded = replica::load_asleep(files_, c, options_);
    if (loaded) {
      state_ = std::move(loaded).value();
      last_ = std::move(c);
      return {};
    }
    p.warnings.push_back(
        fmt::format("left out the checkpoint of block {}: {}", c.at.block.number, loaded.failure().text));
  }
  state_.emplace(options_);
  return {};
}

/// A snapshot that a session was to wake from is bad: an older checkpoint will do, in the end the first block.
void snapshotter::begin_without_last(progress& p, const base::error& why) {
  unreadable_.push_back(last_->at.block.number);
  p.warnings.push_back(fmt::format("left out the checkpoint of block {}: {}", last_->at.block.number, why.text));
  last_.reset();
  state_.reset();
  records_then_ = bytes_since_ = 0;
  p.behind = true;
}

base::result<snapshotter::progress> snapshotter::step(std::uint64_t durable) {
  if (failed_) return *failed_;
  progress p;
  const auto fail = [&](const base::error& e) {
    failed_ = e;
    return e;
  };
  if (!state_)
    if (auto ok = begin(p); !ok) return fail(ok.failure());
  const auto from = state_->at().number == 0 ? first_block_ : state_->at().number + 1;
  const auto to = std::min(durable, from + policy_.blocks_per_step - 1);
  if (from <= to) {
    bool unreadable = false;
    auto done = journal_.scan(from, to, [&](const block_view& block) -> base::result<bool> {
      if (state_->at().number != 0 && block.header.previous != state_->at().hash)
        return base::error{
            base::trouble::corrupt,
            fmt::format("block {} does not continue the block of the last checkpoint", block.header.number)};
      if (auto ok = state_->apply(block); !ok) {
        unreadable = last_ && ok.failure().kind != base::trouble::corrupt;
        return ok.failure();
      }
      bytes_since_ += block.whole.size();
      return true;
    });
    if (!done && unreadable) {
      begin_without_last(p, done.failure());
      return p;
    }
    if (!done) return fail(done.failure());
  }
  p.at = state_->at().number;
  p.behind = p.at < durable;
  if (state_->records() - records_then_ >= policy_.records_max || bytes_since_ >= policy_.bytes_max) {
    if (auto ok = checkpoint_now(); !ok) return ok.failure();
    p.checkpoint = p.at;
  }
  return p;
}

base::result<void> snapshotter::checkpoint_now() {
  if (failed_) return *failed_;
  if (!state_ || state_->at().number == 0 || (last_ && last_->at.block == state_->at())) return {};
  auto written = state_->save(files_, 0, id_, last_ ? &*last_ : nullptr);
  if (!written) {
    failed_ = written.failure();
    return *failed_;
  }
  last_ = std::move(*written);
  state_->rest(files_, *last_);
  records_then_ = state_->records();
  bytes_since_ = 0;
  return {};
}

}  // namespace holdfast::persistence
