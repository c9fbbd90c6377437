#include "persistence/guard.hpp"

#include <fmt/format.h>

#include "base/check.hpp"
#include "base/planted.hpp"

namespace holdfast::persistence {

namespace {
base::error veto(std::string why) { return {base::trouble::corrupt, std::move(why)}; }
}  // namespace

sold_guard::hall sold_guard::empty_hall(const core::plan& p) {
  hall h;
  h.seats = p.seats.size();
  h.words.resize((p.seats.size() + 63) / 64);
  for (const auto& a : p.areas) {
    std::uint64_t capacity = 0;
    for (const auto places : a.capacity) capacity += places;
    h.areas.push_back({capacity, 0});
  }
  return h;
}

void sold_guard::watch(const core::session& s) {
  auto h = empty_hall(*s.terms().seating);
  h.last = s.last().value;
  s.for_each_sold([&](const core::piece& p) {
    const char* why = sell(h, p);
    HOLDFAST_CHECK(why == nullptr, "a recovered session has sold a place twice");
  });
  halls_.insert_or_assign(s.id().value, std::move(h));
}

const char* sold_guard::sell(hall& h, const core::piece& p) {
  if (p.kind == core::place_kind::seat) {
    if (p.number >= h.seats) return "sells a seat outside the plan";
    auto& word = h.words[p.number / 64];
    const auto bit = std::uint64_t{1} << (p.number % 64);
    if ((word & bit) != 0 && !planted(bug::guard_admits_second_sale)) return "sells a seat that is sold already";
    word |= bit;
  } else {
    if (p.number >= h.areas.size()) return "sells an area outside the plan";
    auto& a = h.areas[p.number];
    if (p.count > a.capacity - a.sold) return "sells more places than the area has";
    a.sold += p.count;
  }
  h.sold += p.count;
  return nullptr;
}

const char* sold_guard::give_back(hall& h, const core::piece& p) {
  if (p.kind == core::place_kind::seat) {
    if (p.number >= h.seats) return "gives back a seat outside the plan";
    auto& word = h.words[p.number / 64];
    const auto bit = std::uint64_t{1} << (p.number % 64);
    if ((word & bit) == 0) return "gives back a seat that is not sold";
    word &= ~bit;
  } else {
    if (p.number >= h.areas.size()) return "gives back an area outside the plan";
    auto& a = h.areas[p.number];
    if (p.count > a.sold) return "gives back more places than the area has sold";
    a.sold -= p.count;
  }
  h.sold -= p.count;
  return nullptr;
}

base::result<void> sold_guard::admit(const record_ref& record) {
  const auto at = halls_.find(record.session);
  if (record.sequence == plan_sequence) {
    if (at != halls_.end()) return veto("a plan comes after its session");
    return {};
  }
  auto peek = peek_record(record.bytes);
  if (!peek) return veto(peek.failure().text);
  if (at == halls_.end()) {
    if (record.sequence != 1 || peek->what != record_peek::kind::created) return veto("its session was never created");
    const auto plan = plans_.find(peek->plan);
    if (!plan) return veto("its plan is unknown");
    auto h = empty_hall(*plan);
    h.last = 1;
    halls_.emplace(record.session, std::move(h));
    return {};
  }
  auto& h = at->second;
  if (record.sequence != h.last + 1) return veto(fmt::format("it follows record {}", h.last));
  if (peek->what == record_peek::kind::created) return veto("it creates a session that exists");
  h.last = record.sequence;
  for (std::size_t i = 0; i < peek->pieces; ++i) {
    const auto p = read_piece(peek->rest);
    if (!peek->rest.ok()) return veto("it has malformed pieces");
    const char* why = peek->what == record_peek::kind::sold ? sell(h, p) : give_back(h, p);
    if (why != nullptr)
      return veto(fmt::format("it {} ({} {})", why, p.kind == core::place_kind::seat ? "seat" : "area", p.number));
  }
  return {};
}

std::uint64_t sold_guard::sold(core::session_id id) const {
  const auto at = halls_.find(id.value);
  return at == halls_.end() ? 0 : at->second.sold;
}

}  // namespace holdfast::persistence
