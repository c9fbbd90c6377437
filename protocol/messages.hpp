// What travels in frames, as types. docs/PROTOCOL.md gives the bytes; codec.hpp reads and writes them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "core/answer.hpp"
#include "core/command.hpp"
#include "core/look.hpp"
#include "protocol/error.hpp"
#include "protocol/kinds.hpp"

namespace holdfast::protocol {

inline constexpr std::uint32_t hello_magic = 0x54464c48;  ///< "HLFT"
inline constexpr std::uint16_t version_min = 1;           ///< that this code speaks
inline constexpr std::uint16_t version_max = 1;

// ---- handshake ------------------------------------------------------------------------------------------------

/// The first frame of a client.
struct hello {
  std::uint16_t version_min = protocol::version_min;
  std::uint16_t version_max = protocol::version_max;
  listener_kind listener = listener_kind::shop;  ///< where the client believes to be
  std::string credential;                        ///< empty until tokens come
  core::owner_id owner;                          ///< buyers: for whom all commands are
  std::vector<core::limit_key> keys;             ///< buyers: 0-4, of all their holds
  std::string client;                            ///< who it is, for the operator's list; at most 64 bytes
};

struct welcome {
  std::uint16_t version = protocol::version_max;
  core::role who = core::role::buyer;
  std::uint32_t principal = 0;
  core::log_time now;                        ///< the server's log time: client deadlines are counted from it
  std::uint32_t request_bytes_max = 0;       ///< a whole frame to the server
  std::uint32_t answer_bytes_max = 0;        ///< a whole frame from the server
  std::uint32_t inflight_max = 0;            ///< requests without an answer; beyond: `busy` for all but money
  std::uint32_t money_inflight_max = 0;      ///< more, for money alone
  core::interval_ms idle_max = 0;            ///< without a frame; 0: no limit. `ping` keeps a connection open
  std::string server;                        ///< name and version
};

/// The bytes were wrong; the connection ends.
struct problem {
  protocol_error code = protocol_error::none;
  std::string text;
};

struct goodbye {
  goodbye_code code = goodbye_code::asked;
  std::string text;
};

// ---- requests -------------------------------------------------------------------------------------------------

/// What a connection is, once its hello was accepted: everything a request does not say itself.
struct connection_context {
  listener_kind listener = listener_kind::shop;
  core::origin from;
  core::channel_no channel = 0;           ///< of a buyers' listener; shops and operators name it in each command
  core::owner_id owner;                   ///< buyers
  std::vector<core::limit_key> keys;      ///< buyers
};

/// A command or a look for one session.
struct request {
  std::uint64_t id = 0;
  std::uint16_t kind = 0;
  bool retry = false;
  /// Not none: the bytes were right but hold what no session could judge (unknown enum value, more lines than any session allows,
  /// a reference too long). Answer it with this refusal at once; `asked` is incomplete then.
  core::refusal impossible = core::refusal::none;
  core::session_id session;
  core::envelope head;
  std::variant<core::command, core::look> asked;
};

/// Answered with the server's log time alone. Allowed everywhere.
struct ping {};
/// From a session's name to its number. Allowed everywhere.
struct session_named { std::string name; };
/// The admin listener only, as are all below. `terms->seating` is null: the plan travels as the bytes of core::encode_plan.
struct create_session {
  core::envelope head;
  std::shared_ptr<const core::session_terms> terms;
  base::byte_view plan;  ///< decoded: in the arena
};
struct list_sessions { core::session_id from; };  ///< paged by session id
struct look_actors { std::uint64_t from = 0; };               ///< paged by actor id
struct look_actor_inside { std::uint64_t id = 0; };
struct look_stats {};
enum class find_by : std::uint8_t { owner = 0, payment = 1, basket = 2, order = 3 };
struct find {
  find_by by = find_by::owner;
  core::id128 id;            ///< owner, basket, order
  std::string payment;       ///< 1-64 bytes
  std::uint64_t from = 0;    ///< 0 first, then what the last page said
};

using house_asked = std::variant<ping, session_named, create_session, list_sessions, look_actors, look_actor_inside, look_stats, find>;
[[nodiscard]] std::uint16_t kind_of(const house_asked& h);

/// For the server as a whole.
struct house_request {
  std::uint64_t id = 0;
  std::uint16_t kind = 0;
  bool retry = false;
  core::refusal impossible = core::refusal::none;  ///< as in `request`; also not_allowed for admin messages on other listeners
  house_asked asked;
};

// ---- answers of the house ---------------------------------------------------------------------------------------

struct session_brief {
  core::session_id id;
  std::string name;
  core::session_class kind = core::session_class::real;
  core::sale_state sale = core::sale_state::announced;
  bool frozen = false, faulted = false;
  core::channel_set open_channels = 0;
  std::string currency, organiser_ref, zone;
  std::int64_t starts_at = 0;
  std::uint32_t plan_revision = 1;
  std::uint32_t seats = 0, areas = 0;
  std::uint64_t places = 0;
  friend bool operator==(const session_brief&, const session_brief&) = default;
};
struct sessions_listed {
  std::vector<session_brief> items;
  core::session_id next_from;  ///< 0: no more
  friend bool operator==(const sessions_listed&, const sessions_listed&) = default;
};

/// An actor of the server or a loop of the gateway, as the operator sees it.
struct actor_row {
  std::uint64_t id = 0;
  std::string kind;                   ///< "session", "journal", "registry", "loop" ...
  std::string name;
  std::uint64_t waiting = 0;          ///< messages
  std::uint64_t handled = 0;          ///< messages, since the start
  std::uint64_t handled_per_s = 0;    ///< over the last seconds
  std::uint32_t busy_ppm = 0;         ///< share of the last seconds spent at work, in millionths
  std::uint64_t oldest_waiting_us = 0;
  friend bool operator==(const actor_row&, const actor_row&) = default;
};
struct actors_seen {
  std::vector<actor_row> rows;
  std::uint64_t next_from = 0;        ///< 0: no more
  friend bool operator==(const actors_seen&, const actors_seen&) = default;
};

/// The inside of one actor: facts and tables, ready to print.
struct text_table {
  std::string title;
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;  ///< each as long as columns
  friend bool operator==(const text_table&, const text_table&) = default;
};
struct actor_inside_seen {
  actor_row row;
  std::vector<std::pair<std::string, std::string>> facts;
  std::vector<text_table> tables;
  friend bool operator==(const actor_inside_seen&, const actor_inside_seen&) = default;
};

struct stat_row {
  std::string name;          ///< dotted, e.g. "funnel.sold_out"
  bool gauge = false;        ///< a present value; else a counter since the start
  std::int64_t value = 0;
  friend bool operator==(const stat_row&, const stat_row&) = default;
};
struct latency_row {
  std::string name;
  std::uint64_t count = 0;
  std::uint64_t p50_us = 0, p90_us = 0, p99_us = 0, p999_us = 0, max_us = 0;
  friend bool operator==(const latency_row&, const latency_row&) = default;
};
struct stats_seen {
  std::vector<stat_row> values;
  std::vector<latency_row> latencies;
  friend bool operator==(const stats_seen&, const stats_seen&) = default;
};

/// One thing the index knows: a hold, order or refund due of some session.
struct found_row {
  core::session_id session;
  std::string session_name;
  core::sequence number;               ///< of the newest record about it
  core::log_time at;
  core::command_tag command = core::command_tag::hold_seats;  ///< of that record
  core::owner_id owner;
  core::hold_id hold;                  ///< or order
  core::basket_id basket;
  core::hold_state state = core::hold_state::none;
  std::int64_t amount = 0;             ///< paid or due, minor units
  std::string payment;                 ///< reference, if one is known
  core::refund_no refund;
  core::refund_reason reason = core::refund_reason::none;
  bool settled = false;
  std::vector<core::line> lines;
  friend bool operator==(const found_row&, const found_row&) = default;
};
struct found {
  std::vector<found_row> rows;         ///< one that was on an earlier page may come again
  std::uint64_t next_from = 0;         ///< what to ask for next; 0: no more
  friend bool operator==(const found&, const found&) = default;
};

/// std::monostate: pong. session_brief answers session_named and create_session.
using house_seen = std::variant<std::monostate, session_brief, sessions_listed, actors_seen, actor_inside_seen, stats_seen, found>;

// ---- answers as a client reads them -------------------------------------------------------------------------------

/// A page of a plan: consecutive seats and the rows they stand in; page 0 has the lists of the whole plan as well.
struct plan_page {
  struct row {
    std::uint32_t number = 0;  ///< in the plan; the `row` of its seats
    core::plan_row what;
  };
  std::uint32_t page = 0, pages = 0;
  std::uint32_t first_seat = 0;
  std::vector<row> rows;                        ///< those that have a seat on this page
  std::vector<core::plan_seat> seats;
  std::string name;                             ///< from here on page 0 only
  std::uint32_t seats_total = 0, rows_total = 0;
  std::vector<core::plan_category> categories;
  std::vector<std::string> allocations, zones;
  std::vector<core::plan_area> areas;
};

/// What an accepted look or house request shows; monostate for commands and pong.
using shown = std::variant<std::monostate, core::session_seen, core::hold_seen, core::seat_seen, core::owner_seen, core::fate_seen,
                           plan_page, core::seats_seen, core::changes_seen, core::holds_seen, session_brief, sessions_listed, actors_seen,
                           actor_inside_seen, stats_seen, found>;

struct answer_message {
  std::uint64_t id = 0;
  std::uint16_t kind = 0;     ///< of the request
  core::log_time now;         ///< the server's log time when it was sent
  core::answer said;          ///< waits_for does not travel
  protocol::shown shown;
};

}  // namespace holdfast::protocol
