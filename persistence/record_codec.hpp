// The bytes of a record: what was decided, then what was asked. Session, sequence and log time stand in the frame that
// the block puts around it (block.hpp).
//
//   varint  version of the rules that decided
//   u8      bits 0-2 role, bits 3-6 channel, bit 7: a command id follows the command's tag
//   varint  principal
//   events  one or more:
//             varint  number of the event * 4 + 2 (the event's own bit) + 1 (another event follows)
//             ...     its fields, below
//   varint  tag of the command
//   16      command id, if bit 7 says so
//   ...     content of the command, in one of two forms of core/command_codec.hpp: `by_number`, without owner and
//           hold id, if the command is on a hold and the event names that hold by a number; `whole` otherwise
//   ...     options until the end: varint number * 2 + critical, varint length, bytes; numbers ascend.
//             1: note, 1-64 opaque bytes; not critical
//
//   event                  number  fields
//   session_created          0     32 bytes: SHA-256 of the plan's bytes
//   sale_opened, _paused     1, 2
//   sale_resumed             3     varint shift, microseconds
//   sale_closed, _frozen     4, 5
//   hold_placed              6     varint hold, deadline, draws if the own bit is set
//   hold_changed             7     varint hold, draws if the own bit is set
//   hold_extended            8     varint hold, deadline
//   payment_begun            9     varint hold, deadline
//   payment_rejected        10     varint hold, deadline
//   hold_confirmed          11     varint hold, pieces sold; the own bit says: late
//   refund_recorded         12     varint refund, u8 reason, varint hold (0: unknown)
//   hold_released           13     varint hold
//   order_cancelled         14     varint hold, varint refund (0: none), pieces back
//   refund_closed           15
//   places_blocked, _unblocked, _allocated  16, 17, 18
//   deadlines_shifted       19     varint shift, microseconds
//   fault_cleared           20     varint shift, microseconds
//   holds_expired           21     varint count, then each hold as zigzag difference to the one before, the first to 0
//
//   deadline  zigzag: deadline minus (log time of the record + interval asked, if the command asks for one), in
//             microseconds. 0, hence one byte, unless the interval was clamped or the hold clock is behind log time
//   draws     varint count, at least 1; each varint line, u8 allocation, varint places
//   pieces    varint count, at least 1; each varint number * 2 + kind (0 seat, 1 area); areas: varint places,
//             u8 allocation
//
// Events stand before the command so that the journal's guard finds what is sold without knowing any command. Every
// value has one encoding only. The client's deadline is not recorded: it decides whether a command is taken, not what
// it does.
//
// A session's stream has one more kind of record, its only one with sequence 0: the bytes of a plan (plan_library.hpp).
#pragma once

#include <memory_resource>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "core/event.hpp"
#include "persistence/block.hpp"
#include "persistence/plan_library.hpp"

namespace holdfast::persistence {

/// The sequence of a record that carries a plan instead of an event.
inline constexpr std::uint64_t plan_sequence = 0;
/// Pieces of one record: every line of a hold in every allocation.
inline constexpr std::size_t pieces_max = std::size_t{core::limits::lines_max} * core::limits::allocations_max;

/// Appends the bytes of `r`. Its event must be one that its command can have.
void encode_record(const core::record& r, base::bytes& out);

/// Reads a record. Lists, references and note are copied into `arena`, so the block may go before the record does. A
/// command on a hold comes without owner and hold id until session::complete fills them in; the client's deadline is
/// zero. create_session gets its plan from `plans`; without a library its terms have none. Errors: bad_bytes; corrupt,
/// if the plan is not in the library.
[[nodiscard]] base::result<core::record> decode_record(const record_ref& framed, const plan_library* plans,
                                                       std::pmr::memory_resource& arena);

/// The same into a record that is used again; after an error its content is unspecified.
[[nodiscard]] base::result<void> decode_record(const record_ref& framed, const plan_library* plans,
                                               std::pmr::memory_resource& arena, core::record& into);

/// The outside of a record, read without its command and without allocating.
struct record_peek {
  enum class kind : std::uint8_t { other, created, sold, back } what = kind::other;
  digest plan{};              ///< created
  core::hold_no hold;         ///< sold, back
  std::size_t pieces = 0;     ///< sold, back: how many follow
  base::byte_reader rest{{}}; ///< sold, back: to be given to read_piece so many times
};
/// Error: bad_bytes.
[[nodiscard]] base::result<record_peek> peek_record(base::byte_view record);
/// The next piece; makes `in` not ok if it is malformed.
[[nodiscard]] core::piece read_piece(base::byte_reader& in);

/// The hold that an event is about; 0 if it is about none, or about several.
[[nodiscard]] core::hold_no hold_of(const core::event& e);
/// The snake_case name of an event, e.g. "hold_placed".
[[nodiscard]] std::string_view name_of(const core::event& e);
/// The same by the event's number; "unknown" for one that there is not.
[[nodiscard]] std::string_view event_name(std::size_t number);
/// The snake_case name of a command, e.g. "hold_seats".
[[nodiscard]] std::string_view name_of(core::command_tag t);

}  // namespace holdfast::persistence
