#include "actors/inspector_actor.hpp"

#include <utility>

#include <caf/typed_event_based_actor.hpp>

namespace holdfast::actors {

inspector_actor::behavior_type inspector_behavior(inspector_actor::pointer self, std::shared_ptr<board> what) {
  return {
      [what](inspect_atom, std::uint64_t ticket, const caf::actor& sink) {
        auto seen = std::make_shared<inspection>();
        seen->ticket = ticket;
        seen->rows = what->look();
        caf::anon_send(sink, inspection_ptr(std::move(seen)));
      },
      [what](inspect_atom) -> inspection_ptr {
        auto seen = std::make_shared<inspection>();
        seen->rows = what->look();
        return seen;
      },
      [self](stop_atom) {
        self->quit();
        return done_atom::value;
      },
  };
}

}  // namespace holdfast::actors
