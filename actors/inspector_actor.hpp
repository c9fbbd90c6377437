// The actor that answers what everybody is doing, on its own time: it reads meters and enters no mailbox.
#pragma once

#include <memory>

#include "actors/board.hpp"
#include "actors/interfaces.hpp"

namespace holdfast::actors {

[[nodiscard]] inspector_actor::behavior_type inspector_behavior(inspector_actor::pointer self, std::shared_ptr<board> what);

}  // namespace holdfast::actors
