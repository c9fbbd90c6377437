// Zeroed memory for tables that may become large. From 2 MiB on it is aligned for huge pages and asks for them: on a table of
// a few hundred megabytes most of the time of a look-up goes into translating its address (bench/engine_bench, holds).
#pragma once

#include <sys/mman.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <type_traits>

namespace holdfast::base {

struct free_zeroed {
  std::size_t mapped = 0;  ///< bytes if mapped by us, else 0
  void operator()(void* p) const {
    if (mapped != 0) munmap(p, mapped);
    else std::free(p);
  }
};

template <class T>
using zeroed_array = std::unique_ptr<T[], free_zeroed>;

/// How a table comes to be used.
enum class filled : std::uint8_t {
  anywhere,    ///< all over, and read before it is written
  from_front,  ///< one entry after the other: what lies behind the last is not touched, so it costs no memory
};

/// `n` entries of all zero bytes, which must be a valid T. Throws std::bad_alloc.
template <class T>
[[nodiscard]] zeroed_array<T> make_zeroed(std::size_t n, filled how) {
  static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);
  constexpr std::size_t huge = std::size_t{2} << 20U;
  const std::size_t wanted = n * sizeof(T);
  if (wanted < huge && how == filled::from_front) {
    void* p = std::calloc(n, sizeof(T));
    if (p == nullptr) throw std::bad_alloc();
    return zeroed_array<T>(static_cast<T*>(p), free_zeroed{});
  }
  if (wanted < huge) {
    // Written here and not merely promised: a table is read before it is written, and a page that is first read costs a second
    // fault and an interrupt on every core when it is written. The empty assembly hides that this is malloc's memory: GCC would make
    // one calloc of the two calls, and calloc writes nothing into fresh pages.
    void* p = std::malloc(wanted);
    if (p == nullptr) throw std::bad_alloc();
    asm volatile("" : "+r"(p));
    std::memset(p, 0, wanted);
    return zeroed_array<T>(static_cast<T*>(p), free_zeroed{});
  }
  const std::size_t rounded = (wanted + huge - 1) / huge * huge;
  // One huge page more than needed, so that an aligned stretch can be cut out of it.
  auto* raw = static_cast<char*>(mmap(nullptr, rounded + huge, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
  if (raw == MAP_FAILED) throw std::bad_alloc();
  const std::size_t before = (huge - reinterpret_cast<std::uintptr_t>(raw) % huge) % huge;
  if (before != 0) munmap(raw, before);
  if (before != huge) munmap(raw + before + rounded, huge - before);
  madvise(raw + before, rounded, MADV_HUGEPAGE);  // advice only: without it the table is slower, not wrong
  return zeroed_array<T>(reinterpret_cast<T*>(raw + before), free_zeroed{rounded});
}

/// Fetches the cache lines of `t`, which may lie across two. The empty assembly is what keeps it: to the compiler a prefetch has no
/// effect, so it takes a function that does nothing else for a pure one and drops every call of it (seen with GCC 12).
template <class T>
inline void prefetch(const T& t) {
  __builtin_prefetch(&t);
  if constexpr (sizeof(T) > 16) __builtin_prefetch(reinterpret_cast<const char*>(&t) + sizeof(T) - 1);
  asm volatile("");
}

}  // namespace holdfast::base
