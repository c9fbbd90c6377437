#include "gateway/bridge.hpp"

#include <utility>

#include <caf/actor_cast.hpp>
#include <caf/actor_companion.hpp>
#include <caf/send.hpp>
#include <caf/spawn_options.hpp>

namespace holdfast::gateway {

namespace {

template <class T>
bool pass_on(caf::mailbox_element& m, inbox& to) {
  auto& content = m.content();
  if (!content.match_elements<T>()) return false;
  to.put(content.get_as<T>(0));
  return true;
}

caf::actor_companion& companion_of(const caf::actor& a) {
  return *static_cast<caf::actor_companion*>(caf::actor_cast<caf::abstract_actor*>(a));
}

}  // namespace

bridge::bridge(caf::actor_system& house, actors::registry_actor registry, actors::inspector_actor inspector, inbox& to)
    // Hidden: the actor system would wait for it to end, which a companion can only do by `disconnect`, and that is declared
    // but missing from the library that Debian ships.
    : sink_(house.spawn<caf::actor_companion, caf::hidden>()), registry_(std::move(registry)), inspector_(std::move(inspector)) {
  // Runs in the sender's thread, under the companion's lock: it may only move the message into the queue.
  companion_of(sink_).on_enqueue([&to](caf::mailbox_element_ptr m) {
    // Anything else (an exit or down message) is nothing that a loop acts on.
    [[maybe_unused]] const bool known = pass_on<actors::answer_delivery_ptr>(*m, to) || pass_on<actors::directory_ptr>(*m, to) ||
                                        pass_on<actors::session_answer_ptr>(*m, to) || pass_on<actors::inspection_ptr>(*m, to);
  });
  caf::anon_send(registry_, actors::join_atom::value, sink_);
}

bridge::~bridge() { detach(); }

void bridge::send(const actors::session_entry& to, actors::request_batch_ptr batch) {
  batch->sink = sink_;
  actors::send_to(to, std::move(batch));
}

void bridge::create(std::shared_ptr<actors::create_session_request> asked) {
  asked->sink = sink_;
  caf::anon_send(registry_, actors::create_session_ptr(std::move(asked)));
}

void bridge::clear_fault(std::shared_ptr<actors::clear_fault_request> asked) {
  asked->sink = sink_;
  caf::anon_send(registry_, actors::clear_fault_ptr(std::move(asked)));
}

void bridge::inspect(std::uint64_t ticket) { caf::anon_send(inspector_, actors::inspect_atom::value, ticket, sink_); }

void bridge::detach() {
  if (!sink_) return;
  caf::anon_send(registry_, actors::leave_atom::value, sink_);
  // Takes the companion's lock: no handler runs any more when this returns. Never called from the handler itself.
  companion_of(sink_).on_enqueue(nullptr);
  sink_ = nullptr;
}

}  // namespace holdfast::gateway
