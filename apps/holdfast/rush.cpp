#include "apps/holdfast/rush.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace holdfast::cli {

using core::refusal;

namespace {

constexpr std::uint8_t tries_max = 3;
constexpr std::chrono::milliseconds patience{60'000};

/// What of an answer must come again: all that is not about the present. Who is too busy has not answered.
bool same_answer(const core::answer& a, const core::answer& b) {
  if (a.refused == refusal::busy || a.refused == refusal::faulted) return true;
  return a.refused == b.refused && a.outcome == b.outcome && a.reason == b.reason && a.number == b.number && a.granted == b.granted &&
         a.tells_of == b.tells_of;
}

}  // namespace

std::string_view name_of(step s) {
  static constexpr std::string_view names[] = {"hold_seats", "extend_hold", "release_hold", "begin_payment", "payment_failed", "confirm_hold"};
  return names[static_cast<std::size_t>(s)];
}

rush::rush(rush_options o, core::session_id session, std::uint32_t plan_revision, const core::plan& p)
    : options_(o), session_(session), revision_(plan_revision), hall_(p), chance_(o.seed), sold_(p.seats.size()),
      pages_(static_cast<std::uint32_t>(std::max<std::size_t>(1, (p.seats.size() + core::seats_per_page - 1) / core::seats_per_page))),
      places_in_all_(p.places()) {}

void rush::start(client::pipelined& over) {
  over_ = &over;
  buyers_.resize(std::size_t{over.connections()} * options_.at_once);
  for (auto b = static_cast<std::uint32_t>(buyers_.size()); b-- > 0;) idle_.push_back(b);
  last_luck_ = std::chrono::steady_clock::now();
  look();
}

bool rush::may_begin() const {
  if (stopping_) return false;
  if (options_.buyers != 0 && counts_.buyers >= options_.buyers) return false;
  return !all_gone_ || counts_.asked < options_.requests;
}

ending rush::ended() const {
  if (counts_.unknown_outcome != 0) return ending::no_answer;
  if (all_gone_) return ending::all_gone;
  if (stopping_) return ending::nothing_to_be_had;
  return over() ? ending::as_many_as_asked : ending::none;
}

double rush::done() const {
  if (options_.requests != 0) return std::min(1.0, static_cast<double>(counts_.asked) / static_cast<double>(options_.requests));
  if (options_.buyers != 0) return static_cast<double>(counts_.buyers) / static_cast<double>(options_.buyers);
  return places_in_all_ == 0 ? 1 : static_cast<double>(counts_.places_sold) / static_cast<double>(places_in_all_);
}

void rush::tend() {
  const auto now = std::chrono::steady_clock::now();
  const bool until_sold = options_.buyers == 0 && counts_.asked >= options_.requests;
  if (until_sold && now - last_luck_ > options_.give_up_after) stopping_ = true;
  if (pages_out_ == 0 && now >= next_look_ && !stopping_ && over_->room(0)) {
    next_look_ = now + options_.look_every;
    look();
  }
  fill();
}

void rush::fill() {
  while (!idle_.empty() && may_begin()) {
    const auto b = idle_.back();
    if (!over_->room(connection_of(b))) break;
    idle_.pop_back();
    begin(b);
  }
}

void rush::begin(std::uint32_t b) {
  auto& who = buyers_[b];
  ++at_work_;
  ++counts_.buyers;
  who.owner = chance_.id();
  who.account = account();
  who.tries = 0;
  // Whoever walks away near the end would leave seats that nobody comes back for.
  const bool late = options_.requests != 0 ? counts_.asked * 5 > options_.requests * 4 : false;
  who.will_leave = !late && chance_.chance(options_.leave_percent);
  who.will_give_back = !late && !who.will_leave && chance_.chance(options_.give_back_percent);
  who.will_extend = chance_.chance(options_.extend_percent);
  who.will_fail = chance_.chance(options_.fail_percent);
  choose(who);
  ask(b, step::hold);
}

core::id128 rush::account() {
  if (options_.accounts == 0) return chance_.id();
  // Others after it, under the same seed: accounts must not be those of the sale before.
  return {options_.seed, 1 + chance_.below(options_.accounts)};
}

/// One to places_max seats, or as many places of an area, in proportion to what there is.
void rush::choose(buyer& who) {
  const auto wanted = 1 + static_cast<std::uint32_t>(chance_.below(std::min<std::uint64_t>(options_.places_max, lines_most)));
  const bool blind = chance_.chance(options_.blind_percent);
  who.line_count = 0;
  who.places = 0;
  const auto standing = hall_.free_standing();
  const auto seats = blind ? hall_.seats() : hall_.free_seats();
  if (hall_.areas() > 0 && (seats == 0 || (standing > 0 && chance_.below(seats + standing) < standing))) {
    auto area = static_cast<std::uint32_t>(chance_.below(hall_.areas()));
    for (std::uint32_t i = 0; i < hall_.areas() && hall_.free_in(area) == 0; ++i) area = (area + 1) % static_cast<std::uint32_t>(hall_.areas());
    const auto count = blind ? wanted : static_cast<std::uint32_t>(std::clamp<std::uint64_t>(hall_.free_in(area), 1, wanted));
    who.lines[who.line_count++] = {core::place_kind::area, area, count, 1};
    who.places = count;
    return;
  }
  for (std::uint32_t i = 0; i < wanted; ++i) {
    const auto seat = !blind && hall_.free_seats() > 0 ? hall_.some_free_seat(chance_) : hall_.any_seat(chance_);
    const auto* begin = who.lines.data();
    if (std::any_of(begin, begin + who.line_count, [&](const core::line& l) { return l.number == seat; })) continue;
    who.lines[who.line_count++] = {core::place_kind::seat, seat, 1, 1};
  }
  who.places = who.line_count;
}

void rush::ask(std::uint32_t b, step s) {
  auto& who = buyers_[b];
  who.at = s;
  ++counts_.asked;
  who.head = {};
  who.head.channel = options_.channel;
  if (s != step::confirm) {
    who.head.id = core::command_id{chance_.id()};
    who.head.client_deadline = over_->deadline(patience);
  }
  if (s == step::hold) who.hold = who.head.id.value;
  send(b);
}

/// What the buyer is at; the same bytes each time.
void rush::send(std::uint32_t b) {
  auto& who = buyers_[b];
  if (recorder_ != nullptr) who.asked_at = history::monotonic_ns();
  const core::owner_id owner{who.owner};
  const core::hold_id hold{who.hold};
  std::uint8_t reference[16];
  std::memcpy(reference, &who.reference, sizeof reference);
  const auto interval = static_cast<core::interval_ms>((who.will_leave ? options_.leave_after : options_.hold_for).count());
  const auto say = [&](const core::command& c) { over_->send(connection_of(b), b, session_, who.head, c, who.again); };
  switch (who.at) {
    case step::hold: {
      const core::limit_key keys[] = {{core::key_kind::account, who.account}};
      return say(core::hold_seats{owner, keys, core::lines(who.lines.data(), who.line_count), interval, revision_, {}});
    }
    case step::extend: return say(core::extend_hold{owner, hold, interval + 60'000});
    case step::release: return say(core::release_hold{owner, hold, {}, false});
    case step::begin_payment: return say(core::begin_payment{owner, hold, reference, 600'000, {}});
    case step::payment_failed: return say(core::payment_failed{owner, hold, reference});
    case step::confirm: return say(core::confirm_hold{owner, hold, reference, options_.price * who.places, core::payment_kind::card});
  }
}

void rush::end(std::uint32_t b) {
  --at_work_;
  idle_.push_back(b);
  fill();
}

void rush::answered(const client::arrival& a) {
  if (a.ticket >= look_ticket) return looked(a.message);
  const auto b = static_cast<std::uint32_t>(a.ticket);
  auto& who = buyers_[b];
  const auto& said = a.message.said;
  if (recorder_ != nullptr) note(b, &a);
  if (std::exchange(who.again, false)) {
    if (!same_answer(said, who.said)) ++counts_.other_answers;
    return go_on(b, who.said, who.said_at);
  }
  const auto at = static_cast<std::size_t>(who.at);
  latency_[at].add(static_cast<std::uint64_t>(a.waited_ns));
  if (said.refused == refusal::none) ++counts_.accepted[at];
  else ++counts_.refused[at][std::min<std::size_t>(static_cast<std::size_t>(said.refused), rush_counts::codes - 1)];
  if (said.refused == refusal::none && options_.again_percent != 0 && chance_.chance(options_.again_percent)) {
    who.again = true;
    who.said = said;
    who.said_at = a.message.now;
    ++counts_.asked_again;
    return send(b);
  }
  go_on(b, said, a.message.now);
}

void rush::go_on(std::uint32_t b, const core::answer& said, core::log_time at) {
  auto& who = buyers_[b];
  const bool yes = said.refused == refusal::none;
  const auto leaves = [&](std::uint64_t& counter) {
    ++counter;
    end(b);
  };

  switch (who.at) {
    case step::hold:
      learn(who, said);
      if (!yes) {
        const bool taken = said.refused == refusal::none_free_now || said.refused == refusal::sold_out || said.refused == refusal::not_enough ||
                           said.refused == refusal::not_in_your_channel;
        if (!taken || ++who.tries == tries_max || hall_.free_seats() + hall_.free_standing() == 0 || !may_begin())
          return leaves(counts_.turned_away);
        choose(who);
        return ask(b, step::hold);
      }
      last_luck_ = std::chrono::steady_clock::now();
      who.reference = chance_.id();
      if (who.will_leave) {
        counts_.places_left += who.places;
        counts_.last_left = std::max(counts_.last_left, said.granted);
        return leaves(counts_.walked_away);
      }
      return ask(b, who.will_give_back ? step::release : who.will_extend ? step::extend : step::begin_payment);
    case step::extend:
      return ask(b, step::begin_payment);
    case step::release:
      for (std::uint8_t i = 0; yes && i < who.line_count; ++i)
        if (who.lines[i].kind == core::place_kind::seat) hall_.freed(who.lines[i].number);
      return leaves(counts_.gave_back);
    case step::begin_payment:
      if (!yes) return leaves(counts_.failed_on_the_way);
      return ask(b, std::exchange(who.will_fail, false) ? step::payment_failed : step::confirm);
    case step::payment_failed:
      who.reference = chance_.id();
      return ask(b, step::begin_payment);
    case step::confirm:
      if (said.outcome == core::money_outcome::refund_due) ++counts_.late_refunds;
      if (said.outcome != core::money_outcome::sold) return leaves(counts_.failed_on_the_way);
      sold(who, at);
      return leaves(counts_.satisfied);
  }
}

void rush::sold(const buyer& who, core::log_time at) {
  ++counts_.orders;
  counts_.places_sold += who.places;
  if (counts_.first_sale.value == 0) counts_.first_sale = at;
  counts_.last_sale = std::max(counts_.last_sale, at);
  for (std::uint8_t i = 0; i < who.line_count; ++i) {
    if (who.lines[i].kind != core::place_kind::seat) continue;
    if (sold_[who.lines[i].number]) ++counts_.seats_sold_twice;
    sold_[who.lines[i].number] = true;
  }
}

void rush::given_up(std::uint32_t, std::uint64_t ticket, const base::error&) {
  if (ticket >= look_ticket) {
    --pages_out_;
    return;
  }
  ++counts_.unknown_outcome;
  if (recorder_ != nullptr) note(static_cast<std::uint32_t>(ticket), nullptr);
  --at_work_;
  stopping_ = true;
}

}  // namespace holdfast::cli
