// Containers for a state that grows without pauses: no call here moves or copies all that is held.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "base/check.hpp"
#include "base/memory.hpp"

namespace holdfast::core {

/// An array that grows without moving: chunk 0 has `first` entries, each further one as many as all before it, so there are few
/// chunks, the large ones lie on huge pages, and an idle session pays for little. All-zero bytes must be a valid T.
template <class T>
class segments {
 public:
  static constexpr unsigned first_bits = 5;
  [[nodiscard]] T& operator[](std::size_t i) { return *reinterpret_cast<T*>(begins_[chunk_of(i)] + i * sizeof(T)); }
  [[nodiscard]] const T& operator[](std::size_t i) const { return *reinterpret_cast<const T*>(begins_[chunk_of(i)] + i * sizeof(T)); }
  /// Makes entries up to `i` exist.
  void reach(std::size_t i) {
    for (auto c = static_cast<std::size_t>(chunk_count_); c <= chunk_of(i); ++c) {
      const auto before = c == 0 ? 0 : std::size_t{1} << (first_bits + c - 1);
      chunks_[c] = base::make_zeroed<T>(c == 0 ? std::size_t{1} << first_bits : before, base::filled::from_front);
      begins_[c] = reinterpret_cast<std::uintptr_t>(chunks_[c].get()) - before * sizeof(T);
      ++chunk_count_;
    }
  }

 private:
  static constexpr std::size_t chunks = 33 - first_bits;
  static std::size_t chunk_of(std::size_t i) { return static_cast<std::size_t>(std::bit_width(i | (entries_0 - 1))) - first_bits; }
  static constexpr std::size_t entries_0 = std::size_t{1} << first_bits;
  /// Where entry 0 would lie if the chunk began with it: an entry is found by one addition. Never followed outside the chunk.
  std::uintptr_t begins_[chunks] = {};
  base::zeroed_array<T> chunks_[chunks];
  unsigned chunk_count_ = 0;
};

/// A vector that never copies when it grows.
template <class T>
class chunked {
 public:
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  T& operator[](std::size_t i) { return entries_[i]; }
  const T& operator[](std::size_t i) const { return entries_[i]; }
  T& back() { return (*this)[size_ - 1]; }
  void push_back(const T& v) {
    entries_.reach(size_);
    entries_[size_++] = v;
  }
  void pop_back() { --size_; }

 private:
  segments<T> entries_;
  std::size_t size_ = 0;
};

/// First in, first out, in chunks that stay where they are; only the row of pointers to them is moved when it grows. Chunks that
/// have become empty wait for their next turn, so a queue allocates only while it is longer than ever before.
template <class T>
class chunked_queue {
 public:
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  T& operator[](std::size_t i) { return *at(i); }
  const T& operator[](std::size_t i) const { return *at(i); }
  [[nodiscard]] const T& front() const { return *at(0); }
  [[nodiscard]] const T& back() const { return *at(size_ - 1); }
  void push_back(const T& v) {
    if (first_ + size_ == used_ * chunk_size) add_chunk();
    *at(size_) = v;
    ++size_;
  }
  void pop_front() {
    --size_;
    if (++first_ < chunk_size) return;
    first_ = 0;
    --used_;
    auto emptied = std::move(chunks_[head_]);
    head_ = (head_ + 1) & mask_;
    chunks_[(head_ + there_ - 1) & mask_] = std::move(emptied);
  }

 private:
  static constexpr std::size_t chunk_size = 128;
  [[nodiscard]] T* at(std::size_t i) const {
    i += first_;
    return &chunks_[(head_ + i / chunk_size) & mask_][i % chunk_size];
  }
  void add_chunk() {
    if (used_ == there_) make_chunk();
    ++used_;
  }
  [[gnu::noinline]] void make_chunk() {
    if (there_ == chunks_.size()) {
      std::vector<std::unique_ptr<T[]>> more(std::max<std::size_t>(2, 2 * there_));
      for (std::size_t i = 0; i < there_; ++i) more[i] = std::move(chunks_[(head_ + i) & mask_]);
      chunks_ = std::move(more);
      head_ = 0;
      mask_ = chunks_.size() - 1;
    }
    chunks_[(head_ + there_++) & mask_] = std::make_unique<T[]>(chunk_size);
  }
  std::vector<std::unique_ptr<T[]>> chunks_;  ///< a ring of 2^n places: from `head_` on `used_` chunks, then empty ones, `there_` in all
  std::size_t mask_ = 0, head_ = 0, used_ = 0, there_ = 0;
  std::size_t first_ = 0, size_ = 0;          ///< `first_` counts in the chunk at `head_`
};

/// Entries with stable addresses under numbers from 1; 0 is none. Freed numbers are given out again, first freed first: numbers
/// freed in order come back in order, which keeps entries that are made together together.
template <class T>
class slab {
 public:
  std::uint32_t add() {
    ++live_;
    if (!free_.empty()) {
      const auto ref = free_.front();
      free_.pop_front();
      at(ref) = T{};
      return ref;
    }
    entries_.reach(++last_);
    return last_;
  }
  /// The number that `add` would give.
  [[nodiscard]] std::uint32_t next() const { return free_.empty() ? last_ + 1 : free_.front(); }
  void remove(std::uint32_t ref) {
    free_.push_back(ref);
    --live_;
  }

  T& at(std::uint32_t ref) { return entries_[ref]; }
  const T& at(std::uint32_t ref) const { return entries_[ref]; }
  [[nodiscard]] bool has(std::uint32_t ref) const { return ref != 0 && ref <= last_; }
  [[nodiscard]] std::uint32_t last() const { return last_; }
  [[nodiscard]] std::size_t live() const { return live_; }
  void prefetch(std::uint32_t ref) const {
    if (has(ref)) base::prefetch(at(ref));
  }
  /// The entry that the `ahead`-th `add` from now gives.
  void prefetch_next(std::size_t ahead) const {
    if (ahead < free_.size()) base::prefetch(at(free_[ahead]));
  }

  /// For loading: the numbers up to `last` exist, `free` of them are given out next, from its front.
  void restore(std::uint32_t last, const std::vector<std::uint32_t>& free) {
    entries_.reach(last);
    last_ = last;
    live_ = last - free.size();
    for (const auto ref : free) free_.push_back(ref);
  }
  [[nodiscard]] const chunked_queue<std::uint32_t>& free() const { return free_; }

 private:
  segments<T> entries_;
  chunked_queue<std::uint32_t> free_;
  std::uint32_t last_ = 0;
  std::size_t live_ = 0;
};

/// From hash to slab number: open addressing, eight bytes a slot. It grows by moving a few slots with each change, so no
/// insertion waits for a whole table. Different entries may share a hash; `find` asks the caller which is meant.
class flat_index {
 public:
  flat_index() : now_(64) {}

  template <class Same>
  [[nodiscard]] std::uint32_t find(std::uint64_t hash, Same&& same) const {
    const auto tag = tag_of(hash);
    if (const auto ref = now_.find(tag, same)) return ref;
    return before_.slots ? before_.find(tag, same) : 0;
  }
  void insert(std::uint64_t hash, std::uint32_t ref) {
    if ((now_.used + 1) * 8 > now_.size() * 5) grow();
    move_some(8);
    now_.insert(tag_of(hash), ref);
  }
  /// Before the first of `n` entries: it will not have to grow for them.
  void reserve(std::size_t n) {
    HOLDFAST_CHECK(now_.used == 0 && !before_.slots, "room is made before entries come");
    auto size = now_.size();
    while (n * 8 > size * 5) size *= 2;
    if (size != now_.size()) now_ = table(size);
  }
  void erase(std::uint64_t hash, std::uint32_t ref) {
    const auto tag = tag_of(hash);
    now_.erase(tag, ref);
    if (before_.slots) before_.bury(tag, ref);
  }
  void prefetch(std::uint64_t hash) const {
    now_.prefetch(tag_of(hash));
    if (before_.slots) before_.prefetch(tag_of(hash));
  }
  /// What an entry with this hash probably is; for prefetching only.
  [[nodiscard]] std::uint32_t guess(std::uint64_t hash) const {
    return find(hash, [](std::uint32_t) { return true; });
  }
  [[nodiscard]] std::size_t bytes() const { return (now_.size() + before_.size()) * sizeof(slot); }

 private:
  static constexpr std::uint32_t buried = 0xffff'ffff;
  struct slot {
    std::uint32_t tag;
    std::uint32_t ref;  ///< 0: empty
  };
  struct table {
    table() = default;
    explicit table(std::size_t n) : mask(n - 1), slots(base::make_zeroed<slot>(n, base::filled::anywhere)) {}
    [[nodiscard]] std::size_t size() const { return slots ? mask + 1 : 0; }
    void prefetch(std::uint32_t tag) const { base::prefetch(slots.get()[tag & mask]); }

    template <class Same>
    std::uint32_t find(std::uint32_t tag, Same&& same) const {
      for (std::size_t i = tag & mask;; i = (i + 1) & mask) {
        const slot& s = slots.get()[i];
        if (s.ref == 0) return 0;
        if (s.tag == tag && s.ref != buried && same(s.ref)) return s.ref;
      }
    }
    void insert(std::uint32_t tag, std::uint32_t ref) {
      std::size_t i = tag & mask;
      while (slots.get()[i].ref != 0) i = (i + 1) & mask;
      slots.get()[i] = {tag, ref};
      ++used;
    }
    /// Closes the hole by shifting back what was pushed beyond its own place.
    void erase(std::uint32_t tag, std::uint32_t ref) {
      std::size_t i = tag & mask;
      for (;; i = (i + 1) & mask) {
        if (slots.get()[i].ref == 0) return;
        if (slots.get()[i].tag == tag && slots.get()[i].ref == ref) break;
      }
      --used;
      for (std::size_t j = (i + 1) & mask; slots.get()[j].ref != 0; j = (j + 1) & mask) {
        const std::size_t home = slots.get()[j].tag & mask;
        if (((j - home) & mask) >= ((j - i) & mask)) {
          slots.get()[i] = slots.get()[j];
          i = j;
        }
      }
      slots.get()[i] = {0, 0};
    }
    void bury(std::uint32_t tag, std::uint32_t ref) {
      for (std::size_t i = tag & mask; slots.get()[i].ref != 0; i = (i + 1) & mask)
        if (slots.get()[i].tag == tag && slots.get()[i].ref == ref) {
          slots.get()[i].ref = buried;
          return;
        }
    }
    std::size_t mask = 0;
    std::size_t used = 0;
    base::zeroed_array<slot> slots;
  };

  static std::uint32_t tag_of(std::uint64_t hash) { return static_cast<std::uint32_t>(hash >> 32U); }
  void grow() {
    move_some(before_.size());
    before_ = std::move(now_);
    now_ = table(before_.size() * 2);
    moved_ = 0;
  }
  void move_some(std::size_t n) {
    if (!before_.slots) return;
    for (; n > 0 && moved_ < before_.size(); --n, ++moved_) {
      const slot s = before_.slots.get()[moved_];
      if (s.ref == 0 || s.ref == buried) continue;
      now_.insert(s.tag, s.ref);
      before_.slots.get()[moved_].ref = buried;  // it is in one table only; later probes pass over it
    }
    if (moved_ == before_.size()) before_ = table();
  }
  table now_;
  table before_;
  std::size_t moved_ = 0;
};

/// Lists of 2^n entries for holds with several lines; a freed list is used again for one of its size.
template <class T>
class list_pool {
 public:
  static constexpr std::uint32_t classes = 12;  ///< lists of up to 2^11 entries
  /// The smallest class that has room for `n`.
  static std::uint8_t class_for(std::size_t n) {
    std::uint8_t c = 0;
    while ((std::size_t{1} << c) < n) ++c;
    return c;
  }
  std::uint32_t add(std::uint8_t c) {
    auto& k = kinds_[c];
    if (!k.free.empty()) {
      const auto ref = k.free.back();
      k.free.pop_back();
      return ref;
    }
    if ((k.count & (per_chunk - 1)) == 0) k.chunks.push_back(std::make_unique<T[]>(std::size_t{per_chunk} << c));
    return k.count++;
  }
  void remove(std::uint8_t c, std::uint32_t ref) { kinds_[c].free.push_back(ref); }
  T* at(std::uint8_t c, std::uint32_t ref) {
    return &kinds_[c].chunks[ref / per_chunk][std::size_t{ref % per_chunk} << c];
  }
  const T* at(std::uint8_t c, std::uint32_t ref) const {
    return &kinds_[c].chunks[ref / per_chunk][std::size_t{ref % per_chunk} << c];
  }

 private:
  static constexpr std::uint32_t per_chunk = 64;
  struct kind {
    std::vector<std::unique_ptr<T[]>> chunks;
    std::vector<std::uint32_t> free;
    std::uint32_t count = 0;
  };
  kind kinds_[classes];
};

}  // namespace holdfast::core
