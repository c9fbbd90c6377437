// Buffers that go round: made once, handed from thread to thread, returned when the last owner lets go. A batch that
// crosses the house therefore costs no allocation for its content.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace holdfast::actors {

/// `T` needs a default constructor and `reset()`, which empties it and keeps its memory. Taking and returning are for
/// any thread; the lock is held for a push or a pop of one pointer, once a batch. Items may outlive the pool.
template <class T>
class pool {
 public:
  /// Keeps at most `kept_max` idle items; more are freed when they come back.
  explicit pool(std::size_t kept_max = 64) : shelf_(std::make_shared<shelf>(kept_max)) {}

  /// An empty item; goes back to the pool when the last copy of the pointer is gone.
  [[nodiscard]] std::shared_ptr<T> take() {
    auto item = shelf_->pop();
    if (!item) item = std::make_unique<T>();
    return std::shared_ptr<T>(item.release(), give_back{shelf_});
  }

 private:
  struct shelf {
    explicit shelf(std::size_t max) : kept_max(max) { idle.reserve(max); }
    std::unique_ptr<T> pop() {
      const std::lock_guard hold(lock);
      if (idle.empty()) return nullptr;
      auto item = std::move(idle.back());
      idle.pop_back();
      return item;
    }
    void push(std::unique_ptr<T> item) {
      item->reset();
      const std::lock_guard hold(lock);
      if (idle.size() < kept_max) idle.push_back(std::move(item));
    }
    const std::size_t kept_max;
    std::mutex lock;
    std::vector<std::unique_ptr<T>> idle;
  };
  struct give_back {
    std::shared_ptr<shelf> to;
    void operator()(T* item) const { to->push(std::unique_ptr<T>(item)); }
  };
  std::shared_ptr<shelf> shelf_;
};

}  // namespace holdfast::actors
