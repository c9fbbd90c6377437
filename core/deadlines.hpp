// Who is due when.
#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/check.hpp"
#include "base/memory.hpp"
#include "core/state.hpp"
#include "core/storage.hpp"

namespace holdfast::core {

/// A four-ary heap of (time, number) whose entries know their place, so that any of them can be moved or removed.
/// `Place` is called with (number, position) whenever an entry moves; position 0 means "not in the heap".
class due_heap {
 public:
  struct entry {
    std::uint64_t time;
    std::uint32_t number;
    std::uint32_t node;  ///< whom to tell about moves
    friend bool operator<(const entry& a, const entry& b) {
      return a.time != b.time ? a.time < b.time : a.number < b.number;
    }
  };
  [[nodiscard]] bool empty() const { return heap_.empty(); }
  [[nodiscard]] std::size_t size() const { return heap_.size(); }
  [[nodiscard]] const entry& top() const { return heap_[0]; }
  void prefetch(std::uint32_t position) const {
    if (position != 0 && position <= heap_.size()) base::prefetch(heap_[position - 1]);
  }

  /// Visits at most `most` entries with time <= `time`, in order, without changing the heap: a child waits for its parent, in `front`.
  template <class Visit>
  void visit_until(std::uint64_t time, std::size_t most, std::vector<std::size_t>& front, Visit&& visit) const {
    if (heap_.empty() || heap_[0].time > time) return;
    const auto later = [this](std::size_t a, std::size_t b) { return heap_[b] < heap_[a]; };
    front.assign(1, 0);
    for (; !front.empty() && most > 0; --most) {
      std::pop_heap(front.begin(), front.end(), later);
      const std::size_t i = front.back();
      front.pop_back();
      visit(heap_[i]);
      for (std::size_t c = i * 4 + 1; c < i * 4 + 5 && c < heap_.size(); ++c)
        if (heap_[c].time <= time) {
          front.push_back(c);
          std::push_heap(front.begin(), front.end(), later);
        }
    }
  }

  template <class Place>
  void push(const entry& e, Place&& place) {
    heap_.push_back(e);
    up(heap_.size() - 1, place);
  }
  template <class Place>
  void remove(std::uint32_t position, Place&& place) {
    const std::size_t i = position - 1;
    HOLDFAST_CHECK(i < heap_.size(), "heap position out of range");
    place(heap_[i].node, 0);
    const entry moved = heap_.back();
    heap_.pop_back();
    if (i == heap_.size()) return;
    heap_[i] = moved;
    down(up(i, place), place);
  }
  template <class Place>
  void retime(std::uint32_t position, std::uint64_t time, Place&& place) {
    const std::size_t i = position - 1;
    heap_[i].time = time;
    down(up(i, place), place);
  }

 private:
  template <class Place>
  std::size_t up(std::size_t i, Place&& place) {
    const entry e = heap_[i];
    while (i > 0) {
      const std::size_t parent = (i - 1) / 4;
      if (!(e < heap_[parent])) break;
      heap_[i] = heap_[parent];
      place(heap_[i].node, static_cast<std::uint32_t>(i + 1));
      i = parent;
    }
    heap_[i] = e;
    place(e.node, static_cast<std::uint32_t>(i + 1));
    return i;
  }
  template <class Place>
  void down(std::size_t i, Place&& place) {
    const entry e = heap_[i];
    for (;;) {
      const std::size_t first = i * 4 + 1;
      if (first >= heap_.size()) break;
      std::size_t least = first;
      for (std::size_t c = first + 1; c < first + 4 && c < heap_.size(); ++c)
        if (heap_[c] < heap_[least]) least = c;
      if (!(heap_[least] < e)) break;
      heap_[i] = heap_[least];
      place(heap_[i].node, static_cast<std::uint32_t>(i + 1));
      i = least;
    }
    heap_[i] = e;
    place(e.node, static_cast<std::uint32_t>(i + 1));
  }
  chunked<entry> heap_;
};

/// The live holds of a session in the order in which they are due: by deadline, then number. Any can be taken out at any time.
///
/// Holds of one interval come with deadlines that only grow, and are numbered as they come: nearly every hold belongs behind the last one of
/// a list that is in order already, and there is one list for each of the few intervals in use at a time. Entering and leaving a list
/// costs the same however many holds are alive. What fits behind no list stands in a heap.
///
/// The links lie in the holds (`due_previous`, `due_next`), so every call is given those. A hold's deadline changes only while it is out.
class deadlines {
 public:
  using holds = slab<state::hold>;
  struct entry {
    std::uint64_t time;
    std::uint32_t number;
    friend auto operator<=>(const entry&, const entry&) = default;
  };

  [[nodiscard]] std::size_t size() const { return size_; }
  /// The one that is due first; none if there is none.
  [[nodiscard]] std::optional<entry> first() const {
    std::optional<entry> least;
    for (const auto& l : lists_)
      if (l.first.number != 0 && (!least || l.first < *least)) least = l.first;
    if (!rest_.empty())
      if (const entry e{rest_.top().time, rest_.top().number}; !least || e < *least) least = e;
    return least;
  }

  void add(holds& all, std::uint32_t number) {
    auto& h = all.at(number);
    const entry e{h.deadline, number};
    ++size_;
    // Behind the latest that is not later, so that the others stay of use for earlier ones.
    list* behind = nullptr;
    for (auto& l : lists_) {
      if (l.last.number != 0 && e < l.last) continue;
      if (behind == nullptr || behind->last < l.last) behind = &l;
    }
    if (behind == nullptr) {
      h.due_next = in_heap;
      rest_.push({e.time, number, number}, placed_in{all});
      return;
    }
    h.due_previous = behind->last.number;
    h.due_next = 0;
    if (behind->last.number != 0) all.at(behind->last.number).due_next = number;
    else behind->first = e;
    behind->last = e;
  }

  void remove(holds& all, std::uint32_t number) {
    auto& h = all.at(number);
    --size_;
    if (h.due_next == in_heap) {
      rest_.remove(h.due_previous, placed_in{all});
    } else {
      const auto previous = h.due_previous, next = h.due_next;
      if (previous != 0) all.at(previous).due_next = next;
      else list_that(&list::first, number).first = next == 0 ? entry{} : entry{all.at(next).deadline, next};
      if (next != 0) all.at(next).due_previous = previous;
      else list_that(&list::last, number).last = previous == 0 ? entry{} : entry{all.at(previous).deadline, previous};
    }
    h.due_previous = h.due_next = 0;
  }

  /// What a walk keeps while it is under way; reused, so that it need not be made anew.
  struct walk {
    std::vector<std::size_t> front;
    std::vector<entry> from_heap;
  };
  /// Visits at most `most` entries with time <= `time`, in order, without changing anything.
  template <class Visit>
  void visit_until(const holds& all, std::uint64_t time, std::size_t most, walk& w, Visit&& visit) const {
    w.from_heap.clear();
    rest_.visit_until(time, most, w.front, [&](const due_heap::entry& e) { w.from_heap.push_back({e.time, e.number}); });
    std::size_t heaped = 0;
    std::array<entry, lists_max> at;
    for (std::size_t i = 0; i < lists_max; ++i) at[i] = lists_[i].first;
    for (; most > 0; --most) {
      entry* least = nullptr;
      for (auto& e : at)
        if (e.number != 0 && e.time <= time && (least == nullptr || e < *least)) least = &e;
      if (heaped < w.from_heap.size() && (least == nullptr || w.from_heap[heaped] < *least)) {
        visit(w.from_heap[heaped++]);
        continue;
      }
      if (least == nullptr) return;
      const auto found = *least;
      const auto next = all.at(found.number).due_next;
      *least = next == 0 ? entry{} : entry{all.at(next).deadline, next};
      if (next != 0) all.prefetch(all.at(next).due_next);
      visit(found);
    }
  }

  /// Asks memory for what `remove` of the hold will touch.
  void prefetch(const holds& all, const state::hold& h) const {
    if (h.due_next == in_heap) return rest_.prefetch(h.due_previous);
    all.prefetch(h.due_previous);
    all.prefetch(h.due_next);
  }
  /// Beside what lies in the holds.
  [[nodiscard]] std::size_t bytes() const { return rest_.size() * sizeof(due_heap::entry); }

 private:
  static constexpr std::size_t lists_max = 4;
  static constexpr std::uint32_t in_heap = ~0U;  ///< as `due_next`; then `due_previous` is the position
  /// Tells a hold its position in the heap.
  struct placed_in {
    holds& all;
    void operator()(std::uint32_t node, std::uint32_t position) const { all.at(node).due_previous = position; }
  };
  struct list {
    entry first{}, last{};  ///< number 0: empty
  };
  [[nodiscard]] list& list_that(entry list::*end, std::uint32_t number) {
    for (auto& l : lists_)
      if ((l.*end).number == number) return l;
    HOLDFAST_CHECK(false, "a hold is the end of no list");
  }

  std::array<list, lists_max> lists_{};
  due_heap rest_;
  std::size_t size_ = 0;
};

}  // namespace holdfast::core
