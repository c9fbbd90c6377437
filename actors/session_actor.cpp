#include "actors/session_actor.hpp"

#include <algorithm>
#include <chrono>
#include <span>
#include <utility>

#include "base/planted.hpp"

namespace holdfast::actors {

namespace {

/// The timer wakes at least this often while there is something to wait for: CAF's clock stands while the machine sleeps, log time
/// does not. Microseconds.
constexpr std::uint64_t wake_every_max = 60 * core::us_per_s;
/// While an appointment is to come: the wall clock may be set.
constexpr std::uint64_t look_at_wall_every = core::us_per_s;

constexpr std::uint64_t schedule_mark = 0x656c756465686373;  // "schedule"

}  // namespace

core::command_id id_of(const appointment& a) {
  return core::command_id{{a.at, schedule_mark ^ (std::uint64_t{a.channels} << 1U) ^ (a.opens ? 1U : 0U)}};
}

session_shell::session_shell(caf::actor_config& config, std::unique_ptr<session_seed> seed, surroundings_ptr around)
    : session_actor::base(config), around_(std::move(around)), seed_(std::move(seed)), out_(around_, seed_->id, seed_->view) {}

session_shell::behavior_type session_shell::make_behavior() {
  arm();
  return {
      [this](const request_batch_ptr& batch) {
        const auto began = steady_ns();
        decide(batch->requests, batch->sink);
        seed_->mailbox->handled(batch->handed_over, batch->requests.size(), began, steady_ns());
      },
      [this](wake_atom, std::uint64_t generation) {
        if (generation != generation_) return;
        if (!planted(bug::timer_fires_once)) armed_for_.reset();
        const auto began = steady_ns();
        decide({}, {});
        seed_->mailbox->handled_own(began, steady_ns());
      },
      [this](const appointments_ptr& more) {
        appointments_.insert(appointments_.end(), more->items.begin(), more->items.end());
        std::ranges::stable_sort(appointments_, {}, &appointment::at);
        decide({}, {});
      },
      [this](stop_atom) {
        quit();
        return done_atom::value;
      },
  };
}

void session_shell::decide(std::span<const core::request> requests, const caf::actor& sink) {
  auto& engine = seed_->engine;
  // The journal publishes its progress in the view, so no message has to bring it here, and what is read is never older than
  // what a message would have brought.
  const auto durable = seed_->view->durable();
  engine.durable(durable);
  const auto now = planted(bug::session_asks_the_wall_clock) ? core::log_time{around_->time.wall_clock()} : around_->time.now();
  out_.begin(durable, now);
  keep_appointments(now);
  engine.step(requests, now, out_);
  out_.send(sink);
  arm();
}

// Before the batch, so that a buyer whom the funnel let through because the hour has struck finds the sale open.
void session_shell::keep_appointments(core::log_time now) {
  const auto next_opening = [this] {
    const auto it = std::ranges::find_if(appointments_, &appointment::opens);
    return it == appointments_.end() ? session_entry::none_due : it->at;
  };
  if (opening_given_ && *opening_given_ <= seed_->view->durable()) opening_given_.reset();
  if (!appointments_.empty()) {
    const auto wall = around_->time.wall_clock();
    const auto first_to_come = std::ranges::find_if(appointments_, [wall](const appointment& a) { return a.at > wall; });
    for (auto it = appointments_.begin(); it != first_to_come; ++it) {
      core::request r;
      r.head.from.who = core::role::schedule;
      r.head.id = id_of(*it);
      if (it->opens) {
        r.asked = core::command{core::open_sale{it->channels}};
      } else {
        r.asked = core::command{core::close_sale{it->channels}};
      }
      out_.mute(true);
      seed_->engine.step({&r, 1}, now, out_);
      out_.mute(false);
      if (it->opens) opening_given_ = out_.recorded();
    }
    appointments_.erase(appointments_.begin(), first_to_come);
  }
  if (!opening_given_) seed_->opens_at->store(next_opening(), std::memory_order_release);
}

void session_shell::arm() {
  const auto now = around_->time.now().value;
  std::optional<std::uint64_t> due;
  if (const auto deadline = seed_->engine.next_deadline()) due = std::min(deadline->value, now + wake_every_max);
  if (!appointments_.empty()) {
    const auto wall = around_->time.wall_clock();
    const auto at = appointments_.front().at;
    const auto left = std::min(at > wall ? at - wall : 0, look_at_wall_every);
    due = std::min(due.value_or(now + left), now + left);
  }
  if (!due) return;
  // An earlier wake-up than needed does no harm, and holds that are placed now are due later than those before them: so in a sale
  // this is where nearly every step ends, without touching CAF's clock.
  if (armed_for_ && armed_for_->value <= *due) return;
  armed_for_ = core::log_time{*due};
  ++generation_;
  if (*due <= now) {
    send(this, wake_atom::value, generation_);
  } else {
    delayed_send(this, std::chrono::microseconds(*due - now), wake_atom::value, generation_);
  }
}

}  // namespace holdfast::actors
