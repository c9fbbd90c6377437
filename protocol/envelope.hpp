// What commands carry beside their content: the note, in the options.
#pragma once

#include <cstring>
#include <memory_resource>

#include "core/answer.hpp"
#include "core/command.hpp"
#include "protocol/options.hpp"

namespace holdfast::protocol {

inline base::byte_view copied(base::byte_view b, std::pmr::memory_resource& arena) {
  if (b.empty()) return {};
  auto* p = static_cast<std::uint8_t*>(arena.allocate(b.size(), 1));
  std::memcpy(p, b.data(), b.size());
  return {p, b.size()};
}

inline protocol_error read_command_options(base::byte_reader& in, std::pmr::memory_resource& arena, core::envelope& head,
                                           core::refusal& impossible) {
  return read_options(in, [&](std::uint64_t tag, base::byte_view bytes) {
    if (tag != option_tags::note) return false;
    if (bytes.size() <= core::limits::note_bytes_max) head.note = copied(bytes, arena);
    else if (impossible == core::refusal::none) impossible = core::refusal::bad_content;
    return true;
  });
}

inline void put_command_options(const core::envelope& head, base::byte_writer& out) {
  if (head.note.empty()) return put_no_options(out);
  out.varint(1);
  out.varint(option_tags::note);
  out.sized(head.note);
}

}  // namespace holdfast::protocol
