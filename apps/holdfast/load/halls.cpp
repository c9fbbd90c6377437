#include "apps/holdfast/load/halls.hpp"

#include <algorithm>

#include "client/ids.hpp"
#include "core/plan.hpp"
#include "plans/generate.hpp"

namespace holdfast::cli::load {

namespace {

base::error refused(const std::string& name, core::refusal why) {
  return {base::trouble::unavailable, "the session '" + name + "' cannot be made: " + std::string(core::name_of(why))};
}

}  // namespace

base::result<std::vector<core::session_id>> make_halls(client::blocking& op, const halls_wanted& w,
                                                       const std::function<void(std::uint32_t)>& made) {
  plans::hall_shape shape;
  shape.seats = w.seats;
  shape.zones = std::min(shape.zones, w.seats);
  base::bytes plan;
  base::byte_writer out(plan);
  core::encode_plan(plans::generate_hall(shape), out);

  std::vector<core::session_id> all;
  for (std::uint32_t i = 0; i < w.count; ++i) {
    core::session_terms terms;
    terms.name = w.name + "-" + std::to_string(i + 1);
    terms.kind = core::session_class::rehearsal;
    terms.currency = "EUR";
    terms.zone = "UTC";
    terms.rules = core::default_policy();
    protocol::create_session asked;
    asked.terms = std::make_shared<const core::session_terms>(terms);
    asked.plan = plan;
    const auto s = op.create_session(asked);
    if (!s) return s.failure();
    if (!s->seen) return refused(terms.name, s->said.refused);
    const auto opened = op.open_sale(s->seen->id, op.envelope(core::command_id{client::random_id()}));
    if (!opened) return opened.failure();
    if (opened->said.refused != core::refusal::none) return refused(terms.name, opened->said.refused);
    all.push_back(s->seen->id);
    made(i + 1);
  }
  return all;
}

}  // namespace holdfast::cli::load
