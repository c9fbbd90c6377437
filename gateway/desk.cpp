#include "gateway/desk.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/check.hpp"
#include "gateway/connection.hpp"
#include "gateway/desk_text.hpp"
#include "gateway/loop.hpp"
#include "gateway/surroundings.hpp"
#include "protocol/codec.hpp"

namespace holdfast::gateway {

using core::refusal;

namespace {

constexpr std::size_t sessions_per_page = 64;
constexpr std::size_t actors_per_page = 512;

protocol::session_brief brief_of(core::session_id id, const core::session_seen& s) {
  protocol::session_brief b;
  b.id = id;
  b.name = s.name;
  b.kind = s.kind;
  b.sale = s.sale;
  b.frozen = s.frozen;
  b.faulted = s.faulted;
  b.open_channels = s.open_channels;
  b.currency = s.currency;
  b.organiser_ref = s.organiser_ref;
  b.zone = s.zone;
  b.starts_at = s.starts_at;
  b.plan_revision = s.plan_revision;
  b.seats = static_cast<std::uint32_t>(s.seats);
  b.areas = static_cast<std::uint32_t>(s.areas);
  b.places = s.places.free + s.places.held + s.places.paying + s.places.sold + s.places.blocked;
  return b;
}

/// Of a session that was created a moment ago and is in nobody's directory yet.
protocol::session_brief brief_of(core::session_id id, const core::session_terms& t) {
  protocol::session_brief b;
  b.id = id;
  b.name = t.name;
  b.kind = t.kind;
  b.currency = t.currency;
  b.organiser_ref = t.organiser_ref;
  b.zone = t.zone;
  b.starts_at = t.starts_at;
  b.plan_revision = t.plan_revision;
  b.seats = static_cast<std::uint32_t>(t.seating->seats.size());
  b.areas = static_cast<std::uint32_t>(t.seating->areas.size());
  b.places = t.seating->places();
  return b;
}

}  // namespace

// ---- asking -------------------------------------------------------------------------------------------------

void desk::ask(connection& from, const protocol::house_request& asked, weight took) {
  const auto number = begin(from, asked.id, asked.kind, took);
  auto& j = jobs_.at(number);
  if (const auto* a = std::get_if<protocol::session_named>(&asked.asked)) {
    const auto& names = loop_.sessions().by_name;
    const auto it = names.find(a->name);
    if (it == names.end() || !look(number, it->second, core::look_session{})) return refuse(number, refusal::unknown_session);
  } else if (const auto* c = std::get_if<protocol::create_session>(&asked.asked)) {
    create(from, *c, number);
  } else if (const auto* l = std::get_if<protocol::list_sessions>(&asked.asked)) {
    list(j, number, l->from);
  } else if (const auto* r = std::get_if<protocol::look_actors>(&asked.asked)) {
    j.actor = r->from;
    loop_.to_actors().inspect(ticket_for(number));
  } else if (const auto* i = std::get_if<protocol::look_actor_inside>(&asked.asked)) {
    j.actor = i->id;
    loop_.to_actors().inspect(ticket_for(number));
  } else if (std::holds_alternative<protocol::look_stats>(asked.asked)) {
    auto& seen = j.seen.emplace<protocol::stats_seen>();
    tell_stats(loop_.all_loops(), seen);
    if (around_.more_stats) around_.more_stats(seen);
    finish(number);
  } else if (const auto* f = std::get_if<protocol::find>(&asked.asked)) {
    if (!around_.find) return refuse(number, refusal::busy);
    auto found = around_.find(*f);
    if (!found) {
      if (around_.log) around_.log(fmt::format("the index could not be asked: {}", found.failure().text));
      return refuse(number, refusal::busy);
    }
    // The index knows sessions by their numbers only.
    for (auto& row : found->rows)
      if (const auto* of = loop_.find(row.session)) row.session_name = of->entry->name;
    j.seen = std::move(*found);
    finish(number);
  } else {
    HOLDFAST_CHECK(false, "the loop answers pings itself");
  }
}

void desk::create(connection& from, const protocol::create_session& a, std::uint64_t number) {
  auto seating = core::decode_plan(a.plan);
  if (!seating || !a.terms) {
    if (around_.log && !seating) around_.log("a session was not created: its plan does not decode or breaks a rule of plans");
    return refuse(number, refusal::bad_content);
  }
  auto terms = std::make_shared<core::session_terms>(*a.terms);
  terms->seating = std::make_shared<const core::plan>(std::move(*seating));
  jobs_.at(number).terms = terms;
  auto asked = std::make_shared<actors::create_session_request>();
  asked->ticket = ticket_for(number);
  asked->head = a.head;
  asked->head.from = from.context().from;
  asked->head.note = {};  // borrows from the frame
  asked->terms = std::move(terms);
  loop_.to_actors().create(std::move(asked));
}

void desk::clear_fault(connection& from, const protocol::request& asked, weight took) {
  const auto number = begin(from, asked.id, asked.kind, took);
  auto clear = std::make_shared<actors::clear_fault_request>();
  clear->ticket = ticket_for(number, asked.session);
  clear->head = asked.head;
  clear->head.note = {};
  clear->session = asked.session;
  loop_.to_actors().clear_fault(std::move(clear));
}

void desk::list(job& j, std::uint64_t number, core::session_id from) {
  auto& listed = j.seen.emplace<protocol::sessions_listed>();
  const auto& all = loop_.sessions().by_id;
  auto it = all.lower_bound(from);
  for (std::size_t n = 0; it != all.end() && n < sessions_per_page; ++it, ++n) look(number, it->first, core::look_session{});
  if (it != all.end()) listed.next_from = it->first;
  if (j.open == 0) finish(number);
}

bool desk::look(std::uint64_t number, core::session_id at, core::look what) {
  auto* g = loop_.find(at);
  if (g == nullptr) return false;
  // Bounded by what the connection may have in flight; taken like money's, so that every answer gives one back.
  if (!g->credits->take(weight::money)) return false;
  core::request r;
  r.ticket = ticket_for(number, at);
  r.head.from.who = core::role::op;
  r.asked = std::move(what);
  loop_.batch_for(*g).requests.push_back(std::move(r));
  return true;
}

std::uint64_t desk::begin(connection& from, std::uint64_t request_id, std::uint16_t kind, weight took) {
  const auto number = next_++;
  auto& j = jobs_[number];
  j.from = from.id();
  j.request_id = request_id;
  j.kind = kind;
  j.took = took;
  return number;
}

std::uint64_t desk::ticket_for(std::uint64_t number, core::session_id about) {
  open_request open;
  open.for_desk = true;
  const auto ticket = loop_.open_requests().issue(open);
  waiting_[ticket] = {number, about};
  ++jobs_.at(number).open;
  return ticket;
}

// ---- answers ------------------------------------------------------------------------------------------------

desk::waited desk::redeem(std::uint64_t ticket) {
  const auto it = waiting_.find(ticket);
  HOLDFAST_CHECK(it != waiting_.end(), "an answer to what the desk never asked");
  const auto w = it->second;
  waiting_.erase(it);
  --jobs_.at(w.job).open;
  return w;
}

void desk::answered(std::uint64_t ticket, const actors::ticket_answer& a) {
  const auto w = redeem(ticket);
  auto& j = jobs_.at(w.job);
  j.said.tells_of = std::max(j.said.tells_of, a.said.tells_of);
  if (a.shown) {
    if (const auto* s = std::get_if<core::session_seen>(a.shown.get())) {
      if (auto* listed = std::get_if<protocol::sessions_listed>(&j.seen)) {
        listed->items.push_back(brief_of(w.about, *s));
      } else if (auto* inside = std::get_if<protocol::actor_inside_seen>(&j.seen)) {
        tell_session(*s, *inside);
      } else {
        j.seen = brief_of(w.about, *s);
      }
    } else if (const auto* h = std::get_if<core::holds_seen>(a.shown.get())) {
      if (auto* inside = std::get_if<protocol::actor_inside_seen>(&j.seen)) tell_holds(*h, *inside);
    }
  } else if (a.said.refused != refusal::none && std::holds_alternative<std::monostate>(j.seen)) {
    j.said = a.said;
  }
  if (j.open > 0) return;
  if (auto* listed = std::get_if<protocol::sessions_listed>(&j.seen)) std::ranges::sort(listed->items, {}, &protocol::session_brief::id);
  finish(w.job);
}

void desk::answered(const actors::session_answer& a) {
  const auto w = redeem(a.ticket);
  auto& j = jobs_.at(w.job);
  j.said = a.said;
  if (a.said.refused == refusal::none && j.terms) {
    j.seen = brief_of(a.session, *j.terms);
    // Repeated: the session may have been opened or paused since.
    if (a.said.repeated && look(w.job, a.session, core::look_session{})) return;
  }
  finish(w.job);
}

void desk::answered(const actors::inspection& i) {
  const auto w = redeem(i.ticket);
  auto& j = jobs_.at(w.job);
  if (j.kind == protocol::kinds::actors) {
    auto& seen = j.seen.emplace<protocol::actors_seen>();
    for (const auto& row : i.rows) {
      if (row.id < j.actor) continue;
      if (seen.rows.size() == actors_per_page) {
        seen.next_from = row.id;
        break;
      }
      seen.rows.push_back(row_of(row));
    }
    return finish(w.job);
  }
  const auto row = std::ranges::find(i.rows, j.actor, &actors::inspection_row::id);
  if (row == i.rows.end()) return refuse(w.job, refusal::no_such_page);
  auto& seen = j.seen.emplace<protocol::actor_inside_seen>();
  seen.row = row_of(*row);
  if (row->session != 0) {
    look(w.job, core::session_id{row->session}, core::look_session{});
    look(w.job, core::session_id{row->session}, core::look_holds{0});
    if (j.open > 0) return;
  } else {
    const auto loops = loop_.all_loops();
    const auto it = std::ranges::find(loops, row->id, &loop_seen::board_row);
    if (it != loops.end())
      tell_loop(it->stats, seen);
    else if (around_.inside)
      around_.inside(*row, seen);
  }
  finish(w.job);
}

void desk::refuse(std::uint64_t number, refusal why) {
  auto& j = jobs_.at(number);
  j.said = {};
  j.said.refused = why;
  if (why == refusal::busy) j.said.retry_after = static_cast<core::interval_ms>(loop_.limits().busy_retry_after.count());
  j.seen = std::monostate{};
  finish(number);
}

void desk::finish(std::uint64_t number) {
  const auto it = jobs_.find(number);
  const auto& j = it->second;
  HOLDFAST_CHECK(j.open == 0, "a job is done before all has come");
  if (auto* to = loop_.find(j.from)) {
    const protocol::answer_to about{j.request_id, j.kind, loop_.log_now()};
    if (j.said.refused != refusal::none || std::holds_alternative<std::monostate>(j.seen))
      protocol::encode_answer(about, j.said, to->output());
    else
      protocol::encode_house_answer(about, j.said, j.seen, to->output());
    to->credits().give_back(j.took);
    to->answered();
    loop_.counters().answers.add();
  } else {
    loop_.counters().answers_lost.add();
  }
  jobs_.erase(it);
}

}  // namespace holdfast::gateway
