#include "persistence/replay.hpp"

#include <algorithm>

namespace holdfast::persistence {

replay::replay(replica state, std::size_t parts, std::size_t chunk_bytes) : chunk_bytes_(chunk_bytes) {
  for (auto& r : replica::split(std::move(state), parts)) parts_.push_back({std::move(r), 0, 0, {}});
}

replay::~replay() { (void)settle(); }

base::result<void> replay::add(const block_view& block) {
  auto* c = &ring_[filled_ % chunks];
  if (!c->blocks.empty() && c->bytes.size() + block.whole.size() > chunk_bytes_) {
    if (!hand_over()) return settle();
    c = &ring_[filled_ % chunks];
  }
  if (c->blocks.empty()) c->bytes.reserve(std::max(chunk_bytes_, block.whole.size()));  // so that it stays where it is
  const auto at = c->bytes.size();
  c->bytes.insert(c->bytes.end(), block.whole.begin(), block.whole.end());
  auto& copy = c->blocks.emplace_back(block);
  copy.whole = base::byte_view(c->bytes).subspan(at);
  copy.body = copy.whole.subspan(static_cast<std::size_t>(block.body.data() - block.whole.data()), block.body.size());
  return {};
}

/// Gives the chunk that was filled to all parts, and waits until the next one is free. False if a part has failed.
bool replay::hand_over() {
  if (threads_.empty())
    for (auto& p : parts_) threads_.emplace_back([this, &p] { work(p); });
  std::unique_lock held(lock_);
  ++filled_;
  changed_.notify_all();
  changed_.wait(held, [this] {
    return std::ranges::all_of(parts_, [this](const part& p) { return filled_ - p.taken < chunks; });
  });
  auto& next = ring_[filled_ % chunks];
  next.bytes.clear();
  next.blocks.clear();
  return !failed_;
}

void replay::work(part& p) {
  std::unique_lock held(lock_);
  while (true) {
    changed_.wait(held, [&] { return closed_ || p.taken < filled_; });
    if (p.taken == filled_) return;
    const auto& c = ring_[p.taken % chunks];
    held.unlock();
    apply(p, c);
    held.lock();
    ++p.taken;
    failed_ = failed_ || p.failed;
    changed_.notify_all();
  }
}

void replay::apply(part& p, const chunk& c) {
  for (const auto& block : c.blocks) {
    if (p.failed) return;
    p.block = block.header.number;
    if (auto ok = p.state.apply(block); !ok) p.failed = ok.failure();
  }
}

/// Ends all threads after what they were given. Of failures the first block's is told: each part has come to it or failed before.
base::result<void> replay::settle() {
  {
    const std::lock_guard held(lock_);
    closed_ = true;
  }
  changed_.notify_all();
  for (auto& t : threads_) t.join();
  threads_.clear();
  const part* first = nullptr;
  for (const auto& p : parts_)
    if (p.failed && (first == nullptr || p.block < first->block)) first = &p;
  if (first != nullptr) return *first->failed;
  return {};
}

base::result<replica> replay::finish() {
  if (!threads_.empty()) {
    (void)hand_over();
  } else {  // too little for threads (and simulated worlds stay in one)
    for (auto& p : parts_) apply(p, ring_.front());
  }
  if (auto ok = settle(); !ok) return ok.failure();
  std::vector<replica> parts;
  for (auto& p : parts_) parts.push_back(std::move(p.state));
  return replica::join(std::move(parts));
}

}  // namespace holdfast::persistence
