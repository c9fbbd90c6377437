#include "core/command_codec.hpp"
#include "protocol/codec.hpp"
#include "protocol/envelope.hpp"

// Requests to the server as a whole:
//
//   ping            -                                  actors         from:u64
//   session_named   name:text                          actor_inside   id:u64
//   create_session  terms plan:u32 bytes  (note)       stats          -
//   list_sessions   from:u64                           find           by:u8 id:16 payment:text from:u64
//
//   terms: the content of core's create_session. All end in options.

namespace holdfast::protocol {

namespace {

bool for_everybody(std::uint16_t kind) { return kind == kinds::ping || kind == kinds::session_named; }

std::string short_text(base::byte_reader& in, std::size_t bytes_max, core::refusal too_long,
                       core::refusal& impossible) {
  const auto b = in.sized(in.left());
  if (b.size() <= bytes_max) return std::string(base::as_text(b));
  if (impossible == core::refusal::none) impossible = too_long;
  return {};
}

protocol_error read_create(base::byte_reader& in, const connection_context& by, std::pmr::memory_resource& arena,
                           house_request& out) {
  auto& asked = out.asked.emplace<create_session>();
  asked.head.from = by.from;
  asked.head.channel = by.channel;
  auto terms =
      core::decode_command(core::command_tag::create_session, core::command_form::whole, in, arena, &out.impossible);
  if (!terms) return protocol_error::malformed;
  asked.terms = std::get<core::create_session>(*terms).terms;
  const auto length = in.fixed<std::uint32_t>();
  asked.plan = copied(in.view(length), arena);
  return read_command_options(in, arena, asked.head, out.impossible);
}

class house_writer {
 public:
  explicit house_writer(base::byte_writer& out) : out_(out) {}

  void operator()(const ping&) { put_no_options(out_); }
  void operator()(const session_named& h) {
    out_.sized(h.name);
    put_no_options(out_);
  }
  void operator()(const create_session& h) {
    core::encode_command(core::create_session{h.terms}, core::command_form::whole, out_);
    out_.fixed(static_cast<std::uint32_t>(h.plan.size()));
    out_.view(h.plan);
    put_command_options(h.head, out_);
  }
  void operator()(const list_sessions& h) {
    out_.fixed(h.from.value);
    put_no_options(out_);
  }
  void operator()(const look_actors& h) {
    out_.fixed(h.from);
    put_no_options(out_);
  }
  void operator()(const look_actor_inside& h) {
    out_.fixed(h.id);
    put_no_options(out_);
  }
  void operator()(const look_stats&) { put_no_options(out_); }
  void operator()(const find& h) {
    out_.u8(static_cast<std::uint8_t>(h.by));
    out_.id(h.id);
    out_.sized(h.payment);
    out_.fixed(h.from);
    put_no_options(out_);
  }

 private:
  base::byte_writer& out_;
};

}  // namespace

std::uint16_t kind_of(const house_asked& h) {
  static constexpr std::uint16_t by_index[] = {kinds::ping,          kinds::session_named, kinds::create_session,
                                               kinds::list_sessions, kinds::actors,        kinds::actor_inside,
                                               kinds::stats,         kinds::find};
  static_assert(std::size(by_index) == std::variant_size_v<house_asked>);
  return by_index[h.index()];
}

protocol_error decode_house_request(const frame& f, const connection_context& by, std::pmr::memory_resource& arena,
                                    house_request& out) {
  if (family_of(f.head.kind) != family::house) return protocol_error::unknown_kind;
  out.id = f.head.request_id;
  out.kind = f.head.kind;
  out.retry = (f.head.flags & flag_retry) != 0;
  out.impossible = core::refusal::none;
  out.asked.emplace<ping>();
  if (by.listener != listener_kind::admin && !for_everybody(f.head.kind)) {
    out.impossible = core::refusal::not_allowed;  // and its content is not even looked at
    return protocol_error::none;
  }

  base::byte_reader in(f.body);
  switch (f.head.kind) {
    case kinds::session_named:
      out.asked =
          session_named{short_text(in, core::limits::name_bytes_max, core::refusal::bad_content, out.impossible)};
      break;
    case kinds::create_session: return read_create(in, by, arena, out);
    case kinds::list_sessions: out.asked = list_sessions{core::session_id{in.fixed<std::uint64_t>()}}; break;
    case kinds::actors: out.asked = look_actors{in.fixed<std::uint64_t>()}; break;
    case kinds::actor_inside: out.asked = look_actor_inside{in.fixed<std::uint64_t>()}; break;
    case kinds::stats: out.asked = look_stats{}; break;
    case kinds::find: {
      auto& asked = out.asked.emplace<find>();
      const auto by_what = in.u8();
      if (by_what > static_cast<std::uint8_t>(find_by::order)) out.impossible = core::refusal::bad_content;
      asked.by = static_cast<find_by>(by_what);
      asked.id = in.id();
      asked.payment = short_text(in, core::limits::ref_bytes_max, core::refusal::bad_reference, out.impossible);
      asked.from = in.fixed<std::uint64_t>();
      break;
    }
    default: break;  // ping has no content
  }
  return read_options(in);
}

void encode_house_request(std::uint64_t request_id, const house_asked& h, bool retry, base::bytes& out) {
  frame_writer frame(out, kind_of(h), direction::from_client, request_id, retry ? flag_retry : 0);
  base::byte_writer w(out);
  std::visit(house_writer(w), h);
  frame.finish();
}

}  // namespace holdfast::protocol
