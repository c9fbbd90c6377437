// The small halls in which the random crowd meets.
#include "simulation/random_commands.hpp"

namespace holdfast::simulation {

using namespace core;

namespace {

std::shared_ptr<const plan> random_plan(base::random& r) {
  auto p = std::make_shared<plan>();
  p->name = "hall";
  p->categories = {{"stalls", ""}, {"circle", ""}, {"floor", ""}};
  p->allocations = {"public", "presale", "guests"};
  p->zones = {"main"};
  p->rows = {{0, "A"}};
  const auto seats = r.chance(30) ? r.between(3, 8) : r.between(8, 24);
  for (std::uint64_t i = 0; i < seats; ++i) {
    plan_seat s;
    s.number = std::to_string(i + 1);
    s.identity = "seat-" + s.number;
    s.category = static_cast<std::uint8_t>(r.below(3));
    s.allocation = static_cast<std::uint8_t>(r.chance(65) ? 0 : r.below(3));
    p->seats.push_back(s);
  }
  const auto areas = r.below(3);
  for (std::uint64_t i = 0; i < areas; ++i) {
    plan_area a;
    a.name = a.identity = "area-" + std::to_string(i + 1);
    a.category = static_cast<std::uint8_t>(r.below(3));
    const auto n = r.between(1, 3);
    for (std::uint64_t k = 0; k < n; ++k) a.capacity.push_back(static_cast<std::uint32_t>(r.below(9)));
    p->areas.push_back(a);
  }
  return p;
}

channel_policy row(base::random& r, std::string name) {
  channel_policy c;
  c.name = std::move(name);
  c.lines_max = static_cast<std::uint32_t>(r.between(2, 6));
  c.holds_per_owner_max = static_cast<std::uint32_t>(r.between(1, 5));
  c.hold_max = static_cast<interval_ms>(r.between(5'000, 25'000));
  c.paying_max = static_cast<interval_ms>(r.between(5'000, 25'000));
  c.lifetime_max = static_cast<interval_ms>(r.between(4'000, 90'000));
  c.extensions_max = static_cast<std::uint32_t>(r.below(5));
  c.attempts_max = static_cast<std::uint32_t>(r.between(1, 4));
  return c;
}

limit_rule rule(base::random& r, key_kind kind) {
  const std::uint64_t masks[] = {~std::uint64_t{0}, 1, 2, 5};
  return {kind, masks[r.below(4)], static_cast<std::uint32_t>(r.between(1, 8))};
}

}  // namespace

std::shared_ptr<const session_terms> random_terms(std::uint64_t seed, const mix& m) {
  base::random r(seed);
  auto t = std::make_shared<session_terms>();
  t->name = "random-" + std::to_string(seed);
  t->currency = "EUR";
  t->organiser_ref = "ref";
  t->zone = "Europe/Berlin";
  t->starts_at = 1'700'100'000;
  t->kind = r.chance(50) ? session_class::real : session_class::rehearsal;
  t->seating = random_plan(r);
  auto& p = t->rules;
  auto open = row(r, "public");
  open.rules = {rule(r, key_kind::account)};
  auto office = row(r, "box_office");
  office.lines_max = 500;
  office.holds_per_owner_max = 50;
  office.extensions_max = 32;
  office.attempts_max = 32;
  office.lifetime_max = static_cast<interval_ms>(r.between(60'000, 600'000));
  office.allocations = 7;
  auto presale = row(r, "presale");
  presale.rules = {rule(r, key_kind::email), rule(r, key_kind::account), rule(r, key_kind::account)};
  presale.allocations = 2;
  auto guests = row(r, "guests");
  if (r.chance(50)) guests.rules = {rule(r, key_kind::code)};
  guests.allocations = static_cast<std::uint32_t>(r.between(0, 7));
  p.channels = {open, office, presale, guests};
  p.pay_min = static_cast<interval_ms>(r.between(500, 5'000));
  p.id_min = static_cast<interval_ms>(r.between(2'000, 20'000));
  p.late_confirm_max = static_cast<interval_ms>(r.between(0, 20'000));
  if (m.forgetting) {
    p.ended_holds_max = r.between(1, 8);
    p.ended_holds_hard_max = p.ended_holds_max + r.below(6);
  }
  p.unknown_refunds_max = static_cast<std::uint32_t>(r.between(1, 6));
  if (m.few_expiries) p.expiries_per_step = static_cast<std::uint32_t>(r.between(1, 3));
  return t;
}

}  // namespace holdfast::simulation
