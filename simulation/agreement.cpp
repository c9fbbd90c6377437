#include "simulation/agreement.hpp"

#include <map>
#include <set>
#include <sstream>
#include <utility>

#include "simulation/describe.hpp"

namespace holdfast::simulation {

using namespace core;

namespace {

template <class T>
std::string differ(const char* what, const T& engine, const T& model) {
  std::ostringstream s;
  s << what << ": engine " << engine << ", model " << model;
  return s.str();
}

#define COMPARE(what, a, b)                                    \
  do {                                                         \
    if ((a) != (b)) return where + differ<decltype(+(a))>(what, a, b); \
  } while (false)

std::optional<std::string> compare(const std::string& where, const place_counts& a, const place_counts& b) {
  COMPARE("free", a.free, b.free);
  COMPARE("held", a.held, b.held);
  COMPARE("paying", a.paying, b.paying);
  COMPARE("sold", a.sold, b.sold);
  COMPARE("blocked", a.blocked, b.blocked);
  COMPARE("withdrawn", a.withdrawn, b.withdrawn);
  return std::nullopt;
}

}  // namespace

std::optional<std::string> compare(const std::string& where, const hold_seen& a, const hold_seen& b) {
  COMPARE("number", a.number.value, b.number.value);
  COMPARE("state", static_cast<int>(a.state), static_cast<int>(b.state));
  COMPARE("channel", a.channel, b.channel);
  const bool live = a.state == hold_state::held || a.state == hold_state::paying;
  if (live) COMPARE("deadline", a.deadline.value, b.deadline.value);
  if (live) COMPARE("lifetime_end", a.lifetime_end.value, b.lifetime_end.value);
  COMPARE("extensions", a.extensions, b.extensions);
  COMPARE("attempts", a.attempts, b.attempts);
  if (a.owner != b.owner || a.id != b.id || a.basket != b.basket) return where + "owner, id or basket differ";
  if (a.state != hold_state::released) {
    // In any order, and what is left or cancelled of one line in any number of pieces.
    const auto sorted = [](const std::vector<line_seen>& v) {
      std::map<std::string, std::uint32_t> pieces;
      for (auto l : v) {
        const auto n = std::exchange(l.what.count, 0);
        pieces[text_of(l.what) + (l.cancelled ? " cancelled" : "")] += n;
      }
      std::string all;
      for (const auto& [l, n] : pieces) all += l + "*" + std::to_string(n) + ", ";
      return all;
    };
    if (sorted(a.lines) != sorted(b.lines)) return where + differ("lines", sorted(a.lines), sorted(b.lines));
  }
  COMPARE("payments", a.payments.size(), b.payments.size());
  const auto all_payments = [](const hold_seen& h) {
    std::multiset<std::string> all;
    for (const auto& p : h.payments)
      all.insert(std::to_string(p.amount) + " kind " + std::to_string(static_cast<int>(p.kind)) + " outcome " +
                 std::to_string(static_cast<int>(p.outcome)) + " reason " + std::to_string(static_cast<int>(p.reason)) + " refund " +
                 std::to_string(p.number.value));
    return all;
  };
  if (all_payments(a) != all_payments(b)) return where + "payments differ";
  return std::nullopt;
}

bool same_body(const answer& a, const answer& b) {
  return a.refused == b.refused && a.outcome == b.outcome && a.reason == b.reason && a.number == b.number && a.granted == b.granted &&
         a.lines == b.lines && a.left == b.left && a.retry_after == b.retry_after && a.kind == b.kind && a.repeated == b.repeated &&
         a.state == b.state && a.deadline == b.deadline;
}

std::optional<std::string> compare_places(const looker& look, const model& second) {
  std::string where;
  answer said;
  where = "session: ";
  const auto s = std::get<session_seen>(*look(look_session{}, &said));
  const auto m = second.see_session();
  COMPARE("expiries_pending", s.expiries_pending, false);
  COMPARE("sale", static_cast<int>(s.sale), static_cast<int>(m.sale));
  COMPARE("open_channels", s.open_channels, m.open_channels);
  COMPARE("frozen", s.frozen, m.frozen);
  COMPARE("faulted", s.faulted, m.faulted);
  if (auto t = compare(where, s.places, m.places)) return t;
  COMPARE("seats", s.seats, m.seats);
  COMPARE("areas", s.areas, m.areas);
  COMPARE("live_holds", s.live_holds, m.live_holds);
  COMPARE("orders", s.orders, m.orders);
  COMPARE("ended_holds", s.ended_holds, m.ended_holds);
  COMPARE("forgotten_early", s.forgotten_early, m.forgotten_early);
  COMPARE("refunds_open", s.refunds_open, m.refunds_open);
  COMPARE("refunds_total", s.refunds_total, m.refunds_total);
  COMPARE("amount_paid", s.amount_paid, m.amount_paid);
  COMPARE("amount_refunds_due", s.amount_refunds_due, m.amount_refunds_due);
  COMPARE("shift_us", s.shift_us, m.shift_us);
  COMPARE("downtime_shift_us", s.downtime_shift_us, m.downtime_shift_us);
  COMPARE("plan_revision", s.plan_revision, m.plan_revision);
  COMPARE("next_deadline", s.next_deadline.value, m.next_deadline.value);
  COMPARE("last", s.last.value, said.waits_for.value);
  if (s.name != m.name || s.currency != m.currency || s.organiser_ref != m.organiser_ref || s.zone != m.zone || s.kind != m.kind ||
      s.starts_at != m.starts_at)
    return "session: what is for display differs";

  where = "seats: ";
  const auto seats = std::get<seats_seen>(*look(look_seats{}, nullptr));
  const auto other = second.see_seats();
  COMPARE("pages", seats.pages, other.pages);
  if (seats.states != other.states) return where + "states differ";
  COMPARE("areas", seats.areas.size(), other.areas.size());
  for (std::size_t a = 0; a < seats.areas.size(); ++a) {
    COMPARE("allocations", seats.areas[a].allocations.size(), other.areas[a].allocations.size());
    for (std::size_t i = 0; i < seats.areas[a].allocations.size(); ++i)
      if (auto t = compare("area " + std::to_string(a) + " allocation " + std::to_string(i) + ": ", seats.areas[a].allocations[i],
                           other.areas[a].allocations[i]))
        return t;
  }
  for (std::uint32_t i = 0; i < seats.states.size(); ++i) {
    where = "seat " + std::to_string(i) + ": ";
    const auto a = std::get<seat_seen>(*look(look_seat{seat_no{i}}, nullptr));
    const auto b = second.see_seat(i);
    COMPARE("state", static_cast<int>(a.state), static_cast<int>(b.state));
    COMPARE("withdrawn", a.withdrawn, b.withdrawn);
    if (b.state == seat_state::blocked || b.withdrawn) COMPARE("reason", a.reason, b.reason);
    COMPARE("allocation", a.allocation, b.allocation);
    COMPARE("category", a.category, b.category);
    COMPARE("deadline", a.deadline.value, b.deadline.value);
    if (a.owner != b.owner || a.hold != b.hold) return where + "owner or hold differ";
  }
  return std::nullopt;
}

std::optional<std::string> compare_holds(const looker& look, const model& second) {
  for (const auto& [key, h] : second.hall().holds) {
    const auto where = "hold " + std::to_string(h.number) + ": ";
    answer said;
    const auto shown = look(look_hold{key.first, key.second}, &said);
    if (!shown) return where + "is not there for the engine: " + text_of(said);
    if (auto t = compare(where, std::get<hold_seen>(*shown), *second.see_hold(key.first, key.second))) return t;
  }
  return std::nullopt;
}

std::optional<std::string> compare_memory(const looker& look, const model& second, const std::deque<asked>& recent,
                                          const std::vector<owner_id>& owners) {
  std::string where;
  for (const auto owner : owners) {
    where = "owner: ";
    const auto a = std::get<owner_seen>(*look(look_owner{owner}, nullptr));
    const auto b = second.see_owner(owner);
    if (a.more) continue;
    COMPARE("holds", a.holds.size(), b.holds.size());
    for (const auto& h : a.holds)
      if (!second.see_hold(owner, h.id)) return where + "has a hold that is not there";
    std::uint64_t open_here = 0, open_there = 0;
    for (const auto& r : a.refunds) open_here += r.settled ? 0 : r.number.value;
    for (const auto& r : b.refunds) open_there += r.settled ? 0 : r.number.value;
    COMPARE("open refunds", open_here, open_there);
  }
  for (const auto& r : recent) {
    if (r.head.id.value.zero()) continue;
    where = "fate of " + text_of(r.what) + ": ";
    const auto owner = model_owner_of(r.what);
    const auto shown = look(look_fate{owner, r.head.id, r.head.client_deadline}, nullptr);
    if (!shown) return where + "was refused";
    const auto a = std::get<fate_seen>(*shown);
    const auto b = second.see_fate(owner, r.head.id, r.head.client_deadline);
    COMPARE("fate", static_cast<int>(a.what), static_cast<int>(b.what));
    if (a.what == fate::accepted) {
      COMPARE("command", static_cast<int>(a.command), static_cast<int>(b.command));
      if (!same_body(a.first, b.first)) return where + "\n  engine " + text_of(a.first) + "\n  model  " + text_of(b.first);
    }
  }
  return std::nullopt;
}

std::optional<std::string> compare_view(const sale_view& built, const sale_view& fresh, const model& second) {
  const auto& terms = second.terms();
  const auto s = second.see_session();
  const auto seats = second.see_seats();
  const auto gone = [&](std::uint32_t seat) {
    const auto state = second.hall().state_of(seat);
    return state == seat_state::sold || state == seat_state::blocked;
  };
  for (std::size_t c = 0; c < terms.rules.channels.size(); ++c) {
    const auto takes = terms.rules.channels[c].allocations;
    const auto channel = static_cast<channel_no>(c);
    refusal gate = refusal::none;
    if (s.frozen) gate = refusal::frozen;
    else if (s.sale == sale_state::announced) gate = refusal::not_open;
    else if (s.sale == sale_state::paused) gate = refusal::paused;
    else if (s.sale == sale_state::closed) gate = refusal::closed;
    else if ((s.open_channels >> c & 1U) == 0) gate = refusal::not_open;

    std::uint64_t left = 0;  // places that are not gone, held ones among them
    std::vector<std::uint64_t> in_area(seats.areas.size());
    for (std::uint32_t i = 0; i < seats.states.size(); ++i)
      if ((takes >> second.hall().seats[i].allocation & 1U) != 0 && !gone(i)) ++left;
    for (std::size_t a = 0; a < seats.areas.size(); ++a)
      for (std::size_t n = 0; n < seats.areas[a].allocations.size(); ++n)
        if ((takes >> n & 1U) != 0) {
          const auto& share = seats.areas[a].allocations[n];
          in_area[a] += share.free + share.held + share.paying;
        }
    for (const auto n : in_area) left += n;

    const auto check = [&](line l, bool is_gone) -> std::optional<std::string> {
      const refusal want = gate != refusal::none ? gate : left == 0 || is_gone ? refusal::sold_out : refusal::none;
      const std::uint64_t bits = want == refusal::sold_out && left != 0 ? 1 : 0;
      for (const auto* view : {&built, &fresh}) {
        // Going out of service is no record: what is built of records does not know it, what is begun afresh does.
        const bool knows = view == &fresh && s.faulted;
        const auto said = view->judge(channel, {&l, 1});
        if (said.refused != (knows ? refusal::faulted : want) || said.lines != (knows ? 0 : bits))
          return (view == &fresh ? "a fresh view says " : "the view says ") + std::string(core::name_of(said.refused)) +
                 " of " + text_of(l) + " to channel " + std::to_string(c) + ", the model " +
                 std::string(core::name_of(want));
      }
      return std::nullopt;
    };
    for (std::uint32_t i = 0; i < seats.states.size(); ++i) {
      const bool own = (takes >> second.hall().seats[i].allocation & 1U) != 0;
      if (auto t = check({place_kind::seat, i, 1, 0}, own && gone(i))) return t;
    }
    for (std::uint32_t a = 0; a < in_area.size(); ++a)
      if (auto t = check({place_kind::area, a, 1, 0}, in_area[a] == 0)) return t;
  }
  return std::nullopt;
}

}  // namespace holdfast::simulation
