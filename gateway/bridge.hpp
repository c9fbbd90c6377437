// The door to CAF: the only place of the gateway that speaks it. A loop is seen by the actors as one actor_companion.
#pragma once

#include <memory>

#include <caf/actor.hpp>
#include <caf/actor_system.hpp>

#include "actors/interfaces.hpp"
#include "gateway/door.hpp"

namespace holdfast::gateway {

class bridge final : public door {
 public:
  /// Subscribes at once to the registry's directories. `to` must live until `detach` has returned.
  bridge(caf::actor_system& house, actors::registry_actor registry, actors::inspector_actor inspector, inbox& to);
  ~bridge() override;
  bridge(const bridge&) = delete;
  bridge& operator=(const bridge&) = delete;

  void send(const actors::session_entry& to, actors::request_batch_ptr batch) override;
  void create(std::shared_ptr<actors::create_session_request> asked) override;
  void clear_fault(std::shared_ptr<actors::clear_fault_request> asked) override;
  void inspect(std::uint64_t ticket) override;
  void detach() override;

 private:
  caf::actor sink_;
  actors::registry_actor registry_;
  actors::inspector_actor inspector_;
};

}  // namespace holdfast::gateway
