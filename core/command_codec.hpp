// The bytes of a command's content: one form for the wire and for the journal, so that "same content" means the same thing
// everywhere. docs/PROTOCOL.md draws them. Envelope, plan bytes and events are the caller's business.
#pragma once

#include <memory_resource>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "core/answer.hpp"
#include "core/command.hpp"

namespace holdfast::core {

/// How much of a command is written.
enum class command_form : std::uint8_t {
  whole,      ///< everything
  by_number,  ///< without the owner and hold id of commands on a hold: the journal's event names the hold by number
  by_connection,  ///< without owner and limit keys: a buyer's connection fixes them
};

/// Appends the content of `c` (not its tag). create_session is written without its plan. The same content always gives the same bytes.
void encode_command(const command& c, command_form form, base::byte_writer& out);

/// Reads the content of a command with this tag. Lists and references are copied into `arena`, so the input may go. Checks only
/// what the bytes can say (counts within limits before anything is allocated, enum values, shortest varints); what the content
/// *means* is judged by session::decide. Leaves the reader behind the command's options.
///
/// With `impossible`, content that no session could judge (an unknown enum value, a longer list or reference than core::limits) is
/// no error: it is read over, its refusal is noted there (the first one; else `none`), and the command returned is incomplete.
/// A journal passes null: what it holds was accepted once, so such bytes are bad bytes.
[[nodiscard]] base::result<command> decode_command(command_tag tag, command_form form, base::byte_reader& in,
                                                   std::pmr::memory_resource& arena, refusal* impossible = nullptr);
/// The same into a command that is used again; after an error its content is unspecified.
[[nodiscard]] base::result<void> decode_command(command_tag tag, command_form form, base::byte_reader& in,
                                                std::pmr::memory_resource& arena, command& into, refusal* impossible = nullptr);

}  // namespace holdfast::core
