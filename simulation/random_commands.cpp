#include "simulation/random_commands.hpp"

#include <algorithm>
#include <cstring>
#include <new>

namespace holdfast::simulation {

using namespace core;

namespace {

constexpr std::uint64_t opening_time = 1'700'000'000'000'000;  // some evening in 2023

template <class T>
const T& one_of(base::random& r, const std::vector<T>& v) { return v[r.below(v.size())]; }

/// Kind of key and person; some people share a card.
base::id128 key_value(key_kind kind, std::uint64_t person) { return {static_cast<std::uint64_t>(kind) + 1, person + 1}; }

}  // namespace

random_commands::random_commands(std::uint64_t seed, std::shared_ptr<const session_terms> terms, const mix& m)
    : random_(seed * 7919 + 17), terms_(std::move(terms)), mix_(m), now_(opening_time + random_.below(1'000'000)) {
  const auto n = random_.between(2, 5);
  for (std::uint64_t i = 0; i < n; ++i) owners_.push_back(owner_id{{0xb0b + i, random_.next() | 1U}});
}

happening random_commands::next() {
  happening h;
  const auto roll = random_.below(100);
  if (roll < 20) {
  } else if (roll < 75) {
    now_ += random_.below(300'000);
  } else if (roll < 88) {
    now_ += random_.between(300'000, 3'000'000);
  } else if (roll < 97 && !deadlines_.empty()) {
    // The very instant of a deadline, or a microsecond beside it.
    const auto at = deadlines_[random_.below(deadlines_.size())] + random_.below(3) - 1;
    now_ = std::max(now_, at);
  } else {
    now_ += random_.between(4'000'000, 40'000'000);
  }
  h.now = log_time{now_};
  if (random_.chance(mix_.restart_percent)) {
    h.what = happening::kind::restart;
    return h;
  }
  if (faulted_since_ == 0 && random_.below(1000) < mix_.fault_per_mille) {
    h.what = happening::kind::fault;
    faulted_since_ = now_;
    return h;
  }
  const auto n = random_.below(mix_.batch_max + 1);
  for (std::uint64_t i = 0; i < n; ++i) {
    h.batch.push_back(make());
    recent_.push_back(h.batch.back());
    if (recent_.size() > 60) recent_.pop_front();
    // A failed payment may leave a hold that is due: where the order of endings matters, time comes before the next command.
    if (mix_.forgetting && std::holds_alternative<payment_failed>(h.batch.back().what)) break;
  }
  return h;
}

void random_commands::learn(const asked& a, const answer& said) {
  if (said.granted.value != 0) {
    deadlines_.push_back(said.granted.value);
    if (deadlines_.size() > 8) deadlines_.pop_front();
  }
  if (said.number.value > refunds_) refunds_ = said.number.value;
  if (said.refused == refusal::frozen) frozen_ = true;
  if (said.refused == refusal::paused) sale_ = sale_state::paused;
  if (said.refused == refusal::closed) sale_ = sale_state::closed;
  hold_id named = a.head.id;
  std::visit([&](const auto& c) {
    if constexpr (requires { c.hold; }) named = c.hold;
    else if constexpr (requires { c.order; }) named = c.order;
  }, a.what);
  if (said.state != hold_state::none)
    for (auto& h : holds_)
      if (h.id == named && h.owner == model_owner_of(a.what)) {
        h.state = said.state;
        h.deadline = said.deadline.value;
      }
  if (said.refused != refusal::none || said.repeated) return;
  if (const auto* h = std::get_if<hold_seats>(&a.what))
    holds_.push_back({h->owner, a.head.id, {h->lines.begin(), h->lines.end()}, {}, {}, said.state, said.deadline.value});
  for (auto i = holds_.rbegin(); i != holds_.rend(); ++i) {
    const auto is = [&](const auto& c) { return c.owner == i->owner && c.hold == i->id; };
    if (const auto* c = std::get_if<change_hold>(&a.what); c != nullptr && is(*c)) {
      for (const auto& d : c->drop) std::erase(i->lines, d);
      i->lines.insert(i->lines.end(), c->add.begin(), c->add.end());
    }
    if (const auto* c = std::get_if<begin_payment>(&a.what); c != nullptr && is(*c)) i->attempts.emplace_back(base::as_text(c->attempt));
    if (const auto* c = std::get_if<confirm_hold>(&a.what); c != nullptr && is(*c)) i->payments.push_back(*c);
    if (const auto* c = std::get_if<release_hold>(&a.what); c != nullptr && is(*c)) {
      for (const auto& d : c->lines) std::erase(i->lines, d);
    }
    if (const auto* c = std::get_if<cancel_order>(&a.what); c != nullptr && c->owner == i->owner && c->order == i->id)
      for (const auto& d : c->lines) std::erase(i->lines, d);
  }
  switch (tag_of(a.what)) {
    case command_tag::open_sale: sale_ = sale_state::open; break;
    case command_tag::pause_sale: sale_ = sale_state::paused; break;
    case command_tag::resume_sale: (frozen_ ? frozen_ = false : (sale_ = sale_state::open, false)); break;
    case command_tag::freeze_sale: frozen_ = true; break;
    case command_tag::clear_fault: faulted_since_ = 0; break;
    default: break;
  }
}

asked random_commands::make() {
  if (faulted_since_ != 0 && random_.chance(20)) return for_operator(command_tag::clear_fault);
  if (frozen_ && random_.chance(15)) return for_operator(command_tag::resume_sale);
  if (sale_ != sale_state::open && random_.chance(25))
    return for_operator(sale_ == sale_state::paused ? command_tag::resume_sale : command_tag::open_sale);

  using t = command_tag;
  const std::pair<unsigned, t> weights[] = {
      {mix_.hold, t::hold_seats},           {mix_.change, t::change_hold},     {mix_.extend, t::extend_hold},
      {mix_.begin, t::begin_payment},       {mix_.failed, t::payment_failed},  {mix_.confirm, t::confirm_hold},
      {mix_.release, t::release_hold},      {mix_.cancel, t::cancel_order},    {mix_.settle, t::settle_refund},
      {mix_.block, t::block_places},        {mix_.unblock, t::unblock_places}, {mix_.allocate, t::allocate_places},
      {mix_.shift, t::shift_deadlines},     {mix_.sale, t::open_sale},         {mix_.freeze, t::freeze_sale},
      {mix_.nonsense, t::create_session},   {mix_.retry, t::expire_due},
  };
  unsigned sum = 0;
  for (const auto& w : weights) sum += w.first;
  auto roll = random_.below(sum);
  t tag = t::hold_seats;
  for (const auto& w : weights) {
    if (roll < w.first) { tag = w.second; break; }
    roll -= w.first;
  }
  // Where nothing is held, most of the commands on a hold would only meet the dead.
  const bool some_live = std::any_of(holds_.begin(), holds_.end(), [&](const known_hold& h) { return h.deadline > now_; });
  if ((tag == t::change_hold || tag == t::extend_hold || tag == t::begin_payment || tag == t::payment_failed || tag == t::release_hold) &&
      !some_live && random_.chance(70))
    tag = t::hold_seats;
  asked a;
  switch (tag) {
    case t::expire_due: {  // stands for: asked once before
      if (recent_.empty()) return on_hold(t::hold_seats);
      a = recent_[random_.below(recent_.size())];
      a.head.from.principal = static_cast<std::uint32_t>(random_.below(5));
      if (!std::holds_alternative<confirm_hold>(a.what) && a.head.client_deadline.value != 0 && random_.chance(50))
        a.head.client_deadline = deadline_for_new();
      if (random_.chance(15)) a.head.channel = static_cast<channel_no>(random_.below(4));
      if (random_.chance(8)) {  // the same id, other content
        auto other = on_hold(t::hold_seats);
        if (const auto* h = std::get_if<hold_seats>(&a.what)) std::get<hold_seats>(other.what).owner = h->owner;
        other.head.id = a.head.id;
        return other;
      }
      if (auto* c = std::get_if<confirm_hold>(&a.what); c != nullptr && random_.chance(15)) {
        if (random_.chance(50)) c->amount += 1;
        else c->kind = payment_kind::cash;
      }
      if (random_.chance(5)) a.head.note = reference("another note");
      return a;
    }
    case t::create_session:
      a.head = {{role::op, 0}, 0, fresh_id(), {}, {}};
      if (random_.chance(50)) a.what = create_session{terms_};
      else a.what = expire_due{};
      if (random_.chance(30)) a.head.from.who = static_cast<role>(random_.below(4));
      return a;
    case t::open_sale:
      if (random_.chance(30)) tag = t::close_sale;
      else if (random_.chance(40)) tag = t::pause_sale;
      else if (random_.chance(20)) tag = t::resume_sale;
      a = for_operator(tag);
      break;
    case t::freeze_sale:
    case t::block_places:
    case t::unblock_places:
    case t::allocate_places:
    case t::shift_deadlines: a = for_operator(random_.chance(2) ? t::clear_fault : tag); break;
    default: a = on_hold(tag); break;
  }
  if (random_.chance(5)) a.head.note = reference("note " + std::to_string(random_.below(3)));
  if (random_.chance(mix_.spoiled_percent)) spoil(a);
  return a;
}

look random_commands::any_look() {
  const auto roll = random_.below(100);
  if (roll < 45 && !holds_.empty()) {
    const auto& h = holds_[holds_.size() - 1 - random_.below(std::min<std::size_t>(holds_.size(), 8))];
    return look_hold{h.owner, h.id};
  }
  if (roll < 65 && !recent_.empty()) {
    const auto& a = recent_[random_.below(recent_.size())];
    if (!a.head.id.value.zero()) return look_fate{model_owner_of(a.what), a.head.id, a.head.client_deadline};
  }
  if (roll < 75) return look_session{};
  return look_seat{seat_no{static_cast<std::uint32_t>(random_.below(terms_->seating->seats.size()))}};
}

log_time random_commands::deadline_for_new() {
  const std::uint64_t most = std::uint64_t{terms_->rules.id_min} * us_per_ms;
  const auto roll = random_.below(100);
  if (roll < 2) return log_time{now_ - 1 - random_.below(3'000'000)};
  if (roll < 4) return log_time{now_ + most + 1 + random_.below(3'000'000)};
  if (roll < 7) return log_time{now_};
  if (roll < 10) return log_time{now_ + most};
  return log_time{now_ + random_.below(most + 1)};
}

line random_commands::any_line(channel_no channel) {
  const auto& p = *terms_->seating;
  line l;
  const bool area = !p.areas.empty() && random_.chance(35);
  l.kind = area ? place_kind::area : place_kind::seat;
  l.number = static_cast<std::uint32_t>(random_.below(area ? p.areas.size() : p.seats.size()));
  // Mostly one that the channel may have.
  const auto takes = channel < terms_->rules.channels.size() ? terms_->rules.channels[channel].allocations : 1;
  for (int i = 0; i < 4 && !area && (takes >> p.seats[l.number].allocation & 1U) == 0; ++i)
    l.number = static_cast<std::uint32_t>(random_.below(p.seats.size()));
  l.count = area ? static_cast<std::uint32_t>(random_.chance(80) ? random_.between(1, 3) : random_.between(4, 9)) : 1;
  l.price = static_cast<price_ref>(random_.below(3));
  if (random_.below(200) == 0) l.number += 100;
  return l;
}

lines random_commands::any_lines(std::size_t most, channel_no channel) {
  std::vector<line> l;
  const auto n = 1 + random_.below(most);
  while (l.size() < n) {
    const auto one = any_line(channel);
    const bool twice = std::any_of(l.begin(), l.end(), [&](const line& o) {
      return o.kind == one.kind && o.number == one.number && (o.kind == place_kind::seat || o.price == one.price);
    });
    if (!twice) l.push_back(one);
    else if (random_.chance(30)) break;
  }
  return keep(l);
}

lines random_commands::some_of(const std::vector<line>& all) {
  std::vector<line> l;
  for (const auto& one : all)
    if (random_.chance(60)) l.push_back(one);
  if (random_.below(25) == 0) l.push_back(any_line(0));
  if (!l.empty() && random_.below(25) == 0) l.back().price += 1;
  if (!l.empty() && l.back().kind == place_kind::area && random_.below(6) == 0) l.back().count += random_.chance(50) ? 1 : 3;
  for (std::size_t i = 0; i < l.size(); ++i)
    for (std::size_t j = i + 1; j < l.size();)
      if (l[i].kind == l[j].kind && l[i].number == l[j].number) l.erase(l.begin() + static_cast<std::ptrdiff_t>(j));
      else ++j;
  return keep(l);
}

keys random_commands::keys_of(const owner_id& owner, channel_no channel) {
  std::vector<limit_key> k;
  const auto person = static_cast<std::uint64_t>(std::find(owners_.begin(), owners_.end(), owner) - owners_.begin()) % 3;
  if (channel < terms_->rules.channels.size())
    for (const auto& rule : terms_->rules.channels[channel].rules)
      if (std::none_of(k.begin(), k.end(), [&](const limit_key& o) { return o.kind == rule.kind; }))
        k.push_back({rule.kind, key_value(rule.kind, random_.chance(90) ? person : random_.below(3))});
  if (random_.chance(20)) {
    const auto kind = static_cast<key_kind>(random_.below(key_kinds));
    if (std::none_of(k.begin(), k.end(), [&](const limit_key& o) { return o.kind == kind; })) k.push_back({kind, key_value(kind, random_.below(3))});
  }
  if (!k.empty() && random_.chance(3)) k.pop_back();
  while (k.size() > 4) k.pop_back();
  return keep(k);
}

interval_ms random_commands::any_interval() {
  return static_cast<interval_ms>(random_.chance(80) ? random_.between(500, 20'000) : random_.between(1, 120'000));
}

base::byte_view random_commands::reference(const std::string& s) {
  return keep(std::vector<std::uint8_t>(s.begin(), s.end()));
}

random_commands::known_hold* random_commands::any_hold(command_tag what) {
  if (holds_.empty()) return nullptr;
  // Mostly one that the command fits, as far as one has heard.
  if (random_.chance(70)) {
    std::vector<known_hold*> fit;
    for (auto& h : holds_) {
      const bool held = h.state == hold_state::held && h.deadline > now_, paying = h.state == hold_state::paying && h.deadline > now_;
      if (what == command_tag::cancel_order ? h.state == hold_state::sold : what == command_tag::payment_failed ? paying
          : what == command_tag::confirm_hold || what == command_tag::begin_payment                              ? held || paying
                                                                                                                 : held)
        fit.push_back(&h);
    }
    if (!fit.empty()) return fit[random_.below(fit.size())];
  }
  // Mostly a young one: the old ones have ended.
  const auto back = std::min<std::size_t>(holds_.size(), random_.chance(85) ? 8 : 60);
  return &holds_[holds_.size() - 1 - random_.below(back)];
}

asked random_commands::on_hold(command_tag tag) {
  asked a;
  const auto roll = random_.below(100);
  a.head.from = {roll < 50 ? role::shop : roll < 85 ? role::buyer : role::op, static_cast<std::uint32_t>(random_.below(5))};
  a.head.channel = static_cast<channel_no>(random_.chance(50) ? 0 : random_.below(4));
  a.head.id = fresh_id();
  if (random_.below(200) == 0) a.head.channel = 9;
  const auto& rules = terms_->rules;
  const auto by = random_.chance(10) ? deadline_for_new() : log_time{};

  if (tag == command_tag::hold_seats) {
    hold_seats h;
    h.owner = one_of(random_, owners_);
    h.keys = keys_of(h.owner, a.head.channel);
    h.lines = any_lines(a.head.channel == 1 ? 6 : 3, a.head.channel);
    h.interval = any_interval();
    h.plan_revision = random_.below(60) == 0 ? 2 : rules.channels.empty() ? 1 : terms_->plan_revision;
    if (random_.below(60) == 0) a.head.id = hold_id{{0xdead, random_.below(4) + 1}};  // money may have come for it already
    if (random_.chance(20)) h.basket = basket_id{random_.id()};
    a.head.client_deadline = random_.below(60) == 0 ? log_time{} : deadline_for_new();
    a.what = h;
    return a;
  }
  const auto* known = any_hold(tag);
  owner_id owner = known != nullptr ? known->owner : one_of(random_, owners_);
  hold_id hold = known != nullptr ? known->id : fresh_id();
  const std::vector<line> lines = known != nullptr ? known->lines : std::vector<line>{any_line(0)};
  if (random_.chance(3)) owner = one_of(random_, owners_);
  if (random_.chance(3)) hold = random_.chance(50) ? fresh_id() : hold_id{{0xdead, random_.below(4) + 1}};
  a.head.client_deadline = by;
  const bool money = tag != command_tag::change_hold && tag != command_tag::extend_hold && tag != command_tag::release_hold;
  if (money && a.head.from.who == role::buyer && random_.chance(95)) a.head.from.who = role::shop;

  switch (tag) {
    case command_tag::change_hold: {
      if (known != nullptr && random_.chance(60)) a.head.channel = 1;  // whose limits are wide
      change_hold c{owner, hold, {}, {}, random_.below(60) == 0 ? 2 : terms_->plan_revision};
      if (random_.chance(70)) c.add = any_lines(2, a.head.channel);
      if (random_.chance(60)) c.drop = some_of(lines);
      if (c.add.empty() && c.drop.empty()) c.add = any_lines(2, a.head.channel);
      if (!c.drop.empty() && random_.chance(20)) {  // another price for the same place
        auto again = std::vector<line>(c.drop.begin(), c.drop.end());
        again.resize(1);
        again[0].price += 1;
        c.add = keep(again);
      }
      a.what = c;
      break;
    }
    case command_tag::extend_hold: a.what = extend_hold{owner, hold, any_interval()}; break;
    case command_tag::begin_payment: {
      begin_payment c{owner, hold, reference("att" + std::to_string(random_.below(4))), any_interval(), {}};
      if (random_.chance(30)) {
        const auto kind = static_cast<key_kind>(random_.below(key_kinds));
        c.keys = keep(std::vector<limit_key>{{kind, key_value(kind, random_.below(3))}});
      } else if (random_.chance(10)) {
        c.keys = keys_of(owner, static_cast<channel_no>(random_.below(4)));
      }
      a.what = c;
      break;
    }
    case command_tag::payment_failed: {
      std::string attempt = "att" + std::to_string(random_.below(4));
      if (known != nullptr && !known->attempts.empty() && random_.chance(85)) attempt = known->attempts.back();
      a.what = payment_failed{owner, hold, reference(attempt)};
      break;
    }
    case command_tag::confirm_hold: {
      confirm_hold c{owner, hold, reference("pay" + std::to_string(random_.below(6))), static_cast<std::int64_t>(random_.below(5) * 1000),
                     static_cast<payment_kind>(random_.below(payment_kinds))};
      if (known != nullptr && !known->payments.empty() && random_.chance(30)) {
        c = one_of(random_, known->payments);
        if (random_.chance(20)) c.amount += 5;
      }
      a.head.id = {};
      a.head.client_deadline = {};
      a.what = c;
      break;
    }
    case command_tag::release_hold: {
      release_hold c{owner, hold, {}, a.head.from.who == role::op && random_.chance(40)};
      if (random_.chance(50)) c.lines = some_of(lines);
      a.what = c;
      break;
    }
    case command_tag::cancel_order: {
      cancel_order c{owner, hold, {}, static_cast<std::int64_t>(random_.below(4) * 500), random_.chance(25)};
      if (random_.chance(50)) c.lines = some_of(lines);
      a.what = c;
      break;
    }
    case command_tag::settle_refund:
      a.what = settle_refund{refund_no{static_cast<std::uint32_t>(random_.below(refunds_ + 2))},
                             reference("settle" + std::to_string(random_.below(3)))};
      break;
    default: break;
  }
  return a;
}

ranges random_commands::any_ranges() {
  const auto& p = *terms_->seating;
  std::vector<place_range> r;
  const auto n = 1 + random_.below(3);
  while (r.size() < n) {
    place_range one;
    if (!p.areas.empty() && random_.chance(45)) {
      one.kind = place_kind::area;
      one.first = one.last = static_cast<std::uint32_t>(random_.below(p.areas.size()));
      one.count = static_cast<std::uint32_t>(random_.between(1, random_.chance(80) ? 4 : 12));
      one.allocation = static_cast<std::uint8_t>(random_.below(p.allocations.size()));
      if (random_.below(80) == 0) one.allocation = 15;
    } else {
      one.first = static_cast<std::uint32_t>(random_.below(p.seats.size()));
      one.last = static_cast<std::uint32_t>(std::min<std::uint64_t>(one.first + random_.below(3), p.seats.size() - 1));
      if (random_.below(80) == 0) one.last += 100;
    }
    r.push_back(one);
  }
  return keep(r);
}

asked random_commands::for_operator(command_tag tag) {
  asked a;
  a.head = {{role::op, static_cast<std::uint32_t>(random_.below(3))}, 0, fresh_id(), {}, {}};
  if (random_.chance(10)) a.head.client_deadline = deadline_for_new();
  const auto channels = [&] { return random_.chance(70) ? all_channels : static_cast<channel_set>(1 + random_.below(31)); };
  switch (tag) {
    case command_tag::open_sale: a.what = open_sale{channels()}; break;
    case command_tag::close_sale: a.what = close_sale{channels()}; break;
    case command_tag::pause_sale: a.what = pause_sale{}; break;
    case command_tag::resume_sale: a.what = resume_sale{}; break;
    case command_tag::freeze_sale: a.what = freeze_sale{}; break;
    case command_tag::block_places: a.what = block_places{any_ranges(), static_cast<reason_code>(1 + random_.below(9))}; break;
    case command_tag::unblock_places: a.what = unblock_places{any_ranges()}; break;
    case command_tag::allocate_places:
      a.what = allocate_places{any_ranges(), static_cast<std::uint8_t>(random_.below(40) == 0 ? 15 : random_.below(terms_->seating->allocations.size()))};
      break;
    case command_tag::clear_fault: {
      a.what = clear_fault{static_cast<interval_ms>(random_.below(3))};
      break;
    }
    default: {
      shift_deadlines s{static_cast<interval_ms>(random_.between(1, 8'000)), 1};
      if (mix_.recovery_shifts && random_.chance(40)) {
        a.head.from.who = role::recovery;
        s.reason = 0;
        if (random_.chance(60)) s.by = static_cast<interval_ms>(random_.between(1, 620'000));
      }
      a.what = s;
      break;
    }
  }
  if ((tag == command_tag::open_sale || tag == command_tag::close_sale) && random_.chance(20)) a.head.from.who = role::schedule;
  return a;
}

/// Makes a good command bad in one place.
void random_commands::spoil(asked& a) {
  const auto broken_lines = [&](lines l) -> lines {
    std::vector<line> v(l.begin(), l.end());
    if (v.empty()) return l;
    switch (random_.below(4)) {
      case 0: v[random_.below(v.size())].count = 0; break;
      case 1: v.push_back(v.front()); break;
      case 2: v.push_back(v.front()); v.back().price += 1; break;
      default: v.front().kind = static_cast<place_kind>(7); break;
    }
    return keep(v);
  };
  const auto broken_keys = [&](keys k) -> keys {
    std::vector<limit_key> v(k.begin(), k.end());
    switch (random_.below(4)) {
      case 0: v.push_back({key_kind::device, {}}); break;
      case 1: v.insert(v.end(), 2, {key_kind::code, {7, 7}}); break;
      case 2: v.push_back({static_cast<key_kind>(9), {7, 7}}); break;
      default:
        v.clear();
        for (std::uint8_t i = 0; i < key_kinds; ++i) v.push_back({static_cast<key_kind>(i), {7, 7}});
        break;
    }
    return keep(v);
  };
  const auto broken_reference = [&] { return random_.chance(50) ? base::byte_view{} : reference(std::string(65, 'x')); };
  const auto broken_ranges = [&](ranges r) -> ranges {
    std::vector<place_range> v(r.begin(), r.end());
    auto& one = v[random_.below(v.size())];
    switch (random_.below(5)) {
      case 0: one.last = one.first - 1; break;
      case 1: one.count = one.kind == place_kind::seat ? 3 : 0; break;
      case 2: one.kind = static_cast<place_kind>(5); break;
      case 3: one.last = one.first + 1; one.allocation = 2; break;
      default: v.clear(); break;
    }
    return keep(v);
  };
  switch (random_.below(6)) {
    case 0: a.head.id = std::holds_alternative<confirm_hold>(a.what) ? fresh_id() : command_id{}; return;
    case 1: a.head.from.who = static_cast<role>(random_.below(4)); return;
    case 2: a.head.note = reference(std::string(65, 'n')); return;
    case 3:
      if (std::holds_alternative<confirm_hold>(a.what)) a.head.client_deadline = log_time{now_ + 1};
      break;
    default: break;
  }
  if (auto* c = std::get_if<hold_seats>(&a.what)) {
    switch (random_.below(5)) {
      case 0: c->owner = {}; break;
      case 1: c->lines = {}; break;
      case 2: c->lines = broken_lines(c->lines); break;
      case 3: c->interval = 0; break;
      default: c->keys = broken_keys(c->keys); break;
    }
  } else if (auto* ch = std::get_if<change_hold>(&a.what)) {
    switch (random_.below(4)) {
      case 0: ch->hold = {}; break;
      case 1: ch->add = ch->drop = {}; break;
      case 2: ch->add = broken_lines(ch->add); break;
      default: ch->drop = broken_lines(ch->drop); break;
    }
  } else if (auto* e = std::get_if<extend_hold>(&a.what)) {
    if (random_.chance(50)) e->interval = 0;
    else e->hold = {};
  } else if (auto* b = std::get_if<begin_payment>(&a.what)) {
    switch (random_.below(3)) {
      case 0: b->interval = 0; break;
      case 1: b->attempt = broken_reference(); break;
      default: b->keys = broken_keys(b->keys); break;
    }
  } else if (auto* f = std::get_if<payment_failed>(&a.what)) {
    f->attempt = broken_reference();
  } else if (auto* m = std::get_if<confirm_hold>(&a.what)) {
    switch (random_.below(4)) {
      case 0: m->payment = broken_reference(); break;
      case 1: m->amount = -1; break;
      case 2: m->kind = static_cast<payment_kind>(17); break;
      default: m->owner = {}; break;
    }
  } else if (auto* r = std::get_if<release_hold>(&a.what)) {
    if (random_.chance(50)) r->lines = broken_lines(r->lines);
    else r->hold = {};
  } else if (auto* o = std::get_if<cancel_order>(&a.what)) {
    if (random_.chance(50)) o->lines = broken_lines(o->lines);
    else o->amount = -7;
  } else if (auto* s = std::get_if<settle_refund>(&a.what)) {
    s->reference = broken_reference();
  } else if (auto* x = std::get_if<block_places>(&a.what)) {
    x->ranges = broken_ranges(x->ranges);
  } else if (auto* y = std::get_if<unblock_places>(&a.what)) {
    y->ranges = broken_ranges(y->ranges);
  } else if (auto* z = std::get_if<allocate_places>(&a.what)) {
    z->ranges = broken_ranges(z->ranges);
  } else if (auto* w = std::get_if<shift_deadlines>(&a.what)) {
    w->by = 0;
  } else if (auto* p = std::get_if<open_sale>(&a.what)) {
    p->channels = random_.chance(50) ? 0 : 0xffff'0000U;
  } else if (auto* q = std::get_if<close_sale>(&a.what)) {
    q->channels = random_.chance(50) ? 0 : 0xffff'0000U;
  }
}

// ---- borrowed memory --------------------------------------------------------------------------------------------

asked deep_copy(const asked& a, std::pmr::memory_resource& arena) {
  const auto copy = [&]<class T>(std::span<const T> from) -> std::span<const T> {
    if (from.empty()) return {};
    auto* p = static_cast<T*>(arena.allocate(from.size() * sizeof(T), alignof(T)));
    std::uninitialized_copy(from.begin(), from.end(), p);
    return {p, from.size()};
  };
  asked b = a;
  b.head.note = copy(b.head.note);
  if (auto* h = std::get_if<hold_seats>(&b.what)) h->lines = copy(h->lines), h->keys = copy(h->keys);
  if (auto* h = std::get_if<change_hold>(&b.what)) h->add = copy(h->add), h->drop = copy(h->drop);
  if (auto* h = std::get_if<begin_payment>(&b.what)) h->attempt = copy(h->attempt), h->keys = copy(h->keys);
  if (auto* h = std::get_if<payment_failed>(&b.what)) h->attempt = copy(h->attempt);
  if (auto* h = std::get_if<confirm_hold>(&b.what)) h->payment = copy(h->payment);
  if (auto* h = std::get_if<release_hold>(&b.what)) h->lines = copy(h->lines);
  if (auto* h = std::get_if<cancel_order>(&b.what)) h->lines = copy(h->lines);
  if (auto* h = std::get_if<settle_refund>(&b.what)) h->reference = copy(h->reference);
  if (auto* h = std::get_if<block_places>(&b.what)) h->ranges = copy(h->ranges);
  if (auto* h = std::get_if<unblock_places>(&b.what)) h->ranges = copy(h->ranges);
  if (auto* h = std::get_if<allocate_places>(&b.what)) h->ranges = copy(h->ranges);
  return b;
}

batch_arena::~batch_arena() {
  for (const auto& [p, n] : blocks_) {
    std::memset(p, 0xdd, n);
    ::operator delete(p);
  }
}

void* batch_arena::do_allocate(std::size_t bytes, std::size_t) {
  auto* p = static_cast<unsigned char*>(::operator new(bytes));
  blocks_.emplace_back(p, bytes);
  return p;
}

}  // namespace holdfast::simulation
