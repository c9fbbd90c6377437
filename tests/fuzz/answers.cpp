// Everything that a server may send, as a client reads it. A client is lenient (reserved bytes, options, numbers it has no name
// for), so what it has read is encoded by the server's encoder and must be read as the same.
//
// Input: kind u16, then the content; the frame around it is made here.
#include <type_traits>
#include <variant>

#include "protocol/codec.hpp"
#include "protocol/shown_fields.hpp"
#include "tests/fuzz/target.hpp"

using namespace holdfast;
using namespace holdfast::protocol;

namespace {

template <class T, class Variant>
struct is_in;
template <class T, class... Ts>
struct is_in<T, std::variant<Ts...>> : std::disjunction<std::is_same<T, Ts>...> {};

bool read(base::byte_view bytes, from_server_message& out) {
  const auto c = cut_frame(bytes, direction::from_server, limits::answer_bytes_max);
  HOLDFAST_CHECK(c.is == cut::what::whole && c.frame.head.length == bytes.size(), "a frame that was made is not cut");
  return decode_from_server(c.frame, out) == protocol_error::none;
}

void write_answer(const answer_message& a, base::bytes& out) {
  const answer_to to{a.id, a.kind, a.now};
  std::visit(
      [&]<class Shown>(const Shown& shown) {
        if constexpr (std::is_same_v<Shown, plan_page>) {
          // The server makes pages of a whole plan; what a page says is written field by field.
          core::answer head = a.said;
          const auto start = out.size();
          encode_answer({a.id, kinds::ping, a.now}, head, out);
          out.pop_back();  // no options yet
          const auto kind = static_cast<std::uint16_t>(a.kind | direction_bit);
          std::memcpy(out.data() + start + 4, &kind, sizeof kind);
          base::byte_writer w(out);
          field_writer fields(w);
          walk(fields, shown);
          out.push_back(0);
          const auto length = static_cast<std::uint32_t>(out.size() - start);
          std::memcpy(out.data() + start, &length, sizeof length);
        } else if constexpr (is_in<Shown, core::seen>::value) {
          const core::seen seen = shown;
          encode_answer(to, a.said, &seen, out);
        } else if constexpr (std::is_same_v<Shown, std::monostate>) {
          encode_answer(to, a.said, out);
        } else {
          encode_house_answer(to, a.said, house_seen(shown), out);
        }
      },
      a.shown);
}

void write(const from_server_message& m, base::bytes& out) {
  if (const auto* a = std::get_if<answer_message>(&m)) write_answer(*a, out);
  else if (const auto* w = std::get_if<welcome>(&m)) encode_welcome(7, *w, out);
  else if (const auto* p = std::get_if<problem>(&m)) encode_problem(7, *p, out);
  else encode_goodbye(direction::from_server, std::get<goodbye>(m), out);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  base::byte_reader in({data, size});
  const auto kind = in.fixed<std::uint16_t>();
  static base::bytes first, second, third;
  first.clear(), second.clear(), third.clear();
  frame_writer w(first, kind, direction::from_server, 7);
  const auto content = in.view(in.left());
  first.insert(first.end(), content.begin(), content.end());
  w.finish();
  static from_server_message message, same;
  if (!read(first, message)) return 0;
  write(message, second);
  HOLDFAST_CHECK(read(second, same), "what was written is no message");
  write(same, third);
  HOLDFAST_CHECK(message.index() == same.index() && second == third, "what was written is not read as what it was");
  HOLDFAST_CHECK(second.size() <= first.size(), "a message grew by being read");
  return 0;
}
