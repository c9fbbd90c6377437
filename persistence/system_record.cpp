#include "persistence/system_record.hpp"

#include <algorithm>
#include <string_view>

namespace holdfast::persistence {

namespace {
constexpr std::uint8_t kind_started = 1;
constexpr std::uint64_t option_program = 1;
constexpr std::uint64_t tag(std::uint64_t number, bool critical) { return number * 2 + (critical ? 1 : 0); }
}  // namespace

void encode_started(const started_record& record, base::bytes& out) {
  base::byte_writer w(out);
  w.u8(kind_started);
  w.id(record.journal);
  w.varint(record.epoch);
  w.fixed(record.wall_clock);
  if (record.program.empty()) return;
  w.varint(tag(option_program, false));
  w.sized(std::string_view(record.program).substr(0, program_name_bytes_max));
}

base::result<started_record> decode_started(base::byte_view bytes) {
  base::byte_reader in(bytes);
  if (in.u8() != kind_started) return base::error{base::trouble::bad_bytes, "a system record of unknown kind"};
  started_record r;
  r.journal = in.id();
  r.epoch = in.varint();
  r.wall_clock = in.fixed<std::uint64_t>();
  std::uint64_t before = 0;
  while (in.ok() && !in.done()) {
    const auto option = in.varint();
    if (option / 2 <= before) in.fail();
    before = option / 2;
    if (option == tag(option_program, false)) {
      r.program = in.text(program_name_bytes_max);
    } else if (option % 2 != 0) {
      return base::error{base::trouble::bad_bytes, "a system record has a critical option unknown to this program"};
    } else {
      in.sized(bytes.size());
    }
  }
  if (!in.ok()) return base::error{base::trouble::bad_bytes, "a system record is malformed"};
  return r;
}

}  // namespace holdfast::persistence
