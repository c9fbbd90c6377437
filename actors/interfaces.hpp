// Every conversation of the house on one page. Handles are typed: a message that nobody understands does not compile.
//
//   gateway loop --request_batch--> session --append_batch--> journal --answer_delivery--> gateway loop
//                                      \------- answer_delivery, if nothing is to wait for -------/
//
// A gateway loop is seen from here as a plain caf::actor (its actor_companion, the "sink"). It gets, and must understand:
//   answer_delivery_ptr    from sessions and from the journal: answers that may leave now
//   directory_ptr          from the registry: all sessions after subscribing, and then each one that comes
//   session_answer_ptr     from the registry: what came of its create_session_ptr or clear_fault_ptr
//   inspection_ptr         from the inspector
//
// Mailboxes are unbounded (CAF has no others): what may be under way is bounded by the gateway's credits.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <caf/actor.hpp>
#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/atom.hpp>
#include <caf/replies_to.hpp>
#include <caf/send.hpp>
#include <caf/typed_actor.hpp>

#include "actors/batches.hpp"
#include "actors/board.hpp"
#include "actors/meter.hpp"
#include "actors/pool.hpp"
#include "actors/time_source.hpp"
#include "core/answer.hpp"
#include "core/command.hpp"
#include "core/view.hpp"

namespace holdfast::actors {

struct directory;
struct create_session_request;
struct clear_fault_request;
struct session_answer;
struct appointments;
struct inspect_request;
struct inspection;
using directory_ptr = std::shared_ptr<const directory>;
using create_session_ptr = std::shared_ptr<const create_session_request>;
using clear_fault_ptr = std::shared_ptr<const clear_fault_request>;
using session_answer_ptr = std::shared_ptr<const session_answer>;
using appointments_ptr = std::shared_ptr<const appointments>;
using inspection_ptr = std::shared_ptr<const inspection>;

using wake_atom = caf::atom_constant<caf::atom("wake")>;
using flush_atom = caf::atom_constant<caf::atom("flush")>;
using stop_atom = caf::atom_constant<caf::atom("stop")>;
using done_atom = caf::atom_constant<caf::atom("done")>;
using join_atom = caf::atom_constant<caf::atom("join")>;
using leave_atom = caf::atom_constant<caf::atom("leave")>;
using inspect_atom = caf::atom_constant<caf::atom("inspect")>;

/// One for each session; the only one who decides about its seats.
using session_actor = caf::typed_actor<
    caf::reacts_to<request_batch_ptr>,          // from a gateway loop (or the registry): decide these
    caf::reacts_to<wake_atom, std::uint64_t>,   // from itself, delayed: time to look for due holds; carries its generation
    caf::reacts_to<appointments_ptr>,           // from the registry: openings and closings to come
    caf::replies_to<stop_atom>::with<done_atom>  // from the registry: no more requests will come; quits
    >;

/// One for the whole house, on a thread of its own in the server.
using journal_actor = caf::typed_actor<
    caf::reacts_to<append_batch_ptr>,            // from a session: write the records, then let the answers go
    caf::reacts_to<flush_atom>,                  // from itself, behind all that arrived during the last sync: write a block
    caf::reacts_to<wake_atom, std::uint64_t>,    // from itself, delayed: the witness is due; carries its generation
    caf::replies_to<stop_atom>::with<done_atom>  // from the registry, after all sessions are gone: write what is left; quits
    >;

/// Knows all sessions: opens, creates and lists them, and stops the house in order.
using registry_actor = caf::typed_actor<
    caf::reacts_to<create_session_ptr>,           // from a gateway loop, for an operator
    caf::reacts_to<clear_fault_ptr>,              // from a gateway loop, for an operator
    caf::reacts_to<answer_delivery_ptr>,          // from the journal or a session: answers to the registry's own commands
    caf::reacts_to<join_atom, caf::actor>,        // from a gateway loop's sink: directories, please
    caf::reacts_to<leave_atom, caf::actor>,       // from the same: no more
    caf::replies_to<stop_atom>::with<done_atom>   // from the house: stop sessions, then the journal, then quit
    >;

/// Answers "what is everybody doing" from meters, never through anybody's mailbox.
using inspector_actor = caf::typed_actor<
    caf::reacts_to<inspect_atom, std::uint64_t, caf::actor>,  // from a gateway loop: ticket, sink
    caf::replies_to<inspect_atom>::with<inspection_ptr>,      // from whoever can request
    caf::replies_to<stop_atom>::with<done_atom>               // from the house
    >;

/// A session as the gateway sees it. Immutable but for what the pointers lead to.
struct session_entry {
  core::session_id id;
  std::string name;
  core::session_class kind = core::session_class::real;
  session_actor actor;
  std::shared_ptr<const core::sale_view> view;
  std::shared_ptr<meter> mailbox;
  /// Wall clock, microseconds UTC, of the opening that the schedule has given or will give next and that the view does not
  /// show yet; none_due if there is none. Past it the funnel passes new holds on whatever the view says of the sale's state.
  std::shared_ptr<const std::atomic<std::uint64_t>> opens_at;
  static constexpr std::uint64_t none_due = ~std::uint64_t{0};
};
using session_entry_ptr = std::shared_ptr<const session_entry>;

/// Sessions that the receiver has not heard of: all of them in the first one that it gets, then each one that comes. Sessions
/// never go while the server runs, so the receiver adds up.
struct directory {
  void add(const session_entry_ptr& entry) {
    by_id.emplace_hint(by_id.end(), entry->id, entry);
    by_name.emplace(entry->name, entry->id);
  }
  void add(const directory& news) {
    for (const auto& [id, entry] : news.by_id) add(entry);
  }
  std::map<core::session_id, session_entry_ptr> by_id;
  std::map<std::string, core::session_id, std::less<>> by_name;
};

/// Hands a batch over. The one way to send to a session, so that the meter is right.
inline void send_to(const session_entry& to, request_batch_ptr batch) {
  batch->session = to.id;
  batch->handed_over = steady_ns();
  to.mailbox->posted(batch->handed_over);
  caf::anon_send(to.actor, std::move(batch));
}

/// Identified by its name: the same content again gives the same id, other content `name_taken`.
struct create_session_request {
  std::uint64_t ticket = 0;
  caf::actor sink;
  core::envelope head;  ///< without note
  std::shared_ptr<const core::session_terms> terms;
};

/// Puts a faulted session back to work, with the shift for the time since the fault.
struct clear_fault_request {
  std::uint64_t ticket = 0;
  caf::actor sink;
  core::envelope head;  ///< without note; the command id makes it repeatable
  core::session_id session;
};

struct session_answer {
  std::uint64_t ticket = 0;
  core::answer said;
  core::session_id session;  ///< none if refused
  core::log_time at;
};

/// An opening or closing at a wall-clock instant, given once.
struct appointment {
  std::uint64_t at = 0;  ///< microseconds UTC since 1970
  bool opens = true;     ///< else closes
  core::channel_set channels = core::all_channels;
};
struct appointments {
  std::vector<appointment> items;
};

struct inspection {
  std::uint64_t ticket = 0;
  std::vector<inspection_row> rows;
};

}  // namespace holdfast::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(holdfast::actors::request_batch_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(holdfast::actors::append_batch_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(holdfast::actors::answer_delivery_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(holdfast::actors::directory_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(holdfast::actors::create_session_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(holdfast::actors::clear_fault_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(holdfast::actors::session_answer_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(holdfast::actors::appointments_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(holdfast::actors::inspection_ptr)
