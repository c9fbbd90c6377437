// A queue in one array that doubles when it is full: once warm it allocates nothing.
#pragma once

#include <cstddef>
#include <vector>

namespace holdfast::cli::load {

template <class T>
class ring {
 public:
  explicit ring(std::size_t room = 64) : items_(room) {}  ///< a power of two

  [[nodiscard]] bool empty() const { return begin_ == end_; }
  [[nodiscard]] std::size_t size() const { return end_ - begin_; }
  [[nodiscard]] const T& front() const { return items_[begin_ & (items_.size() - 1)]; }
  void pop() { ++begin_; }
  void push(const T& t) {
    if (size() == items_.size()) grow();
    items_[end_++ & (items_.size() - 1)] = t;
  }
  void clear() { begin_ = end_; }

 private:
  void grow() {
    std::vector<T> more(items_.size() * 2);
    const auto n = size();
    for (std::size_t i = 0; i < n; ++i) more[i] = items_[(begin_ + i) & (items_.size() - 1)];
    items_.swap(more);
    begin_ = 0;
    end_ = n;
  }
  std::vector<T> items_;
  std::size_t begin_ = 0, end_ = 0;
};

}  // namespace holdfast::cli::load
