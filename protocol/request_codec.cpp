#include "base/planted.hpp"
#include "core/command_codec.hpp"
#include "protocol/codec.hpp"
#include "protocol/envelope.hpp"

// A command    session:u64 client_deadline:u64 command_id:16 channel:u8 (not on buyers' connections) content options
//              content: core/command_form.hpp; the option `note` (tag 1) belongs to the envelope
// A look       session:u64 fields options
//
//   look_session  -                          look_seat     seat:u32                 look_changes  since:u64
//   look_hold     OWNER hold:16              look_owner    OWNER                    look_holds    from:u32
//   look_fate     OWNER id:16 deadline:u64   look_plan     revision:u32 page:u32    look_seats    page:u32
//
//   OWNER: 16 bytes, left out on buyers' connections

namespace holdfast::protocol {

namespace {

core::command_form form_on(listener_kind k) {
  return k == listener_kind::buyer ? core::command_form::by_connection : core::command_form::whole;
}

/// What a buyer's command does not say: for whom it is.
void speak_for(const connection_context& by, std::pmr::memory_resource& arena, core::command& c) {
  std::visit(
      [&](auto& asked) {
        if constexpr (requires { asked.owner; }) asked.owner = by.owner;
        if constexpr (std::is_same_v<decltype(asked), core::hold_seats&>) {
          if (by.keys.empty() || planted(bug::buyer_without_limits)) return;
          auto* p = static_cast<core::limit_key*>(
              arena.allocate(by.keys.size() * sizeof(core::limit_key), alignof(core::limit_key)));
          std::uninitialized_copy(by.keys.begin(), by.keys.end(), p);
          asked.keys = {p, by.keys.size()};
        }
      },
      c);
}

class look_reader {
 public:
  look_reader(const connection_context& by, base::byte_reader& in) : by_(by), in_(in) {}

  core::look read(std::size_t index) {
    switch (index) {
      case 0: return core::look_session{};
      case 1: {
        core::look_hold l{.owner = owner(), .hold = {}};
        l.hold = core::hold_id{in_.id()};
        return l;
      }
      case 2: return core::look_seat{core::seat_no{in_.fixed<std::uint32_t>()}};
      case 3: return core::look_owner{owner()};
      case 4: {
        core::look_fate l;
        l.owner = owner();
        l.id = core::command_id{in_.id()};
        l.client_deadline.value = in_.fixed<std::uint64_t>();
        return l;
      }
      case 5: {
        core::look_plan l;
        l.revision = in_.fixed<std::uint32_t>();
        l.page = in_.fixed<std::uint32_t>();
        return l;
      }
      case 6: return core::look_seats{in_.fixed<std::uint32_t>()};
      case 7: return core::look_changes{core::sequence{in_.fixed<std::uint64_t>()}};
      default: return core::look_holds{in_.fixed<std::uint32_t>()};
    }
  }

 private:
  core::owner_id owner() { return by_.listener == listener_kind::buyer ? by_.owner : core::owner_id{in_.id()}; }
  const connection_context& by_;
  base::byte_reader& in_;
};

class look_writer {
 public:
  look_writer(listener_kind on, base::byte_writer& out) : on_(on), out_(out) {}

  void operator()(const core::look_session&) {}
  void operator()(const core::look_hold& l) {
    owner(l.owner);
    out_.id(l.hold.value);
  }
  void operator()(const core::look_seat& l) { out_.fixed(l.seat.value); }
  void operator()(const core::look_owner& l) { owner(l.owner); }
  void operator()(const core::look_fate& l) {
    owner(l.owner);
    out_.id(l.id.value);
    out_.fixed(l.client_deadline.value);
  }
  void operator()(const core::look_plan& l) {
    out_.fixed(l.revision);
    out_.fixed(l.page);
  }
  void operator()(const core::look_seats& l) { out_.fixed(l.page); }
  void operator()(const core::look_changes& l) { out_.fixed(l.since.value); }
  void operator()(const core::look_holds& l) { out_.fixed(l.from); }

 private:
  void owner(core::owner_id o) {
    if (on_ != listener_kind::buyer) out_.id(o.value);
  }
  listener_kind on_;
  base::byte_writer& out_;
};

}  // namespace

protocol_error decode_request(const frame& f, const connection_context& by, std::pmr::memory_resource& arena,
                              request& out) {
  if (family_of(f.head.kind) != family::session) return protocol_error::unknown_kind;
  out.id = f.head.request_id;
  out.kind = f.head.kind;
  out.retry = (f.head.flags & flag_retry) != 0;
  out.impossible = core::refusal::none;
  out.head = {.from = by.from, .channel = by.channel, .id = {}, .client_deadline = {}, .note = {}};

  base::byte_reader in(f.body);
  out.session.value = in.fixed<std::uint64_t>();
  if (f.head.kind >= kinds::look_base) {
    out.asked.emplace<core::look>(look_reader(by, in).read(f.head.kind - kinds::look_base));
    return read_options(in);
  }

  out.head.client_deadline.value = in.fixed<std::uint64_t>();
  out.head.id = core::command_id{in.id()};
  if (by.listener != listener_kind::buyer) out.head.channel = in.u8();
  const auto tag = static_cast<core::command_tag>(f.head.kind - kinds::command_base);
  auto* c = std::get_if<core::command>(&out.asked);
  if (c == nullptr) c = &out.asked.emplace<core::command>();
  if (!core::decode_command(tag, form_on(by.listener), in, arena, *c, &out.impossible)) return protocol_error::malformed;
  if (by.listener == listener_kind::buyer) speak_for(by, arena, *c);
  return read_command_options(in, arena, out.head, out.impossible);
}

void encode_request(std::uint64_t request_id, listener_kind on, core::session_id session, const core::envelope& head,
                    const core::command& c, bool retry, base::bytes& out) {
  frame_writer frame(out, kind_of(c), direction::from_client, request_id, retry ? flag_retry : 0);
  base::byte_writer w(out);
  w.fixed(session.value);
  w.fixed(head.client_deadline.value);
  w.id(head.id.value);
  if (on != listener_kind::buyer) w.u8(head.channel);
  core::encode_command(c, form_on(on), w);
  put_command_options(head, w);
  frame.finish();
}

void encode_request(std::uint64_t request_id, listener_kind on, core::session_id session, const core::look& l,
                    bool retry, base::bytes& out) {
  frame_writer frame(out, kind_of(l), direction::from_client, request_id, retry ? flag_retry : 0);
  base::byte_writer w(out);
  w.fixed(session.value);
  std::visit(look_writer(on, w), l);
  put_no_options(w);
  frame.finish();
}

}  // namespace holdfast::protocol
