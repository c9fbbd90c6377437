// A client for hand use: ask, wait, have the answer. Not for several threads at once.
//
// A request whose connection is lost on the way is sent again over a new one, with the same ids and marked as a retry, so that
// the server says its first answer again if it had taken the request. What comes back is an answer - a refusal is one, too - or
// an error: unavailable (given up after options::attempts; the outcome is unknown), bad_bytes, bad_input.
//
//   auto c = client::blocking::connect({.to = *client::parse_address("127.0.0.1:7411")});
//   auto s = c->session_named("gala");
//   auto h = c->hold_seats(s->seen->id, c->envelope(id), {.owner = owner, .keys = keys, .lines = lines, .interval = 600'000});
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "client/link.hpp"
#include "client/options.hpp"

namespace holdfast::client {

/// The answer to a command.
struct answered {
  core::answer said;
  core::log_time now;  ///< the server's log time when it answered
};

/// The answer to a look; `seen` unless it was refused.
template <class Seen>
struct looked {
  core::answer said;
  core::log_time now;
  std::optional<Seen> seen;
};

class blocking {
 public:
  /// Where nobody listens the error comes at once: whether there is a server at all is what the caller wants to know first. One that
  /// was reached and lost before its welcome is tried again like any connection lost later, until options::connect_patience is over.
  [[nodiscard]] static base::result<blocking> connect(options o);

  [[nodiscard]] const protocol::welcome& greeting() const { return greeting_; }
  /// The server's log time, from the newest handshake's offset.
  [[nodiscard]] core::log_time now() const;
  /// For commands with an id of their own; the deadline until which the command may be taken is `patience` from now.
  [[nodiscard]] core::envelope envelope(core::command_id id, core::channel_no channel = 0, milliseconds patience = milliseconds(60'000)) const;

  // ---- commands; docs/RULES.md says what each does and how it may be refused ----
  // confirm_hold: the envelope carries neither id nor deadline, see money_envelope.

  using answer = base::result<answered>;
  using session = core::session_id;
  using head = core::envelope;

  answer hold_seats(session s, const head& h, const core::hold_seats& c) { return tell(s, h, c); }
  answer change_hold(session s, const head& h, const core::change_hold& c) { return tell(s, h, c); }
  answer extend_hold(session s, const head& h, const core::extend_hold& c) { return tell(s, h, c); }
  answer release_hold(session s, const head& h, const core::release_hold& c) { return tell(s, h, c); }
  answer begin_payment(session s, const head& h, const core::begin_payment& c) { return tell(s, h, c); }
  answer payment_failed(session s, const head& h, const core::payment_failed& c) { return tell(s, h, c); }
  answer confirm_hold(session s, const head& h, const core::confirm_hold& c) { return tell(s, h, c); }
  answer cancel_order(session s, const head& h, const core::cancel_order& c) { return tell(s, h, c); }
  answer settle_refund(session s, const head& h, const core::settle_refund& c) { return tell(s, h, c); }
  answer open_sale(session s, const head& h, const core::open_sale& c = {}) { return tell(s, h, c); }
  answer pause_sale(session s, const head& h) { return tell(s, h, core::pause_sale{}); }
  answer resume_sale(session s, const head& h) { return tell(s, h, core::resume_sale{}); }
  answer close_sale(session s, const head& h, const core::close_sale& c = {}) { return tell(s, h, c); }
  answer freeze_sale(session s, const head& h) { return tell(s, h, core::freeze_sale{}); }
  answer block_places(session s, const head& h, const core::block_places& c) { return tell(s, h, c); }
  answer unblock_places(session s, const head& h, const core::unblock_places& c) { return tell(s, h, c); }
  answer allocate_places(session s, const head& h, const core::allocate_places& c) { return tell(s, h, c); }
  answer shift_deadlines(session s, const head& h, const core::shift_deadlines& c) { return tell(s, h, c); }
  answer clear_fault(session s, const head& h) { return tell(s, h, core::clear_fault{}); }
  /// Any of them.
  answer tell(session s, const head& h, const core::command& c);

  /// What confirm_hold wants: neither id nor deadline.
  [[nodiscard]] static head money_envelope() { return {}; }

  // ---- looks ----

  base::result<looked<core::session_seen>> session_state(session s) { return look<core::session_seen>(s, core::look_session{}); }
  base::result<looked<core::hold_seen>> hold(session s, const core::look_hold& l) { return look<core::hold_seen>(s, l); }
  base::result<looked<core::seat_seen>> seat(session s, const core::look_seat& l) { return look<core::seat_seen>(s, l); }
  base::result<looked<core::owner_seen>> owner(session s, const core::look_owner& l) { return look<core::owner_seen>(s, l); }
  base::result<looked<core::fate_seen>> fate(session s, const core::look_fate& l) { return look<core::fate_seen>(s, l); }
  base::result<looked<protocol::plan_page>> plan(session s, const core::look_plan& l) { return look<protocol::plan_page>(s, l); }
  base::result<looked<core::seats_seen>> seats(session s, const core::look_seats& l) { return look<core::seats_seen>(s, l); }
  base::result<looked<core::changes_seen>> changes(session s, const core::look_changes& l) { return look<core::changes_seen>(s, l); }
  base::result<looked<core::holds_seen>> holds(session s, const core::look_holds& l) { return look<core::holds_seen>(s, l); }

  // ---- the house; all but the first two on the admin socket only ----

  base::result<looked<protocol::session_brief>> session_named(std::string_view name);
  base::result<answered> ping();
  base::result<looked<protocol::session_brief>> create_session(const protocol::create_session& c);
  base::result<looked<protocol::sessions_listed>> list_sessions(const protocol::list_sessions& l = {});
  base::result<looked<protocol::actors_seen>> actors(const protocol::look_actors& l = {});
  base::result<looked<protocol::actor_inside_seen>> actor_inside(std::uint64_t id);
  base::result<looked<protocol::stats_seen>> stats();
  base::result<looked<protocol::found>> find(const protocol::find& f);

 private:
  blocking(options o, std::vector<endpoint> to, link first);
  template <class Seen>
  base::result<looked<Seen>> look(session s, const core::look& l);
  template <class Seen>
  base::result<looked<Seen>> house(const protocol::house_asked& h);
  /// Encodes with `encode(request_id, retry, bytes)`, once for each connection it is tried on.
  template <class Encode>
  base::result<protocol::answer_message> exchange(bool money, Encode encode);

  options options_;
  std::vector<endpoint> to_;
  std::optional<link> link_, money_;
  protocol::welcome greeting_;
  base::random chance_;
  base::bytes out_;
  std::uint64_t next_id_ = 2;
};

}  // namespace holdfast::client
