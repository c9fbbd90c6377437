// One message of every kind with content that is easy to read in hex, and the conversation of docs/PROTOCOL.md.
#pragma once

#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "protocol/codec.hpp"

namespace holdfast::tests {

struct sample {
  std::string name;
  protocol::direction from = protocol::direction::from_client;
  protocol::listener_kind on = protocol::listener_kind::shop;
  base::bytes bytes;  ///< the whole frame
};

/// Every kind of frame at least once. The names are unique.
[[nodiscard]] const std::vector<sample>& samples();

/// Frames in the order in which they travel: a shop sells two seats.
[[nodiscard]] std::vector<sample> conversation();

/// What samples on buyers' and other connections were encoded for.
[[nodiscard]] protocol::connection_context context_on(protocol::listener_kind on);

/// The frame in `bytes`, which hold exactly one.
[[nodiscard]] protocol::frame frame_in(base::byte_view bytes, protocol::direction from);

}  // namespace holdfast::tests
