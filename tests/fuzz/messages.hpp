// Connections of the three kinds that fuzz targets pretend to have.
#pragma once

#include <cstdint>

#include "protocol/messages.hpp"

namespace holdfast::fuzz {

inline const core::owner_id buyer{{0xb0b, 1}};

/// Shop, buyer or admin, by a byte.
inline const protocol::connection_context& context_on(std::uint8_t which) {
  using protocol::listener_kind;
  static const protocol::connection_context all[] = {
      {listener_kind::shop, {core::role::shop, 1}, 0, {}, {}},
      {listener_kind::buyer, {core::role::buyer, 2}, 0, buyer, {{core::key_kind::account, {1, 1}}}},
      {listener_kind::admin, {core::role::op, 1000}, 0, {}, {}},
  };
  return all[which % std::size(all)];
}

}  // namespace holdfast::fuzz
