#include "actors/house.hpp"

#include <utility>

#include <caf/scoped_actor.hpp>
#include <caf/spawn_options.hpp>

#include "actors/inspector_actor.hpp"
#include "actors/journal_actor.hpp"

namespace holdfast::actors {

void configure(caf::actor_system_config& config, const scheduling& how) {
  config.set("scheduler.max-threads", how.threads);
  config.set("scheduler.policy", caf::atom_from_string(how.policy));
}

house::house(caf::actor_system& system, persistence::journal& journal, std::vector<recovered_session> recovered,
             const time_source& time, record_encoder& records, fail_stop& failure, house_options options)
    : system_(system), around_(std::make_shared<surroundings>(time, records, failure)) {
  board_->add("journal", "", around_->journal_mailbox);
  if (options.journal_detached) {
    around_->journal = system.spawn<journal_shell, caf::detached>(std::ref(journal), options.block_bytes_max, around_);
  } else {
    around_->journal = system.spawn<journal_shell>(std::ref(journal), options.block_bytes_max, around_);
  }
  registry_ = system.spawn<registry_shell>(std::move(recovered), std::move(options.registry), board_, around_);
  inspector_ = system.spawn(inspector_behavior, board_);
}

void house::stop() {
  caf::scoped_actor self{system_};
  const auto ignore = [](const caf::error&) {};
  self->request(registry_, caf::infinite, stop_atom::value).receive([](done_atom) {}, ignore);
  self->request(inspector_, caf::infinite, stop_atom::value).receive([](done_atom) {}, ignore);
}

}  // namespace holdfast::actors
