// SHA-256 for the chain, the witness and the snapshots: OpenSSL with one context that is used again and again,
// because making a context costs more than hashing a small block.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "base/bytes.hpp"

namespace holdfast::persistence {

using digest = std::array<std::uint8_t, 32>;

/// One hash at a time; not for use by two threads at once. Running out of memory inside OpenSSL aborts.
class sha256 {
 public:
  sha256();
  ~sha256();
  sha256(sha256&&) noexcept;
  sha256& operator=(sha256&&) noexcept;

  [[nodiscard]] digest of(base::byte_view all);

  void begin();
  void add(base::byte_view part);
  [[nodiscard]] digest end();

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace holdfast::persistence
