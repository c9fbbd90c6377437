// Options stand at the end of every message:
//
//   n:varint (at most 16), n times: tag:varint length:varint bytes
//
// Tags ascend. An odd tag is critical: who does not know it must refuse the message. Others are skipped.
#pragma once

#include <concepts>

#include "base/bytes.hpp"
#include "protocol/error.hpp"
#include "protocol/frame.hpp"

namespace holdfast::protocol {

namespace option_tags {
inline constexpr std::uint64_t note = 1;  ///< of a command: 0-64 opaque bytes; content, kept in the journal
}

inline void put_no_options(base::byte_writer& out) { out.varint(0); }

/// Reads the options, which must end the message. `known(tag, bytes)` returns whether it took the option.
template <std::predicate<std::uint64_t, base::byte_view> Known>
protocol_error read_options(base::byte_reader& in, Known known) {
  if (!in.ok()) return protocol_error::malformed;
  const auto n = in.varint();
  if (in.ok() && n > limits::options_max) return protocol_error::bad_options;
  std::uint64_t last = 0;
  for (std::uint64_t i = 0; i < n && in.ok(); ++i) {
    const auto tag = in.varint();
    const auto bytes = in.sized(in.left());
    if (!in.ok()) break;
    if (i > 0 && tag <= last) return protocol_error::bad_options;
    last = tag;
    if (!known(tag, bytes) && (tag & 1U) != 0) return protocol_error::unknown_critical_option;
  }
  if (!in.ok()) return protocol_error::malformed;
  return in.done() ? protocol_error::none : protocol_error::trailing_bytes;
}
/// Of a message that has no option yet.
inline protocol_error read_options(base::byte_reader& in) {
  return read_options(in, [](std::uint64_t, base::byte_view) { return false; });
}

}  // namespace holdfast::protocol
